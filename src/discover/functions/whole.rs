//! What belongs to no function: where it differs, nothing is known of any of them.

use std::path::Path;

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};

use crate::units::Paired;

use super::Unclear;
use super::program::{Content, Program};

/// Fails where something differs that a function can depend on without referring to it.
pub(super) fn compare(programs: &Paired<Program<'_>>, bytes: Paired<&[u8]>) -> Result<(), Unclear> {
    let loaders = bytes.try_map(Loader::read)?;
    if loaders.base != loaders.head {
        return Err(Unclear::because(
            "the shared libraries or the stack that the executables ask for differ",
        ));
    }
    if programs.base.thread_locals != programs.head.thread_locals {
        return Err(Unclear::because("the thread-local variables differ"));
    }
    let names = programs.as_ref().map(|program| {
        let data = program
            .sections
            .iter()
            .filter(|s| s.is_data() && s.size > 0);
        let mut names: Vec<&str> = data.map(|section| section.name.as_str()).collect();
        names.retain(|name| *name != ".relro_padding");
        names.sort_unstable();
        names
    });
    if names.base != names.head {
        return Err(Unclear::because(
            "one executable has a data section that the other lacks",
        ));
    }
    let threads = programs.as_ref().map(|program| {
        let sections = program.sections.iter();
        let found = sections.filter(|section| section.content == Content::Thread);
        found
            .map(|section| section.bytes.to_vec())
            .collect::<Vec<_>>()
    });
    if threads.base != threads.head {
        return Err(Unclear::because(
            "the first values of thread-local variables differ",
        ));
    }
    for program in [&programs.base, &programs.head] {
        let in_code = program.slots.keys().any(|address| {
            let section = program.section_of(*address);
            section.is_some_and(|section| section.content == Content::Code)
        });
        if in_code {
            return Err(Unclear::because(
                "the loader writes into an executable's code",
            ));
        }
    }
    Ok(())
}

/// The names of the shared libraries that an executable needs.
pub(in crate::discover) fn needed_libraries(executable: &Path) -> Result<Vec<String>, Unclear> {
    let bytes = fs_err::read(executable).map_err(|error| Unclear::because(error.to_string()))?;
    let dynamic = Loader::read(&bytes)?.dynamic.into_iter();
    let needed = dynamic.filter(|(tag, _)| *tag == elf::DT_NEEDED.0 as u64);
    Ok(needed
        .map(|(_, name)| String::from_utf8_lossy(&name).into_owned())
        .collect())
}

/// What the loader is told.
#[derive(Debug, PartialEq, Eq)]
struct Loader {
    interpreter: Vec<u8>,
    stack: Vec<[u64; 2]>,
    /// Names of libraries and where to look for them.
    dynamic: Vec<(u64, Vec<u8>)>,
}

impl Loader {
    fn read(bytes: &[u8]) -> Result<Loader, Unclear> {
        let fail = |error| Unclear::because(format!("an executable is not understood: {error}"));
        let file = ElfFile64::<Endianness>::parse(bytes).map_err(fail)?;
        let endian = file.endian();
        let headers = file.elf_program_headers();
        let sections = file.elf_header().sections(endian, bytes).map_err(fail)?;
        let mut dynamic = Vec::new();
        if let Some((entries, strings)) = sections.dynamic(endian, bytes).map_err(fail)? {
            let strings = sections.strings(endian, bytes, strings).map_err(fail)?;
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
        let of_kind = |kind| {
            headers
                .iter()
                .filter(move |header| header.p_type(endian) == kind)
        };
        let interpreter = of_kind(elf::PT_INTERP)
            .find_map(|header| header.data(endian, bytes).ok())
            .unwrap_or_default();
        let stack = of_kind(elf::PT_GNU_STACK)
            .map(|header| [header.p_memsz(endian), header.p_flags(endian).0.into()]);
        Ok(Loader {
            interpreter: interpreter.to_vec(),
            stack: stack.collect(),
            dynamic,
        })
    }
}
