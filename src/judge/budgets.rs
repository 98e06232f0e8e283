//! Budgets: what the head side may use, whatever the base side used.

use super::{BudgetCheck, BudgetStatus, BudgetSubject, Reason};
use crate::analyse::{Comparison, TimeComparison, Verdict};
use crate::build::BinarySize;
use crate::plan::config::{Budgets, Limit, Metric, Unit};
use crate::stats::one_sided_margin;
use crate::units::{Bytes, Side, Throughput};

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
/// Counts and sizes are exact.
#[must_use]
pub fn check_budgets(
    comparisons: &[Comparison],
    binaries: &[BinarySize],
    budgets: &Budgets,
    shared: SharedError,
) -> Vec<BudgetCheck> {
    let mut wanted = Vec::new();
    for comparison in comparisons.iter().filter(|c| c.verdict != Verdict::Removed) {
        let key = &comparison.key;
        let limits = budgets.of_benchmark(&key.package, &key.target, &key.id);
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
    gravest_first(&mut checks);
    checks
}

/// The order of a report: the most severe first, and what uses most of its limit before the others.
pub fn gravest_first(checks: &mut [BudgetCheck]) {
    checks.sort_by(|a, b| {
        let used = |check: &BudgetCheck| check.used.unwrap_or(f64::INFINITY);
        (a.status.cmp(&b.status)).then(used(b).total_cmp(&used(a)))
    });
}

/// What a budget says of one amount.
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
        let used = match limit.metric {
            Metric::Throughput => limit.limit / head,
            _ if head == 0.0 => 0.0,
            _ => head / limit.limit,
        };
        used.is_finite().then_some(used)
    });
    BudgetCheck {
        subject,
        metric: limit.metric,
        iterations_per_sample: None,
        unit: limit.unit,
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

/// What is known of the head side.
enum HeadState {
    /// An amount, and what it certainly is at least (of a throughput: at most).
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

    fn unknown(why: impl Into<String>) -> HeadState {
        HeadState::Not(BudgetStatus::Unknown, why.into())
    }
}

fn standing(limit: Limit, amount: f64, certain: f64) -> (BudgetStatus, Option<String>) {
    let is_beyond = |amount: f64, limit_at: f64| match limit.metric {
        Metric::Throughput => amount < limit_at,
        _ => amount > limit_at,
    };
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
    let (base, head) = match limit.metric {
        Metric::Allocations | Metric::Bytes | Metric::Peak => (
            allocations(comparison, limit.metric, Side::Base),
            allocations(comparison, limit.metric, Side::Head)
                .map(HeadState::exactly)
                .ok_or("its allocations were not counted"),
        ),
        Metric::Throughput => match amount(comparison.throughput, limit.unit) {
            None => (
                None,
                Err("it does not say how much of that an iteration processes"),
            ),
            Some(each) => {
                let speed = |nanos: f64| each / nanos * 1e9;
                let base = figure(comparison, Metric::P50, Side::Base).map(speed);
                let head = head_time(comparison, Metric::P50, alpha);
                (
                    base,
                    head.map(|seen| seen.map(speed)).ok_or("it was not timed"),
                )
            }
        },
        metric => (
            figure(comparison, metric, Side::Base),
            head_time(comparison, metric, alpha).ok_or("it was not timed"),
        ),
    };
    let seen = head.unwrap_or_else(|why| missing(comparison, why));
    let head = comparison.time.as_ref().and_then(|time| time.head);
    let samples = head.filter(|_| limit.metric.is_percentile());
    BudgetCheck {
        iterations_per_sample: samples.and_then(|head| head.iterations_per_sample),
        ..checked(subject, limit, base, seen)
    }
}

/// Why a benchmark has no amount.
fn missing(comparison: &Comparison, why: &str) -> HeadState {
    if comparison.failure.is_some() {
        return HeadState::unknown("the benchmark failed");
    }
    // Not measured on purpose is no doubt: what it runs is what the base side runs.
    match (comparison.verdict, &comparison.time) {
        (Verdict::Inconclusive | Verdict::Added, _) | (_, Some(_)) => HeadState::unknown(why),
        (verdict, None) => HeadState::Not(
            BudgetStatus::Unmeasured,
            format!("{verdict}, so that it was not measured"),
        ),
    }
}

impl HeadState {
    fn map(self, f: impl Fn(f64) -> f64) -> HeadState {
        match self {
            HeadState::Amount { amount, certain } => HeadState::Amount {
                amount: f(amount),
                certain: f(certain),
            },
            not => not,
        }
    }
}

/// One figure of one side, in nanoseconds.
fn figure(comparison: &Comparison, metric: Metric, side: Side) -> Option<f64> {
    let time = comparison.time.as_ref()?;
    let summary = match side {
        Side::Base => time.base,
        Side::Head => time.head,
    }?;
    let nanos = match metric {
        Metric::Mean => summary.mean_ns,
        Metric::P95 => summary.p95_ns,
        Metric::P99 => summary.p99_ns,
        _ => summary.median_ns,
    };
    Some(nanos.as_nanos())
}

/// The head side's figure, and what it is at least.
fn head_time(comparison: &Comparison, metric: Metric, alpha: f64) -> Option<HeadState> {
    let amount = figure(comparison, metric, Side::Head)?;
    let margin = comparison
        .time
        .as_ref()
        .and_then(|time| margin(time, metric, alpha));
    Some(HeadState::Amount {
        amount,
        // One round says nothing of what another would have given.
        certain: margin.map_or(0.0, |margin| amount * (-margin).exp()),
    })
}

fn margin(time: &TimeComparison, metric: Metric, alpha: f64) -> Option<f64> {
    let errors = time.head_errors?;
    let error = match metric {
        Metric::Mean => errors.mean,
        Metric::P95 => errors.p95,
        Metric::P99 => errors.p99,
        _ => errors.median,
    };
    Some(one_sided_margin(error, errors.rounds, alpha))
}

fn allocations(comparison: &Comparison, metric: Metric, side: Side) -> Option<f64> {
    let allocations = comparison.allocations.as_ref()?;
    let summary = match side {
        Side::Base => allocations.base.as_ref(),
        Side::Head => allocations.head.as_ref(),
    }?;
    Some(match metric {
        Metric::Allocations => summary.count,
        Metric::Peak => summary.peak_bytes as f64,
        _ => summary.bytes,
    })
}

/// How much an iteration processes, where it is declared in the wanted unit.
fn amount(throughput: Option<Throughput>, unit: Unit) -> Option<f64> {
    match (throughput?, unit) {
        (Throughput::Bytes(n), Unit::BytesPerSecond)
        | (Throughput::Elements(n), Unit::ElementsPerSecond)
        | (Throughput::Bits(n), Unit::BitsPerSecond) => Some(n as f64),
        _ => None,
    }
}

/// Nothing where the head side has no such program any more.
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
    use crate::analyse::{AllocationComparison, AllocationSummary, TimeErrors, TimeSummary};
    use crate::units::{BenchmarkKey, Nanos, Paired};

    const MS: f64 = 1e6;

    fn limit(metric: Metric, unit: Unit, limit: f64, investigate: Option<f64>) -> Limit {
        Limit {
            metric,
            unit,
            limit,
            investigate,
        }
    }

    fn key() -> BenchmarkKey {
        BenchmarkKey {
            package: "shop".into(),
            target: "prices".into(),
            id: "sum".into(),
        }
    }

    /// Whose 95th percentile on head is `p95` with this relative error.
    fn timed(p95: f64, error: f64) -> Comparison {
        let summary = |p95: f64| TimeSummary {
            mean_ns: Nanos::from_nanos(p95 / 2.0),
            median_ns: Nanos::from_nanos(p95 / 2.0),
            p95_ns: Nanos::from_nanos(p95),
            p99_ns: Nanos::from_nanos(p95),
            std_dev_ns: Nanos::from_nanos(1.0),
            samples: 100,
            iterations_per_sample: None,
        };
        Comparison {
            key: key(),
            verdict: Verdict::Unchanged,
            pairing: None,
            throughput: Some(Throughput::Elements(1_000)),
            time: Some(TimeComparison {
                base: Some(summary(p95 * 0.9)),
                head: Some(summary(p95)),
                change: None,
                rounds: Vec::new(),
                quantiles_ns: None,
                mean_change: None,
                head_errors: Some(TimeErrors {
                    mean: error,
                    median: error,
                    p95: error,
                    p99: error,
                    rounds: 10,
                }),
            }),
            allocations: None,
            failure: None,
            notes: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn check(comparison: &Comparison, limit: Limit) -> BudgetCheck {
        of_benchmark(comparison, limit, 0.05)
    }

    #[test]
    fn a_limit_of_time_is_over_only_where_that_is_certain() {
        let p95 = limit(Metric::P95, Unit::Nanoseconds, 3.0 * MS, Some(2.4 * MS));
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
        let mut once = timed(9.0 * MS, 0.01);
        if let Some(time) = &mut once.time {
            time.head_errors = None;
        }
        let seen = check(&once, limit(Metric::P95, Unit::Nanoseconds, MS, None));
        assert_eq!(seen.status, BudgetStatus::Investigate);
    }

    #[test]
    fn a_throughput_is_a_floor_in_the_declared_unit() {
        // 1,000 elements in a median of 1 ms: a million a second.
        let comparison = timed(2.0 * MS, 0.001);
        let of = |limit_at: f64, investigate| {
            let unit = Unit::ElementsPerSecond;
            check(
                &comparison,
                limit(Metric::Throughput, unit, limit_at, investigate),
            )
        };
        assert_eq!(of(2e6, None).status, BudgetStatus::Over);
        assert_eq!(of(9e5, Some(1.2e6)).status, BudgetStatus::Investigate);
        assert_eq!(of(5e5, None).status, BudgetStatus::Within);
        assert_eq!(of(5e5, None).used, Some(0.5));
        let bytes = limit(Metric::Throughput, Unit::BytesPerSecond, 1.0, None);
        assert_eq!(check(&comparison, bytes).status, BudgetStatus::Unknown);
    }

    #[test]
    fn counts_are_exact_and_none_at_all_may_be_the_limit() {
        let mut comparison = timed(MS, 0.01);
        let none = limit(Metric::Allocations, Unit::Count, 0.0, None);
        assert_eq!(check(&comparison, none).status, BudgetStatus::Unknown);
        let counted = |count: f64| AllocationSummary {
            count,
            reallocations: 0.0,
            frees: count,
            bytes: count * 8.0,
            peak_bytes: 8,
            leaked_bytes: 0.0,
            largest_bytes: 8,
            histogram: Vec::new(),
            exact: true,
        };
        let mut with = |count| {
            comparison.allocations = Some(AllocationComparison {
                base: None,
                head: Some(counted(count)),
                verdict: None,
                figures: None,
                notes: Vec::new(),
                sites: Vec::new(),
            });
            check(&comparison, none)
        };
        assert_eq!(with(1.0).status, BudgetStatus::Over);
        assert_eq!(with(1.0).used, None);
        assert_eq!(with(0.0).status, BudgetStatus::Within);
    }

    #[test]
    fn what_was_not_measured_on_purpose_does_not_vote_and_what_failed_does() {
        let mut comparison = timed(MS, 0.01);
        comparison.time = None;
        comparison.verdict = Verdict::Identical;
        let p95 = limit(Metric::P95, Unit::Nanoseconds, MS, None);
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
        let over = of_binary(&binary, limit(Metric::Size, Unit::Bytes, 1_048_576.0, None));
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
        assert_eq!(
            of_binary(&binary, limit(Metric::Size, Unit::Bytes, 1.0, None)),
            None
        );
    }
}
