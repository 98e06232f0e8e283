//! Kept trees as one file, for a folder in which trees may not lie.
//!
//! Cargo judges by paths and times. So an archive is unpacked to the path that it was packed at, and times
//! are kept to the nanosecond (as pax records, which every `tar` knows). What the head side's target folder
//! has from the base side's is stored once. An archive comes from a cache that others may write: nothing is
//! unpacked outside of the folder, nor through a link.

mod pack;
mod unpack;

use std::io;
use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;

pub(super) use pack::{Packed, pack};
pub(super) use unpack::unpack;

/// What is stored of a kept folder. Cargo's configuration, for one, is not: it may hold passwords.
const FOLDERS: [&str; 4] = ["base", "head", "target/base", "target/head"];
const FILES: [&str; 3] = ["base.json", "head.json", "rustc-wrapper"];

/// The last entry: without it the archive was cut short. Its content is the number of the others.
const END: &str = "end";

/// A file that is not there yet, so that nothing is written through a link.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
