//! What a sudden rise of the load does to each side. In a round, fresh processes of both sides are loaded at a rate that they can
//! serve, then for a while at several times that rate, then as before: how long it takes until their latency is as before, and
//! how many requests are lost.

mod recovery;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load_generator::{LoadOutcome, LoadShape, LoadWindow, NotUsable, Percentile};
use crate::measure::{Measured, Round};
use crate::plan::SpikeSettings;
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::generator::{SliceOrder, TIMEOUT};
use super::row_kind::RowKind;
use super::rows::single_value;
use super::stage::{LoadStage, RowTest, ServerPair};
use super::{BesideRow, LoadTestResult, SliceEnd};
use recovery::SpikePlace;

/// What spikes do to the sides of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpikeResult {
    /// The row whose verdict follows from it.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// Requests per second before and after the spike.
    pub rate: f64,
    /// Those in the spike.
    pub high: f64,
    /// How long a window is, in seconds. The spike begins after twenty of them, and takes twenty.
    pub window_seconds: f64,
    /// Which percentile of a window's latencies is looked at: the 95th, or the median where there are few requests.
    pub percentile: Percentile,
    /// What each side of each round went through.
    pub rounds: Vec<Paired<SpikeCourse>>,
}

impl SpikeResult {
    /// So many windows make up the spike, and the time before it.
    pub const WINDOWS: usize = 20;
}

/// As windows are multiplied.
const WINDOWS: u32 = SpikeResult::WINDOWS as u32;

/// What one side of a round went through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpikeCourse {
    /// The percentile of each window, in nanoseconds; `None` for one without a request.
    pub latencies_ns: Vec<Option<f64>>,
    /// How many requests of each window failed.
    pub failed: Vec<u64>,
    /// The typical latency before the spike, in nanoseconds.
    pub before_ns: f64,
    /// How many requests failed, from the beginning of the spike until the side was as before, or the end.
    pub lost: u64,
    /// How many there were in that time.
    pub of: u64,
    /// How it ended.
    pub end: SpikeEnd,
}

/// Whether a side is as before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SpikeEnd {
    /// It is, so many windows after the end of the spike.
    Recovered {
        /// How many.
        windows: usize,
    },
    /// It is not, as long as it was watched.
    NotRecovered {
        /// For how many windows.
        windows: usize,
    },
    /// The numbers are the load generator's.
    Generator {
        /// Why.
        because: NotUsable,
    },
}

impl SpikeEnd {
    /// After how many windows the side was as before, or at least was not yet.
    fn windows(self) -> Option<usize> {
        match self {
            SpikeEnd::Recovered { windows } | SpikeEnd::NotRecovered { windows } => Some(windows),
            SpikeEnd::Generator { .. } => None,
        }
    }
}

/// The rounds of spikes so far.
#[derive(Debug, Default)]
pub(super) struct SpikeRounds {
    rounds: Vec<Paired<SpikeCourse>>,
    plan: Option<SpikePlan>,
    /// Windows would have too few requests.
    is_too_slow: bool,
}

/// What is sent in each round.
#[derive(Debug, Clone, Copy)]
struct SpikePlan {
    rate: f64,
    high: f64,
    window: Duration,
    /// How many windows there are after the spike.
    watched: u32,
    percentile: Percentile,
}

impl SpikePlan {
    /// `None` where windows would have too few requests.
    fn of(settings: &SpikeSettings, capacity: f64) -> Option<SpikePlan> {
        let rate = settings.rate.per_second(capacity);
        // Whole milliseconds, so that windows and the spike begin together.
        let millis = (settings.lasting / WINDOWS).as_millis().max(1);
        let window = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let watched = settings.watched.as_secs_f64() / window.as_secs_f64();
        Some(SpikePlan {
            rate,
            high: rate * settings.factor as f64,
            window,
            watched: watched.ceil() as u32,
            percentile: recovery::of_windows(rate * window.as_secs_f64())?,
        })
    }

    fn order(&self, settings: &SpikeSettings, seed: u64) -> SliceOrder {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let spike = self.window * WINDOWS;
        let warm_up = spike / 4;
        let shape = LoadShape::Spike {
            rate: self.rate,
            high: self.high,
            from_ms: millis(warm_up + spike),
            lasting_ms: millis(spike),
        };
        SliceOrder {
            shape,
            seed,
            warm_up,
            counted: 2 * spike + self.window * self.watched,
            timeout: settings.watched.clamp(Duration::from_secs(1), TIMEOUT),
            window: Some(self.window),
            connections: None,
        }
    }

    /// What one side went through.
    fn course(&self, outcome: &LoadOutcome) -> Option<SpikeCourse> {
        let place = SpikePlace {
            before: SpikeResult::WINDOWS,
            lasting: SpikeResult::WINDOWS,
        };
        let windows = &outcome.windows;
        let found = recovery::recovery(windows, place, self.percentile)?;
        let latency = |window: &LoadWindow| recovery::latency(window, self.percentile);
        Some(SpikeCourse {
            latencies_ns: windows.iter().map(latency).collect(),
            failed: windows.iter().map(|window| window.failed).collect(),
            before_ns: found.before,
            lost: found.lost,
            of: found.of,
            end: match outcome.not_usable {
                Some(because) => SpikeEnd::Generator { because },
                None => found.end,
            },
        })
    }

    /// The time from the beginning of the spike, in nanoseconds.
    fn time(&self, windows: usize) -> f64 {
        (f64::from(WINDOWS) + windows as f64) * self.window.as_nanos() as f64
    }
}

impl RowTest for SpikeRounds {
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd> {
        let row = RowKind::Spike.key(stage.load.key);
        let settings = stage.load.service.settings.spike;
        let capacity = stage.capacity_of_fresh()?.base;
        self.plan = SpikePlan::of(&settings, capacity);
        let Some(plan) = self.plan else {
            self.is_too_slow = true;
            return Ok(());
        };
        for index in 0..settings.rounds {
            stage.may_go_on()?;
            stage.round_begins(&row, index);
            let mut pair = stage.start(stage.first(index))?;
            let seed = stage.load.seed.wrapping_add(index as u64 + 1);
            let order = plan.order(&settings, seed);
            if let Some(courses) = round(stage, &mut pair, index, &order, &plan)? {
                self.rounds.push(courses);
            }
            stage.stop(pair);
            stage.round_ends(&row, index);
        }
        Ok(())
    }

    /// The row: the time from the beginning of the spike until the side is as before.
    fn row(&self, stage: &LoadStage<'_>) -> Measured {
        let times = self.rounds.iter().map(|round| {
            let ends = round.as_ref().map(|course| course.end);
            let is_back = |side: Side| matches!(ends.get(side), SpikeEnd::Recovered { .. });
            // Where one side has not recovered, it took at least that long; of two nothing is known.
            let known = Side::BOTH.into_iter().any(is_back);
            let plan = self.plan.filter(|_| known)?;
            let time = |end: SpikeEnd| Some(plan.time(end.windows()?));
            Some(Paired::new(time(ends.base)?, time(ends.head)?))
        });
        let times: Vec<Option<Paired<f64>>> = times.collect();
        let rounds = times.iter().enumerate().filter_map(|(index, times)| {
            let times = (*times)?;
            Some(single_value(index, stage.first(index), times))
        });
        let rounds: Vec<Round> = rounds.collect();
        Measured {
            key: RowKind::Spike.key(stage.load.key),
            notes: self.notes(self.rounds.len() - rounds.len()),
            rounds,
            failure: None,
            remarks: Vec::new(),
        }
    }

    /// What stands beside the row, round by round.
    fn beside(&self, _stage: &LoadStage<'_>) -> Vec<BesideRow> {
        let window = self.plan.map_or(0.0, |plan| plan.window.as_nanos() as f64);
        let recovery = |course: &SpikeCourse| Some(window * course.end.windows()? as f64);
        let lost = |course: &SpikeCourse| {
            course.end.windows()?;
            Some(1000.0 * course.lost as f64 / course.of.max(1) as f64)
        };
        let of = |metric, of_side: &dyn Fn(&SpikeCourse) -> Option<f64>| BesideRow {
            row: RowKind::Spike,
            metric,
            rounds: self
                .rounds
                .iter()
                .map(|round| round.as_ref().map(of_side))
                .collect(),
            negligible: 0.0,
        };
        vec![
            of(Metric::RECOVERY_TIME, &recovery),
            of(Metric::LOST_REQUESTS, &lost),
        ]
    }

    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult> {
        let plan = self.plan.filter(|_| !self.rounds.is_empty())?;
        Some(LoadTestResult::Spike(SpikeResult {
            key: RowKind::Spike.key(stage.load.key),
            rate: plan.rate,
            high: plan.high,
            window_seconds: plan.window.as_secs_f64(),
            percentile: plan.percentile,
            rounds: self.rounds.clone(),
        }))
    }
}

impl SpikeRounds {
    fn notes(&self, lost: usize) -> Vec<String> {
        let mut notes =
            vec!["time from the beginning of the spike until the latency is as before".to_owned()];
        if self.is_too_slow {
            notes.push(
                "a window would have fewer than 20 requests: raise `lasting` or `rate` of the spike"
                    .to_owned(),
            );
        }
        if lost > 0 {
            let all = plural(self.rounds.len(), "round", "rounds");
            notes.push(format!(
                "{lost} of {all} do not count, since neither side recovered in time, or the load generator itself was late"
            ));
        }
        notes
    }
}

/// One spike for each side, one after the other. `None` where nothing was sent before the spike.
fn round(
    stage: &LoadStage<'_>,
    pair: &mut ServerPair,
    index: usize,
    order: &SliceOrder,
    plan: &SpikePlan,
) -> Result<Option<Paired<SpikeCourse>>, SliceEnd> {
    let first = stage.first(index);
    let mut courses = Paired::new(None, None);
    for side in [first, first.other()] {
        let slice = stage.slice(pair, side, order)?;
        *courses.get_mut(side) = plan.course(&slice.outcome);
    }
    Ok(match courses {
        Paired {
            base: Some(base),
            head: Some(head),
        } => Some(Paired::new(base, head)),
        _ => None,
    })
}
