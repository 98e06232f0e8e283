//! What a run that ended early did not get to.

use serde::{Deserialize, Serialize};

/// A part of a run that ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// Which part.
    pub part: RunPart,
    /// Why it ended.
    pub cause: EarlyEnd,
    /// How many benchmarks did not get what this part gives.
    pub left: usize,
    /// Of how many.
    pub of: usize,
}

/// The parts of a run that may end early and leave a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunPart {
    /// Finding out what the change can reach.
    Reach,
    /// Measuring times.
    Time,
    /// Counting allocations.
    Allocations,
    /// Counting instructions.
    Instructions,
    /// Taking CPU profiles.
    Profiles,
    /// Building programs, for budgets of their size.
    Programs,
    /// Writing files about single benchmarks.
    Artifacts,
}

/// Why a part of a run ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EarlyEnd {
    /// Somebody ended the run.
    Interrupted {
        /// The run's own words for it, as a lower-case fragment.
        by: String,
    },
    /// The time that `--time` gives was up.
    TimeUp,
    /// It could not go on.
    Failed {
        /// Why, as a lower-case fragment.
        reason: String,
    },
}
