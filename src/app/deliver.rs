//! Writes rendered reports to where the plan wants them.

use std::io::{ErrorKind, IsTerminal as _, Write};
use std::path::Path;

use anyhow::Context as _;

use super::failure::RunFailure;
use crate::attribute::Artifact;
use crate::plan::{ColourRequest, Format, Output, Terminal, Verbosity};
use crate::report::{self, RenderOptions, Report, TextLength};
use crate::units::Colour;

/// The smallest and largest width of a table, and its width if the stream is not a terminal.
const WIDTHS: (usize, usize, usize) = (40, 160, 100);

/// Renders `report` for each output, files first, so that a closed stdout costs no file. If a file cannot be
/// written (a full disk, say) and nothing goes to stdout, the text report does: results that took minutes to
/// measure are printed in any case.
pub(super) fn deliver(
    report: &Report,
    outputs: &[Output],
    terminal: &Terminal,
    out: &mut impl Write,
) -> Result<(), RunFailure> {
    let mut delivered = Ok(());
    for output in outputs {
        if let Some(path) = &output.path {
            // A failure does not affect the others.
            delivered = delivered.and(to_file(report, output, path));
        }
    }
    let to_stdout = outputs.iter().filter(|output| output.path.is_none());
    if delivered.is_err() && to_stdout.clone().next().is_none() {
        let text = report::render(report, Format::Text, &for_stdout(terminal))?;
        return delivered.and(print(&text, out));
    }
    for output in to_stdout {
        let text = report::render(report, output.format, &for_stdout(terminal))?;
        delivered = delivered.and(print(&text, out));
    }
    delivered
}

fn to_file(report: &Report, output: &Output, path: &Path) -> Result<(), RunFailure> {
    let text = report::render(report, output.format, &RenderOptions::FILE)?;
    write_whole(path, text.as_bytes()).map_err(RunFailure::other)
}

/// Writes files about single benchmarks into `folder`.
pub(super) fn deliver_artifacts(folder: &Path, artifacts: &[Artifact]) -> Result<(), RunFailure> {
    for artifact in artifacts {
        write_whole(&folder.join(&artifact.path), &artifact.bytes).map_err(RunFailure::other)?;
    }
    Ok(())
}

/// Writes to stdout.
pub(super) fn print(text: &str, out: &mut impl Write) -> Result<(), RunFailure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has seen enough (`| head`), which is not a failure of ours.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(RunFailure::other(error)),
        Ok(()) => Ok(()),
    }
}

/// Writes beside the file and renames, so that no one reads half a report and a full disk does not
/// destroy the report of the last run.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let special = fs_err::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if special {
        // A pipe or device (`/dev/stderr`) must be written to, not replaced.
        return fs_err::write(path, bytes).context("the report could not be written");
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".perfcheck-")
            .permissions(permissions_of_a_new_file())
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("the report could not be written to {}", path.display()))
}

/// Readable by all as far as the user's umask lets: a report is meant to be shown.
fn permissions_of_a_new_file() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

fn for_stdout(terminal: &Terminal) -> RenderOptions {
    let stdout = std::io::stdout();
    let (narrowest, widest, otherwise) = WIDTHS;
    RenderOptions {
        width: columns(&stdout).map_or(otherwise, |width| width.clamp(narrowest, widest)),
        colour: colour(terminal, stdout.is_terminal()),
        charset: terminal.charset,
        length: match terminal.verbosity {
            Verbosity::Verbose => TextLength::Whole,
            Verbosity::Quiet | Verbosity::Normal => TextLength::Screen,
        },
    }
}

/// Whether a stream gets colours.
pub(super) fn colour(terminal: &Terminal, is_terminal: bool) -> Colour {
    match terminal.colour {
        ColourRequest::Always => Colour::Ansi,
        ColourRequest::Never => Colour::Never,
        ColourRequest::Auto if is_terminal => Colour::Ansi,
        ColourRequest::Auto => Colour::Never,
    }
}

/// The columns of the terminal that a stream is, if it is one.
pub(super) fn columns(stream: &impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
