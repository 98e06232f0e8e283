//! Whether two executables are the same loadable code.
//!
//! Everything that the loader maps is compared: every allocated section with its place, size and
//! bytes, relocations and unwind tables included, and every program header. Symbol names, debug
//! information and comments are not mapped. Three things are set aside, each because it cannot
//! change what the processor executes while a benchmark runs:
//!
//! 1. *The build id*, a checksum of the file, debug information included.
//! 2. *The side's own folders* in embedded paths (checkout and target folder). The two sides' folders
//!    are equally long, so this moves nothing.
//! 3. *Line and column of a panic location.* A comment that moves lines changes them and nothing
//!    else. The compiler keeps them as records of 24 bytes, `{file: &str, line: u32, column: u32}`
//!    (`core::panic::Location`). A program's own table may look the same, so the look is not
//!    enough: the source is read, and what stands at the line and column of the base side's file
//!    must be what stands at those of the head side's. Then the location has moved with its code.
//!    A number that the program computes with (`line!()`) is not in such a record and counts.
//!
//! Whatever is not understood counts as a difference: other formats, 32-bit targets, a source that
//! cannot be read.

mod elf;
mod location;

use std::path::Path;

use crate::build::Build;
use crate::units::{Paired, Side};

use super::Identity;
pub(super) use elf::Image;
use elf::Section;
pub(super) use location::Sources;

/// Where a side's source and artefacts are.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// The checkout's root.
    pub checkout: &'a Path,
    /// The folder that the compiler was run in: relative paths in the executable start there.
    pub workspace: &'a Path,
    /// The target folder.
    pub target_dir: &'a Path,
}

impl<'a> Tree<'a> {
    /// Those of a build.
    pub(super) fn of(build: &'a Build) -> Tree<'a> {
        Tree {
            checkout: &build.checkout.root,
            workspace: &build.workspace_root,
            target_dir: &build.target_dir,
        }
    }
}

/// Why two executables could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file could not be read.
    #[error("cannot compare the executables of both sides")]
    Read(#[source] std::io::Error),
}

/// Compares two executables by their loadable code.
///
/// # Errors
/// Where a file cannot be read. One that is not understood is not an error but a difference.
pub fn compare(
    executables: Paired<&Path>,
    trees: Paired<Tree<'_>>,
) -> Result<Identity, IdentityError> {
    let mut bytes = executables
        .try_map(fs_err::read)
        .map_err(IdentityError::Read)?;
    // Where a string came from is needed for reading the source; where it is compared, it is not.
    let own = bytes.clone();
    equalise_folders(&mut bytes.head, trees);
    let images = match bytes.as_ref().try_map(|bytes| Image::parse(bytes)) {
        Ok(images) => images,
        Err(reason) => return Ok(Identity::Different(reason)),
    };
    let sources = Sources::new(own.as_ref().map(Vec::as_slice), trees);
    Ok(differences(&images, &sources))
}

/// Writes the base side's folders for those of the head side.
pub(super) fn equalise_folders(head: &mut [u8], trees: Paired<Tree<'_>>) {
    for (from, to) in [
        (trees.head.checkout, trees.base.checkout),
        (trees.head.target_dir, trees.base.target_dir),
    ] {
        replace(head, from, to);
    }
}

fn differences(images: &Paired<Image<'_>>, sources: &Sources<'_>) -> Identity {
    if images.base.headers != images.head.headers {
        let laid_out_alike = images.base.sections.len() == images.head.sections.len()
            && images
                .base
                .sections
                .iter()
                .zip(&images.head.sections)
                .all(|(b, h)| b.place == h.place);
        if laid_out_alike {
            return Identity::Different("the program headers differ".to_owned());
        }
    }
    let mut found = Vec::new();
    for base in &images.base.sections {
        match images.head.section(&base.place.name) {
            None => found.push(format!("{} is gone", base.place.name)),
            Some(head) => found.extend(section_difference(images, base, head, sources)),
        }
    }
    for head in &images.head.sections {
        if images.base.section(&head.place.name).is_none() {
            found.push(format!("{} is new", head.place.name));
        }
    }
    if found.is_empty() && images.base.sections.len() == images.head.sections.len() {
        return Identity::Identical;
    }
    // What the code does is more telling than where the tables that follow it have moved.
    found.sort_by_key(|text| !text.starts_with(".text"));
    found.truncate(3);
    Identity::Different(found.join(", "))
}

fn section_difference(
    images: &Paired<Image<'_>>,
    base: &Section<'_>,
    head: &Section<'_>,
    sources: &Sources<'_>,
) -> Option<String> {
    let name = &base.place.name;
    if base.place.size != head.place.size {
        let grown = i128::from(head.place.size) - i128::from(base.place.size);
        return Some(format!("{name}: {grown:+} bytes"));
    }
    if base.place != head.place {
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
        let moved = !base.place.executable
            && sources.moved_location(images, base.place.address + at as u64);
        if moved {
            // To the end of the record's last eight bytes.
            at += 8 - (base.place.address as usize + at) % 8;
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

/// Writes `to` wherever `from`, an equally long path, stands. Texts follow each other without an end
/// in an executable, so what comes after it says nothing; that the folder has a random name does.
fn replace(bytes: &mut [u8], from: &Path, to: &Path) {
    let (from, to) = (
        from.as_os_str().as_encoded_bytes(),
        to.as_os_str().as_encoded_bytes(),
    );
    if from.len() != to.len() || from.is_empty() {
        return;
    }
    let finder = regex::bytes::Regex::new(&regex::escape(&String::from_utf8_lossy(from)));
    let Ok(finder) = finder else { return };
    let starts: Vec<usize> = finder.find_iter(bytes).map(|found| found.start()).collect();
    for start in starts {
        bytes[start..start + from.len()].copy_from_slice(to);
    }
}

/// Both images of one thing, for reading it on either side.
fn both<T>(mut of: impl FnMut(Side) -> Option<T>) -> Option<Paired<T>> {
    Paired::try_from_fn(|side| of(side).ok_or(())).ok()
}

#[cfg(test)]
pub(super) mod tests;
