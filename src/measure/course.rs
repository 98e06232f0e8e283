//! The progress of each benchmark towards its verdict, and how long all of them will take.

use std::time::Duration;

use crate::discover::Presence;
use crate::process::Interrupted;
use crate::units::{BenchmarkKey, Event, EventSink, plural};

use super::budget::{FIRST_LOOK, Limits, Stage, TimeLeft, Urgency};
use super::session::Session;
use super::{Measured, Remark, RoundOutcome};

/// A benchmark on its way.
pub(super) struct Course {
    pub(super) target: usize,
    pub(super) presence: Presence,
    pub(super) state: State,
    /// How many rounds it may have: as many as the plan says, or as its time allows, known after
    /// the first round.
    pub(super) planned_rounds: usize,
    /// How many rounds in all it needs, if known.
    pub(super) needs: Option<usize>,
    /// How long its last round took, by the wall clock.
    pub(super) cost: Option<Duration>,
    pub(super) urgency: Urgency,
    pub(super) measured: Measured,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Settled,
}

impl Course {
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn stage(&self) -> Stage {
        let looked_at = self.measured.rounds.len() >= FIRST_LOOK.min(self.planned_rounds);
        match self.urgency {
            Urgency::Baseline => Stage::Precision,
            _ if looked_at => Stage::Precision,
            _ => Stage::FirstLook,
        }
    }

    pub(super) fn cut_short(&mut self, cause: Interrupted) {
        self.state = State::Settled;
        let rounds = self.measured.rounds.len();
        self.measured.remarks.push(Remark::CutShort { rounds });
        if rounds == 0 {
            return;
        }
        let after = plural(rounds, "round", "rounds");
        let note = format!("stopped after {after}: {cause}");
        self.measured.notes.push(note);
    }

    pub(super) fn settled(&self, verdict: &str) -> Event {
        Event::Settled {
            benchmark: self.measured.key.to_string(),
            verdict: verdict.into(),
            rounds: self.measured.rounds.len(),
        }
    }
}

/// Announces how long it will take, before the wait begins.
pub(super) fn forecast(
    courses: &[Course],
    session: &Session<'_>,
    limits: Limits<'_>,
    budget: &TimeLeft,
    events: EventSink<'_>,
) {
    let (mut expected, mut at_most) = (Duration::ZERO, Duration::ZERO);
    for course in courses.iter().filter(|course| course.is_open()) {
        let key = &course.measured.key;
        let round = session.round(key).unwrap_or(budget.usual());
        let most = match course.presence {
            Presence::Common => limits.rounds_of(round / 2, key),
            Presence::Only(_) => course.planned_rounds,
        };
        let whole = round.saturating_add(session.set_up(key));
        let rounds = |count: usize| whole.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        expected = expected.saturating_add(rounds(FIRST_LOOK.min(most)));
        at_most = at_most.saturating_add(rounds(most));
    }
    if !at_most.is_zero() {
        (events)(budget.estimate(expected, at_most));
    }
}

/// What a round of a benchmark costs; the usual amount where that is not known yet.
pub(super) fn cost_of(courses: &[Course], key: &BenchmarkKey, budget: &TimeLeft) -> Duration {
    let course = courses.iter().find(|course| course.measured.key == *key);
    course
        .and_then(|course| course.cost)
        .unwrap_or(budget.usual())
}

/// Divides the time of a round of several benchmarks among them.
pub(super) fn charge(courses: &mut [Course], outcomes: &[RoundOutcome], took: Duration) {
    let Ok(count) = u32::try_from(outcomes.len().max(1)) else {
        return;
    };
    for outcome in outcomes {
        let mut courses = courses.iter_mut();
        if let Some(course) = courses.find(|course| course.measured.key == outcome.key) {
            course.cost = Some(took / count);
        }
    }
}
