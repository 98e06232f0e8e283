//! Kept trees as one file, for a folder in which trees may not lie.
//!
//! Cargo decides what is fresh by paths and times. So an archive is unpacked to the path that it was packed at, and
//! times are kept to the nanosecond (as pax records, which every `tar` knows). Files that the head side's target
//! folder shares with the base side's are stored once. An archive comes from a cache that others may write: nothing
//! is unpacked outside of the folder or through a link.

mod pack;
mod unpack;

use std::io;
use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;

pub(super) use pack::{Packed, pack};
pub(super) use unpack::unpack;

/// The parts of a kept folder that are stored. Cargo's configuration is not one of them: it may hold passwords.
const FOLDERS: [&str; 4] = ["base", "head", "target/base", "target/head"];
const FILES: [&str; 3] = ["base.json", "head.json", "rustc-wrapper"];

/// The last entry: without it the archive was cut short. Its content is the number of the others.
const END: &str = "end";

/// Creates a file that must not exist yet, so that nothing is written through a link.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
