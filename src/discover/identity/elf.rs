//! What the loader maps of an ELF executable.

use std::collections::HashMap;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, RelocationFlags};

/// The mapped part of an executable.
#[derive(Debug)]
pub(in crate::discover) struct Image<'a> {
    /// Every allocated section, in the file's order.
    pub(super) sections: Vec<Section<'a>>,
    /// What the program headers and the file header say, offsets in the file aside.
    pub(super) headers: Vec<[u64; 7]>,
    /// The addresses that the loader writes, by where: relative relocations.
    pointers: HashMap<u64, u64>,
}

/// One allocated section.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) place: Place,
    /// Its bytes; none where the loader only reserves room.
    pub(super) bytes: &'a [u8],
}

/// Where a section is and what the loader does with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) executable: bool,
    flags: u64,
    kind: u64,
    align: u64,
}

impl<'a> Image<'a> {
    /// Reads the headers of a 64-bit ELF file.
    ///
    /// # Errors
    /// A reason, where it is none or is not understood.
    pub(in crate::discover) fn parse(bytes: &'a [u8]) -> Result<Image<'a>, String> {
        let not_understood = |error| format!("an executable is not understood: {error}");
        let file = ElfFile64::<Endianness>::parse(bytes).map_err(not_understood)?;
        let endian = file.endian();
        let mut sections = Vec::new();
        for section in file.sections() {
            let header = section.elf_section_header();
            let flags = header.sh_flags(endian);
            let name = section.name().map_err(not_understood)?;
            if !flags.contains(elf::SHF_ALLOC) || name == ".note.gnu.build-id" {
                continue;
            }
            sections.push(Section {
                place: Place {
                    name: name.to_owned(),
                    address: section.address(),
                    size: section.size(),
                    executable: flags.contains(elf::SHF_EXECINSTR),
                    flags: flags.0,
                    kind: header.sh_type(endian).0.into(),
                    align: section.align(),
                },
                bytes: section.data().map_err(not_understood)?,
            });
        }
        if sections.is_empty() {
            return Err("an executable has no section table".to_owned());
        }
        Ok(Image {
            headers: headers(&file),
            pointers: pointers(&file),
            sections,
        })
    }

    /// The first section of this name.
    pub(super) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections
            .iter()
            .find(|section| section.place.name == name)
    }

    /// The `len` bytes at `address`, where one section holds them all.
    pub(super) fn at(&self, address: u64, len: usize) -> Option<&'a [u8]> {
        self.sections.iter().find_map(|section| {
            let start = address.checked_sub(section.place.address)?;
            let start = usize::try_from(start).ok()?;
            section.bytes.get(start..start.checked_add(len)?)
        })
    }

    /// The address that stands at `address` once the program is loaded.
    pub(super) fn pointer(&self, address: u64) -> Option<u64> {
        let relocated = self.pointers.get(&address).copied();
        relocated.or_else(|| self.number(address))
    }

    /// The eight bytes at `address` as a number.
    pub(super) fn number(&self, address: u64) -> Option<u64> {
        let bytes = self.at(address, 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
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

/// Relative relocations with their address in the table. Those whose address stands in place (the
/// packed form, and executables at a fixed address) are read there.
fn pointers(file: &ElfFile64<'_, Endianness>) -> HashMap<u64, u64> {
    let relative = |flags| {
        matches!(
            flags,
            RelocationFlags::Elf {
                r_type: elf::R_X86_64_RELATIVE | elf::R_AARCH64_RELATIVE
            }
        )
    };
    let relocations = file.dynamic_relocations().into_iter().flatten();
    relocations
        .filter(|(_, relocation)| relative(relocation.flags()))
        .map(|(at, relocation)| (at, relocation.addend().cast_unsigned()))
        .collect()
}
