//! Single processes of a workload, outside of the rounds: what is counted of them does not depend on the time.

use crate::process::{self, Interrupted};
use crate::units::Side;

use super::course::aside;
use super::fill::FilledWorkload;
use super::launch::Launch;
use super::{MatchedWorkload, WorkloadClock};

/// Why nothing more is counted of a workload.
pub(super) enum WorkloadStop {
    /// Nothing can be, as a lower-case fragment.
    Unknown(String),
    /// The run is over.
    Ended(Interrupted),
}

/// Whether another process may be started.
pub(super) fn go_on(clock: WorkloadClock<'_>) -> Result<(), WorkloadStop> {
    process::check().map_err(WorkloadStop::Ended)?;
    match clock.left() {
        Some(left) if left.is_zero() => Err(WorkloadStop::Ended(Interrupted::TimeUp)),
        _ => Ok(()),
    }
}

/// Runs one process of `side` by `run`, with everything that comes before and after it. The first failure counts.
pub(super) fn surrounded<T>(
    launch: Launch<'_>,
    workload: &MatchedWorkload,
    side: Side,
    run: impl FnOnce(&FilledWorkload) -> Result<T, String>,
) -> Result<T, WorkloadStop> {
    let unknown = |why: String| WorkloadStop::Unknown(format!("{side}: {why}"));
    let filled = workload.sides.get(side).as_ref();
    let filled = filled.ok_or_else(|| unknown("it lacks a program".to_owned()))?;
    let beside = |command: &Option<_>, key: &str| {
        aside(launch, workload, filled, command.as_ref(), key)
            .map_err(|failure| unknown(failure.reason))
    };
    let ran = beside(&filled.setup, "setup").and_then(|()| {
        let ran = beside(&filled.prepare, "prepare").and_then(|()| run(filled).map_err(unknown));
        let concluded = beside(&filled.conclude, "conclude");
        let ran = ran?;
        concluded.map(|()| ran)
    });
    let cleaned = beside(&filled.cleanup, "cleanup");
    // What an interruption broke off did not fail.
    process::check().map_err(WorkloadStop::Ended)?;
    let ran = ran?;
    cleaned.map(|()| ran)
}
