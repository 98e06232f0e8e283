//! Whether two executables are the same loadable code.
//!
//! Everything that the loader maps is compared: every allocated section with its place, size and
//! bytes, relocations and unwind tables included, and every program header. Symbol names, debug
//! information and comments are not mapped. Three things are ignored, because none can change what
//! the processor executes while a benchmark runs:
//!
//! 1. *The build id*, a checksum of the file, debug information included.
//! 2. *The side's own folders* in embedded paths (checkout and target folder). The two sides' folders
//!    are equally long, so this moves nothing.
//! 3. *Line and column of a panic location.* A comment that moves lines changes them and nothing
//!    else. The compiler keeps them as records of 24 bytes, `{file: &str, line: u32, column: u32}`
//!    (`core::panic::Location`). A program's own table may look the same, so perfcheck also reads
//!    the source: the text at the base side's line and column must be the text at the head side's.
//!    Then the location has moved with its code. A number that the program computes with
//!    (`line!()`) is not in such a record and counts.
//!
//! Whatever is not understood counts as a difference: other formats, 32-bit targets, a source that
//! cannot be read.

use std::io;
use std::path::Path;

use crate::units::Paired;

use super::image::{Image, Section};
use super::panic_location::SourceTexts;
use super::tree::{Tree, equalise_folders};

/// The executables of both sides, each read once.
pub(super) struct Executables<'a> {
    /// As they are, with each side's own folders.
    own: Paired<Vec<u8>>,
    /// The head side's with the folders of the base side.
    head: Vec<u8>,
    trees: Paired<Tree<'a>>,
}

impl<'a> Executables<'a> {
    pub(super) fn read(
        paths: Paired<&Path>,
        trees: Paired<Tree<'a>>,
    ) -> io::Result<Executables<'a>> {
        let own = paths.try_map(fs_err::read)?;
        let mut head = own.head.clone();
        equalise_folders(&mut head, trees);
        Ok(Executables { own, head, trees })
    }

    /// What the loader maps of them, with the same folders in both.
    pub(super) fn images(&self) -> Result<Paired<Image<'_>>, String> {
        Paired::new(&*self.own.base, &*self.head).try_map(Image::parse)
    }

    /// Reading the source needs the original paths; comparing does not.
    pub(super) fn sources(&self) -> SourceTexts<'_> {
        SourceTexts::new(self.own.as_ref().map(Vec::as_slice), self.trees)
    }
}

/// What differs between the loadable code of two executables, as a message; `None` if nothing does.
///
/// # Errors
/// A file cannot be read. A file in an unknown format is not an error but a difference.
pub(crate) fn code_difference(
    executables: Paired<&Path>,
    trees: Paired<Tree<'_>>,
) -> io::Result<Option<String>> {
    let executables = Executables::read(executables, trees)?;
    Ok(match executables.images() {
        Ok(images) => difference(&images, &executables.sources()),
        Err(reason) => Some(reason),
    })
}

fn difference(images: &Paired<Image<'_>>, sources: &SourceTexts<'_>) -> Option<String> {
    if images.base.headers != images.head.headers {
        let laid_out_alike = images.base.sections.len() == images.head.sections.len()
            && images
                .base
                .sections
                .iter()
                .zip(&images.head.sections)
                .all(|(b, h)| b.has_place_of(h));
        if laid_out_alike {
            return Some("the program headers differ".to_owned());
        }
    }
    let mut found: Vec<(&str, String)> = Vec::new();
    for base in &images.base.sections {
        match images.head.section(base.name) {
            None => found.push((base.name, format!("{} is gone", base.name))),
            Some(head) => {
                let difference = section_difference(images, base, head, sources);
                found.extend(difference.map(|difference| (base.name, difference)));
            }
        }
    }
    for head in &images.head.sections {
        if images.base.section(head.name).is_none() {
            found.push((head.name, format!("{} is new", head.name)));
        }
    }
    if found.is_empty() && images.base.sections.len() == images.head.sections.len() {
        return None;
    }
    // A difference in code says more than a table that moved because of it.
    found.sort_by_key(|(section, _)| !section.starts_with(".text"));
    let told: Vec<String> = found.into_iter().take(3).map(|(_, told)| told).collect();
    Some(told.join(", "))
}

fn section_difference(
    images: &Paired<Image<'_>>,
    base: &Section<'_>,
    head: &Section<'_>,
    sources: &SourceTexts<'_>,
) -> Option<String> {
    let name = base.name;
    if base.size != head.size {
        let grown = i128::from(head.size) - i128::from(base.size);
        return Some(format!("{name}: {grown:+} bytes"));
    }
    if !base.has_place_of(head) {
        return Some(format!("{name} has moved"));
    }
    if base.bytes.len() != head.bytes.len() {
        return Some(format!("{name}: another amount of data"));
    }
    let mut differing = 0_usize;
    let mut at = 0;
    while let Some(next) = base.bytes[at..]
        .iter()
        .zip(&head.bytes[at..])
        .position(|(b, h)| b != h)
    {
        at += next;
        let moved = !base.flags.contains(object::elf::SHF_EXECINSTR)
            && sources.moved_location(images, base.address + at as u64);
        if moved {
            // To the end of the record's last eight bytes.
            at += 8 - (base.address as usize + at) % 8;
            at = at.min(base.bytes.len());
        } else {
            differing += 1;
            at += 1;
        }
    }
    (differing > 0).then(|| match differing {
        1 => format!("{name}: 1 byte"),
        n => format!("{name}: {n} bytes"),
    })
}

#[cfg(test)]
pub(super) mod tests;
