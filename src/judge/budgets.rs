//! Budgets: what the head side may use, whatever the base side used.

use super::{BudgetCheck, BudgetStatus, BudgetSubject, Reason};
use crate::analyse::{Comparison, Observed, RelativeError, Verdict};
use crate::build::BinarySize;
use crate::plan::config::{Budgets, Limit};
use crate::service::RowKind;
use crate::stats::one_sided_margin;
use crate::units::{Better, Bytes, Exactness, Form, Metric, MetricGroup, Side};

/// The error that all budgets of benchmarks share.
#[derive(Debug, Clone, Copy)]
pub struct SharedError {
    /// The simultaneous confidence level.
    pub confidence: f64,
    /// How many budgets are checked in other shards of the run.
    pub elsewhere: usize,
}

/// Checks every budget on the head side, the most severe first.
///
/// A limit of time is `over` only where the head side is certainly above it: the one-sided bound of
/// its figure, at one confidence for all budgets together (Bonferroni's inequality), lies above it.
/// A count that varies from process to process is `over` only where every process is above the limit; other counts and
/// sizes are exact.
#[must_use]
pub fn check_budgets(
    comparisons: &[Comparison],
    binaries: &[BinarySize],
    budgets: &Budgets,
    shared: SharedError,
) -> Vec<BudgetCheck> {
    let mut wanted = Vec::new();
    for comparison in comparisons.iter().filter(|c| c.verdict != Verdict::Removed) {
        let limits = budgets.of_benchmark(&comparison.key);
        let speaks = |limit: &Limit| {
            let row = RowKind::of(&comparison.key);
            // Drift is checked against the history.
            limit.metric != Metric::DRIFT && row.is_none_or(|row| row.is_limited_by(limit.metric))
        };
        let limits = limits.into_iter().filter(speaks).collect::<Vec<_>>();
        wanted.extend(limits.into_iter().map(|limit| (comparison, limit)));
    }
    let sharing = wanted.len() + shared.elsewhere;
    let alpha = (1.0 - shared.confidence) / sharing.max(1) as f64;
    let mut checks: Vec<BudgetCheck> = wanted
        .into_iter()
        .map(|(comparison, limit)| of_benchmark(comparison, limit, alpha))
        .collect();
    for binary in binaries {
        let limits = budgets.of_binary(&binary.package, &binary.name);
        checks.extend(limits.into_iter().filter_map(|l| of_binary(binary, l)));
    }
    most_severe_first(&mut checks);
    checks
}

/// The order of a report: the most severe first, and among equals those that use most of their limit.
pub fn most_severe_first(checks: &mut [BudgetCheck]) {
    checks.sort_by(|a, b| {
        let used = |check: &BudgetCheck| check.used.unwrap_or(f64::INFINITY);
        (a.status.cmp(&b.status)).then(used(b).total_cmp(&used(a)))
    });
}

/// Checks one amount against a budget.
fn checked(
    subject: BudgetSubject,
    limit: Limit,
    base: Option<f64>,
    seen: HeadState,
) -> BudgetCheck {
    let (head, certain, status, note) = match seen {
        HeadState::Not(status, note) => (None, None, status, Some(note)),
        HeadState::Amount { amount, certain } => {
            let (status, note) = standing(limit, amount, certain);
            (Some(amount), Some(certain), status, note)
        }
    };
    let used = head.and_then(|head| {
        let used = match limit.metric.better {
            Better::Higher => limit.limit / head,
            Better::Lower | Better::Neither if head == 0.0 => 0.0,
            Better::Lower | Better::Neither => head / limit.limit,
        };
        used.is_finite().then_some(used)
    });
    BudgetCheck {
        subject,
        metric: limit.metric,
        iterations_per_sample: None,
        limit: limit.limit,
        investigate: limit.investigate,
        base,
        head,
        certain,
        used,
        status,
        note,
    }
}

/// What is known about the head side.
enum HeadState {
    /// An amount, and a bound: it is certainly at least this (for a throughput: at most).
    Amount { amount: f64, certain: f64 },
    /// Nothing, with the reason.
    Not(BudgetStatus, String),
}

impl HeadState {
    fn exactly(amount: f64) -> HeadState {
        HeadState::Amount {
            amount,
            certain: amount,
        }
    }

    /// What head shows, and its certain bound, with an error of `alpha` for each limit.
    fn of(metric: Metric, head: &Observed, alpha: f64) -> HeadState {
        let sampled = || {
            let margin = |error: RelativeError| one_sided_margin(error.ln, error.rounds, alpha);
            // One round does not show how much rounds vary.
            let margin = head.error.map_or(f64::INFINITY, margin);
            head.value
                * match metric.better {
                    Better::Higher => margin.exp(),
                    Better::Lower | Better::Neither => (-margin).exp(),
                }
        };
        HeadState::Amount {
            amount: head.value,
            certain: match (metric.exactness, head.exactness) {
                (Exactness::Exact, Exactness::Exact) => head.value,
                // A count that varies: the next run may show the least that a process of this one did.
                (Exactness::Exact, Exactness::Sampled) => head.least.unwrap_or(0.0),
                (Exactness::Sampled, _) => sampled(),
            },
        }
    }

    fn unknown(why: impl Into<String>) -> HeadState {
        HeadState::Not(BudgetStatus::Unknown, why.into())
    }
}

pub(super) fn standing(limit: Limit, amount: f64, certain: f64) -> (BudgetStatus, Option<String>) {
    let is_beyond = |amount: f64, limit_at: f64| limit.metric.is_beyond(amount, limit_at);
    if is_beyond(certain, limit.limit) {
        (BudgetStatus::Over, None)
    } else if is_beyond(amount, limit.limit) {
        let note = "exceeded, but by no more than the measurement's own uncertainty";
        (BudgetStatus::Investigate, Some(note.to_owned()))
    } else if limit
        .investigate
        .is_some_and(|from| is_beyond(amount, from))
    {
        (BudgetStatus::Investigate, None)
    } else {
        (BudgetStatus::Within, None)
    }
}

fn of_benchmark(comparison: &Comparison, limit: Limit, alpha: f64) -> BudgetCheck {
    let subject = BudgetSubject::Benchmark(comparison.key.clone());
    let metric = limit.metric;
    let base = comparison.value(metric, Side::Base);
    let head = comparison.metrics.get(metric);
    let head = head.and_then(|change| change.sides.head.as_ref());
    let seen = head.map_or_else(
        || missing(comparison, metric),
        |head| HeadState::of(metric, head, alpha),
    );
    let time = comparison
        .time()
        .filter(|_| metric.form == Form::Percentile);
    let samples = time.and_then(|time| time.samples(Side::Head));
    BudgetCheck {
        iterations_per_sample: samples.and_then(|samples| samples.iterations),
        ..checked(subject, limit, base, seen)
    }
}

/// Why a benchmark has no amount.
fn missing(comparison: &Comparison, metric: Metric) -> HeadState {
    let has_time = comparison.time().is_some();
    let why = match metric.group {
        MetricGroup::Allocations => "its allocations were not counted",
        MetricGroup::Queries => "no SQLite was seen in it whose queries could be counted",
        MetricGroup::Instructions => "its instructions were not counted (`--instructions`)",
        MetricGroup::Throughput if has_time => {
            "it does not declare how much an iteration processes"
        }
        MetricGroup::Time | MetricGroup::Throughput => "it was not timed",
        MetricGroup::Resources => "processor time and memory are measured for whole programs only",
        MetricGroup::Printed => "no run printed it",
        MetricGroup::Service if RowKind::of(&comparison.key).is_some() => "no round shows it",
        MetricGroup::Service => "it is not a service under load",
        MetricGroup::Program => "it is not a program",
        MetricGroup::History => "nothing is recorded of it",
    };
    if comparison.failure.is_some() {
        return HeadState::unknown("the benchmark failed");
    }
    // A benchmark that was left out on purpose is not in doubt: it executes the same as on the base side.
    match comparison.verdict {
        Verdict::Inconclusive | Verdict::Added => HeadState::unknown(why),
        _ if has_time => HeadState::unknown(why),
        verdict => HeadState::Not(
            BudgetStatus::Unmeasured,
            format!("{verdict}, so it was not measured"),
        ),
    }
}

/// `None` if the head side no longer has such a program.
fn of_binary(binary: &BinarySize, limit: Limit) -> Option<BudgetCheck> {
    let subject = BudgetSubject::Binary {
        package: binary.package.clone(),
        name: binary.name.clone(),
    };
    let bytes = |size: Option<Bytes>| size.map(|size| size.as_bytes() as f64);
    let head = HeadState::exactly(bytes(binary.size.head)?);
    Some(checked(subject, limit, bytes(binary.size.base), head))
}

/// What the budgets mean for the vote: those that are over, those to be looked at, and those that could
/// not be checked.
pub(super) fn reasons_of_budgets(checks: &[BudgetCheck]) -> Vec<Reason> {
    let with = |status| -> Vec<BudgetCheck> {
        let found = checks.iter().filter(|check| check.status == status);
        found.cloned().collect()
    };
    let all = [
        Reason::OverBudget {
            budgets: with(BudgetStatus::Over),
        },
        Reason::BudgetInDoubt {
            budgets: with(BudgetStatus::Investigate),
        },
        Reason::BudgetUnchecked {
            budgets: with(BudgetStatus::Unknown),
        },
    ];
    all.into_iter().filter(|reason| reason.len() > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::Change;
    use crate::units::{BenchmarkKey, Paired};

    const MS: f64 = 1e6;

    fn limit(metric: Metric, limit: f64, investigate: Option<f64>) -> Limit {
        Limit {
            metric,
            limit,
            investigate,
        }
    }

    fn change(base: f64, head: f64, error: Option<f64>) -> Change {
        let mut change = Change {
            sides: Paired::new(base, head).map(|value| Some(Observed::sampled(value))),
            ..Change::default()
        };
        if let Some(head) = &mut change.sides.head {
            head.error = error.map(|ln| RelativeError { ln, rounds: 10 });
        }
        change
    }

    /// Whose 95th percentile on head is `p95` with this relative error.
    fn timed(p95: f64, error: impl Into<Option<f64>>) -> Comparison {
        let error = error.into();
        let key = BenchmarkKey::new("shop", "prices", "sum");
        let mut comparison = Comparison::unobserved(key, Verdict::Unchanged);
        let half = change(p95 * 0.45, p95 / 2.0, error);
        // 1,000 elements each.
        let speed = |time: &Option<Observed>| 1e12 / time.as_ref().unwrap().value;
        let (base, head) = (speed(&half.sides.base), speed(&half.sides.head));
        comparison.metrics.extend([
            (Metric::TIME, half),
            (Metric::P95, change(p95 * 0.9, p95, error)),
            (Metric::ELEMENTS_PER_SECOND, change(base, head, error)),
        ]);
        comparison
    }

    fn check(comparison: &Comparison, limit: Limit) -> BudgetCheck {
        of_benchmark(comparison, limit, 0.05)
    }

    #[test]
    fn a_limit_of_time_is_over_only_where_that_is_certain() {
        let p95 = limit(Metric::P95, 3.0 * MS, Some(2.4 * MS));
        let status = |ms: f64, error| check(&timed(ms * MS, error), p95).status;
        assert_eq!(status(4.0, 0.01), BudgetStatus::Over);
        assert_eq!(status(3.1, 0.10), BudgetStatus::Investigate);
        assert_eq!(status(2.5, 0.01), BudgetStatus::Investigate);
        assert_eq!(status(2.3, 0.01), BudgetStatus::Within);
        let seen = check(&timed(1.5 * MS, 0.01), p95);
        assert_eq!(seen.used, Some(0.5));
        assert!(seen.certain < seen.head);
    }

    #[test]
    fn one_round_is_never_certain() {
        let once = timed(9.0 * MS, None);
        let seen = check(&once, limit(Metric::P95, MS, None));
        assert_eq!(seen.status, BudgetStatus::Investigate);
    }

    #[test]
    fn a_throughput_is_a_floor_in_the_declared_unit() {
        // 1,000 elements in a median of 1 ms: a million a second.
        let comparison = timed(2.0 * MS, 0.001);
        let of = |limit_at: f64, investigate| {
            let floor = limit(Metric::ELEMENTS_PER_SECOND, limit_at, investigate);
            check(&comparison, floor)
        };
        assert_eq!(of(2e6, None).status, BudgetStatus::Over);
        assert_eq!(of(9e5, Some(1.2e6)).status, BudgetStatus::Investigate);
        assert_eq!(of(5e5, None).status, BudgetStatus::Within);
        assert_eq!(of(5e5, None).used, Some(0.5));
        let bytes = limit(Metric::BYTES_PER_SECOND, 1.0, None);
        assert_eq!(check(&comparison, bytes).status, BudgetStatus::Unknown);
    }

    #[test]
    fn counts_are_exact_and_none_at_all_may_be_the_limit() {
        let mut comparison = timed(MS, 0.01);
        let none = limit(Metric::ALLOCATIONS, 0.0, None);
        assert_eq!(check(&comparison, none).status, BudgetStatus::Unknown);
        let mut with = |count| {
            let counted = comparison.metrics.entry(Metric::ALLOCATIONS);
            counted.sides.head = Some(Observed::exactly(count));
            check(&comparison, none)
        };
        assert_eq!(with(1.0).status, BudgetStatus::Over);
        assert_eq!(with(1.0).used, None);
        assert_eq!(with(0.0).status, BudgetStatus::Within);
    }

    #[test]
    fn a_count_that_varies_is_over_only_where_every_process_is() {
        let mut comparison = timed(MS, 0.01);
        let limit = limit(Metric::ALLOCATIONS, 100.0, None);
        let mut status = |least| {
            let counted = comparison.metrics.entry(Metric::ALLOCATIONS);
            counted.sides.head = Some(Observed {
                least,
                ..Observed::sampled(100.3)
            });
            check(&comparison, limit).status
        };
        assert_eq!(status(Some(98.0)), BudgetStatus::Investigate);
        assert_eq!(status(Some(100.1)), BudgetStatus::Over);
        assert_eq!(status(None), BudgetStatus::Investigate);
    }

    #[test]
    fn what_was_not_measured_on_purpose_does_not_vote_and_what_failed_does() {
        let key = BenchmarkKey::new("shop", "prices", "sum");
        let mut comparison = Comparison::unobserved(key, Verdict::Identical);
        let p95 = limit(Metric::P95, MS, None);
        let unmeasured = check(&comparison, p95);
        assert_eq!(unmeasured.status, BudgetStatus::Unmeasured);
        assert_eq!(reasons_of_budgets(&[unmeasured]), []);
        comparison.verdict = Verdict::Inconclusive;
        let unknown = check(&comparison, p95);
        assert!(matches!(
            reasons_of_budgets(&[unknown])[..],
            [Reason::BudgetUnchecked { .. }]
        ));
    }

    #[test]
    fn a_program_over_its_size_rejects_with_the_numbers() {
        let binary = BinarySize {
            package: "shop".into(),
            name: "serve".into(),
            size: Paired::new(
                Some(Bytes::from_bytes(900_000)),
                Some(Bytes::from_bytes(1_200_000)),
            ),
        };
        let over = of_binary(&binary, limit(Metric::SIZE, 1_048_576.0, None));
        let reasons = reasons_of_budgets(&[over.unwrap()]);
        assert!(matches!(
            &reasons[..],
            [Reason::OverBudget { budgets }] if budgets[0].head == Some(1_200_000.0)
        ));
    }

    #[test]
    fn a_program_that_head_no_longer_has_uses_nothing() {
        let binary = BinarySize {
            package: "shop".into(),
            name: "serve".into(),
            size: Paired::new(Some(Bytes::from_bytes(1)), None),
        };
        assert_eq!(of_binary(&binary, limit(Metric::SIZE, 1.0, None)), None);
    }
}
