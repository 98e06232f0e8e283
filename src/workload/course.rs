//! A workload on its way to its verdict, and its single runs.

use std::time::Duration;

use crate::discover::{Failure, Presence};
use crate::measure::Measured;
use crate::units::{Event, EventSink, Paired, Side};

use super::fill::{FilledCommand, FilledWorkload};
use super::launch::{Expected, Launch};
use super::{MatchedWorkload, ProgramRun};

/// A workload on its way.
pub(super) struct WorkloadCourse<'a> {
    pub(super) workload: &'a MatchedWorkload,
    pub(super) presence: Presence,
    pub(super) is_open: bool,
    /// Whether `setup` was run, on each side.
    pub(super) is_set_up: Paired<bool>,
    /// How many runs of each side a round has.
    pub(super) runs: usize,
    pub(super) planned_rounds: usize,
    /// How long a round takes.
    pub(super) cost: Duration,
    /// How many pairs of runs there were.
    pub(super) pairs: usize,
    pub(super) measured: Measured,
    pub(super) usages: Vec<Paired<Vec<ProgramRun>>>,
}

impl<'a> WorkloadCourse<'a> {
    pub(super) fn of(workload: &'a MatchedWorkload) -> Option<WorkloadCourse<'a>> {
        let benchmark = workload.target.benchmarks.first()?;
        Some(WorkloadCourse {
            workload,
            presence: benchmark.presence,
            is_open: true,
            is_set_up: Paired::new(false, false),
            runs: 1,
            planned_rounds: 0,
            cost: Duration::ZERO,
            pairs: 0,
            measured: Measured {
                key: benchmark.key.clone(),
                rounds: Vec::new(),
                failure: None,
                notes: Vec::new(),
                remarks: Vec::new(),
            },
            usages: Vec::new(),
        })
    }

    /// The sides that have it.
    pub(super) fn sides(&self) -> Vec<Side> {
        match self.presence {
            Presence::Common => Side::BOTH.to_vec(),
            Presence::Only(side) => vec![side],
        }
    }

    pub(super) fn side(&self, side: Side) -> Result<&'a FilledWorkload, Failure> {
        let filled = self.workload.sides.get(side).as_ref();
        filled.ok_or_else(|| Failure {
            side,
            reason: "lacks a program that the command names".to_owned(),
            stderr_tail: String::new(),
        })
    }

    pub(super) fn name(&self) -> String {
        self.measured.key.to_string()
    }

    pub(super) fn settle(&mut self, verdict: &str, events: EventSink<'_>) {
        self.is_open = false;
        events(Event::Settled {
            benchmark: self.name(),
            verdict: verdict.to_owned(),
            rounds: self.measured.rounds.len(),
        });
    }

    pub(super) fn fail(&mut self, failure: Failure, events: EventSink<'_>) {
        self.measured.failure = Some(failure);
        self.settle("failed", events);
    }
}

/// What a run of a workload has to be like.
pub(super) fn expected(workload: &MatchedWorkload) -> Expected<'_> {
    Expected {
        exit_codes: &workload.exit_codes,
        timeout: workload.timeout,
        from: workload.from.as_deref(),
        metrics: &workload.metrics,
    }
}

/// A run of a workload, with what comes before it, and what comes after it however it ended: files of a failed run must
/// not be left to the next one. The first failure counts.
pub(super) fn once(
    launch: Launch<'_>,
    workload: &MatchedWorkload,
    filled: &FilledWorkload,
) -> Result<ProgramRun, Failure> {
    let asides = [&filled.prepare, &filled.conclude];
    let [prepare, conclude] = asides.map(Option::as_ref);
    let ran = aside(launch, workload, filled, prepare, "prepare")
        .and_then(|()| launch.run(filled, &filled.command, expected(workload)));
    let concluded = aside(launch, workload, filled, conclude, "conclude");
    let run = ran?;
    concluded.map(|()| run)
}

/// Runs a command that is not measured, if there is one.
pub(super) fn aside(
    launch: Launch<'_>,
    workload: &MatchedWorkload,
    filled: &FilledWorkload,
    command: Option<&FilledCommand>,
    key: &str,
) -> Result<(), Failure> {
    let Some(command) = command else {
        return Ok(());
    };
    let expected = Expected {
        exit_codes: &[0],
        timeout: workload.timeout,
        from: None,
        metrics: &[],
    };
    let ran = launch.run(filled, command, expected);
    ran.map(|_| ()).map_err(|failure| Failure {
        reason: format!("its `{key}` command {}", failure.reason),
        ..failure
    })
}
