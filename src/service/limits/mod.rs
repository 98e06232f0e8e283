//! What happens to each side with less than it needs. First perfcheck measures what each side needs under an ordinary load. Then fresh
//! processes of both sides get as much as base needs, and less, of one thing at a time, and are loaded alike: do they refuse,
//! slow down, answer wrongly, hang or die, and do they serve again afterwards?

mod outcome;
mod steps;
mod trial;

use serde::{Deserialize, Serialize};

use crate::measure::Measured;
use crate::plan::{LimitKind, LimitsSettings, RequestRate};
use crate::process::{CgroupTree, CgroupVersion};
use crate::units::{BenchmarkKey, Metric, Paired, Side, plural};

use super::row_kind::RowKind;
use super::rows::single_value;
use super::stage::{LoadStage, RowTest};
use super::{BesideRow, LoadTestResult, ProcessEnd, SliceEnd};
use steps::PlannedStep;
use trial::LimitTrials;

/// What happens to the sides of a service with less than they need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitsResult {
    /// The row whose verdict follows from the latency where both serve.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// Requests per second of the ordinary load.
    pub rate: f64,
    /// By what memory, threads and the processor are limited.
    pub means: LimitMeans,
    /// What each side needs under the ordinary load.
    pub needs: Paired<ServiceNeeds>,
    /// What each limit did, in their order.
    pub steps: Vec<LimitStep>,
    /// What was to be limited, and cannot be here.
    pub left_out: Vec<LimitKind>,
}

/// By what limits are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitMeans {
    /// Control groups, version 2.
    CgroupV2,
    /// Control groups, version 1.
    CgroupV1,
    /// Limits of each process; that of memory is one of its address space.
    Prlimit,
}

impl LimitMeans {
    fn of(tree: Option<&CgroupTree>) -> LimitMeans {
        match tree.map(|tree| tree.version) {
            None => LimitMeans::Prlimit,
            Some(CgroupVersion::One) => LimitMeans::CgroupV1,
            Some(CgroupVersion::Two) => LimitMeans::CgroupV2,
        }
    }
}

/// What one side needs under the ordinary load, at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServiceNeeds {
    /// What is limited of its memory, in bytes: the memory of its control group, or the address space of its largest process.
    pub memory: u64,
    /// Resident memory of all its processes, in bytes.
    pub resident: u64,
    /// One more than the highest number of an open file.
    pub files: u64,
    /// Its threads.
    pub tasks: u64,
    /// How many processors it uses, on average.
    pub processors: f64,
    /// How many requests per second it answers in time.
    pub achieved: f64,
    /// The median of its latency, in nanoseconds.
    pub latency_ns: Option<f64>,
}

/// What one limit did to both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitStep {
    /// What was scarce.
    pub pressure: LimitPressure,
    /// How much of it there was, in its unit: bytes, files, threads or processors; `None` where nothing was limited.
    pub limit: Option<f64>,
    /// Each with fresh processes: one, or more where the sides differ.
    pub attempts: Vec<Paired<LimitCourse>>,
}

impl LimitStep {
    /// Which sides certainly break at it: both at once, or one in every attempt while the other withstands.
    #[must_use]
    pub fn breaks(&self) -> Paired<bool> {
        let broken = |side| {
            let mut attempts = self.attempts.iter();
            !self.attempts.is_empty() && attempts.all(|both| !both.get(side).withstands())
        };
        let both = Paired::from_fn(broken);
        let differ = |both: &Paired<LimitCourse>| both.base.withstands() != both.head.withstands();
        let differs = self.attempts.iter().any(differ);
        let certain =
            self.attempts.iter().all(differ) && self.attempts.len() >= LimitsSettings::ATTEMPTS;
        both.map(|broken| broken && (!differs || certain))
    }
}

/// What a service has too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LimitPressure {
    /// Memory.
    Memory {
        /// Its share of what base needs.
        percent: u8,
    },
    /// Open files.
    Files {
        /// Their share of what base needs.
        percent: u8,
    },
    /// Threads and processes.
    Tasks {
        /// Their share of what base needs.
        percent: u8,
    },
    /// Processor time.
    Processor {
        /// Its share of what base needs.
        percent: u8,
    },
    /// So many connections are opened.
    Connections {
        /// How many.
        count: usize,
    },
    /// So many connections are opened, and it may open as many files as base needs for its own number of them.
    ConnectionsBeyondFiles {
        /// How many.
        count: usize,
    },
}

/// What happened to one side at a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitCourse {
    /// What it did.
    pub outcome: LimitOutcome,
    /// The share of the requests that it answered as expected.
    pub answered: f64,
    /// The median of its latency, in nanoseconds; `None` without an answer, or where it is the load generator's.
    pub latency_ns: Option<f64>,
    /// Whether it then served one connection alone.
    pub again: bool,
    /// What a side that ended said last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_words: String,
}

impl LimitCourse {
    /// Whether it goes on, and answers nothing wrongly.
    #[must_use]
    pub fn withstands(&self) -> bool {
        match self.outcome {
            LimitOutcome::Served
            | LimitOutcome::Slowed
            | LimitOutcome::Refused
            | LimitOutcome::Dropped => self.again,
            LimitOutcome::Wrong
            | LimitOutcome::Hung
            | LimitOutcome::Died { .. }
            | LimitOutcome::NotStarted { .. } => false,
        }
    }
}

/// What a side does with less than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LimitOutcome {
    /// It answers as expected.
    Served,
    /// It takes much longer, or does not answer some requests in time.
    Slowed,
    /// It refuses some requests by status 429 or 503, or some connections.
    Refused,
    /// It closes some connections without an answer.
    Dropped,
    /// It answers some requests wrongly.
    Wrong,
    /// It runs, and answers nothing.
    Hung,
    /// It ended by itself.
    Died {
        /// How.
        end: ProcessEnd,
    },
    /// It did not get ready.
    NotStarted {
        /// How it ended; absent if it had to be ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<ProcessEnd>,
    },
}

/// The limits so far.
#[derive(Debug, Default)]
pub(super) struct LimitSteps {
    steps: Vec<LimitStep>,
    rate: f64,
    means: Option<LimitMeans>,
    needs: Option<Paired<ServiceNeeds>>,
    left_out: Vec<LimitKind>,
}

impl RowTest for LimitSteps {
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd> {
        let row = RowKind::Limits.key(stage.load.key);
        let settings = stage.load.service.settings.limits;
        self.rate = match settings.rate {
            // What it answers is seen when its needs are measured.
            RequestRate::PerSecond(rate) => rate,
            of_capacity => of_capacity.per_second(stage.capacity_of_fresh()?.base),
        };
        let mut trials = LimitTrials::of(stage, self.rate)?;
        self.means = Some(LimitMeans::of(trials.tree()));
        let base = trials.needs(stage, Side::Base)?;
        let head = trials.needs(stage, Side::Head)?;
        let needs = Paired::new(base, head);
        self.needs = Some(needs);
        let connections = stage.load.service.connections;
        let (planned, left_out) = steps::plan(&base, &settings, trials.tree(), connections);
        self.left_out = left_out;
        for (index, planned) in planned.iter().enumerate() {
            stage.round_begins(&row, index);
            self.steps.push(LimitStep {
                pressure: planned.pressure,
                limit: planned.limit,
                attempts: Vec::new(),
            });
            self.step(stage, (&mut trials, &needs), planned, index)?;
            stage.round_ends(&row, index);
        }
        Ok(())
    }

    /// The row: the latency at the limits at which both sides serve.
    fn row(&self, stage: &LoadStage<'_>) -> Measured {
        let served = |course: &LimitCourse| {
            let latency = course.latency_ns;
            latency.filter(|_| course.outcome == LimitOutcome::Served && course.again)
        };
        let rounds = self.steps.iter().enumerate().filter_map(|(index, step)| {
            let both = step.attempts.first()?;
            let values = Paired::new(served(&both.base)?, served(&both.head)?);
            Some(single_value(index, stage.first(index), values))
        });
        let rounds: Vec<_> = rounds.collect();
        let all = plural(self.steps.len(), "limit", "limits");
        let notes = vec![format!(
            "median of the latency at {:.0} requests per second, at the {} of {all} at which both sides serve",
            self.rate,
            rounds.len()
        )];
        Measured {
            key: RowKind::Limits.key(stage.load.key),
            rounds,
            failure: None,
            notes,
            remarks: Vec::new(),
        }
    }

    /// What stands beside the row, limit by limit: one for each that certainly breaks the side.
    fn beside(&self, _stage: &LoadStage<'_>) -> Vec<BesideRow> {
        let breaks = self.steps.iter().map(LimitStep::breaks);
        vec![BesideRow {
            row: RowKind::Limits,
            metric: Metric::BROKEN_LIMITS,
            rounds: breaks
                .map(|both| both.map(|breaks| Some(f64::from(u8::from(breaks)))))
                .collect(),
            negligible: 0.0,
        }]
    }

    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult> {
        let tried = self.steps.iter().filter(|step| !step.attempts.is_empty());
        let steps: Vec<LimitStep> = tried.cloned().collect();
        Some(LoadTestResult::Limits(LimitsResult {
            key: RowKind::Limits.key(stage.load.key),
            rate: self.rate,
            means: self.means?,
            needs: self.needs.filter(|_| !steps.is_empty())?,
            steps,
            left_out: self.left_out.clone(),
        }))
    }
}

impl LimitSteps {
    /// Tries one limit, again and again as long as the sides differ in the same way.
    fn step(
        &mut self,
        stage: &mut LoadStage<'_>,
        (trials, needs): (&mut LimitTrials, &Paired<ServiceNeeds>),
        planned: &PlannedStep,
        index: usize,
    ) -> Result<(), SliceEnd> {
        for attempt in 0..LimitsSettings::ATTEMPTS {
            let mut both = Paired::new(None, None);
            let first = stage.first(index + attempt);
            for side in [first, first.other()] {
                let usual = needs.get(side);
                *both.get_mut(side) = Some(trials.attempt(stage, side, planned, usual)?);
            }
            let Paired {
                base: Some(base),
                head: Some(head),
            } = both
            else {
                return Ok(());
            };
            let now = Paired::new(base.withstands(), head.withstands());
            let Some(step) = self.steps.last_mut() else {
                return Ok(());
            };
            step.attempts.push(Paired::new(base, head));
            let first = &step.attempts[0];
            let before = Paired::new(first.base.withstands(), first.head.withstands());
            if now.base == now.head || now != before {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Noise;

    fn course(outcome: LimitOutcome) -> LimitCourse {
        LimitCourse {
            outcome,
            answered: 1.0,
            latency_ns: None,
            again: true,
            last_words: String::new(),
        }
    }

    fn step(attempts: &[(LimitOutcome, LimitOutcome)]) -> LimitStep {
        let attempts = attempts.iter();
        LimitStep {
            pressure: LimitPressure::Memory { percent: 80 },
            limit: Some(1e6),
            attempts: attempts
                .map(|(base, head)| Paired::new(course(*base), course(*head)))
                .collect(),
        }
    }

    #[test]
    fn a_side_breaks_where_the_other_does_not_only_if_it_does_so_every_time() {
        let died = LimitOutcome::Died {
            end: ProcessEnd::Signal { signal: 6 },
        };
        let refused = LimitOutcome::Refused;
        let all = [(refused, died); LimitsSettings::ATTEMPTS];
        assert_eq!(step(&all).breaks(), Paired::new(false, true));
        assert_eq!(step(&all[1..]).breaks(), Paired::new(false, false));
        let mut once = all;
        once[3] = (refused, refused);
        assert_eq!(step(&once).breaks(), Paired::new(false, false));
        assert_eq!(step(&[(died, died)]).breaks(), Paired::new(true, true));
        assert_eq!(step(&[]).breaks(), Paired::new(false, false));
    }

    #[test]
    fn sides_that_break_equally_often_are_told_apart_once_in_a_thousand_times() {
        let mut noise = Noise::seeded(11);
        let died = LimitOutcome::Died {
            end: ProcessEnd::Unknown,
        };
        let mut draw = |often: f64| match noise.uniform() < often {
            true => died,
            false => LimitOutcome::Served,
        };
        for often in [0.1, 0.5, 0.8] {
            let mut accused = 0;
            for _ in 0..20_000 {
                let mut attempts = vec![(draw(often), draw(often))];
                while attempts.len() < LimitsSettings::ATTEMPTS
                    && attempts.last() == attempts.first()
                    && attempts[0].0 != attempts[0].1
                {
                    attempts.push((draw(often), draw(often)));
                }
                let breaks = step(&attempts).breaks();
                accused += usize::from(breaks.head && !breaks.base);
            }
            // 20 are expected at most, with p = 0.5; more than 40 never.
            assert!(accused <= 40, "{often} {accused}");
        }
    }

    #[test]
    fn a_side_that_does_not_serve_again_does_not_withstand() {
        let stuck = LimitCourse {
            again: false,
            ..course(LimitOutcome::Slowed)
        };
        assert!(!stuck.withstands());
        assert!(course(LimitOutcome::Slowed).withstands());
        assert!(!course(LimitOutcome::Wrong).withstands());
    }
}
