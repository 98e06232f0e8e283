//! From matched benchmarks to raw paired samples.

use serde::{Deserialize, Serialize};

use crate::discover::BenchmarkKey;
pub use crate::discover::Failure;
use crate::units::{Paired, Side};

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
}

/// One round: a fresh process a side.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// From zero.
    pub index: usize,
    /// The side that went first.
    pub first: Side,
    /// How base and head were interleaved.
    pub pairing: Pairing,
    /// What each side reported.
    pub samples: Paired<Samples>,
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

/// What one side reported in one round. All vectors have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Iterations of each sample.
    pub iterations: Vec<u64>,
    /// Time of each sample, in nanoseconds, for all its iterations.
    pub times: Vec<f64>,
    /// When each sample began, in nanoseconds of the monotonic clock, where the clock seam saw it
    /// (pairing by sample); else empty.
    pub starts: Vec<u64>,
}
