//! The commands other than a comparison: each takes its typed options and writes to the given
//! streams.

mod clean;
mod config;
mod doctor;
mod history;
mod hook;
mod import;
mod init;
mod manual;
mod trend;

use std::io::Write;

use crate::plan::{Command, Environment, ExitStatus};

/// Runs `command`, if it is one of these.
pub(crate) fn run(
    command: &Command,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Option<anyhow::Result<ExitStatus>> {
    Some(match command {
        Command::Doctor(args) => doctor::doctor(args, environment, out),
        Command::Clean(args) => clean::clean(args, environment, out),
        Command::Config(args) => config::config(args, environment, out, err),
        Command::Trend(args) => trend::trend(args, environment, out, err),
        Command::History(args) => history::history(args, environment, out, err),
        Command::Init(args) => init::init(args, environment, out),
        Command::Hook(args) => hook::hook(&args.command, environment, out, err),
        Command::Completions(args) => manual::completions(args, out),
        Command::Man(args) => manual::pages(args, environment, out),
        Command::Demo(_)
        | Command::Calibrate(_)
        | Command::Load(_)
        | Command::Report(_)
        | Command::Guardian(_) => {
            return None;
        }
    })
}

/// What to type to fix an error of one of these commands.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<crate::hook::HookError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<crate::history::HistoryError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<init::InitError>() {
        return error.hint();
    }
    error
        .downcast_ref::<crate::plan::PlanError>()
        .and_then(crate::plan::PlanError::hint)
}
