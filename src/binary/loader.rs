//! What an executable asks of the loader.

use std::io;
use std::path::Path;

use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};

/// What the file tells the loader.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoaderTables {
    /// The path of the loader; empty if there is none.
    interpreter: Vec<u8>,
    stack: Vec<[u64; 2]>,
    /// Names of libraries and where to look for them.
    dynamic: Vec<(u64, Vec<u8>)>,
}

impl LoaderTables {
    pub(super) fn of(file: &ElfFile64<'_, Endianness>) -> Result<LoaderTables, object::Error> {
        let endian = file.endian();
        let bytes = file.data();
        let mut dynamic = Vec::new();
        let sections = file.elf_header().sections(endian, bytes)?;
        if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
            let strings = sections.strings(endian, bytes, strings)?;
            for entry in entries {
                let tag = entry.d_tag(endian);
                let named = [elf::DT_NEEDED, elf::DT_RPATH, elf::DT_RUNPATH];
                if named.contains(&tag) {
                    let name = u32::try_from(entry.d_val(endian)).ok();
                    let name = name.and_then(|name| strings.get(name).ok());
                    dynamic.push((tag.0 as u64, name.unwrap_or_default().to_vec()));
                }
            }
        }
        let stack = headers(file, elf::PT_GNU_STACK)
            .map(|header| [header.p_memsz(endian), header.p_flags(endian).0.into()]);
        Ok(LoaderTables {
            interpreter: interpreter(file).unwrap_or_default().to_vec(),
            stack: stack.collect(),
            dynamic,
        })
    }
}

/// The loader that a file asks for.
pub(super) fn interpreter<'a>(file: &ElfFile64<'a, Endianness>) -> Option<&'a [u8]> {
    let data =
        |header: &elf::ProgramHeader64<Endianness>| header.data(file.endian(), file.data()).ok();
    headers(file, elf::PT_INTERP).find_map(data)
}

fn headers<'a>(
    file: &ElfFile64<'a, Endianness>,
    kind: elf::ProgramType,
) -> impl Iterator<Item = &'a elf::ProgramHeader64<Endianness>> {
    let endian = file.endian();
    let headers = file.elf_program_headers().iter();
    headers.filter(move |header| header.p_type(endian) == kind)
}

/// The names of the shared libraries that an executable needs.
///
/// # Errors
/// It cannot be read, or is not a 64-bit ELF file.
pub(crate) fn needed_libraries(executable: &Path) -> io::Result<Vec<String>> {
    let bytes = fs_err::read(executable)?;
    let not_understood =
        |error| io::Error::other(format!("an executable is not understood: {error}"));
    let file = ElfFile64::parse(&*bytes).map_err(not_understood)?;
    let dynamic = LoaderTables::of(&file).map_err(not_understood)?.dynamic;
    let needed = dynamic
        .iter()
        .filter(|(tag, _)| *tag == elf::DT_NEEDED.0 as u64);
    Ok(needed
        .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        .collect())
}
