//! `cargo perfcheck completions` and `cargo perfcheck man`.

use std::io::Write;

use clap::CommandFactory;

use crate::plan::{Args, CompletionsArgs, Environment, ExitStatus, ManArgs};

/// Writes a completion script for `cargo-perfcheck`.
///
/// # Errors
/// The stream cannot be written to.
pub(super) fn completions(
    args: &CompletionsArgs,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let mut command = Args::command();
    // Into memory first: the generator panics if a stream breaks.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "cargo-perfcheck", &mut script);
    out.write_all(&script)?;
    Ok(ExitStatus::Success)
}

/// Writes a page for the program and one for each of its commands.
///
/// # Errors
/// The folder cannot be written to.
pub(super) fn pages(
    args: &ManArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let folder = environment.cwd.join(&args.folder);
    fs_err::create_dir_all(&folder)?;
    clap_mangen::generate_to(Args::command(), &folder)?;
    writeln!(
        out,
        "wrote the pages of cargo-perfcheck and its commands to {}",
        folder.display()
    )?;
    Ok(ExitStatus::Success)
}
