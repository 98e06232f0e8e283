//! What belongs to no function: if it differs, any function may have changed.

use crate::units::Paired;

use super::super::image::Content;
use super::super::loader::LoaderTables;
use super::Unclear;
use super::program::Program;

/// Fails where something differs that a function can depend on without referring to it.
pub(super) fn compare(programs: &Paired<Program<'_>>) -> Result<(), Unclear> {
    let told = |program: &Program<'_>| {
        LoaderTables::of(&program.image.file)
            .map_err(|error| Unclear::because(format!("an executable is not understood: {error}")))
    };
    let loaders = programs.as_ref().try_map(told)?;
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
        let mut names: Vec<&str> = data.map(|section| section.name).collect();
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
        let in_code = program.image.slots.keys().any(|address| {
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
