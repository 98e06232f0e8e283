//! What a run does not get to when it ends early, and how long a run may take.

use std::time::{Duration, Instant};

use super::stages::Stages;
use crate::judge::{EarlyEnd, RunPart, Shortfall};
use crate::plan::{Cache, Plan, Profiling};
use crate::process::{self, Interrupted};
use crate::report::{NextBuilds, NextRun, Partial};

/// How long a step that has begun may continue after the end, before it is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// The share of the time after building that is kept for what comes after timing.
const LATER: f64 = 0.2;

/// When a run has to end, if `--time` sets a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn of(plan: &Plan, stages: &Stages) -> Deadline {
        Deadline(plan.time.map(|time| stages.began() + time))
    }

    /// From now on nothing outlives the end by more than [`GRACE`]. This is not called during builds,
    /// since a second run starts from what is built.
    pub(super) fn arm(self) -> std::io::Result<()> {
        match self.0 {
            Some(end) => process::end_at(end.max(Instant::now()) + GRACE),
            None => Ok(()),
        }
    }

    /// After this no step begins.
    pub(super) fn end(self) -> Option<Instant> {
        self.0
    }

    /// When timing has to end, so that something is left for what comes after it.
    pub(super) fn of_timing(self, plan: &Plan) -> Option<Instant> {
        let counts = plan.sampling.allocations || plan.sampling.instructions;
        let later = counts || plan.sampling.profiling != Profiling::Off;
        let end = self.0?;
        let kept = end.saturating_duration_since(Instant::now()).mul_f64(LATER);
        Some(if later { end - kept } else { end })
    }

    /// Whether another step may begin.
    pub(super) fn check(self) -> Result<(), Interrupted> {
        process::check()?;
        match self.0 {
            Some(end) if Instant::now() >= end => Err(Interrupted::TimeUp),
            _ => Ok(()),
        }
    }
}

/// Everything that a run did not get to.
#[derive(Debug, Default)]
pub(super) struct Shortfalls(Vec<Shortfall>);

impl Shortfalls {
    /// Notes that a part was interrupted, if it was.
    pub(super) fn ended(
        &mut self,
        part: RunPart,
        ended: Option<Interrupted>,
        (left, of): (usize, usize),
    ) {
        if let Some(interrupted) = ended {
            self.push(part, cause_of(interrupted), (left, of));
        }
    }

    /// Notes that a part failed. If the run was told to stop, that is the cause of later failures.
    pub(super) fn failed(&mut self, part: RunPart, error: &impl std::fmt::Display) {
        let failed = || EarlyEnd::Failed {
            reason: error.to_string(),
        };
        let cause = process::interrupted().map_or_else(failed, cause_of);
        self.push(part, cause, (0, 0));
    }

    fn push(&mut self, part: RunPart, cause: EarlyEnd, (left, of): (usize, usize)) {
        self.0.push(Shortfall {
            part,
            cause,
            left,
            of,
        });
    }

    pub(super) fn all(&self) -> &[Shortfall] {
        &self.0
    }

    /// What the report says about them; `None` for a completed run.
    pub(super) fn into_partial(
        self,
        plan: &Plan,
        preparing: Duration,
        measuring: Duration,
    ) -> Option<Partial> {
        let next = NextRun {
            builds: match plan.cache {
                Cache::Off => NextBuilds::Discarded,
                _ => NextBuilds::Kept,
            },
            preparing_seconds: preparing.as_secs_f64(),
            measuring_seconds: measuring.as_secs_f64(),
        };
        (!self.0.is_empty()).then_some(Partial {
            shortfalls: self.0,
            next: Some(next),
        })
    }
}

fn cause_of(interrupted: Interrupted) -> EarlyEnd {
    match interrupted {
        Interrupted::TimeUp => EarlyEnd::TimeUp,
        Interrupted::Signal(_) => EarlyEnd::Interrupted {
            by: interrupted.to_string(),
        },
    }
}
