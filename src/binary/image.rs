//! What the loader maps of an ELF executable.

use std::collections::BTreeMap;

use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, ObjectSymbolTable as _,
    RelocationFlags, RelocationTarget, elf,
};

/// The mapped part of an executable.
#[derive(Debug)]
pub(super) struct Image<'a> {
    pub(super) file: ElfFile64<'a, Endianness>,
    /// Every allocated section, in the file's order.
    pub(super) sections: Vec<Section<'a>>,
    /// What the program headers and the file header say, offsets in the file aside.
    pub(super) headers: Vec<[u64; 7]>,
    /// What the loader writes, by where.
    pub(super) slots: BTreeMap<u64, Slot>,
}

/// What a section is to a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Instructions.
    Code,
    /// Stubs that jump to what the loader found.
    Stubs,
    /// Data that is not written to once the program is loaded.
    Constant,
    /// Data that the program may write.
    Variable,
    /// The first contents of a thread's own variables.
    Thread,
    /// Tables for the loader and the unwinder.
    Tables,
}

/// A section that the loader maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) content: Content,
    pub(super) flags: elf::SectionFlags,
    pub(super) kind: elf::SectionType,
    align: u64,
    /// Empty where the loader only reserves space.
    pub(super) bytes: &'a [u8],
}

impl Section<'_> {
    pub(super) fn end(&self) -> u64 {
        self.address + self.size
    }

    pub(super) fn is_data(&self) -> bool {
        matches!(self.content, Content::Constant | Content::Variable)
    }

    /// Whether the loader does the same with both.
    pub(super) fn has_place_of(&self, other: &Section<'_>) -> bool {
        let place = |one: &Section<'_>| (one.address, one.size, one.flags.0, one.kind.0, one.align);
        self.name == other.name && place(self) == place(other)
    }
}

/// Eight bytes that the loader fills in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// With this address in the executable itself.
    Own(u64),
    /// With something of another library.
    Foreign {
        kind: u32,
        symbol: String,
        addend: i64,
    },
}

impl<'a> Image<'a> {
    /// Reads the headers of a 64-bit ELF file.
    ///
    /// # Errors
    /// The reason, if it is not such a file or not understood.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Image<'a>, String> {
        let not_understood = |error| format!("an executable is not understood: {error}");
        let file = ElfFile64::<Endianness>::parse(bytes).map_err(not_understood)?;
        let endian = file.endian();
        let mut sections = Vec::new();
        for section in file.sections() {
            let header = section.elf_section_header();
            let (flags, kind) = (header.sh_flags(endian), header.sh_type(endian));
            let name = section.name().map_err(not_understood)?;
            if !flags.contains(elf::SHF_ALLOC) || name == ".note.gnu.build-id" {
                continue;
            }
            sections.push(Section {
                name,
                address: section.address(),
                size: section.size(),
                content: content(name, flags, kind),
                flags,
                kind,
                align: section.align(),
                bytes: section.data().map_err(not_understood)?,
            });
        }
        if sections.is_empty() {
            return Err("an executable has no section table".to_owned());
        }
        Ok(Image {
            headers: headers(&file),
            slots: slots(&file),
            sections,
            file,
        })
    }

    /// The first section of this name.
    pub(super) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The `len` bytes at `address`, where one section holds them all.
    pub(super) fn at(&self, address: u64, len: usize) -> Option<&'a [u8]> {
        self.sections.iter().find_map(|section| {
            let start = usize::try_from(address.checked_sub(section.address)?).ok()?;
            section.bytes.get(start..start.checked_add(len)?)
        })
    }

    /// The address that stands at `address` once the program is loaded. The packed form of relocations, and
    /// executables at a fixed address, have it in place.
    pub(super) fn pointer(&self, address: u64) -> Option<u64> {
        match self.slots.get(&address) {
            Some(Slot::Own(to)) => Some(*to),
            _ => self.number(address),
        }
    }

    /// The eight bytes at `address` as a number.
    pub(super) fn number(&self, address: u64) -> Option<u64> {
        let bytes = self.at(address, 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

fn content(name: &str, flags: elf::SectionFlags, kind: elf::SectionType) -> Content {
    let tables = [
        ".interp",
        ".hash",
        ".eh_frame",
        ".eh_frame_hdr",
        ".gcc_except_table",
        ".dynamic",
        ".debug_gdb_scripts",
    ];
    if flags.contains(elf::SHF_TLS) {
        Content::Thread
    } else if flags.contains(elf::SHF_EXECINSTR) {
        if name.starts_with(".plt") || name.starts_with(".iplt") {
            Content::Stubs
        } else {
            Content::Code
        }
    } else if tables.contains(&name)
        || name.starts_with(".gnu.")
        || name.starts_with(".gcc_except_table")
        || [
            elf::SHT_NOTE,
            elf::SHT_DYNSYM,
            elf::SHT_STRTAB,
            elf::SHT_RELA,
            elf::SHT_GNU_HASH,
        ]
        .contains(&kind)
    {
        Content::Tables
    } else if !flags.contains(elf::SHF_WRITE)
        || name.starts_with(".data.rel.ro")
        || name.starts_with(".got")
        || name == ".relro_padding"
    {
        Content::Constant
    } else {
        Content::Variable
    }
}

fn headers(file: &ElfFile64<'_, Endianness>) -> Vec<[u64; 7]> {
    let endian = file.endian();
    let header = file.elf_header();
    let whole = [
        header.e_type(endian).0.into(),
        header.e_machine(endian).0.into(),
        header.e_entry(endian),
        header.e_flags(endian).0.into(),
        0,
        0,
        0,
    ];
    let segments = file.elf_program_headers().iter().map(|segment| {
        [
            segment.p_type(endian).0.into(),
            segment.p_flags(endian).0.into(),
            segment.p_vaddr(endian),
            segment.p_paddr(endian),
            segment.p_filesz(endian),
            segment.p_memsz(endian),
            segment.p_align(endian),
        ]
    });
    [whole].into_iter().chain(segments).collect()
}

fn slots(file: &ElfFile64<'_, Endianness>) -> BTreeMap<u64, Slot> {
    let symbols = file.dynamic_symbol_table();
    let relocations = file.dynamic_relocations().into_iter().flatten();
    let slots = relocations.filter_map(|(at, relocation)| {
        let RelocationFlags::Elf { r_type } = relocation.flags() else {
            return None;
        };
        let addend = relocation.addend();
        let symbol = match relocation.target() {
            RelocationTarget::Symbol(index) => symbols
                .as_ref()
                .and_then(|symbols| symbols.symbol_by_index(index).ok()),
            _ => None,
        };
        let own = symbol
            .as_ref()
            .filter(|symbol| symbol.is_definition() && symbol.address() != 0);
        let slot = match (r_type, own) {
            (elf::R_X86_64_RELATIVE | elf::R_X86_64_IRELATIVE | elf::R_AARCH64_RELATIVE, _) => {
                Slot::Own(addend.cast_unsigned())
            }
            (elf::R_X86_64_64 | elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT, Some(symbol)) => {
                Slot::Own(symbol.address().wrapping_add_signed(addend))
            }
            _ => Slot::Foreign {
                kind: r_type.0,
                symbol: symbol
                    .and_then(|symbol| symbol.name().ok().map(str::to_owned))
                    .unwrap_or_default(),
                addend,
            },
        };
        Some((at, slot))
    });
    slots.collect()
}
