//! From raw samples to comparisons with a verdict.

mod allocation_figures;
mod allocations;
mod calibration;
mod compare;
mod confounders;
mod doubt;
mod evidence;
mod few_rounds;
mod judged;
mod round;
mod settle;
mod sites;

use serde::{Deserialize, Serialize};

use crate::measure::{CodeOwner, Failure, Pairing, Remark};
use crate::units::{BenchmarkKey, Nanos, Paired, Ratio, Throughput};

pub use allocation_figures::{AllocationFigures, processes_to_believe};
pub use allocations::add_allocations;
pub use calibration::{CalibratedBenchmark, Calibration};
pub use compare::{compare, correction};
pub use confounders::confounders;
pub use doubt::{Doubt, cast_doubt};
pub use settle::Settling;

/// What can be said of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The interval lies above +δ.
    Slower,
    /// The interval lies below −δ.
    Faster,
    /// The interval lies inside ±δ.
    Unchanged,
    /// None of these.
    Inconclusive,
    /// Same loadable code; not measured.
    Identical,
    /// It executes nothing that differs; not measured.
    Unreached,
    /// Exists on the head side only.
    Added,
    /// Exists on the base side only.
    Removed,
    /// Could not be measured.
    Failed,
}

impl Verdict {
    /// The verdict as the report words it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::Unchanged => "unchanged",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Identical => "identical",
            Verdict::Unreached => "unreached",
            Verdict::Added => "added",
            Verdict::Removed => "removed",
            Verdict::Failed => "failed",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Whether there is any difference of time at all, however small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// The head side is certainly slower.
    Slower,
    /// The head side is certainly faster.
    Faster,
    /// None is established.
    None,
}

/// One benchmark, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Package, target and id.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// What can be said.
    pub verdict: Verdict,
    /// How base and head were interleaved (the weakest of its rounds); none where nothing was timed.
    pub pairing: Option<Pairing>,
    /// What one iteration processes.
    pub throughput: Option<Throughput>,
    /// Times, where it was timed.
    pub time: Option<TimeComparison>,
    /// Allocations per iteration, where they were counted.
    pub allocations: Option<AllocationComparison>,
    /// Why there is no result, where there is none.
    pub failure: Option<Failure>,
    /// Things the reader should know, as lower-case fragments.
    pub notes: Vec<String>,
    /// What decisions rest on, as data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

impl Comparison {
    /// The change of time, where both sides were timed often enough.
    #[must_use]
    pub fn change(&self) -> Option<&TimeChange> {
        self.time.as_ref()?.change.as_ref()
    }
}

/// The times of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeComparison {
    /// Over all samples of the base side; absent where only head has the benchmark.
    pub base: Option<TimeSummary>,
    /// Over all samples of the head side; absent where only base has the benchmark.
    pub head: Option<TimeSummary>,
    /// The difference, where both sides were timed.
    pub change: Option<TimeChange>,
    /// Round by round, in order: the log ratio's exponential, so that drift can be seen.
    pub rounds: Vec<RoundSummary>,
    /// The distribution over all samples of each side: the minimum, every fifth percentile, and the
    /// maximum; empty where a side was not timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles_ns: Option<Paired<Vec<Nanos>>>,
    /// The difference of the arithmetic means, where both sides were timed: unlike `change` it counts
    /// iterations that are rarely slow in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_change: Option<MeanChange>,
    /// How sure the figures of the head side are by themselves; absent where fewer than two rounds
    /// were timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_errors: Option<TimeErrors>,
}

/// Standard errors of the natural logarithms of one side's figures: 0.01 is about one per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeErrors {
    /// Of the mean.
    pub mean: f64,
    /// Of the 50th percentile.
    pub median: f64,
    /// Of the 95th percentile.
    pub p95: f64,
    /// Of the 99th percentile.
    pub p99: f64,
    /// From how many rounds.
    pub rounds: usize,
}

/// One round of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundSummary {
    /// The round's estimate of head ÷ base.
    pub ratio: Ratio,
    /// The round's typical time of each side.
    pub median_ns: Paired<Nanos>,
    /// How base and head were interleaved.
    pub pairing: Pairing,
    /// The middle half of the round's samples of each side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quartiles_ns: Option<Paired<Quartiles>>,
}

/// Between which a half of the values lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// The 25th percentile.
    pub lower: Nanos,
    /// The 75th percentile.
    pub upper: Nanos,
}

/// Of how many iterations the samples of one side are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterationsPerSample {
    /// In the smallest sample.
    pub fewest: u64,
    /// In the largest.
    pub most: u64,
}

impl IterationsPerSample {
    /// Whether percentiles over samples of these sizes mean the same. The spread of means over n iterations
    /// falls as 1/√n: a quarter more of them makes tails shorter by a tenth at most.
    #[must_use]
    pub fn is_comparable(self, other: IterationsPerSample) -> bool {
        let alike = |a: u64, b: u64| a.max(b) as f64 <= 1.25 * a.min(b) as f64;
        alike(self.fewest, other.fewest) && alike(self.most, other.most)
    }
}

/// Time per iteration on one side, over all samples of all rounds.
///
/// A sample is what the benchmark's harness times in one go: its time per iteration is the mean of its
/// iterations. So percentiles and the standard deviation are of such means, and of iterations only where a
/// sample has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeSummary {
    /// Arithmetic mean.
    pub mean_ns: Nanos,
    /// 50th percentile.
    pub median_ns: Nanos,
    /// 95th percentile of the samples.
    pub p95_ns: Nanos,
    /// 99th percentile of the samples.
    pub p99_ns: Nanos,
    /// Standard deviation of the samples.
    pub std_dev_ns: Nanos,
    /// How many samples.
    pub samples: usize,
    /// Of how many iterations they are; absent in reports of before that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations_per_sample: Option<IterationsPerSample>,
}

/// The difference of time between the sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeChange {
    /// The estimate of head ÷ base.
    pub ratio: Ratio,
    /// Lower end of the interval.
    pub lower: Ratio,
    /// Upper end of the interval.
    pub upper: Ratio,
    /// Two-sided p-value of "no difference at all".
    pub p_value: f64,
    /// The confidence level of this interval.
    pub confidence: f64,
    /// How many rounds.
    pub rounds: usize,
    /// The smallest relative change that could have been told from none (power 80 %).
    pub detectable: f64,
    /// Whether there is any difference at all: a change may be certain and yet too small to matter,
    /// or about as large as the threshold.
    pub difference: Difference,
}

/// The difference of the mean time between the sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanChange {
    /// The estimate of head ÷ base, without what the kernel is known to have taken from the samples.
    pub ratio: Ratio,
    /// Lower end of its interval.
    pub lower: Ratio,
    /// Upper end of its interval.
    pub upper: Ratio,
    /// The confidence level of this interval.
    pub confidence: f64,
}

/// The allocations of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocationComparison {
    /// Per iteration on the base side.
    pub base: Option<AllocationSummary>,
    /// Per iteration on the head side.
    pub head: Option<AllocationSummary>,
    /// What changed, where both sides were counted.
    pub verdict: Option<AllocationVerdict>,
    /// The same figure by figure; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<AllocationFigures>,
    /// Why it could not be counted, or what the reader should know.
    pub notes: Vec<String>,
    /// The places that allocate, most changed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<AllocationSite>,
}

/// Allocations per iteration of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocationSummary {
    /// Allocations (fresh ones; reallocations are counted apart).
    pub count: f64,
    /// Reallocations.
    pub reallocations: f64,
    /// Frees.
    pub frees: f64,
    /// Bytes asked for.
    pub bytes: f64,
    /// Most live bytes above those at the start of the timed region.
    pub peak_bytes: u64,
    /// Bytes still live at the end of the timed region.
    pub leaked_bytes: f64,
    /// The largest single request.
    pub largest_bytes: u64,
    /// How many requests by size: element i counts sizes in [2^i, 2^(i+1)).
    pub histogram: Vec<f64>,
    /// Whether every sample gave the same integers.
    pub exact: bool,
}

/// What changed about allocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllocationVerdict {
    /// More; of all figures together: any of them, whatever became of the others.
    More,
    /// Fewer; of all figures together: any of them, and more of none.
    Fewer,
    /// The same.
    Same,
}

/// A place that asks for memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocationSite {
    /// The innermost function of the workspace (or of a dependency where none is), demangled.
    pub function: String,
    /// `path:line` relative to the repository, where known: on the head side, where it is still there.
    pub location: Option<String>,
    /// The call stack that asked for most of it, outermost first.
    pub stack: Vec<String>,
    /// Allocations and reallocations per iteration.
    pub count: Paired<f64>,
    /// Bytes per iteration.
    pub bytes: Paired<f64>,
    /// Whose code it is.
    #[serde(default)]
    pub origin: CodeOwner,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod simulation;
