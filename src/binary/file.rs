//! What the tables of an executable or library say.

use std::ops::Range;
use std::path::Path;

use object::{
    Architecture, File, Object as _, ObjectKind, ObjectSection as _, ObjectSegment as _,
    RelocationTarget, SectionKind, SymbolKind,
};

use super::loader;

/// An executable or library in any format.
#[derive(Debug)]
pub(crate) struct Binary<'a> {
    file: File<'a>,
}

/// Something that a file defines and names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Symbol<'a> {
    /// As it stands in the table.
    pub name: &'a str,
    /// Where it begins.
    pub address: u64,
    /// How many bytes it has.
    pub size: u64,
    /// Whether it is a function or other code.
    pub is_code: bool,
}

impl Symbol<'_> {
    /// From its first byte to its last.
    pub(crate) fn range(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.size)
    }
}

impl<'a> Binary<'a> {
    /// Reads the headers of a file.
    ///
    /// # Errors
    /// The format is unknown.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Binary<'a>, object::Error> {
        File::parse(bytes).map(|file| Binary { file })
    }

    /// Looks at the file at `path`; `None` where it cannot be read or is not understood.
    pub(crate) fn look<T>(path: &Path, at: impl FnOnce(&Binary<'_>) -> T) -> Option<T> {
        let bytes = fs_err::read(path).ok()?;
        Binary::parse(&bytes).ok().map(|binary| at(&binary))
    }

    /// For which kind of processor it was made.
    #[must_use]
    pub(crate) fn architecture(&self) -> Architecture {
        self.file.architecture()
    }

    /// Whether it is an executable or a shared library.
    #[must_use]
    pub(crate) fn can_be_loaded(&self) -> bool {
        matches!(
            self.file.kind(),
            ObjectKind::Executable | ObjectKind::Dynamic
        )
    }

    /// The loader that an ELF file asks for; `None` if it is statically linked.
    #[must_use]
    pub(crate) fn interpreter(&self) -> Option<&'a [u8]> {
        match &self.file {
            File::Elf64(elf) => loader::interpreter(elf),
            _ => None,
        }
    }

    /// The symbols that the file defines; none if it was stripped.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = Symbol<'a>> {
        self.file.symbols().filter_map(defined)
    }

    /// The symbols that the loader offers to other files.
    pub(crate) fn exported(&self) -> impl Iterator<Item = Symbol<'a>> {
        self.file.dynamic_symbols().filter_map(defined)
    }

    /// Which stretches of the file the loader maps, and to which address.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (Range<u64>, u64)> {
        self.file.segments().map(|segment| {
            let (offset, length) = segment.file_range();
            (offset..offset + length, segment.address())
        })
    }

    /// How many bytes of the file the loader maps: code and data, without symbols and debugging information.
    pub(crate) fn loaded_bytes(&self) -> u64 {
        self.segments()
            .map(|(range, _)| range.end - range.start)
            .sum()
    }

    /// The bytes from `address` to the end of its section.
    #[must_use]
    pub(crate) fn data_from(&self, address: u64) -> Option<&'a [u8]> {
        let mut sections = self.file.sections();
        let section =
            sections.find(|s| (s.address()..s.address() + s.size()).contains(&address))?;
        let offset = usize::try_from(address - section.address()).ok()?;
        section.data().ok()?.get(offset..)
    }

    /// Where the loader stores the address of `symbol` for code that uses it.
    pub(crate) fn slots_of(&self, symbol: &Symbol<'_>) -> Vec<u64> {
        let relocations = self.file.dynamic_relocations().into_iter().flatten();
        let own = relocations.filter(|(_, relocation)| {
            relocation.target() == RelocationTarget::Absolute
                && relocation.addend().cast_unsigned() == symbol.address
        });
        own.map(|(at, _)| at).collect()
    }

    /// Code, constants and variables: what a running program can see of its file. Not debug information, which
    /// names every compiled file.
    pub(crate) fn program_data(&self) -> impl Iterator<Item = &'a [u8]> {
        let seen = |kind| {
            matches!(
                kind,
                SectionKind::Text
                    | SectionKind::Data
                    | SectionKind::ReadOnlyData
                    | SectionKind::ReadOnlyDataWithRel
                    | SectionKind::ReadOnlyString
            )
        };
        let sections = self.file.sections().filter(move |s| seen(s.kind()));
        sections.filter_map(|section| section.data().ok())
    }
}

fn defined<'a, S: object::ObjectSymbol<'a>>(symbol: S) -> Option<Symbol<'a>> {
    let name = symbol.name().ok().filter(|_| symbol.is_definition())?;
    Some(Symbol {
        name,
        address: symbol.address(),
        size: symbol.size(),
        is_code: symbol.kind() == SymbolKind::Text,
    })
}
