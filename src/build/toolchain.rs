//! Which compiler and cargo a side is built with.

use std::path::PathBuf;

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
