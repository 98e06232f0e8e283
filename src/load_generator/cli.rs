//! The command line of the generator.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{LoadError, LoadOrder, LoadOutcome, run};

/// Generate load as an order says, and print what came of it as JSON.
///
/// `cargo perfcheck load` starts this program; by itself it loads any server of this machine.
#[derive(Debug, Parser)]
#[command(
    name = "perfcheck-load",
    version,
    after_help = "\
Example:
  echo '{\"address\": {\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 8080}}, \"requests\": [{\"path\": \"/\"}],
         \"seed\": 1, \"shape\": {\"open\": {\"rate\": 1000}}, \"connections\": 16, \"duration_ms\": 5000}' | perfcheck-load"
)]
struct LoadGeneratorArgs {
    /// The file with the order [default: stdin]
    #[arg(value_name = "ORDER")]
    order: Option<PathBuf>,
    /// A host other than this machine that may be loaded
    #[arg(long = "i-may-load", value_name = "HOST")]
    allowed: Vec<String>,
}

/// Runs the generator with the given arguments (its own name first): the outcome goes to `out`, all else to `err`.
pub fn main(
    words: impl IntoIterator<Item = OsString>,
    mut input: impl Read,
    mut out: impl Write,
    mut err: impl Write,
) -> ExitCode {
    let args = match LoadGeneratorArgs::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return match error.use_stderr() {
                true => ExitCode::from(2),
                false => ExitCode::SUCCESS,
            };
        }
    };
    raise_file_limit();
    match carry_out(&args, &mut input) {
        Ok(outcome) => {
            let written = serde_json::to_writer(&mut out, &outcome).is_ok();
            match written && writeln!(out).and_then(|()| out.flush()).is_ok() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            let hint = error.hint();
            // If stderr is closed, there is nowhere to report a failure.
            let _ = writeln!(err, "error: {:#}", anyhow::Error::new(error));
            let _ = hint.map_or(Ok(()), |hint| writeln!(err, "\nhint: {hint}"));
            ExitCode::from(2)
        }
    }
}

/// Each connection takes two files, and the soft limit is often 1024. What the hard one forbids fails later, by name.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

fn carry_out(args: &LoadGeneratorArgs, input: &mut impl Read) -> Result<LoadOutcome, LoadError> {
    let order: LoadOrder = match &args.order {
        None => serde_json::from_reader(input)?,
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|source| LoadError::NoOrder {
                path: path.clone(),
                source,
            })?;
            serde_json::from_str(&text)?
        }
    };
    run(&order, &args.allowed)
}
