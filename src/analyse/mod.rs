//! From raw samples to comparisons with a verdict.

mod allocations;
mod calibration;
mod compare;
mod comparison;
mod confounders;
mod doubt;
mod evidence;
mod few_rounds;
mod instructions;
mod judged;
mod program_size;
mod queries;
mod resources;
mod round;
mod services;
mod settle;
mod sites;
mod statement;
mod timed;

use serde::{Deserialize, Serialize};

pub use allocations::{add_allocations, processes_to_believe};
pub use calibration::{CalibratedBenchmark, Calibration};
pub use compare::{compare, correction};
pub use comparison::{
    AllocationSite, Change, Comparison, Direction, IterationsPerSample, MetricChanges, Observed,
    Quartiles, RatioEstimate, RelativeError, RoundSummary, SampleSummary,
};
pub use confounders::confounders;
pub use doubt::{Doubt, cast_doubt};
pub use instructions::add_instructions;
pub use queries::add_queries;
pub use resources::{add_resources, rounds_to_see_resources};
pub use services::add_services;
pub use settle::Settling;
pub use statement::{StatementChange, StatementPattern};

/// The verdict on one benchmark.
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
    /// Not timed, because the run was asked for something else: what that shows stands beside it.
    Untimed,
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
            Verdict::Untimed => "untimed",
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

#[cfg(test)]
mod tests;

#[cfg(test)]
mod simulation;
