//! `cargo perfcheck doctor`.

use std::io::{IsTerminal, Write};

use crate::doctor::{self, Patient, Severity};
use crate::plan::{ColourRequest, DoctorArgs, DoctorFormat, Environment, ExitStatus, Terminal};
use crate::units::Colour;

/// Writes the findings. Returns [`ExitStatus::Incomplete`] if measuring is impossible, so that a script can check.
///
/// # Errors
/// The stream cannot be written to.
pub(crate) fn doctor(
    args: &DoctorArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let findings = doctor::examine(&Patient::this_machine());
    let terminal = Terminal::resolve(&args.terminal, environment);
    let rendered = match args.format {
        DoctorFormat::Json => doctor::json(&findings)?,
        DoctorFormat::Text => doctor::text(&findings, colour(&terminal), terminal.charset),
    };
    out.write_all(rendered.as_bytes())?;
    let broken = findings
        .iter()
        .any(|finding| finding.severity == Severity::Broken);
    Ok(if broken {
        ExitStatus::Incomplete
    } else {
        ExitStatus::Success
    })
}

fn colour(terminal: &Terminal) -> Colour {
    match terminal.colour {
        ColourRequest::Always => Colour::Ansi,
        ColourRequest::Auto if std::io::stdout().is_terminal() => Colour::Ansi,
        ColourRequest::Auto | ColourRequest::Never => Colour::Never,
    }
}
