//! What the plain comparison of a service judges: one row each, like a benchmark whose rounds have one sample a side.

use crate::load_generator::{FEWEST_BEYOND, LoadOutcome, NotUsable, Percentile};
use crate::measure::{Measured, Pairing, Round, Samples};
use crate::units::{BenchmarkKey, Paired, Side, plural};

use super::ServiceRound;

/// What the plain comparison judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedRow {
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

impl ComparedRow {
    /// All, in the order of reports.
    pub const ALL: [ComparedRow; 5] = [
        ComparedRow::Throughput,
        ComparedRow::P50,
        ComparedRow::P95,
        ComparedRow::P99,
        ComparedRow::Processor,
    ];

    /// The end of its id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ComparedRow::Throughput => "throughput",
            ComparedRow::P50 => "p50",
            ComparedRow::P95 => "p95",
            ComparedRow::P99 => "p99",
            ComparedRow::Processor => "processor",
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
            ComparedRow::Throughput => typical(&round.closed, time_per_request),
            ComparedRow::P50 => latency(Percentile::P50),
            ComparedRow::P95 => latency(Percentile::P95),
            ComparedRow::P99 => latency(Percentile::P99),
            ComparedRow::Processor => {
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
            ComparedRow::Throughput => format!(
                "time per request over {}, as fast as the service answers",
                plural(connections, "connection", "connections")
            ),
            ComparedRow::P50 => latency("median"),
            ComparedRow::P95 => latency("95th percentile"),
            ComparedRow::P99 => latency("99th percentile"),
            ComparedRow::Processor => {
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
    fn note(self, kind: ComparedRow, lost: usize, all: usize) -> String {
        let reason = match self {
            LostRound::Saturated => "the load generator used up its processor".to_owned(),
            LostRound::Lagged => "the load generator itself was late".to_owned(),
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
    let row = |kind: ComparedRow| {
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
            key: row_key(service, kind.name()),
            rounds: all.into_iter().flatten().collect(),
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    };
    ComparedRow::ALL.into_iter().map(row).collect()
}

fn of_round(kind: ComparedRow, round: &ServiceRound) -> Result<Round, LostRound> {
    let values = kind.values(round)?;
    Ok(single_value(round.index, round.first, values))
}

/// A round that shows one value for each side, in nanoseconds.
pub(super) fn single_value(index: usize, first: Side, values: Paired<f64>) -> Round {
    let sample = |value: f64| Samples {
        iterations: vec![1],
        times: vec![value],
        starts: Vec::new(),
        preempted: Vec::new(),
    };
    Round {
        index,
        first,
        pairing: Pairing::Benchmark,
        samples: values.map(sample),
    }
}

/// The name of a row within those of a service.
pub(super) fn row_key(service: &BenchmarkKey, name: &str) -> BenchmarkKey {
    BenchmarkKey {
        id: format!("{}/{name}", service.id),
        ..service.clone()
    }
}
