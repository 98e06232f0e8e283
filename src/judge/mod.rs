//! From all findings of a run to one decision: the vote, and the typed reasons for it.
//!
//! [`judge`] is the only place where a vote is made. A run judges once, and merging its shards judges
//! again: both hand over the same [`Evidence`].

mod basis;
mod budget_check;
mod budgets;
mod claims;
mod drift;
mod growth;
mod reason;
mod shortfall;

use crate::analyse::{Comparison, Verdict};
use crate::discover::{SkippedTarget, TargetOutcome};

pub use basis::{Basis, PartBasis, in_vain_everywhere, uncovered};
pub use budget_check::{BudgetCheck, BudgetStatus, BudgetSubject};
pub use budgets::{SharedError, check_budgets, most_severe_first};
pub use claims::check_claims;
pub use drift::{Drift, NoDrift, check_drift};
pub use reason::{
    Changed, ClaimCheck, ClaimStanding, GrownMetric, Growth, Reason, RequiredBenchmark,
    UncoveredFunction, Vote,
};

pub use shortfall::{EarlyEnd, RunPart, Shortfall};

use budgets::reasons_of_budgets;
use claims::reason_of_claims;
use growth::{
    reason_of_growth, reason_of_instructions, reason_of_limits, reason_of_printed,
    reason_of_queries, reason_of_soak,
};

/// The vote and what led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The most severe vote of the reasons; without a reason, approval.
    pub vote: Vote,
    /// The most severe first.
    pub reasons: Vec<Reason>,
}

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Every benchmark.
    pub comparisons: &'a [Comparison],
    /// The bench targets that were not measured.
    pub targets: &'a [SkippedTarget],
    /// Every budget.
    pub budgets: &'a [BudgetCheck],
    /// Every claim.
    pub claims: &'a [ClaimCheck],
    /// The workspace's own functions that changed and that no benchmark executed.
    pub uncovered: &'a [UncoveredFunction],
    /// What the run did not get to.
    pub shortfalls: &'a [Shortfall],
    /// What the configuration asks for.
    pub basis: &'a Basis,
}

/// Decides on the whole change: `reject` where something is slower, over its budget, or required and missing;
/// `modify` where something is inconclusive, failed, was removed, is covered by no benchmark, or is claimed without
/// evidence; else `approve`.
#[must_use]
pub fn judge(evidence: Evidence<'_>) -> Decision {
    let mut reasons: Vec<Reason> = reason_of_required(evidence).into_iter().collect();
    reasons.extend(reasons_of_verdicts(evidence));
    reasons.extend(reason_of_growth(evidence.comparisons, evidence.basis));
    reasons.extend(reason_of_soak(evidence.comparisons));
    reasons.extend(reason_of_limits(evidence.comparisons));
    reasons.extend(reason_of_instructions(evidence.comparisons));
    reasons.extend(reason_of_queries(evidence.comparisons));
    reasons.extend(reason_of_printed(evidence.comparisons));
    reasons.extend(reasons_of_budgets(evidence.budgets));
    reasons.extend(reason_of_claims(evidence.claims));
    if !evidence.uncovered.is_empty() {
        reasons.push(Reason::Uncovered {
            functions: evidence.uncovered.to_vec(),
        });
    }
    if !evidence.basis.required_in_vain.is_empty() {
        reasons.push(Reason::RequiredInVain {
            patterns: evidence.basis.required_in_vain.clone(),
        });
    }
    if !evidence.shortfalls.is_empty() {
        reasons.push(Reason::EndedEarly {
            shortfalls: evidence.shortfalls.to_vec(),
        });
    }
    Decision::of(reasons)
}

impl Decision {
    /// The decision that these reasons lead to. Reasons of equal severity keep their order.
    #[must_use]
    pub fn of(mut reasons: Vec<Reason>) -> Decision {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.vote()));
        Decision {
            vote: reasons.first().map_or(Vote::Approve, Reason::vote),
            reasons,
        }
    }
}

/// Required benchmarks that failed or were removed.
fn reason_of_required(evidence: Evidence<'_>) -> Option<Reason> {
    let is_missing = |comparison: &&Comparison| {
        matches!(comparison.verdict, Verdict::Failed | Verdict::Removed)
            && evidence.basis.required.contains(&comparison.key)
    };
    let missing = evidence.comparisons.iter().filter(is_missing);
    let benchmarks: Vec<RequiredBenchmark> = missing
        .map(|comparison| RequiredBenchmark {
            benchmark: comparison.key.clone(),
            verdict: comparison.verdict,
        })
        .collect();
    (!benchmarks.is_empty()).then_some(Reason::RequiredMissing { benchmarks })
}

fn reasons_of_verdicts(evidence: Evidence<'_>) -> Vec<Reason> {
    let comparisons = evidence.comparisons;
    let with = |verdict| -> Vec<&Comparison> {
        let mut found: Vec<_> = comparisons
            .iter()
            .filter(|c| c.verdict == verdict)
            .collect();
        found.sort_by(|a, b| size(b).total_cmp(&size(a)));
        found
    };
    let keys = |verdict| with(verdict).into_iter().map(|c| c.key.clone()).collect();
    let slower = with(Verdict::Slower).into_iter().map(|c| Changed {
        benchmark: c.key.clone(),
        ratio: c.estimate().map(|change| change.ratio),
    });
    let failed = evidence.targets.iter();
    let failed = failed.filter(|target| target.outcome == TargetOutcome::Failed);
    let all = [
        Reason::Slower {
            benchmarks: slower.collect(),
        },
        Reason::TargetFailed {
            targets: failed.cloned().collect(),
        },
        Reason::Failed {
            benchmarks: keys(Verdict::Failed),
        },
        Reason::Removed {
            benchmarks: keys(Verdict::Removed),
        },
        Reason::Inconclusive {
            benchmarks: keys(Verdict::Inconclusive),
        },
    ];
    let mut reasons: Vec<Reason> = all.into_iter().filter(|reason| reason.len() > 0).collect();
    if comparisons.iter().all(|c| c.verdict == Verdict::Added) {
        reasons.push(Reason::NothingCompared);
    }
    reasons
}

/// The size of the change of time, so that the largest change is named first.
fn size(comparison: &Comparison) -> f64 {
    comparison
        .estimate()
        .map_or(0.0, |change| change.ratio.ln().abs())
}

#[cfg(test)]
mod tests;
