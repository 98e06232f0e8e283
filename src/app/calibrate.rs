//! A revision against itself: what can and cannot be seen on this machine.

use std::io::Write;
use std::time::Instant;

use super::compare::{kind, prepare};
use super::disturbances::{Disturbances, Watch};
use super::failure::RunFailure;
use super::passes;
use super::stages::Stages;
use crate::analyse::{Calibration, Comparison};
use crate::environment::Machine;
use crate::measure::MeasureError;
use crate::plan::{CalibrateArgs, ExitStatus, Format, Plan, Sampling};
use crate::scratch::Scratch;
use crate::ui::Progress;
use crate::units::EventSink;
use crate::{report, revision};

/// Builds once, compares `args.runs` times, and prints the noise, the false alarms and the power.
pub(super) fn calibrate(
    args: &CalibrateArgs,
    plan: &Plan,
    scratch: &Scratch,
    out: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    let progress = Progress::new(kind(&plan.terminal), plan.time, std::io::stderr());
    let runs = {
        let sink = progress.sink();
        repeat(args, plan, scratch, &sink)
    };
    progress.finish();
    let (runs, disturbances) = runs?;
    let mut calibration = Calibration::of(&runs, &plan.thresholds, &plan.sampling);
    calibration.advice.extend(disturbances.warnings());
    let json = plan
        .outputs
        .iter()
        .any(|output| output.format == Format::Json);
    let text = if json {
        serde_json::to_string_pretty(&calibration).map_err(RunFailure::other)? + "\n"
    } else {
        report::calibration(&calibration)
    };
    super::deliver::print(&text, out)?;
    Ok(ExitStatus::Success)
}

fn repeat(
    args: &CalibrateArgs,
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<(Vec<Vec<Comparison>>, Disturbances), RunFailure> {
    let resolved = revision::resolve_with_itself(&plan.manifest_path, &args.revision)?;
    let ready = prepare(
        plan,
        Machine::read(),
        resolved,
        Stages::begin(),
        scratch,
        events,
    )?;
    let watch = Watch::begin(None);
    let end = plan.time.map(|time| ready.stages.began() + time);
    let runs = (0..args.runs).map(|run| {
        // Unless the time of the whole run is shared out, the first repetition would use it up.
        let left = u32::from(args.runs - run);
        let end = end.map(|end| {
            let now = Instant::now();
            now + end.saturating_duration_since(now) / left
        });
        // Each repetition draws its own orders, all of them from the one printed seed.
        let sampling = Sampling {
            seed: plan.sampling.seed.wrapping_add(u64::from(run)),
            ..plan.sampling.clone()
        };
        let timed = passes::time(plan, &sampling, &ready, end, scratch, events);
        match timed.ended {
            Some(interrupted) => Err(MeasureError::from(interrupted)),
            None => Ok(timed.comparisons),
        }
    });
    let runs = runs.collect::<Result<_, _>>()?;
    Ok((runs, watch.finish()))
}
