//! Which benchmark is measured when, and for how long.

use std::time::{Duration, Instant};

use crate::discover::{Benchmark, Discovery, Failure, Presence, Target};
use crate::plan::Sampling;
use crate::plan::config::Obligation;
use crate::process::{self, Interrupted};
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Pass, Side};

use super::budget::{Bounds, FIRST_LOOK, Limits, TimeDemand, TimeLeft, Urgency, whole};
use super::course::{Course, State, charge, cost_of, forecast};
use super::layouts::{LayoutRun, TargetLayouts, executables};
use super::order::Order;
use super::session::Session;
use super::{Known, MeasureError, Measured, Request, Round, RoundOutcome, Settled};

/// Rounds of a benchmark that only one side has: there is nothing to compare, only a baseline to
/// take.
const ONE_SIDED_ROUNDS: usize = 3;

/// [`run_within`] without an end in time.
///
/// # Errors
/// [`MeasureError::Interrupted`] when the user ends the run.
pub fn run(
    sampling: &Sampling,
    discovery: &Discovery,
    run_folder: &Scratch,
    settle: &mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'_>,
) -> Result<Vec<Measured>, MeasureError> {
    let bounds = Bounds::default();
    let timed = run_within(bounds, sampling, discovery, run_folder, settle, events);
    match timed.ended {
        Some(interrupted) => Err(interrupted.into()),
        None => Ok(timed.measured),
    }
}

/// What measuring times came to.
#[derive(Debug)]
pub struct TimeRun {
    /// Every benchmark that took part.
    pub measured: Vec<Measured>,
    /// What ended it early, if anything; the measurements until then are kept.
    pub ended: Option<Interrupted>,
    /// The least time for the rounds that benchmarks still needed, as far as it is known.
    pub left: Duration,
    /// What was learnt about how to run the benchmarks.
    pub known: Known,
    /// In which layouts they were timed.
    pub layouts: LayoutRun,
}

/// Measures every benchmark whose code is not identical, until `settle` needs no more rounds or its
/// budget is spent. Rounds go over all targets in turn, so that all share a drift of the machine,
/// and all are equally far when the run ends.
///
/// `settle` is called after every round of a benchmark that both sides have. Benchmarks that were
/// known to fail before are in the result, without rounds. Those in identical code are not.
///
/// No round is begun that would not be over by the end of `bounds`; while time is short, it is given
/// out as [`TimeLeft`] describes. Benchmarks that had to stop, because time ran out or the run was
/// told to stop, say so in their remarks.
pub fn run_within(
    bounds: Bounds,
    sampling: &Sampling,
    discovery: &Discovery,
    run_folder: &Scratch,
    settle: &mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'_>,
) -> TimeRun {
    let started = Instant::now();
    let mut schedule = Schedule {
        discovery,
        budget: TimeLeft::until(bounds.end, sampling),
        limits: Limits {
            sampling,
            fewest_rounds: bounds.fewest_rounds,
        },
        order: Order::new(sampling.seed),
        layouts: TargetLayouts::new(sampling, run_folder),
        courses: enter(sampling, discovery),
        settle,
        events,
    };
    schedule.announce();
    let (mut ended, mut known) = (None, Known::default());
    if schedule.is_open() {
        let mut session = Session::new(sampling, run_folder, events);
        ended = schedule.measure(&mut session).err();
        known = session.into_known();
    }
    let timed = schedule.finish(ended, known);
    (events)(Event::PassFinished {
        pass: Pass::Time,
        took: started.elapsed(),
    });
    timed
}

/// All benchmarks on their way.
struct Schedule<'a> {
    discovery: &'a Discovery,
    budget: TimeLeft,
    limits: Limits<'a>,
    order: Order,
    layouts: TargetLayouts<'a>,
    courses: Vec<Course>,
    settle: &'a mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'a>,
}

impl Schedule<'_> {
    fn is_open(&self) -> bool {
        self.courses.iter().any(Course::is_open)
    }

    fn announce(&self) {
        let (open, failed): (Vec<&Course>, _) = self.courses.iter().partition(|c| c.is_open());
        (self.events)(Event::PassStarted {
            pass: Pass::Time,
            benchmarks: open.len(),
            rounds: self.limits.sampling.rounds,
        });
        for course in failed {
            (self.events)(course.settled("failed"));
        }
    }

    /// Measures until all benchmarks are decided, or nothing more can be begun in time.
    fn measure(&mut self, session: &mut Session<'_>) -> Result<(), Interrupted> {
        self.scout(session)?;
        let open = self.courses.iter().filter(|course| course.is_open());
        session.share_set_ups(open.map(|course| &course.measured.key));
        forecast(
            &self.courses,
            session,
            self.limits,
            &self.budget,
            self.events,
        );
        while self.is_open() && self.lap(session)? == Lap::Something {}
        Ok(())
    }

    fn scout(&mut self, session: &mut Session<'_>) -> Result<(), Interrupted> {
        for (index, target) in self.discovery.targets.iter().enumerate() {
            process::check()?;
            let turn = self.budget.admit(claims(&self.courses, &self.budget));
            let requests = requests(&self.courses, index, self.order, &turn);
            let failed = session.scout(target, executables(target), &requests);
            process::check()?;
            self.layouts.prepare(index, target);
            self.note(failed);
        }
        Ok(())
    }

    /// A round of every benchmark that may have one.
    fn lap(&mut self, session: &mut Session<'_>) -> Result<Lap, Interrupted> {
        let rounds = |course: &Course| course.measured.rounds.len();
        let lap = self.courses.iter().map(rounds).max().unwrap_or(0);
        let turn = self.budget.admit(claims(&self.courses, &self.budget));
        let mut done = Lap::Nothing;
        for index in self.order.of_targets(lap, self.discovery.targets.len()) {
            process::check()?;
            let mut requests = requests(&self.courses, index, self.order, &turn);
            self.budget.cut(&mut requests, |key| {
                cost_of(&self.courses, key, &self.budget)
            });
            if requests.is_empty() {
                continue;
            }
            done = Lap::Something;
            let began = Instant::now();
            let target = &self.discovery.targets[index];
            let layouts = &mut self.layouts;
            let outcomes = layouts.round(session, (index, target), self.order, &requests);
            // A process that was interrupted did not fail.
            process::check()?;
            charge(&mut self.courses, &outcomes, began.elapsed());
            self.note(outcomes);
        }
        Ok(done)
    }

    /// Writes outcomes down, and settles what is done.
    fn note(&mut self, outcomes: Vec<RoundOutcome>) {
        note(
            &mut self.courses,
            outcomes,
            self.limits,
            self.settle,
            self.events,
        );
    }

    fn finish(mut self, ended: Option<Interrupted>, known: Known) -> TimeRun {
        let claims = claims(&self.courses, &self.budget);
        let left = claims.iter().flatten().map(whole).sum();
        let cause = ended.unwrap_or(Interrupted::TimeUp);
        for course in self.courses.iter_mut().filter(|course| course.is_open()) {
            course.cut_short(cause);
            (self.events)(course.settled("inconclusive"));
        }
        TimeRun {
            measured: self.courses.into_iter().map(|c| c.measured).collect(),
            ended,
            left,
            known,
            layouts: self.layouts.finish(),
        }
    }
}

/// Whether a lap had any round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lap {
    Something,
    Nothing,
}

/// Everything that takes part.
fn enter(sampling: &Sampling, discovery: &Discovery) -> Vec<Course> {
    let takes_part = |target: &Target, benchmark: &Benchmark| {
        sampling.measure_identical
            || target.may_differ(benchmark)
            || benchmark.presence != Presence::Common
    };
    let targets = discovery.targets.iter().enumerate();
    targets
        .flat_map(|(index, target)| {
            let benchmarks = target.benchmarks.iter();
            benchmarks
                .filter(move |benchmark| takes_part(target, benchmark))
                .map(move |benchmark| Course {
                    target: index,
                    presence: benchmark.presence,
                    state: match benchmark.failure {
                        Some(_) => State::Settled,
                        None => State::Open,
                    },
                    planned_rounds: match benchmark.presence {
                        Presence::Common => sampling.rounds,
                        Presence::Only(_) => sampling.rounds.min(ONE_SIDED_ROUNDS),
                    },
                    needs: None,
                    cost: None,
                    urgency: urgency(sampling, benchmark),
                    measured: Measured {
                        key: benchmark.key.clone(),
                        rounds: Vec::new(),
                        failure: benchmark.failure.clone(),
                        notes: Vec::new(),
                        remarks: Vec::new(),
                    },
                })
        })
        .collect()
}

/// The next round of all open benchmarks of a target, in the order in which its process runs them.
fn requests(courses: &[Course], target: usize, order: Order, turn: &[bool]) -> Vec<Request> {
    courses
        .iter()
        .zip(turn)
        .filter(|(course, turn)| **turn && course.target == target && course.is_open())
        .map(|(course, _)| {
            let round = course.measured.rounds.len();
            Request {
                key: course.measured.key.clone(),
                presence: course.presence,
                round,
                first: match course.presence {
                    Presence::Common => order.first(&course.measured.key, round),
                    Presence::Only(side) => side,
                },
            }
        })
        .collect()
}

fn urgency(sampling: &Sampling, benchmark: &Benchmark) -> Urgency {
    let key = &benchmark.key;
    let own = sampling.rules.of(key);
    match (own.obligation, benchmark.presence) {
        (Obligation::Required, _) => Urgency::Required,
        (_, Presence::Common) => Urgency::Compared,
        (_, Presence::Only(_)) => Urgency::Baseline,
    }
}

/// What each benchmark asks for; `None` for those that are decided.
fn claims(courses: &[Course], budget: &TimeLeft) -> Vec<Option<TimeDemand>> {
    let claim = |course: &Course| {
        let wanted = course
            .needs
            .unwrap_or(FIRST_LOOK)
            .min(course.planned_rounds);
        TimeDemand {
            stage: course.stage(),
            urgency: course.urgency,
            rounds: wanted.saturating_sub(course.measured.rounds.len()).max(1),
            cost: course.cost.unwrap_or(budget.usual()),
        }
    };
    let of_open = |course: &Course| course.is_open().then(|| claim(course));
    courses.iter().map(of_open).collect()
}

/// Writes outcomes down, and settles what is done.
fn note(
    courses: &mut [Course],
    outcomes: Vec<RoundOutcome>,
    limits: Limits<'_>,
    settle: &mut dyn FnMut(&Measured) -> Settled,
    events: EventSink<'_>,
) {
    for outcome in outcomes {
        let course = courses
            .iter_mut()
            .find(|course| course.measured.key == outcome.key);
        let Some(course) = course else {
            continue;
        };
        for note in outcome.notes {
            if !course.measured.notes.contains(&note) {
                course.measured.notes.push(note);
            }
        }
        for remark in outcome.remarks {
            if !course.measured.remarks.contains(&remark) {
                course.measured.remarks.push(remark);
            }
        }
        let verdict = match outcome.result {
            Err(failure) => Some(fail(course, failure)),
            Ok(round) => advance(course, round, limits, settle),
        };
        if let Some(verdict) = verdict {
            course.state = State::Settled;
            (events)(course.settled(&verdict));
        }
    }
}

fn fail(course: &mut Course, failure: Failure) -> String {
    course.measured.failure = Some(failure);
    "failed".into()
}

/// Adds a round; returns the verdict if it was the last one.
fn advance(
    course: &mut Course,
    round: Round,
    limits: Limits<'_>,
    settle: &mut dyn FnMut(&Measured) -> Settled,
) -> Option<String> {
    if course.measured.rounds.is_empty() && course.presence == Presence::Common {
        course.planned_rounds = limits.rounds(&round, &course.measured.key);
    }
    course.measured.rounds.push(round);
    let spent = course.measured.rounds.len() >= course.planned_rounds;
    match course.presence {
        Presence::Only(Side::Base) => spent.then(|| "removed".into()),
        Presence::Only(Side::Head) => spent.then(|| "added".into()),
        Presence::Common => match settle(&course.measured) {
            Settled::Done(verdict) => Some(verdict),
            Settled::Continue => spent.then(|| "inconclusive".into()),
            Settled::ContinueTo(rounds) => {
                course.needs = Some(rounds);
                spent.then(|| "inconclusive".into())
            }
        },
    }
}
