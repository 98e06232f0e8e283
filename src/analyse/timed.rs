//! From measured rounds to metrics of time.

use super::judged::Judged;
use super::round::{head_errors, iterations_per_sample, per_iteration, quantiles};
use super::{Change, MetricChanges, Observed, RelativeError, RoundSummary, SampleSummary};
use crate::measure::Round;
use crate::stats::{Summary, SummaryErrors};
use crate::units::{Metric, Nanos, Paired, Side, Throughput};

/// How a metric is computed from the samples of one side.
struct TimedMetric {
    metric: Metric,
    value: fn(&Summary) -> Nanos,
    error: Option<fn(&SummaryErrors) -> f64>,
}

const TIMED: [TimedMetric; 5] = [
    TimedMetric {
        metric: Metric::TIME,
        value: |summary| summary.median,
        error: Some(|errors| errors.median),
    },
    TimedMetric {
        metric: Metric::MEAN,
        value: |summary| summary.mean,
        error: Some(|errors| errors.mean),
    },
    TimedMetric {
        metric: Metric::P95,
        value: |summary| summary.p95,
        error: Some(|errors| errors.p95),
    },
    TimedMetric {
        metric: Metric::P99,
        value: |summary| summary.p99,
        error: Some(|errors| errors.p99),
    },
    TimedMetric {
        metric: Metric::STD_DEV,
        value: |summary| summary.std_dev,
        error: None,
    },
];

/// What the rounds of one benchmark show; nothing where neither side was timed.
pub(super) fn metrics(
    rounds: &[Round],
    compared: &[RoundSummary],
    judged: Option<&Judged>,
    throughput: Paired<Option<Throughput>>,
    seed: u64,
) -> MetricChanges {
    let times = Paired::from_fn(|side| per_iteration(rounds, side));
    let summaries = times.as_ref().map(|times| Summary::of(times));
    if summaries.base.is_none() && summaries.head.is_none() {
        return MetricChanges::default();
    }
    let errors = head_errors(rounds, seed);
    let mut metrics: MetricChanges = TIMED
        .iter()
        .map(|timed| (timed.metric, timed.change(&summaries, errors.as_ref())))
        .collect();
    for side in Side::BOTH {
        let time = metrics.entry(Metric::TIME).sides.get(side).clone();
        if let (Some(each), Some(time)) = (throughput.get(side), time) {
            let speed = Observed {
                error: time.error,
                ..Observed::sampled(each.a_second(Nanos::from_nanos(time.value)))
            };
            *metrics.entry(each.metric()).sides.get_mut(side) = Some(speed);
        }
    }
    metrics.entry(Metric::MEAN).estimate = judged.map(|judged| judged.mean_change);
    let time = metrics.entry(Metric::TIME);
    time.direction = judged.and_then(|judged| judged.direction);
    time.estimate = judged.map(|judged| judged.change);
    time.rounds = compared.to_vec();
    for side in Side::BOTH {
        if let Some(observed) = time.sides.get_mut(side) {
            observed.samples = Some(SampleSummary {
                count: times.get(side).len(),
                iterations: iterations_per_sample(rounds, side),
                quantiles: quantiles(times.get(side)),
            });
        }
    }
    metrics
}

impl TimedMetric {
    fn change(
        &self,
        summaries: &Paired<Option<Summary>>,
        errors: Option<&SummaryErrors>,
    ) -> Change {
        let of_side = |side: Side| {
            let value = (self.value)(summaries.get(side).as_ref()?).as_nanos();
            let error = errors.filter(|_| side == Side::Head).zip(self.error);
            Some(Observed {
                error: error.map(|(errors, of)| RelativeError {
                    ln: of(errors),
                    rounds: errors.rounds,
                }),
                ..Observed::sampled(value)
            })
        };
        Change {
            sides: Paired::from_fn(of_side),
            ..Change::default()
        }
    }
}
