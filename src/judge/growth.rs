//! What more allocations mean for the vote.

use super::reason::{GrownMetric, Growth};
use super::{Basis, Reason, Vote};
use crate::analyse::{Comparison, Direction, Verdict};
use crate::plan::{AllocationPolicy, OnMore};
use crate::units::{Better, Metric, MetricGroup};

/// Benchmarks whose iterations make more allocations, request more bytes or need more memory at a time, and programs
/// whose runs do the latter, by more than the policy's threshold.
pub(super) fn reason_of_growth(comparisons: &[Comparison], basis: &Basis) -> Option<Reason> {
    let policy = basis.allocations.as_ref()?;
    let vote = match policy.on_more {
        OnMore::Approve => return None,
        OnMore::Modify => Vote::Modify,
        OnMore::Reject => Vote::Reject,
    };
    let grown = comparisons.iter().filter_map(|c| growth(c, policy));
    let mut benchmarks: Vec<Growth> = grown.collect();
    benchmarks.sort_by(|a, b| share(b).total_cmp(&share(a)));
    (!benchmarks.is_empty()).then_some(Reason::AllocatesMore { vote, benchmarks })
}

/// Benchmarks of a run for instructions alone of which one iteration executes more of them. Where time was measured,
/// that is what speaks: more instructions may well be faster.
pub(super) fn reason_of_instructions(comparisons: &[Comparison]) -> Option<Reason> {
    let grown = comparisons.iter().filter_map(|comparison| {
        let change = comparison.metrics.get(Metric::INSTRUCTIONS)?;
        let more = change.direction == Some(Direction::More);
        let grown = GrownMetric {
            metric: Metric::INSTRUCTIONS,
            amount: change.values()?,
        };
        (comparison.verdict == Verdict::Untimed && more).then(|| Growth {
            benchmark: comparison.key.clone(),
            grown: vec![grown],
        })
    });
    let mut benchmarks: Vec<Growth> = grown.collect();
    benchmarks.sort_by(|a, b| share(b).total_cmp(&share(a)));
    (!benchmarks.is_empty()).then_some(Reason::MoreInstructions { benchmarks })
}

/// Services whose memory certainly grows more under a long load than it did. That this would be for the better is not
/// imaginable.
pub(super) fn reason_of_soak(comparisons: &[Comparison]) -> Option<Reason> {
    let benchmarks = with_more(comparisons, Metric::MEMORY_GROWTH);
    (!benchmarks.is_empty()).then_some(Reason::GrowsUnderLoad { benchmarks })
}

/// Services that certainly break at a limit that base withstands.
pub(super) fn reason_of_limits(comparisons: &[Comparison]) -> Option<Reason> {
    let benchmarks = with_more(comparisons, Metric::BROKEN_LIMITS);
    (!benchmarks.is_empty()).then_some(Reason::BreaksAtLimits { benchmarks })
}

fn with_more(comparisons: &[Comparison], metric: Metric) -> Vec<Growth> {
    let grown = comparisons.iter().filter_map(|comparison| {
        let change = comparison.metrics.get(metric)?;
        let amount = change.values()?;
        (change.direction == Some(Direction::More)).then(|| Growth {
            benchmark: comparison.key.clone(),
            grown: vec![GrownMetric { metric, amount }],
        })
    });
    grown.collect()
}

/// Programs that print a metric that got worse, by more than the threshold of their time.
pub(super) fn reason_of_printed(comparisons: &[Comparison]) -> Option<Reason> {
    let worse = comparisons.iter().filter_map(|comparison| {
        let printed = comparison.metrics.of(MetricGroup::Printed);
        let worse = printed.filter_map(|(metric, change)| {
            let is_worse = match metric.better {
                Better::Lower => change.direction == Some(Direction::More),
                Better::Higher => change.direction == Some(Direction::Fewer),
                Better::Neither => false,
            };
            let amount = change.values().filter(|_| is_worse)?;
            Some(GrownMetric { metric, amount })
        });
        let grown: Vec<GrownMetric> = worse.collect();
        (!grown.is_empty()).then(|| Growth {
            benchmark: comparison.key.clone(),
            grown,
        })
    });
    let benchmarks: Vec<Growth> = worse.collect();
    (!benchmarks.is_empty()).then_some(Reason::PrintsWorse { benchmarks })
}

/// Programs that run more queries, however few: they are counted exactly.
pub(super) fn reason_of_queries(comparisons: &[Comparison]) -> Option<Reason> {
    let more = comparisons.iter().filter_map(|comparison| {
        let change = comparison.metrics.get(Metric::QUERIES)?;
        let is_more = change.direction == Some(Direction::More);
        let grown = GrownMetric {
            metric: Metric::QUERIES,
            amount: change.values().filter(|_| is_more)?,
        };
        Some(Growth {
            benchmark: comparison.key.clone(),
            grown: vec![grown],
        })
    });
    let mut benchmarks: Vec<Growth> = more.collect();
    benchmarks.sort_by(|a, b| share(b).total_cmp(&share(a)));
    (!benchmarks.is_empty()).then_some(Reason::MoreQueries { benchmarks })
}

/// Each metric that can be limited, for itself: fewer allocations do not make up for more bytes.
fn growth(comparison: &Comparison, policy: &AllocationPolicy) -> Option<Growth> {
    let grown = comparison.metrics.iter().filter(|(metric, _)| {
        metric.group == MetricGroup::Allocations || *metric == Metric::PEAK_MEMORY
    });
    // What an iteration leaves behind may be a cache; what a program leaves behind at its end is nobody's any more.
    let is_program = !comparison.metrics.is_empty(MetricGroup::Resources);
    let grown = grown.filter(|(metric, change)| {
        let is_judged = metric.limit.is_some() || *metric == Metric::LEFT_BEHIND && is_program;
        is_judged && change.direction == Some(Direction::More)
    });
    let amounts = grown.filter_map(|(metric, change)| {
        let amount = change.values()?;
        let beyond = amount.head > amount.base * policy.threshold.as_quotient();
        beyond.then_some(GrownMetric { metric, amount })
    });
    let grown: Vec<GrownMetric> = amounts.collect();
    (!grown.is_empty()).then(|| Growth {
        benchmark: comparison.key.clone(),
        grown,
    })
}

/// By how much a benchmark's allocations grew: the metric that grew most.
fn share(growth: &Growth) -> f64 {
    let of = |grown: &GrownMetric| grown.amount.head / grown.amount.base.max(f64::MIN_POSITIVE);
    growth.grown.iter().map(of).fold(0.0, f64::max)
}
