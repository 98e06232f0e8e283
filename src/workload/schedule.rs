//! Which workload is run when, and how often.

use std::time::{Duration, Instant};

use crate::discover::{Failure, Presence};
use crate::measure::{Bounds, Measured, Order, Pairing, Remark, Round, Samples, Settled};
use crate::plan::{Pinning, Sampling};
use crate::process::{self, Interrupted, Launcher, Placement};
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Pass, Side, plural};

use super::course::{WorkloadCourse, aside, once};
use super::launch::Launch;
use super::{MeasuredRuns, WorkloadRun, Workloads};

/// Rounds of a workload that only one side has: a baseline.
const ONE_SIDED_ROUNDS: usize = 3;

/// A workload may have this many rounds, however long they take: programs take long, and with fewer hardly any
/// change is certain.
const FEWEST_ROUNDS: usize = 13;

/// The most runs of each side in a round.
const MOST_RUNS: u32 = 20;

/// How many rounds the first interim analysis has.
const FIRST_LOOK: usize = 6;

/// What running workloads takes beside the workloads.
#[derive(Debug, Clone, Copy)]
pub struct WorkloadClock<'a> {
    /// When no further round may begin, and how many rounds every workload may have.
    pub bounds: Bounds,
    /// How measuring is done.
    pub sampling: &'a Sampling,
    /// What starts them.
    pub launcher: &'a Launcher,
    /// The run's folder.
    pub scratch: &'a Scratch,
}

/// Runs every workload that may differ, until `settle` needs no more rounds or its time is spent. Rounds go over all
/// workloads in turn. One that fails has no further runs. What `setup` did, `cleanup` undoes, unless the run is interrupted.
pub fn run(
    workloads: &Workloads,
    clock: WorkloadClock<'_>,
    settle: &mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'_>,
) -> WorkloadRun {
    let sampling = clock.sampling;
    let wanted = workloads.0.iter();
    let wanted = wanted.filter(|workload| sampling.measure_identical || workload.may_differ());
    let courses: Vec<WorkloadCourse<'_>> = wanted.filter_map(WorkloadCourse::of).collect();
    if courses.is_empty() {
        return WorkloadRun::default();
    }
    let began = Instant::now();
    events(Event::PassStarted {
        pass: Pass::Programs,
        benchmarks: courses.len(),
        rounds: sampling.rounds,
    });
    let mut schedule = WorkloadSchedule {
        clock,
        launch: launch(clock),
        order: Order::new(sampling.seed),
        courses,
        began,
        settle,
        events,
    };
    let ended = schedule.measure().err();
    let run = schedule.finish(ended);
    events(Event::PassFinished {
        pass: Pass::Programs,
        took: began.elapsed(),
    });
    run
}

/// What starts the commands of workloads.
pub(super) fn launch(clock: WorkloadClock<'_>) -> Launch<'_> {
    Launch {
        launcher: clock.launcher,
        scratch: clock.scratch,
        placement: match clock.sampling.pinning {
            Pinning::Cpu(cpu) => Placement::On(cpu),
            // On one processor a program with several threads is another program.
            Pinning::Auto | Pinning::Off => Placement::Free,
        },
    }
}

/// All workloads on their way.
struct WorkloadSchedule<'a> {
    clock: WorkloadClock<'a>,
    launch: Launch<'a>,
    order: Order,
    courses: Vec<WorkloadCourse<'a>>,
    began: Instant,
    settle: &'a mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'a>,
}

impl WorkloadSchedule<'_> {
    fn measure(&mut self) -> Result<(), Interrupted> {
        for at in 0..self.courses.len() {
            process::check()?;
            // Without time nothing is set up that would only have to be cleaned up.
            if self.clock.left().is_some_and(|left| left.is_zero()) {
                break;
            }
            if let Err(failure) = self.begin(at) {
                process::check()?;
                self.courses[at].fail(failure, self.events);
            }
        }
        self.forecast();
        let mut lap = 0;
        while self.lap(lap)? {
            lap += 1;
        }
        Ok(())
    }

    /// Sets a workload up, and runs it a first time.
    fn begin(&mut self, at: usize) -> Result<(), Failure> {
        let launch = self.launch;
        let course = &mut self.courses[at];
        let sides = course.sides();
        for side in &sides {
            let filled = course.side(*side)?;
            *course.is_set_up.get_mut(*side) = true;
            aside(
                launch,
                course.workload,
                filled,
                filled.setup.as_ref(),
                "setup",
            )?;
        }
        let (mut longest, mut cost) = (Duration::ZERO, Duration::ZERO);
        for run in 0..course.workload.warm_up {
            // The first run fills caches, so the last one counts.
            (longest, cost) = (Duration::ZERO, Duration::ZERO);
            for at in 0..sides.len() {
                let filled = course.side(sides[(at + run) % sides.len()])?;
                let began = Instant::now();
                let run = once(launch, course.workload, filled)?;
                let took = began.elapsed();
                // The time of a run may leave out its start, which takes time all the same.
                longest = longest.max(match course.workload.from {
                    Some(_) => took,
                    None => run.usage.wall,
                });
                cost += took;
            }
        }
        let sampling = self.clock.sampling;
        let fitting = sampling.measurement.as_secs_f64() / longest.as_secs_f64().max(1e-6);
        let runs = (fitting.ceil() as u32).clamp(1, MOST_RUNS);
        course.runs = runs as usize;
        course.cost = cost * runs;
        course.planned_rounds = match course.presence {
            Presence::Common => self.clock.rounds(longest * runs, &course.measured),
            Presence::Only(_) => sampling.rounds.min(ONE_SIDED_ROUNDS),
        };
        Ok(())
    }

    /// Says how long it will take, before it does.
    fn forecast(&self) {
        let open = || self.courses.iter().filter(|course| course.is_open);
        let rounds = |course: &WorkloadCourse<'_>, most: usize| {
            let rounds = u32::try_from(course.planned_rounds.min(most)).unwrap_or(u32::MAX);
            course.cost.saturating_mul(rounds)
        };
        let expected: Duration = open().map(|course| rounds(course, FIRST_LOOK)).sum();
        let at_most: Duration = open().map(|course| rounds(course, usize::MAX)).sum();
        let left = self.clock.left().unwrap_or(Duration::MAX);
        if !at_most.is_zero() {
            (self.events)(Event::Estimated {
                expected: expected.min(left),
                at_most: at_most.min(left),
            });
        }
    }

    /// A round of every open workload for which there is time; whether there was any.
    fn lap(&mut self, lap: usize) -> Result<bool, Interrupted> {
        let mut any = false;
        for at in self.order.of_targets(lap, self.courses.len()) {
            process::check()?;
            let course = &self.courses[at];
            let fits = self.clock.left().is_none_or(|left| course.cost <= left);
            // One that was not begun has no rounds planned.
            if !course.is_open || !fits || course.planned_rounds == 0 {
                continue;
            }
            any = true;
            let began = Instant::now();
            let outcome = self.round(at);
            // A program that was interrupted did not fail.
            process::check()?;
            let course = &mut self.courses[at];
            course.cost = began.elapsed();
            match outcome {
                Err(failure) => course.fail(failure, self.events),
                Ok(()) => self.advance(at),
            }
        }
        Ok(any)
    }

    /// A round: pairs of runs, each in an order of its own.
    fn round(&mut self, at: usize) -> Result<(), Failure> {
        let (launch, order, events) = (self.launch, self.order, self.events);
        let course = &mut self.courses[at];
        let index = course.measured.rounds.len();
        events(Event::Measuring {
            benchmark: course.name(),
            round: index + 1,
        });
        let mut samples = Paired::from_fn(|_| Samples::none());
        let mut usages = Paired::new(Vec::new(), Vec::new());
        let first_of = |pair| match course.presence {
            Presence::Common => order.first(&course.measured.key, pair),
            Presence::Only(side) => side,
        };
        let first = first_of(course.pairs);
        for pair in course.pairs..course.pairs + course.runs {
            let first = first_of(pair);
            for side in [first, first.other()]
                .into_iter()
                .take(course.sides().len())
            {
                let filled = course.side(side)?;
                let start = self.began.elapsed();
                let run = once(launch, course.workload, filled)?;
                samples.get_mut(side).add(start, run.usage.wall);
                usages.get_mut(side).push(run);
            }
        }
        course.pairs += course.runs;
        course.measured.rounds.push(Round {
            index,
            first,
            pairing: Pairing::Sample,
            samples,
        });
        course.usages.push(usages);
        events(Event::RoundFinished {
            benchmark: course.name(),
            round: index + 1,
        });
        Ok(())
    }

    /// Settles a workload that needs no more rounds.
    fn advance(&mut self, at: usize) {
        let course = &self.courses[at];
        let is_spent = course.measured.rounds.len() >= course.planned_rounds;
        let verdict = match course.presence {
            Presence::Only(Side::Base) => is_spent.then(|| "removed".to_owned()),
            Presence::Only(Side::Head) => is_spent.then(|| "added".to_owned()),
            Presence::Common => match (self.settle)(&course.measured) {
                Settled::Done(verdict) => Some(verdict),
                _ => is_spent.then(|| "inconclusive".to_owned()),
            },
        };
        if let Some(verdict) = verdict {
            self.courses[at].settle(&verdict, self.events);
        }
    }

    fn finish(mut self, ended: Option<Interrupted>) -> WorkloadRun {
        let mut run = WorkloadRun {
            ended,
            ..WorkloadRun::default()
        };
        let cause = ended.unwrap_or(Interrupted::TimeUp);
        for course in &mut self.courses {
            if course.is_open {
                let rounds = course.measured.rounds.len();
                let needed = FIRST_LOOK.saturating_sub(rounds).max(1);
                run.left += course.cost * u32::try_from(needed).unwrap_or(u32::MAX);
                course.measured.remarks.push(Remark::CutShort { rounds });
                if rounds > 0 {
                    let after = plural(rounds, "round", "rounds");
                    let note = format!("stopped after {after}: {cause}");
                    course.measured.notes.push(note);
                }
                course.settle("inconclusive", self.events);
            }
            for side in course.sides() {
                if *course.is_set_up.get(side)
                    && let Ok(filled) = course.side(side)
                    && let Err(failure) = aside(
                        self.launch,
                        course.workload,
                        filled,
                        filled.cleanup.as_ref(),
                        "cleanup",
                    )
                    && process::interrupted().is_none()
                {
                    let note = format!("on the {side} side, {}", failure.reason);
                    course.measured.notes.push(note);
                }
            }
        }
        for course in self.courses {
            run.runs.push(MeasuredRuns {
                key: course.measured.key.clone(),
                metrics: course.workload.metrics.clone(),
                sizes: course.workload.sizes(),
                rounds: course.usages,
            });
            run.measured.push(course.measured);
        }
        run
    }
}

impl WorkloadClock<'_> {
    /// How many rounds a workload may have whose rounds take this long on one side.
    fn rounds(&self, round: Duration, measured: &Measured) -> usize {
        let own = self.sampling.rules.of(&measured.key).time;
        let budget = own.unwrap_or(self.sampling.time).as_secs_f64();
        let affordable = (budget / round.as_secs_f64().max(1e-6)).ceil() as usize;
        let fewest = self.bounds.fewest_rounds.max(FEWEST_ROUNDS);
        affordable.max(fewest).min(self.sampling.rounds)
    }

    pub(super) fn left(&self) -> Option<Duration> {
        let end = self.bounds.end?;
        Some(end.saturating_duration_since(Instant::now()))
    }
}
