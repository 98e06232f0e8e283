//! At which rate each side breaks. In a round, fresh processes of both sides are loaded in turns, one step a turn: the rate
//! rises until the 99th percentile of the latency exceeds its limit, requests fail, or the side falls behind; then it is
//! bisected. A round gives one breaking point a side, and so one ratio.

mod breaking;
mod climb;
mod search;
mod step_plan;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::discover::Failure;
use crate::load_generator::{LoadShape, NotUsable, Percentile};
use crate::measure::{Measured, Round};
use crate::plan::RampUpSettings;
use crate::units::{BenchmarkKey, Paired, Side, plural};

use super::generator::{SliceOrder, TIMEOUT};
use super::row_kind::RowKind;
use super::rows::single_value;
use super::stage::{LoadStage, RowTest, ServerPair};
use super::{BesideRow, LoadTestResult, SliceEnd};
use climb::{Climb, died};
use search::RateSearch;
use step_plan::StepPlan;

/// Where the search begins, as a share of what the side answers in a closed loop.
const BEGINNING: f64 = 0.7;

/// What the ramps of a service show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RampUpResult {
    /// The row whose verdict follows from it.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// A side has broken where its latency exceeds this, in nanoseconds.
    pub p99_ns: f64,
    /// Which percentile of the latency: the 99th, or a lower one where steps have few requests. Older reports do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentile: Option<Percentile>,
    /// Or more than this share of requests fail.
    pub errors: f64,
    /// Or less than this share of the offered requests is answered in time.
    pub achieved: f64,
    /// What each side of each round went through.
    pub rounds: Vec<Paired<RampUpCourse>>,
}

/// What one side of a round went through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RampUpCourse {
    /// Its steps, in their order.
    pub steps: Vec<RampUpStep>,
    /// How it ended.
    pub end: RampUpEnd,
}

impl RampUpCourse {
    /// Whether every rate broke the side, down to the lowest.
    #[must_use]
    pub fn never_held(&self) -> bool {
        let mut steps = self.steps.iter();
        matches!(self.end, RampUpEnd::Unclear | RampUpEnd::TooSlow { .. })
            && steps.all(|step| !step.broken.is_empty())
    }

    /// The step at the lowest rate.
    #[must_use]
    pub fn lowest(&self) -> Option<&RampUpStep> {
        let steps = self.steps.iter();
        steps.min_by(|a, b| a.rate.total_cmp(&b.rate))
    }
}

/// What one rate showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RampUpStep {
    /// Requests per second that were offered.
    pub rate: f64,
    /// Those that were answered as expected.
    pub achieved: f64,
    /// The percentile by which every step is judged.
    pub percentile: Percentile,
    /// That percentile of the latency, in nanoseconds; `None` without an answer.
    pub latency_ns: Option<f64>,
    /// The share of requests that failed.
    pub errors: f64,
    /// In which ways it broke; empty where it held.
    pub broken: Vec<BreakReason>,
}

/// In which way a side broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakReason {
    /// It ended by itself.
    Died,
    /// Too many requests failed.
    Errors,
    /// Too few of the offered requests were answered in time.
    Behind,
    /// Its latency exceeded the limit.
    Slow,
    /// It broke in one of these ways when no processor was left for it and the load generator together.
    Processors,
}

/// How the ramp of a side ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RampUpEnd {
    /// The breaking point is known.
    Broke {
        /// The highest rate that held, in requests per second.
        held: f64,
        /// The lowest that broke.
        broken: f64,
        /// In which ways it broke there.
        because: Vec<BreakReason>,
        /// What a side that died left, the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        death: Option<Failure>,
    },
    /// No rate that can be sent breaks it.
    Unbroken {
        /// The highest rate that held.
        held: f64,
    },
    /// The generator gave out first.
    Generator {
        /// Why.
        because: NotUsable,
    },
    /// No rate held, until the next step would have had too few requests.
    TooSlow {
        /// The rate of that step, in requests per second.
        rate: f64,
    },
    /// No rate held, or steps contradicted each other, until there were too many.
    Unclear,
}

impl RampUpEnd {
    /// The breaking point, in requests per second.
    #[must_use]
    pub fn point(&self) -> Option<f64> {
        match self {
            RampUpEnd::Broke { held, broken, .. } => Some((held * broken).sqrt()),
            _ => None,
        }
    }
}

/// The rounds of ramps so far.
#[derive(Debug, Default)]
pub(super) struct RampUpRounds {
    rounds: Vec<Paired<RampUpCourse>>,
    plan: Option<StepPlan>,
}

impl RowTest for RampUpRounds {
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd> {
        let row = RowKind::RampUp.key(stage.load.key);
        let capacity = stage.capacity_of_fresh()?;
        let settings = stage.load.service.settings.ramp_up;
        let beginnings = capacity.map(|capacity| BEGINNING * capacity.max(1.0));
        let plan = StepPlan::of(beginnings, settings.step);
        self.plan = Some(plan);
        for index in 0..settings.rounds {
            stage.may_go_on()?;
            stage.round_begins(&row, index);
            let pair = stage.start(stage.first(index))?;
            let mut ramp = RampRound::of(stage, pair, index, (plan, beginnings));
            ramp.climb()?;
            let (pair, courses) = ramp.end();
            let never_held = Side::BOTH
                .into_iter()
                .any(|side| courses.get(side).never_held());
            self.rounds.push(courses);
            stage.stop(pair);
            stage.round_ends(&row, index);
            // No other round would show more, and each takes minutes.
            if never_held {
                break;
            }
        }
        Ok(())
    }

    /// The row: the time per request at the breaking point.
    fn row(&self, stage: &LoadStage<'_>) -> Measured {
        let points = self.rounds.iter().map(|round| {
            let base = round.base.end.point()?;
            Some(Paired::new(base, round.head.end.point()?))
        });
        let points: Vec<Option<Paired<f64>>> = points.collect();
        let known = points.iter().enumerate();
        let rounds = known.filter_map(|(index, points)| {
            let times = points.map(|points| points.map(|rate| 1e9 / rate))?;
            Some(single_value(index, stage.first(index), times))
        });
        let rounds: Vec<Round> = rounds.collect();
        let mut notes = vec![
            "time per request at the rate at which the side breaks, found to ±3 % in each round"
                .to_owned(),
        ];
        let percentile = self.plan.map_or(Percentile::P99, |plan| plan.percentile);
        if percentile != Percentile::P99 {
            notes.push(format!(
                "{percentile} stands for p99 in every step, since a step has too few requests: raise `step` of the ramp-up"
            ));
        }
        let lost = self.rounds.len() - rounds.len();
        if lost > 0 {
            let all = plural(self.rounds.len(), "round", "rounds");
            notes.push(format!(
                "{lost} of {all} do not count, since a side of theirs has no breaking point"
            ));
        }
        Measured {
            key: RowKind::RampUp.key(stage.load.key),
            rounds,
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    }

    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult> {
        let settings = &stage.load.service.settings.ramp_up;
        (!self.rounds.is_empty()).then(|| {
            LoadTestResult::RampUp(RampUpResult {
                key: RowKind::RampUp.key(stage.load.key),
                p99_ns: settings.p99.as_nanos() as f64,
                percentile: self.plan.map(|plan| plan.percentile),
                errors: settings.errors.as_fraction(),
                achieved: settings.achieved.as_fraction(),
                rounds: self.rounds.clone(),
            })
        })
    }

    fn beside(&self, _stage: &LoadStage<'_>) -> Vec<BesideRow> {
        Vec::new()
    }
}

/// One round: both sides climb, one step a turn.
struct RampRound<'a, 'b> {
    stage: &'a LoadStage<'b>,
    settings: RampUpSettings,
    plan: StepPlan,
    pair: ServerPair,
    index: usize,
    climbs: Paired<Climb>,
}

impl<'a, 'b> RampRound<'a, 'b> {
    fn of(
        stage: &'a LoadStage<'b>,
        pair: ServerPair,
        index: usize,
        (plan, beginnings): (StepPlan, Paired<f64>),
    ) -> RampRound<'a, 'b> {
        let mut random = ChaCha8Rng::seed_from_u64(stage.load.seed);
        random.set_stream(u64::MAX - index as u64);
        let climbs =
            beginnings.map(|rate| Climb::by(RateSearch::near(rate, random.random::<f64>())));
        RampRound {
            stage,
            settings: stage.load.service.settings.ramp_up,
            plan,
            pair,
            index,
            climbs,
        }
    }

    /// Takes steps until both sides are done.
    fn climb(&mut self) -> Result<(), SliceEnd> {
        let mut first = self.stage.first(self.index);
        loop {
            let mut goes_on = false;
            for side in [first, first.other()] {
                if let Some(rate) = self.climbs.get(side).next_rate(self.plan) {
                    self.stage.may_go_on()?;
                    self.step(side, rate)?;
                    goes_on = true;
                }
            }
            if !goes_on {
                return Ok(());
            }
            first = first.other();
        }
    }

    fn step(&mut self, side: Side, rate: f64) -> Result<(), SliceEnd> {
        let order = self.order(side, rate);
        let outcome = self.stage.slice(&mut self.pair, side, &order);
        let climb = self.climbs.get_mut(side);
        let outcome = match outcome {
            Err(SliceEnd::Died(failure)) => {
                climb.search.broke(rate, true);
                climb.steps.push(died(rate, self.plan.percentile));
                climb.death.get_or_insert(failure);
                return self.stage.start_side(&mut self.pair, side);
            }
            outcome => outcome?.outcome,
        };
        match breaking::step(&outcome, rate, self.plan.percentile, &self.settings) {
            Err(not_usable) => climb.unusable.push(not_usable),
            Ok(step) => {
                climb.unusable.clear();
                match step.broken.is_empty() {
                    true => climb.search.held(rate),
                    false => climb.search.broke(rate, false),
                }
                climb.steps.push(step);
            }
        }
        Ok(())
    }

    fn order(&self, side: Side, rate: f64) -> SliceOrder {
        let steps = self.climbs.get(side).steps.len() as u64;
        let seed = self.stage.load.seed.wrapping_add(self.index as u64 + 1);
        let seed = seed.wrapping_mul(64).wrapping_add(steps);
        let shape = LoadShape::Open { rate };
        let shortest = std::time::Duration::from_secs(1);
        let step = self.plan.length(rate).unwrap_or(self.settings.step);
        SliceOrder {
            // What is far too slow already need not be waited for.
            timeout: (4 * self.settings.p99).clamp(shortest, TIMEOUT),
            ..SliceOrder::lasting(step, shape, seed)
        }
    }

    fn end(self) -> (ServerPair, Paired<RampUpCourse>) {
        let (generator, plan) = (&self.stage.generator, self.plan);
        let course = |climb: Climb| {
            let death = climb.death.clone();
            RampUpCourse {
                end: climb.end(plan, death.map(|death| generator.without_secrets(death))),
                steps: climb.steps,
            }
        };
        (self.pair, self.climbs.map(course))
    }
}
