//! What of a service is judged: one row each, like a benchmark whose rounds have one sample a side.

use crate::discover::Failure;
use crate::load_generator::{LoadOutcome, NotUsable, Percentile};
use crate::measure::{Measured, Pairing, Round, Samples};
use crate::plan::Service;
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::ServiceRound;

/// So many requests of a round have to lie beyond a percentile: it would be the maximum otherwise, which one stall of the
/// machine decides.
const FEWEST_BEYOND: f64 = 10.0;

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

    /// What a round shows of both sides, in nanoseconds, or why that is not their own.
    fn values(self, round: &ServiceRound) -> Result<Paired<f64>, LostRound> {
        let latency = |percentile| {
            let of_turn = |turn: &LoadOutcome| latency(turn, percentile);
            let values = typical(&round.open, of_turn);
            // Even if the generator had not been late.
            let all = has_enough(&round.open, percentile, |_| true);
            let rest = has_enough(&round.open, percentile, |turn| of_turn(turn).is_ok());
            match values {
                Err(LostRound::Lagged) if !all => Err(LostRound::TooFewRequests),
                Ok(_) if !rest => Err(LostRound::TooFewRequests),
                values => values,
            }
        };
        match self {
            RowKind::Throughput => typical(&round.closed, time_per_request),
            RowKind::P50 => latency(Percentile::P50),
            RowKind::P95 => latency(Percentile::P95),
            RowKind::P99 => latency(Percentile::P99),
            RowKind::Processor => {
                let used = round.used.as_ref();
                Ok(used.map(|used| used.processor.as_nanos() as f64))
            }
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

/// Why a turn, or a round, shows nothing of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LostRound {
    /// The generator used up its processor, or did not get one.
    Saturated,
    /// The generator was late itself.
    Lagged,
    /// Nothing was answered while answers were counted.
    NoAnswer,
    /// The percentile would be one of the very largest latencies.
    TooFewRequests,
}

impl LostRound {
    const ALL: [LostRound; 4] = [
        LostRound::Saturated,
        LostRound::Lagged,
        LostRound::NoAnswer,
        LostRound::TooFewRequests,
    ];

    /// Why so many rounds of a row do not count, for the report.
    fn note(self, kind: RowKind, lost: usize, all: usize) -> String {
        let reason = match self {
            LostRound::Saturated => "the load generator used up its processor".to_owned(),
            LostRound::Lagged => "the load generator was too late itself".to_owned(),
            LostRound::NoAnswer => "too little was answered in time: raise `slice`".to_owned(),
            LostRound::TooFewRequests => {
                format!(
                    "there are too few requests for {}: raise `slice`",
                    kind.name()
                )
            }
        };
        let all = plural(all, "round", "rounds");
        format!("{lost} of {all} do not count, since {reason}")
    }
}

fn time_per_request(slice: &LoadOutcome) -> Result<f64, LostRound> {
    match slice.not_usable {
        Some(NotUsable::Saturated { .. }) => Err(LostRound::Saturated),
        _ if slice.answered == 0 => Err(LostRound::NoAnswer),
        _ => Ok(1e9 / slice.throughput()),
    }
}

fn latency(slice: &LoadOutcome, percentile: Percentile) -> Result<f64, LostRound> {
    match (slice.not_usable, slice.latency) {
        (Some(NotUsable::Saturated { .. }), _) => Err(LostRound::Saturated),
        (_, None) => Err(LostRound::NoAnswer),
        _ => slice.latency_at(percentile).ok_or(LostRound::Lagged),
    }
}

/// Whether the turns of a round that count have enough requests beyond a percentile, all of a side together.
fn has_enough(
    turns: &Paired<Vec<LoadOutcome>>,
    percentile: Percentile,
    counts: impl Fn(&LoadOutcome) -> bool,
) -> bool {
    let pairs = turns.base.iter().zip(&turns.head);
    let pairs = pairs.filter(|(base, head)| counts(base) && counts(head));
    let requests = pairs.fold([0, 0], |[of_base, of_head], (base, head)| {
        [of_base + base.counted(), of_head + head.counted()]
    });
    requests
        .iter()
        .all(|requests| *requests as f64 * percentile.beyond() >= FEWEST_BEYOND)
}

/// The geometric means of both sides' turns. A turn counts on both sides or on none: they were a pair. Fewer than half of the
/// turns show nothing.
fn typical(
    turns: &Paired<Vec<LoadOutcome>>,
    value: impl Fn(&LoadOutcome) -> Result<f64, LostRound>,
) -> Result<Paired<f64>, LostRound> {
    let pairs = turns.base.iter().zip(&turns.head);
    let pairs: Vec<Result<Paired<f64>, LostRound>> = pairs
        .map(|(base, head)| Ok(Paired::new(value(base)?, value(head)?)))
        .collect();
    let usable: Vec<&Paired<f64>> = pairs.iter().flatten().collect();
    if usable.is_empty() || 2 * usable.len() < pairs.len() {
        let lost = pairs.iter().find_map(|pair| pair.as_ref().err().copied());
        return Err(lost.unwrap_or(LostRound::NoAnswer));
    }
    Ok(Paired::from_fn(|side| {
        let logarithms = usable.iter().map(|pair| pair.get(side).ln());
        (logarithms.sum::<f64>() / usable.len() as f64).exp()
    }))
}

/// The rows of a service's rounds.
pub(super) fn rows(
    service: &BenchmarkKey,
    rounds: &[ServiceRound],
    rate: Option<f64>,
    connections: usize,
) -> Vec<Measured> {
    let row = |kind: RowKind| {
        let all: Vec<Result<Round, LostRound>> =
            rounds.iter().map(|round| of_round(kind, round)).collect();
        let mut notes: Vec<String> = rate
            .map(|rate| kind.note(rate, connections))
            .into_iter()
            .collect();
        for reason in LostRound::ALL {
            let why = all.iter().filter_map(|round| round.as_ref().err());
            let lost = why.filter(|lost| **lost == reason).count();
            notes.extend((lost > 0).then(|| reason.note(kind, lost, rounds.len())));
        }
        Measured {
            key: kind.key(service),
            rounds: all.into_iter().flatten().collect(),
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    };
    RowKind::ALL.into_iter().map(row).collect()
}

fn of_round(kind: RowKind, round: &ServiceRound) -> Result<Round, LostRound> {
    let sample = |value: f64| Samples {
        iterations: vec![1],
        times: vec![value],
        starts: Vec::new(),
        preempted: Vec::new(),
    };
    let values = kind.values(round)?;
    Ok(Round {
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
    let sent: u64 = slices.clone().map(|slice| slice.sent).sum();
    if all == 0 && sent > 0 {
        let reason = format!(
            "answered none of {} in time; raise `slice` if an answer may take that long",
            plural(
                usize::try_from(sent).unwrap_or(usize::MAX),
                "request",
                "requests"
            )
        );
        return Some(Failure {
            side,
            reason,
            stderr_tail: String::new(),
        });
    }
    if failed as f64 <= most * all as f64 {
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
