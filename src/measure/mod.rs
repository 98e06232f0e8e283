//! From matched benchmarks to raw paired samples.
//!
//! A benchmark is measured in rounds. Each is a fresh pair of processes that run all benchmarks of a
//! target that are still open ([`Session`]). Rounds go over all targets in turn until every
//! benchmark has its verdict or has spent its budget ([`run`]).

mod adaptive_settings;
mod affinity;
mod allocations;
mod batches;
mod benchmark_pairing;
mod budget;
mod check;
mod counted;
mod counter;
mod course;
mod enough;
mod instructions;
mod iterations;
mod known;
mod layouts;
mod observed;
mod order;
mod outcome;
mod player;
mod profiles;
mod reach;
mod reached;
mod remark;
mod reported;
mod request;
mod sample_pairing;
mod schedule;
mod seams;
mod search;
mod session;
mod set_ups;
mod standstill;
mod steps;
mod taken_in;
mod threads;
mod traced;
mod witness;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::discover::Failure;
use crate::process::Interrupted;
use crate::units::{BenchmarkKey, Paired, Side};

pub use allocations::{AllocationRun, count_allocations};
pub use budget::Bounds;
pub use counted::{Counted, CountedProcess, CountedSample, Exact, Figure, Figures, Peak, peak};
pub(crate) use counted::{PROCESSES, PROCESSES_IF_VARYING};
pub use counter::Counting;
pub use instructions::{
    InstructionCounts, InstructionRun, count_instructions, locate_instructions,
};
pub use known::Known;
pub use layouts::{FixedLayout, FixedReason, LayoutRun};
pub(crate) use order::Order;
pub use profiles::{Profile, ProfileRun, Profiled, profile, profiles_both_at_once};
pub use reach::{Reach, find_reach};
pub use reached::{Executed, RunExtent};
pub use remark::Remark;
pub use request::{Request, RoundOutcome};
pub use schedule::{TimeRun, run, run_within};

pub use session::Session;
pub(crate) use traced::Atlas;
pub use traced::{CodeOwner, Place, Sources, Traced, TracedStack};

/// What was measured of one benchmark.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// Its rounds, in the order in which they were run.
    pub rounds: Vec<Round>,
    /// What went wrong, where something did.
    pub failure: Option<Failure>,
    /// Things about the measurement that the report should say.
    pub notes: Vec<String>,
    /// What later rooms decide by.
    pub remarks: Vec<Remark>,
}

/// One round: a fresh process per side.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// From zero.
    pub index: usize,
    /// The side that went first.
    pub first: Side,
    /// How base and head were interleaved.
    pub pairing: Pairing,
    /// What each side reported; empty for a side that does not have the benchmark.
    pub samples: Paired<Samples>,
}

/// Whether a benchmark needs more rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It does, if its budget allows.
    Continue,
    /// It does: judging only by the spread of its rounds, about this many in all.
    ContinueTo(usize),
    /// It does not; the verdict, as the report words it.
    Done(String),
}

/// Why measuring ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The user ended it.
    #[error("interrupted while measuring")]
    Interrupted(#[from] Interrupted),
    /// The system does not let a process be put on the processor of `--pin`.
    #[error("benchmarks cannot be pinned to processor {cpu}")]
    CannotPin {
        /// The processor.
        cpu: usize,
        /// What the system said.
        source: std::io::Error,
    },
}

impl MeasureError {
    /// What the user can try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            MeasureError::Interrupted(_) => None,
            MeasureError::CannotPin { .. } => Some("`--pin off`".to_owned()),
        }
    }
}

/// How base and head were interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pairing {
    /// Sample by sample.
    Sample,
    /// Benchmark by benchmark.
    Benchmark,
}

/// What one side reported in one round. All vectors have the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Iterations of each sample.
    pub iterations: Vec<u64>,
    /// Time of each sample, in nanoseconds, for all its iterations.
    pub times: Vec<f64>,
    /// When each sample began, in nanoseconds of the monotonic clock, if the clock seam saw it
    /// (pairing by sample); else empty.
    pub starts: Vec<u64>,
    /// How many nanoseconds of each sample's time the kernel kept it from its processor, where that is
    /// known (pairing by sample, one thread); else empty.
    pub preempted: Vec<u64>,
}

impl Samples {
    /// The samples of a side that does not take part.
    pub(crate) fn none() -> Samples {
        Samples {
            iterations: Vec::new(),
            times: Vec::new(),
            starts: Vec::new(),
            preempted: Vec::new(),
        }
    }

    /// Adds a sample of one iteration.
    pub(crate) fn add(&mut self, start: Duration, took: Duration) {
        self.iterations.push(1);
        self.times.push(took.as_nanos() as f64);
        let start = u64::try_from(start.as_nanos());
        self.starts.push(start.unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests;
