//! What of a service is judged: one row each, like a benchmark whose rounds have one sample a side.

use crate::discover::Failure;
use crate::load_generator::{LoadOutcome, NotUsable, Percentile};
use crate::measure::{Measured, Pairing, Round, Samples};
use crate::plan::Service;
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::ServiceRound;

/// What of a service is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// The time per request at capacity, the inverse of the throughput.
    Throughput,
    /// The median of the latency at a fixed rate.
    P50,
    /// Its 95th percentile.
    P95,
    /// Its 99th.
    P99,
    /// Processor time per request at a fixed rate.
    Processor,
}

impl RowKind {
    /// All, in the order of reports.
    pub const ALL: [RowKind; 5] = [
        RowKind::Throughput,
        RowKind::P50,
        RowKind::P95,
        RowKind::P99,
        RowKind::Processor,
    ];

    /// The end of its id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RowKind::Throughput => "throughput",
            RowKind::P50 => "p50",
            RowKind::P95 => "p95",
            RowKind::P99 => "p99",
            RowKind::Processor => "processor",
        }
    }

    /// The row of this name in reports, if it is one of a service.
    #[must_use]
    pub fn of(key: &BenchmarkKey) -> Option<RowKind> {
        let (_, name) = key
            .id
            .rsplit_once('/')
            .filter(|_| key.target == Service::TARGET)?;
        RowKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a budget of `metric` speaks of this row: a limit of the median latency is none of its 99th percentile.
    #[must_use]
    pub fn is_limited_by(self, metric: Metric) -> bool {
        match self {
            RowKind::Throughput => metric == Metric::REQUESTS_PER_SECOND,
            RowKind::P50 => metric == Metric::TIME,
            RowKind::P95 => metric == Metric::P95,
            RowKind::P99 => metric == Metric::P99,
            RowKind::Processor => [
                Metric::REQUEST_PROCESSOR_TIME,
                Metric::RESIDENT_MEMORY,
                Metric::OPEN_FILES,
                Metric::THREADS,
                Metric::TIME_TO_READY,
                Metric::ERRORS,
            ]
            .contains(&metric),
        }
    }

    /// Its name within those of a service.
    #[must_use]
    pub fn key(self, service: &BenchmarkKey) -> BenchmarkKey {
        BenchmarkKey {
            id: format!("{}/{}", service.id, self.name()),
            ..service.clone()
        }
    }

    /// What a round shows of a side, in nanoseconds; `None` where that is not the side's own.
    fn value(self, round: &ServiceRound, side: Side) -> Option<f64> {
        let latency = |percentile| {
            let slices = round.open.get(side).iter();
            typical(slices.map(|slice| slice.latency_at(percentile)))
        };
        match self {
            RowKind::Throughput => {
                let slices = round.closed.get(side).iter();
                typical(slices.map(|slice| {
                    let is_own = !matches!(slice.not_usable, Some(NotUsable::Saturated { .. }));
                    (is_own && slice.answered > 0).then(|| 1e9 / slice.throughput())
                }))
            }
            RowKind::P50 => latency(Percentile::P50),
            RowKind::P95 => latency(Percentile::P95),
            RowKind::P99 => latency(Percentile::P99),
            RowKind::Processor => Some(round.used.get(side).processor.as_nanos() as f64),
        }
    }

    /// What the numbers of the row are, for the report.
    fn note(self, rate: f64, connections: usize) -> String {
        let latency = |which: &str| {
            format!(
                "{which} of the latency at {rate:.0} requests per second, from the moment at which each was due"
            )
        };
        match self {
            RowKind::Throughput => format!(
                "time per request over {}, as fast as the service answers",
                plural(connections, "connection", "connections")
            ),
            RowKind::P50 => latency("median"),
            RowKind::P95 => latency("95th percentile"),
            RowKind::P99 => latency("99th percentile"),
            RowKind::Processor => {
                format!("processor time per request at {rate:.0} requests per second")
            }
        }
    }
}

/// The geometric mean of the slices; `None` where fewer than half of them show something.
fn typical(slices: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let slices: Vec<Option<f64>> = slices.collect();
    let logarithms: Vec<f64> = slices.iter().flatten().map(|value| value.ln()).collect();
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    (!logarithms.is_empty() && 2 * logarithms.len() >= slices.len()).then(|| mean.exp())
}

/// The rows of a service's rounds.
pub(super) fn rows(
    service: &BenchmarkKey,
    rounds: &[ServiceRound],
    rate: Option<f64>,
    connections: usize,
) -> Vec<Measured> {
    let row = |kind: RowKind| {
        let usable: Vec<Round> = rounds
            .iter()
            .filter_map(|round| of_round(kind, round))
            .collect();
        let mut notes: Vec<String> = rate
            .map(|rate| kind.note(rate, connections))
            .into_iter()
            .collect();
        let lost = rounds.len() - usable.len();
        if lost > 0 {
            let reason = match kind {
                RowKind::Throughput => "the load generator used up its processor",
                _ => "the load generator was too late itself",
            };
            let all = plural(rounds.len(), "round", "rounds");
            notes.push(format!("{lost} of {all} do not count, since {reason}"));
        }
        Measured {
            key: kind.key(service),
            rounds: usable,
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    };
    RowKind::ALL.into_iter().map(row).collect()
}

fn of_round(kind: RowKind, round: &ServiceRound) -> Option<Round> {
    let sample = |value: f64| Samples {
        iterations: vec![1],
        times: vec![value],
        starts: Vec::new(),
        preempted: Vec::new(),
    };
    let values = Paired::new(
        kind.value(round, Side::Base)?,
        kind.value(round, Side::Head)?,
    );
    Some(Round {
        index: round.index,
        first: round.first,
        pairing: Pairing::Benchmark,
        samples: values.map(sample),
    })
}

/// A side that answers more requests otherwise than expected than a service may, over all rounds.
pub(super) fn wrong_answers(rounds: &[ServiceRound], most: f64) -> Option<Failure> {
    Side::BOTH.into_iter().find_map(|side| {
        let slices = rounds.iter().flat_map(|round| {
            let open = round.open.get(side).iter();
            open.chain(round.closed.get(side))
        });
        failure_of_answers(side, slices, most)
    })
}

/// The same of single slices.
pub(super) fn failure_of_answers<'a>(
    side: Side,
    slices: impl Iterator<Item = &'a LoadOutcome> + Clone,
    most: f64,
) -> Option<Failure> {
    let failed: u64 = slices.clone().map(LoadOutcome::failed).sum();
    let answered: u64 = slices.clone().map(|slice| slice.answered).sum();
    let all = failed + answered;
    if all == 0 || failed as f64 <= most * all as f64 {
        return None;
    }
    let mut errors: Vec<_> = slices.flat_map(|slice| &slice.errors).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    let example = errors.first().map_or_else(String::new, |error| {
        format!(" ({}: {})", error.kind, error.example)
    });
    Some(Failure {
        side,
        reason: format!("failed to answer {failed} of {all} requests as expected{example}"),
        stderr_tail: String::new(),
    })
}
