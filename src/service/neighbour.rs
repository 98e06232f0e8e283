//! What one tenant suffers from the heavy load of another. In a round, fresh processes of both sides serve the tenant alone and
//! beside a neighbour who sends requests as fast as they are answered, in turns.

use serde::{Deserialize, Serialize};

use crate::discover::Failure;
use crate::load_generator::{LoadOutcome, LoadShape, NotUsable, Percentile};
use crate::measure::Measured;
use crate::plan::{NeighbourSettings, Service};
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::answers::failure_of_answers;
use super::generator::SliceOrder;
use super::row_kind::RowKind;
use super::rows::single_value;
use super::stage::{LoadStage, RowTest, ServerPair, not_loaded};
use super::{BesideRow, LoadTestResult, SliceEnd};

/// What a noisy neighbour does to a tenant of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeighbourResult {
    /// The row whose verdict follows from the tenant's latency.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// The tenant's requests per second.
    pub rate: f64,
    /// The percentile of its latency.
    pub percentile: Percentile,
    /// By so much its latency may rise and its answers in time may fall.
    pub limit: f64,
    /// What each side of each round shows.
    pub rounds: Vec<Paired<NeighbourCourse>>,
}

/// What one side of a round shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NeighbourCourse {
    /// The tenant alone.
    pub alone: TenantView,
    /// The tenant beside its neighbour.
    pub beside: TenantView,
    /// How many requests per second the neighbour was answered as it expected.
    pub neighbour_rate: f64,
    /// Which share of its requests was not: a service may well refuse some of them.
    pub neighbour_refused: f64,
}

/// What a tenant sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TenantView {
    /// The percentile of its latency, in nanoseconds; `None` without an answer, or where it is the load generator's.
    pub latency_ns: Option<f64>,
    /// Which share of its requests was answered as expected in time.
    pub answered: f64,
}

impl NeighbourCourse {
    /// How many times as long the tenant's requests take beside its neighbour.
    #[must_use]
    pub fn slowdown(&self) -> Option<f64> {
        Some(self.beside.latency_ns? / self.alone.latency_ns?)
    }

    /// Which share of its answers in time it still has.
    #[must_use]
    pub fn throughput(&self) -> Option<f64> {
        (self.alone.answered > 0.0).then(|| self.beside.answered / self.alone.answered)
    }
}

/// The rounds so far.
#[derive(Debug, Default)]
pub(super) struct NeighbourRounds {
    rounds: Vec<Paired<NeighbourCourse>>,
    /// What came of the tenant's requests while it was alone.
    alone: Paired<Vec<LoadOutcome>>,
    rate: f64,
    percentile: Option<Percentile>,
}

/// The turns of one side in a round.
#[derive(Debug, Default)]
struct TenantTurns {
    alone: Vec<LoadOutcome>,
    beside: Vec<LoadOutcome>,
    neighbour: Vec<LoadOutcome>,
}

impl RowTest for NeighbourRounds {
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd> {
        let row = RowKind::NoisyNeighbour.key(stage.load.key);
        let settings = stage.load.service.settings.neighbour;
        let capacity = stage.capacity_of_fresh()?.base;
        self.rate = settings.rate.per_second(capacity);
        let requests = self.rate * settings.turn.as_secs_f64();
        self.percentile = Some(match Percentile::supported(requests as u64) {
            Percentile::P99 => Percentile::P95,
            lower => lower,
        });
        for index in 0..settings.rounds {
            stage.may_go_on()?;
            stage.round_begins(&row, index);
            let mut pair = stage.start(stage.first(index))?;
            let mut turns = self.round(stage, &mut pair, &settings, index)?;
            if let Some(failure) = Side::BOTH.into_iter().find_map(|side| quiet(side, &turns)) {
                return Err(SliceEnd::Failed(failure));
            }
            self.rounds
                .push(turns.as_ref().map(|turns| self.course(turns)));
            for side in Side::BOTH {
                let alone = std::mem::take(&mut turns.get_mut(side).alone);
                self.alone.get_mut(side).extend(alone);
            }
            stage.stop(pair);
            stage.round_ends(&row, index);
        }
        Ok(())
    }

    fn wrong_answers(&self, most: f64) -> Option<Failure> {
        let outcomes = |side| self.alone.get(side).iter();
        let mut sides = Side::BOTH.into_iter();
        sides.find_map(|side| failure_of_answers(side, outcomes(side), most))
    }

    /// The row: the latency of the tenant beside its neighbour.
    fn row(&self, stage: &LoadStage<'_>) -> Measured {
        let rounds = self.rounds.iter().enumerate().filter_map(|(index, round)| {
            let latency = |side: Side| round.get(side).beside.latency_ns;
            let values = Paired::new(latency(Side::Base)?, latency(Side::Head)?);
            Some(single_value(index, stage.first(index), values))
        });
        let rounds: Vec<_> = rounds.collect();
        let percentile = self.percentile.unwrap_or(Percentile::P95);
        let lost = self.rounds.len() - rounds.len();
        let mut notes = vec![format!(
            "{percentile} of a tenant's latency at {:.0} requests per second, beside a neighbour who sends as fast as it is answered",
            self.rate
        )];
        if lost > 0 {
            let all = plural(self.rounds.len(), "round", "rounds");
            notes.push(format!(
                "{lost} of {all} do not count, since the load generator was late itself or had no answer"
            ));
        }
        Measured {
            key: RowKind::NoisyNeighbour.key(stage.load.key),
            rounds,
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    }

    /// What stands beside the row, round by round.
    fn beside(&self, _stage: &LoadStage<'_>) -> Vec<BesideRow> {
        let of = |metric, of_side: fn(&NeighbourCourse) -> Option<f64>| BesideRow {
            row: RowKind::NoisyNeighbour,
            metric,
            rounds: self
                .rounds
                .iter()
                .map(|round| round.as_ref().map(of_side))
                .collect(),
            negligible: 0.0,
        };
        vec![
            of(Metric::NEIGHBOUR_SLOWDOWN, NeighbourCourse::slowdown),
            of(Metric::NEIGHBOUR_LOSS, |course| {
                Some(1000.0 * (1.0 - course.throughput()?).max(0.0))
            }),
        ]
    }

    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult> {
        let percentile = self.percentile.filter(|_| !self.rounds.is_empty())?;
        Some(LoadTestResult::NoisyNeighbour(NeighbourResult {
            key: RowKind::NoisyNeighbour.key(stage.load.key),
            rate: self.rate,
            percentile,
            limit: stage.load.service.settings.neighbour.limit.as_fraction(),
            rounds: self.rounds.clone(),
        }))
    }
}

/// A side of which the neighbour had no answer that it expected: nobody knows what loaded it.
fn quiet(side: Side, turns: &Paired<TenantTurns>) -> Option<Failure> {
    let neighbour = &turns.get(side).neighbour;
    let answered: u64 = neighbour.iter().map(|turn| turn.answered).sum();
    if answered > 0 {
        return None;
    }
    let failure = failure_of_answers(side, neighbour.iter(), 0.0);
    let reason = failure.map_or_else(
        || "no request was sent".to_owned(),
        |failure| format!("it {}", failure.reason),
    );
    Some(Failure {
        side,
        reason: not_loaded(&reason),
        stderr_tail: String::new(),
    })
}

impl NeighbourRounds {
    /// Each side alone and beside the neighbour, in turns: a, b, b, a, … for the sides as for the two.
    fn round(
        &self,
        stage: &LoadStage<'_>,
        pair: &mut ServerPair,
        settings: &NeighbourSettings,
        index: usize,
    ) -> Result<Paired<TenantTurns>, SliceEnd> {
        let mut turns = Paired::new(TenantTurns::default(), TenantTurns::default());
        let seed = stage.load.seed.wrapping_add(index as u64 + 1);
        let shape = LoadShape::Open { rate: self.rate };
        for turn in 0..Service::TURNS {
            let first = match turn % 2 {
                0 => stage.first(index),
                _ => stage.first(index).other(),
            };
            let seed = seed
                .wrapping_mul(u64::from(Service::TURNS))
                .wrapping_add(turn.into());
            let order = SliceOrder::lasting(settings.turn, shape, seed);
            for side in [first, first.other()] {
                stage.may_go_on()?;
                let own = turns.get_mut(side);
                let alone_first = (turn / 2).is_multiple_of(2);
                for is_alone in [alone_first, !alone_first] {
                    if is_alone {
                        own.alone.push(stage.slice(pair, side, &order)?.outcome);
                    } else {
                        let (slice, neighbour) =
                            stage.slice_beside_neighbour(pair, side, &order)?;
                        own.beside.push(slice.outcome);
                        own.neighbour.extend(neighbour);
                    }
                }
            }
        }
        Ok(turns)
    }

    fn course(&self, turns: &TenantTurns) -> NeighbourCourse {
        let sum = |of: fn(&LoadOutcome) -> u64| turns.neighbour.iter().map(of).sum::<u64>() as f64;
        let seconds: f64 = turns.neighbour.iter().map(|turn| turn.seconds).sum();
        let counted = sum(LoadOutcome::counted);
        NeighbourCourse {
            alone: self.view(&turns.alone),
            beside: self.view(&turns.beside),
            neighbour_rate: sum(|turn| turn.answered) / seconds.max(f64::MIN_POSITIVE),
            neighbour_refused: sum(LoadOutcome::failed) / counted.max(1.0),
        }
    }

    /// What the tenant sees over several turns: the geometric mean of the latency, if most of them show it.
    fn view(&self, turns: &[LoadOutcome]) -> TenantView {
        let latency = |turn: &LoadOutcome| match turn.not_usable {
            Some(NotUsable::Saturated { .. }) => None,
            _ => turn.latency_at(self.percentile?),
        };
        let shown: Vec<f64> = turns.iter().filter_map(latency).collect();
        let is_enough = !shown.is_empty() && 2 * shown.len() >= turns.len();
        let mean = || shown.iter().map(|one| one.ln()).sum::<f64>() / shown.len() as f64;
        let completed: u64 = turns.iter().map(|turn| turn.completed).sum();
        let offered: f64 = turns.iter().map(|turn| self.rate * turn.seconds).sum();
        TenantView {
            latency_ns: is_enough.then(|| mean().exp()),
            answered: completed as f64 / offered.max(1.0),
        }
    }
}
