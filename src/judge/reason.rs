//! Reasons against a change, as data. Renderers put them into words.

use serde::{Deserialize, Serialize};

use super::{BudgetCheck, Shortfall};
use crate::analyse::Verdict;
use crate::discover::SkippedTarget;
use crate::plan::Claim;
use crate::units::{BenchmarkKey, Metric, Paired, Ratio};

/// The overall vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vote {
    /// Nothing speaks against the change.
    Approve,
    /// Something should be looked at or measured first.
    Modify,
    /// Something is slower or over its budget.
    Reject,
}

/// One reason against the change. Lists name the largest first and are never empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// Benchmarks that a rule requires failed or were removed.
    RequiredMissing {
        /// Which, and what became of each.
        benchmarks: Vec<RequiredBenchmark>,
    },
    /// Benchmarks are slower.
    Slower {
        /// Which, and by how much.
        benchmarks: Vec<Changed>,
    },
    /// Bench targets could not be started or driven, so none of their benchmarks ran.
    TargetFailed {
        /// Which, and why.
        targets: Vec<SkippedTarget>,
    },
    /// Benchmarks failed.
    Failed {
        /// Which.
        benchmarks: Vec<BenchmarkKey>,
    },
    /// Benchmarks were removed.
    Removed {
        /// Which.
        benchmarks: Vec<BenchmarkKey>,
    },
    /// Of benchmarks nothing can be said.
    Inconclusive {
        /// Which.
        benchmarks: Vec<BenchmarkKey>,
    },
    /// No benchmark exists on both sides.
    NothingCompared,
    /// Benchmarks allocate more than the policy allows.
    AllocatesMore {
        /// What the policy makes of it.
        vote: Vote,
        /// Which, and by how much.
        benchmarks: Vec<Growth>,
    },
    /// The memory of services grows more under a long load.
    GrowsUnderLoad {
        /// Which rows, and by how much.
        benchmarks: Vec<Growth>,
    },
    /// Services break at limits that base withstands.
    BreaksAtLimits {
        /// Which rows, and at how many limits.
        benchmarks: Vec<Growth>,
    },
    /// Benchmarks that were not timed, as it was asked, execute more instructions.
    MoreInstructions {
        /// Which, and by how much.
        benchmarks: Vec<Growth>,
    },
    /// Programs run more queries.
    MoreQueries {
        /// Which, and from how many to how many.
        benchmarks: Vec<Growth>,
    },
    /// Programs print a metric that got worse.
    PrintsWorse {
        /// Which, and from what to what.
        benchmarks: Vec<Growth>,
    },
    /// Limits are certainly exceeded.
    OverBudget {
        /// Which.
        budgets: Vec<BudgetCheck>,
    },
    /// Limits are nearly used up, or exceeded by less than the measurement can tell.
    BudgetInDoubt {
        /// Which.
        budgets: Vec<BudgetCheck>,
    },
    /// Limits could not be checked.
    BudgetUnchecked {
        /// Which.
        budgets: Vec<BudgetCheck>,
    },
    /// The change claims gains that no benchmark shows.
    NoEvidence {
        /// The claims, each with its benchmarks and what they show.
        claims: Vec<ClaimCheck>,
    },
    /// Changed functions of the workspace are executed by no benchmark.
    Uncovered {
        /// Which.
        functions: Vec<UncoveredFunction>,
    },
    /// Rules require benchmarks that neither side has: a name is misspelt, or the benchmark has been
    /// gone for longer than this range.
    RequiredInVain {
        /// As they were typed.
        patterns: Vec<String>,
    },
    /// The run ended before it was done.
    EndedEarly {
        /// What it did not come to.
        shortfalls: Vec<Shortfall>,
    },
    /// The text of a reason from a report that was written before reasons were data.
    Recorded {
        /// That report's vote.
        vote: Vote,
        /// Its words.
        text: String,
    },
}

impl Reason {
    /// What this reason alone asks for.
    #[must_use]
    pub fn vote(&self) -> Vote {
        match self {
            Reason::RequiredMissing { .. }
            | Reason::Slower { .. }
            | Reason::GrowsUnderLoad { .. }
            | Reason::BreaksAtLimits { .. }
            | Reason::MoreInstructions { .. }
            | Reason::OverBudget { .. } => Vote::Reject,
            Reason::TargetFailed { .. }
            | Reason::Failed { .. }
            | Reason::Removed { .. }
            | Reason::Inconclusive { .. }
            | Reason::NothingCompared
            | Reason::MoreQueries { .. }
            | Reason::PrintsWorse { .. }
            | Reason::BudgetInDoubt { .. }
            | Reason::BudgetUnchecked { .. }
            | Reason::NoEvidence { .. }
            | Reason::Uncovered { .. }
            | Reason::RequiredInVain { .. }
            | Reason::EndedEarly { .. } => Vote::Modify,
            Reason::AllocatesMore { vote, .. } | Reason::Recorded { vote, .. } => *vote,
        }
    }

    /// How many benchmarks, budgets or functions it names.
    pub(super) fn len(&self) -> usize {
        match self {
            Reason::RequiredMissing { benchmarks } => benchmarks.len(),
            Reason::Slower { benchmarks } => benchmarks.len(),
            Reason::TargetFailed { targets } => targets.len(),
            Reason::Failed { benchmarks }
            | Reason::Removed { benchmarks }
            | Reason::Inconclusive { benchmarks } => benchmarks.len(),
            Reason::AllocatesMore { benchmarks, .. }
            | Reason::GrowsUnderLoad { benchmarks }
            | Reason::BreaksAtLimits { benchmarks }
            | Reason::MoreInstructions { benchmarks }
            | Reason::MoreQueries { benchmarks }
            | Reason::PrintsWorse { benchmarks } => benchmarks.len(),
            Reason::OverBudget { budgets }
            | Reason::BudgetInDoubt { budgets }
            | Reason::BudgetUnchecked { budgets } => budgets.len(),
            Reason::NoEvidence { claims } => claims.len(),
            Reason::Uncovered { functions } => functions.len(),
            Reason::RequiredInVain { patterns } => patterns.len(),
            Reason::EndedEarly { shortfalls } => shortfalls.len(),
            Reason::NothingCompared | Reason::Recorded { .. } => 1,
        }
    }
}

/// A benchmark that a rule requires, and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredBenchmark {
    /// Its name.
    #[serde(flatten)]
    pub benchmark: BenchmarkKey,
    /// `failed` or `removed`.
    pub verdict: Verdict,
}

/// A benchmark that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Its name.
    #[serde(flatten)]
    pub benchmark: BenchmarkKey,
    /// The estimate of head ÷ base.
    pub ratio: Option<Ratio>,
}

/// A benchmark that allocates or executes more per iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Its name.
    #[serde(flatten)]
    pub benchmark: BenchmarkKey,
    /// What grew, in the order of reports; never empty.
    pub grown: Vec<GrownMetric>,
}

/// A metric that grew.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GrownMetric {
    /// Which.
    pub metric: Metric,
    /// The amounts of both sides.
    pub amount: Paired<f64>,
}

/// A function of the workspace whose code changed and that no benchmark executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UncoveredFunction {
    /// Its name, demangled, without hashes.
    pub function: String,
    /// Where its code begins: the path from the repository's root, and the line.
    pub location: String,
}

/// A claim, with the benchmarks that it matches. Each of them is in one of the lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimCheck {
    /// As it was typed.
    pub claim: Claim,
    /// What follows.
    pub standing: ClaimStanding,
    /// The benchmarks that show the gain, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Changed>,
    /// Those that got worse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contrary: Vec<Changed>,
    /// Those that did not change by more than the threshold, or could not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmoved: Vec<BenchmarkKey>,
    /// Those for which it is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<BenchmarkKey>,
}

/// What follows for a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimStanding {
    /// A benchmark shows the gain, and none got worse.
    Shown,
    /// No benchmark shows it.
    Unshown,
    /// A benchmark got worse.
    Contradicted,
}
