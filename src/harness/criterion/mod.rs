//! Criterion, with its machine protocol, unchanged from 0.3.3 to 0.8: handshake, frames of CBOR, and the
//! gate after each benchmark.
//!
//! A benchmark process that finds [`PORT_VARIABLE`] in its environment connects to that port of the loopback
//! interface and waits to be greeted. From then on it reports what it does ([`super::Message`]), and waits to be
//! told to proceed after each `MeasurementComplete` and each `FinishedBenchmarkGroup`.

mod clock_reads;
mod connection;
mod frame;
mod handshake;

use std::process::Command;

use crate::binary::{Binary, Symbol};
use crate::build::CommandLine;

use super::{
    ClockReads, Conversation, CriterionVersion, Ending, Filter, Harness, Invocation, Length,
    ProtocolError, ReadOrder,
};

pub use frame::{FrameBuffer, MAX_FRAME_BYTES, encode};

/// The variable that tells a benchmark which port to connect to.
pub const PORT_VARIABLE: &str = "CARGO_CRITERION_PORT";

/// Criterion, and what takes its place.
#[derive(Debug)]
pub(super) struct Criterion;

impl Harness for Criterion {
    fn arguments(&self, invocation: &Invocation<'_>) -> Vec<String> {
        let mut words = vec!["--bench".to_owned()];
        let timing = invocation.timing.iter();
        let timing = timing.flat_map(|(timing, version)| match invocation.length {
            Length::Whole => timing.arguments(*version).to_vec(),
            Length::Quick => timing.quick_arguments().to_vec(),
        });
        match invocation.executable.command_line {
            CommandLine::Criterion => {
                words.push("--noplot".to_owned());
                words.extend(timing);
                words.push(pattern(&invocation.own_filter()));
            }
            CommandLine::Criterion2 => {
                words.push("-n".to_owned());
                words.extend(timing);
                words.extend(exact(&invocation.own_filter()));
            }
            CommandLine::Own | CommandLine::Libtest => {}
        }
        words
    }

    fn open(
        &self,
        _: &Invocation<'_>,
        command: &mut Command,
    ) -> Result<Box<dyn Conversation>, Ending> {
        let connection = connection::Connection::listen().map_err(Ending::NotStarted)?;
        let port = connection.own_port().map_err(Ending::NotStarted)?;
        // Five digits, always.
        command.env(PORT_VARIABLE, format!("{port:05}"));
        Ok(Box::new(connection))
    }

    fn timing(&self) -> &'static str {
        "criterion::bencher::"
    }

    fn clock_reads(&self, _: &Binary<'_>, functions: &[Symbol<'_>]) -> Option<ClockReads> {
        ClockReads::of(ReadOrder::Criterion, clock_reads::ranges(functions))
    }
}

/// A filter as an argument of Criterion.
fn pattern(filter: &Filter) -> String {
    match filter {
        // Matches nothing, so that a process names its benchmarks and runs none.
        Filter::Nothing => "$^".to_owned(),
        Filter::Pattern(pattern) => pattern.clone(),
        Filter::Ids(ids) => {
            let alternatives: Vec<String> = ids
                .iter()
                // An argument cannot contain a NUL, but a regular expression can name it.
                .map(|id| regex::escape(id).replace('\0', r"\x00"))
                .collect();
            format!("^(?:{})$", alternatives.join("|"))
        }
    }
}

/// A filter as arguments of criterion2, which selects one benchmark by its whole id.
fn exact(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::Nothing => vec!["--ignored".to_owned()],
        Filter::Pattern(part) => vec![part.clone()],
        Filter::Ids(ids) => match &ids[..] {
            [id] => vec!["--exact".to_owned(), "--".to_owned(), id.clone()],
            _ => Vec::new(),
        },
    }
}
