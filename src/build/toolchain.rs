//! Which compiler and cargo a side is built with.

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use fs_err as fs;

use super::Toolchain;
use super::error::BuildError;
use super::tool::{Ask, Tools};

/// Asks the tools themselves, in the checkout, so that its `rust-toolchain.toml` is honoured.
///
/// # Errors
/// Where one is missing or fails.
pub(super) fn detect(tools: &Tools<'_>) -> Result<Toolchain, BuildError> {
    let rustc = tools.stdout(&Ask::new("rustc", ["-vV"]))?;
    let cargo = tools.stdout(&Ask::new("cargo", ["-V"]))?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(Toolchain {
        rustc: rustc.lines().next().unwrap_or_default().to_owned(),
        host: host.unwrap_or_default().to_owned(),
        cargo: cargo.trim().to_owned(),
        verbose: format!("{}{}", rustc, cargo),
        choice: None,
    })
}

/// The folder of the standard library's own libraries.
///
/// # Errors
/// Where rustc is missing or fails.
pub(super) fn library_dir(tools: &Tools<'_>) -> Result<PathBuf, BuildError> {
    let printed = tools.stdout(&Ask::new("rustc", ["--print", "target-libdir"]))?;
    Ok(PathBuf::from(printed.trim()))
}

/// A stamp that distinguishes standard libraries of the same version: a compiler that users build
/// themselves keeps its version string after each change.
///
/// # Errors
/// Where the folder cannot be read.
pub(super) fn stamp(library_dir: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(library_dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let since = meta.modified()?.duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default().as_nanos();
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push(format!("{name} {} {since}\n", meta.len()));
    }
    files.sort();
    Ok(files.concat())
}
