//! The words of a partial report.

use super::words::plural;
use super::{NextBuilds, NextRun, Report};
use crate::analyse::Comparison;
use crate::judge::{EarlyEnd, RunPart, Shortfall};
use crate::measure::Remark;

/// A sentence that the report is partial, why, and how long a second run would take; `None` for a complete one.
pub(super) fn sentence(report: &Report) -> Option<String> {
    let partial = report.partial.as_ref()?;
    let next = partial.next.as_ref().map(next).unwrap_or_default();
    Some(format!("{}.{next}", words(&partial.shortfalls)))
}

/// Whether the run ended before this benchmark had the rounds that it needed: its times do not belong into a
/// history, which cannot mark them as partial.
pub(super) fn is_cut_short(comparison: &Comparison) -> bool {
    let mut remarks = comparison.remarks.iter();
    remarks.any(|remark| matches!(remark, Remark::CutShort { .. }))
}

/// What a run did not get to, as a lower-case fragment: each cause once, with its parts.
pub(super) fn words(shortfalls: &[Shortfall]) -> String {
    let mut causes: Vec<(&EarlyEnd, Vec<String>)> = Vec::new();
    for shortfall in shortfalls {
        match causes
            .iter_mut()
            .find(|(cause, _)| *cause == &shortfall.cause)
        {
            Some((_, parts)) => parts.push(part(shortfall)),
            None => causes.push((&shortfall.cause, vec![part(shortfall)])),
        }
    }
    let told = causes.iter().map(|(cause, parts)| {
        let parts = parts.join(", ");
        match cause {
            EarlyEnd::Interrupted { by } => format!("the run was {by}: {parts}"),
            EarlyEnd::TimeUp => format!("the time for the whole run ran out: {parts}"),
            EarlyEnd::Failed { reason } => format!("{parts}, since {reason}"),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

fn part(shortfall: &Shortfall) -> String {
    let of = format!(
        "{} of {}",
        shortfall.left,
        plural(shortfall.of, "benchmark", "benchmarks")
    );
    match shortfall.part {
        RunPart::Reach => "what the change can reach is not known".to_owned(),
        RunPart::Time => format!("{of} did not get the rounds that they need"),
        RunPart::Allocations => format!("the allocations of {of} are not counted"),
        RunPart::Instructions => format!("the instructions of {of} are not counted"),
        RunPart::Profiles => format!("{of} to be profiled were not"),
        RunPart::Programs => "the sizes of programs are not known".to_owned(),
        RunPart::Artifacts => "files about single benchmarks are missing".to_owned(),
    }
}

fn next(next: &NextRun) -> String {
    let preparing = duration(next.preparing_seconds);
    let measuring = duration(next.measuring_seconds);
    match next.builds {
        NextBuilds::Kept => format!(
            " The builds are kept: a second run starts measuring after about {preparing}, and measures for \
             {measuring} or more."
        ),
        NextBuilds::Discarded => format!(
            " The builds are not kept (`--no-cache`): a second run builds again, and then measures for \
             {measuring} or more."
        ),
    }
}

/// Whole seconds, or minutes and seconds.
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil().max(1.0);
    let whole = std::time::Duration::try_from_secs_f64(seconds);
    whole.map_or_else(
        |_| "a very long time".to_owned(),
        |whole| humantime::format_duration(whole).to_string(),
    )
}
