//! From the rounds of services to what their rows show beside the time.

use super::resources::{beyond, change};
use super::settle::Settling;
use super::{Change, Comparison, Direction, Observed, Verdict};
use crate::load_generator::LoadOutcome;
use crate::plan::LoadTest;
use crate::service::{BesideRow, ComparedRow, RowKind, ServiceRound, ServiceRun};
use crate::stats::Estimate;
use crate::units::{Form, Metric, Paired, Side};

/// What one side of a round shows of a metric that has no row of its own.
struct ServiceMetric {
    metric: Metric,
    of_side: fn(&ServiceRound, Side) -> Option<f64>,
}

const BESIDE: [ServiceMetric; 5] = [
    ServiceMetric {
        metric: Metric::RESIDENT_MEMORY,
        of_side: |round, side| Some(round.used.get(side).held?.resident as f64),
    },
    ServiceMetric {
        metric: Metric::OPEN_FILES,
        of_side: |round, side| Some(round.used.get(side).held?.files as f64),
    },
    ServiceMetric {
        metric: Metric::THREADS,
        of_side: |round, side| Some(round.used.get(side).held?.threads as f64),
    },
    ServiceMetric {
        metric: Metric::TIME_TO_READY,
        of_side: |round, side| Some(round.used.get(side).ready?.as_nanos() as f64),
    },
    ServiceMetric {
        metric: Metric::ERRORS,
        of_side: |round, side| Some(1000.0 * error_rate(round.open.get(side))),
    },
];

/// The share of requests that failed, over several slices.
fn error_rate(slices: &[LoadOutcome]) -> f64 {
    let failed: u64 = slices.iter().map(LoadOutcome::failed).sum();
    let answered: u64 = slices.iter().map(|slice| slice.answered).sum();
    failed as f64 / (failed + answered).max(1) as f64
}

/// Gives each row of a service what it is about: the one sample of a round is no distribution, a percentile of the latency
/// is that metric, and the capacity a throughput. What has no row of its own stands beside the processor time.
pub fn add_services(comparisons: &mut [Comparison], runs: &[ServiceRun], settling: &Settling) {
    for run in runs {
        for kind in LoadTest::ALL.into_iter().flat_map(RowKind::of_test) {
            let key = kind.key(&run.key);
            let rows = comparisons.iter_mut();
            for row in rows.filter(|row| row.key == key && row.verdict != Verdict::Failed) {
                complete(row, kind, &run.rounds, settling);
                row.metrics
                    .extend(beside_row(run, kind, &settling.of(&key)));
            }
        }
    }
}

fn complete(row: &mut Comparison, kind: RowKind, rounds: &[ServiceRound], settling: &Settling) {
    let settling = settling.of(&row.key);
    row.metrics
        .retain(|metric| ![Metric::P95, Metric::P99, Metric::STD_DEV].contains(&metric));
    let Some(time) = row.time().map(without_samples) else {
        return;
    };
    let compared = match kind {
        RowKind::Compared(compared) => compared,
        RowKind::RampUp => {
            let rate = per_second(&time);
            row.metrics.extend([(Metric::BREAKING_POINT, rate)]);
            return;
        }
        RowKind::Spike | RowKind::Soak | RowKind::NoisyNeighbour | RowKind::Limits => return,
    };
    match compared {
        ComparedRow::P50 => {}
        ComparedRow::P95 => row.metrics.extend([(Metric::P95, time)]),
        ComparedRow::P99 => row.metrics.extend([(Metric::P99, time)]),
        ComparedRow::Throughput => {
            let throughput = per_second(&time);
            row.metrics
                .extend([(Metric::REQUESTS_PER_SECOND, throughput)]);
        }
        ComparedRow::Processor => {
            row.metrics.extend([(Metric::REQUEST_PROCESSOR_TIME, time)]);
            row.metrics.extend(beside(rounds, &settling));
        }
    }
}

/// The same numbers without their distribution, which another metric has.
fn without_samples(time: &Change) -> Change {
    let mut time = time.clone();
    for side in Side::BOTH {
        if let Some(observed) = time.sides.get_mut(side) {
            observed.samples = None;
        }
    }
    time.rounds.clear();
    time
}

/// Requests per second, from the time per request.
fn per_second(time: &Change) -> Change {
    let inverse = |observed: &Option<Observed>| {
        observed.as_ref().map(|observed| Observed {
            value: 1e9 / observed.value,
            ..observed.clone()
        })
    };
    Change {
        sides: time.sides.as_ref().map(inverse),
        ..Change::default()
    }
}

fn beside(rounds: &[ServiceRound], settling: &Settling) -> Vec<(Metric, Change)> {
    let changes = BESIDE.iter().filter_map(|one| {
        let values: Vec<Paired<Option<f64>>> = rounds
            .iter()
            .map(|round| Paired::from_fn(|side| (one.of_side)(round, side)))
            .filter(|round| round.base.is_some() || round.head.is_some())
            .collect();
        Some((one.metric, change(&values, settling, BESIDE.len())?))
    });
    changes.collect()
}

/// What a test shows beside its row.
fn beside_row(run: &ServiceRun, kind: RowKind, settling: &Settling) -> Vec<(Metric, Change)> {
    let own: Vec<&BesideRow> = run.beside.iter().filter(|one| one.row == kind).collect();
    let changes = own.iter().filter_map(|one| {
        let known = known(&one.rounds);
        if one.metric == Metric::BROKEN_LIMITS {
            return Some((one.metric, broken_limits(&known)?));
        }
        let mut change = change(&known, settling, own.len())?;
        if one.metric.form == Form::Sum {
            show_means(&mut change, &known);
        }
        if one.metric == Metric::MEMORY_GROWTH {
            judge_growth(&mut change, one, settling.share_of(known.len(), own.len()));
            return Some((one.metric, change));
        }
        let is_negligible = |both: Paired<f64>| (both.head - both.base).abs() < one.negligible;
        if change.has_moved() && change.values().is_some_and(is_negligible) {
            change.direction = Some(Direction::Same);
        }
        Some((one.metric, change))
    });
    changes.collect()
}

/// The rounds that show both sides; where no round shows one of them, those that show the other.
fn known(rounds: &[Paired<Option<f64>>]) -> Vec<Paired<Option<f64>>> {
    let is_shown = |side: Side| rounds.iter().any(|round| round.get(side).is_some());
    let wanted: Vec<Side> = Side::BOTH
        .into_iter()
        .filter(|side| is_shown(*side))
        .collect();
    let is_known = |round: &&Paired<Option<f64>>| {
        let mut sides = wanted.iter();
        sides.all(|side| round.get(*side).is_some())
    };
    rounds.iter().filter(is_known).copied().collect()
}

/// Growth of memory may be zero or less, so that no ratio speaks of it: head grows more if the difference certainly exceeds
/// what is negligible.
fn judge_growth(change: &mut Change, growth: &BesideRow, alpha: f64) {
    let rounds = growth.rounds.iter();
    let differences: Vec<f64> = rounds
        .filter_map(|round| Some(round.head? - round.base?))
        .collect();
    let estimate = Estimate::of(&differences);
    change.direction = estimate.and_then(|one| beyond(&one, growth.negligible, alpha));
    change.estimate = None;
    change.rounds.clear();
}

/// How many limits break each side. Each that counts is certain, so one more is more.
fn broken_limits(limits: &[Paired<Option<f64>>]) -> Option<Change> {
    let broken = |side: Side| {
        limits
            .iter()
            .filter_map(|both| *both.get(side))
            .sum::<f64>()
    };
    let counts = Paired::from_fn(broken);
    let only = |one: Side| {
        let other = one.other();
        limits.iter().any(|both| both.get(one) > both.get(other))
    };
    (!limits.is_empty()).then(|| Change {
        sides: counts.map(|count| Some(Observed::exactly(count))),
        direction: Some(match (only(Side::Head), only(Side::Base)) {
            (true, _) => Direction::More,
            (false, true) => Direction::Fewer,
            (false, false) => Direction::Same,
        }),
        ..Change::default()
    })
}

/// The mean of what adds up: growth comes in steps, and its median may be zero.
fn show_means(change: &mut Change, rounds: &[Paired<Option<f64>>]) {
    for side in Side::BOTH {
        let values: Vec<f64> = rounds.iter().filter_map(|round| *round.get(side)).collect();
        if let Some(observed) = change.sides.get_mut(side) {
            observed.value = values.iter().sum::<f64>() / values.len().max(1) as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::RowKind;

    /// The direction of growth, where so much of a difference is negligible.
    fn growth(base: f64, head: f64, spread: f64) -> Option<Direction> {
        let wobble = |round: usize| match round % 2 {
            0 => spread,
            _ => -spread,
        };
        let all = 0..11;
        let growth = BesideRow {
            row: RowKind::Soak,
            metric: Metric::MEMORY_GROWTH,
            rounds: all
                .map(|round| Paired::new(Some(base), Some(head + wobble(round))))
                .collect(),
            negligible: 1000.0,
        };
        let mut change = Change::default();
        judge_growth(&mut change, &growth, 0.01);
        change.direction
    }

    #[test]
    fn memory_grows_more_if_the_difference_certainly_exceeds_what_is_negligible() {
        // A leak of both sides hides nothing: it is no share of it that counts.
        assert_eq!(growth(100_000.0, 105_000.0, 500.0), Some(Direction::More));
        assert_eq!(growth(105_000.0, 100_000.0, 500.0), Some(Direction::Fewer));
        assert_eq!(growth(0.0, 5000.0, 500.0), Some(Direction::More));
        assert_eq!(growth(10.0, 300.0, 50.0), Some(Direction::Same));
        assert_eq!(growth(0.0, 0.0, 0.0), Some(Direction::Same));
        // The mean is beyond it, and the interval is not.
        assert_eq!(growth(0.0, 1500.0, 2000.0), None);
    }

    #[test]
    fn a_limit_that_breaks_head_alone_counts_whatever_others_break() {
        let both = |base, head| Paired::new(Some(base), Some(head));
        let of = |limits: &[_]| {
            let change = broken_limits(limits)?;
            Some((change.values()?, change.direction?))
        };
        let (one, none) = (both(1.0, 1.0), both(0.0, 0.0));
        let counts = Paired::new(1.0, 2.0);
        let more = of(&[one, none, both(0.0, 1.0)]);
        assert_eq!(more, Some((counts, Direction::More)));
        let same = of(&[one, none]);
        assert_eq!(same, Some((Paired::new(1.0, 1.0), Direction::Same)));
        let fewer = of(&[both(1.0, 0.0)]);
        assert_eq!(fewer, Some((Paired::new(1.0, 0.0), Direction::Fewer)));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_round_that_shows_one_side_only_takes_no_metric_away() {
        let both = Paired::new(Some(1.0), Some(1.5));
        let rounds = [both, Paired::new(Some(1.0), None), both];
        assert_eq!(known(&rounds), [both, both]);
        let only_base = [Paired::new(Some(1.0), None), Paired::new(None, None)];
        assert_eq!(known(&only_base), [Paired::new(Some(1.0), None)]);
    }
}
