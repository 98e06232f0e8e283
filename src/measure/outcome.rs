//! From the reports of a benchmark to the outcome of a round.

use crate::discover::{Failure, Presence};
use crate::harness::Timing;
use crate::seam::SampleRecord;
use crate::units::{Paired, Side};

use super::benchmark_pairing::{Heard, Interleaved};
use super::iterations::LeftAlone;
use super::reported::SideReport;
use super::threads::Threads;
use super::{Pairing, Request, Round, RoundOutcome, Samples, check};

/// The outcome of a benchmark that ran; `None` when a side has yet to run it.
pub(super) fn of_heard(
    request: &Request,
    heard: Heard,
    asked: Timing,
    left_alone: Option<LeftAlone>,
) -> Option<RoundOutcome> {
    let takes_part = |side: Side| request.presence != Presence::Only(side.other());
    let mut notes = check::notes(asked, &heard.reports, left_alone);
    let result = match first_failure(&heard, &mut notes) {
        Some(failure) => Err(failure),
        None => {
            let missing = |side: Side| takes_part(side) && heard.reports.get(side).is_none();
            if Side::BOTH.into_iter().any(missing) {
                return None;
            }
            round(request, &heard)
        }
    };
    Some(RoundOutcome {
        key: request.key.clone(),
        result,
        notes,
        remarks: Vec::new(),
    })
}

/// The failure to report, and a note on the other side.
fn first_failure(heard: &Heard, notes: &mut Vec<String>) -> Option<Failure> {
    // If both fail, report the head side's failure, which can still be fixed.
    let side = [Side::Head, Side::Base]
        .into_iter()
        .find(|side| heard.failures.get(*side).is_some())?;
    let other = side.other();
    if let Some(failure) = heard.failures.get(other) {
        notes.push(format!("the {other} side fails, too: {}", failure.reason));
    } else if heard.reports.get(other).is_some() {
        notes.push(format!("the {other} side ran it without failing"));
    }
    heard.failures.get(side).clone()
}

fn round(request: &Request, heard: &Heard) -> Result<Round, Failure> {
    if let Some(reason) = check::different_measurements(&heard.reports) {
        return Err(Failure {
            side: Side::Head,
            reason,
            stderr_tail: String::new(),
        });
    }
    let mut samples = Paired::try_from_fn(|side| match heard.reports.get(side) {
        None => Ok(Samples::none()),
        Some(report) => check::samples(report).map_err(|reason| Failure {
            side,
            reason,
            stderr_tail: String::new(),
        }),
    })?;
    if let Interleaved::BySample(seen) = &heard.interleaved {
        let is_alone = |report: &SideReport| report.threads == Threads::One;
        let reports = [&heard.reports.base, &heard.reports.head];
        let alone = reports.into_iter().flatten().all(is_alone);
        for side in Side::BOTH {
            let (seen, samples) = (seen.get(side), samples.get_mut(side));
            samples.starts = seen.iter().map(|s| s.start_ns).collect();
            // Time that a benchmark's own threads take from its main thread is part of the benchmark.
            if alone {
                let preempted = seen.iter().map(SampleRecord::preempted_while_timed);
                samples.preempted = preempted.collect();
            }
        }
    }
    Ok(Round {
        index: request.round,
        first: heard.first,
        pairing: match heard.interleaved {
            Interleaved::BySample(_) => Pairing::Sample,
            Interleaved::ByBenchmark | Interleaved::InDoubt(_) | Interleaved::Restless(_) => {
                Pairing::Benchmark
            }
        },
        samples,
    })
}

/// The outcome of a benchmark that was to run and did not.
pub(super) fn never_ran(request: Request, stray: Option<Failure>) -> RoundOutcome {
    let result = Err(stray.unwrap_or_else(|| Failure {
        side: match request.presence {
            Presence::Only(side) => side,
            Presence::Common => Side::Head,
        },
        reason: "was listed by its executable, which then did not run it".into(),
        stderr_tail: String::new(),
    }));
    RoundOutcome {
        key: request.key,
        result,
        notes: Vec::new(),
        remarks: Vec::new(),
    }
}
