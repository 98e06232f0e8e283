//! What perfcheck knows about each kind of benchmark: how to recognise, start, follow and hold it, and where its
//! executable reads the clock around the code that it times.
//!
//! A [`Process`] is the same for all of them: it waits before its first benchmark, is released
//! ([`Process::greet`]), reports what it does ([`Message`]), and may be told to proceed. With these steps, two live
//! processes can take turns. Each kind is a [`Harness`]: Criterion has a protocol for this; Rust's built-in harness
//! is held through its output.

mod clock_reads;
mod conversation;
mod criterion;
mod ending;
mod error;
mod invocation;
mod libtest;
mod message;
mod process;
mod recognised;
mod summary;
mod version;

#[cfg(test)]
pub(crate) mod fake;

use std::process::Command;

use crate::binary::{Binary, Symbol};
use crate::build::CommandLine;

use conversation::Conversation;

pub(crate) use clock_reads::ClockReads;
pub use clock_reads::ReadOrder;
pub use criterion::{FrameBuffer, MAX_FRAME_BYTES, PORT_VARIABLE, encode};
pub use ending::Ending;
pub use error::ProtocolError;
pub use invocation::{Filter, Invocation, Length, Timing};
pub(crate) use libtest::list_libtest;
pub use message::{
    BenchmarkConfig, BenchmarkId, Message, SamplingMethod, ThroughputSpec, WallSpan,
};
pub use process::{Process, next_of};
pub(crate) use recognised::{RecognisedHarness, recognise};
pub use summary::{LibtestSamples, LibtestSummary};
pub(crate) use summary::{iterations_after, iterations_of_all, single_for};
pub use version::CriterionVersion;

/// A kind of benchmark.
trait Harness: std::fmt::Debug + Sync {
    /// The arguments with which an executable is started.
    fn arguments(&self, invocation: &Invocation<'_>) -> Vec<String>;

    /// Prepares the conversation with a process that is about to be started.
    fn open(
        &self,
        invocation: &Invocation<'_>,
        command: &mut Command,
    ) -> Result<Box<dyn Conversation>, Ending>;

    /// The path, from the crate on, of the module whose functions run and time a routine.
    fn timing(&self) -> &'static str;

    /// Where an executable with these functions reads the clock; `None` if it has no such functions of this kind.
    fn clock_reads(&self, file: &Binary<'_>, functions: &[Symbol<'_>]) -> Option<ClockReads>;
}

/// Whether the demangled `function` is one that runs and times a benchmark's routine.
pub(crate) fn times_routine(function: &str) -> bool {
    let name = function.trim_start_matches('<');
    ALL.iter().any(|harness| name.starts_with(harness.timing()))
}

/// Whether the demangled `function` belongs to a harness.
pub(crate) fn is_of_harness(function: &str) -> bool {
    let name = function.trim_start_matches('<');
    let own = |harness: &&dyn Harness| {
        let crates = harness.timing().split_once("::");
        crates.is_some_and(|(own, _)| name.split("::").next() == Some(own))
    };
    ALL.iter().any(own)
}

/// All of them. Criterion comes first: its executables may also contain what the others are recognised by.
const ALL: [&dyn Harness; 2] = [&criterion::Criterion, &libtest::Libtest];

/// The one that understands this command line.
fn of(command_line: CommandLine) -> &'static dyn Harness {
    match command_line {
        CommandLine::Criterion | CommandLine::Criterion2 | CommandLine::Own => {
            &criterion::Criterion
        }
        CommandLine::Libtest => &libtest::Libtest,
    }
}
