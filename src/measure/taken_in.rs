//! What both sides reported for a step, compared with what the clock seam saw.

use crate::seam::{Reconciliation, SampleRecord, Seam, SeamError, WarmUp, WarmedUp, reconcile};
use crate::units::{Paired, Side};

use super::benchmark_pairing::{Attempt, Interleaved, Step};
use super::iterations::LeftAlone;
use super::reported::SideReport;
use super::standstill::Restless;

/// What is wrong with a report that [`SideReport::explain`] does not understand.
const UNEXPLAINED: &str = "its reported times do not follow from the samples that perfcheck saw (does the benchmark \
    read the clock itself?)";

/// Records what both sides reported for one step.
pub(super) fn take_in(
    step: &Step,
    mut reports: Paired<Option<SideReport>>,
    restless: Option<Restless>,
    seam: &Seam,
    attempt: &mut Attempt,
) -> Result<(), SeamError> {
    for side in Side::BOTH {
        if let Some(report) = reports.get_mut(side).as_mut().filter(|it| it.ended) {
            complete(report, side, step, seam)?;
        }
        if let Some(report) = reports
            .get_mut(side)
            .as_mut()
            .filter(|it| it.summary.is_some())
        {
            report.explain(&seam.take_log(side)?);
        }
    }
    let interleaved = match (&reports.base, &reports.head) {
        (Some(base), Some(head)) if base.id == head.id && restless.is_some() => {
            restless.map(Interleaved::Restless)
        }
        (Some(base), Some(head)) if base.id == head.id => {
            Some(settle_up(seam, Paired::new(base, head))?)
        }
        (Some(_), Some(_)) => {
            attempt.disordered = true;
            return Ok(());
        }
        _ => None,
    };
    let kept = match (&interleaved, &step.warm_up) {
        (Some(Interleaved::BySample(_)), Some(warm_up)) => {
            iterations_kept(step, warm_up, &reports, seam)?
        }
        _ => Ok(()),
    };
    for side in [step.first, step.first.other()] {
        if let Some(report) = reports.get(side) {
            let heard = attempt.heard(report.id.clone(), side);
            heard.kept = kept;
            if let Some(interleaved) = &interleaved {
                heard.interleaved = interleaved.clone();
            }
            *heard.reports.get_mut(side) = Some(report.clone());
        }
    }
    Ok(())
}

/// Fills in what a process did not report because it was ended: the times from the log, after the warm-up.
fn complete(
    report: &mut SideReport,
    side: Side,
    step: &Step,
    seam: &Seam,
) -> Result<(), SeamError> {
    report.times = seam.cut_times(side)?;
    report.iterations.truncate(report.times.len());
    if let Some(measurement) = step.measurement {
        report.config.measurement_time = measurement;
    }
    Ok(())
}

/// Whether both sides have planned what they should. If not, their reports are still valid, but the same would
/// happen the next time.
fn iterations_kept(
    step: &Step,
    warm_up: &Paired<WarmUp>,
    reports: &Paired<Option<SideReport>>,
    seam: &Seam,
) -> Result<Result<(), LeftAlone>, SeamError> {
    let reports = reports.as_ref().map(Option::as_ref);
    for side in Side::BOTH {
        if reports.get(side).map(|report| &report.id) != step.id.as_ref() {
            return Ok(Err(LeftAlone::Disordered));
        }
        let ended = seam.warmed_up(side)?;
        let as_told = |ended: &WarmedUp| !ended.doubted && ended.calls == warm_up.get(side).calls;
        if !ended.as_ref().is_some_and(as_told) {
            return Ok(Err(LeftAlone::NoLastRead));
        }
    }
    let iterations = reports.map(|report| report.map(|report| &report.iterations));
    Ok(if iterations.base == iterations.head {
        Ok(())
    } else {
        Err(LeftAlone::Unequal)
    })
}

/// Compares what the seam saw with what was reported.
fn settle_up(seam: &Seam, reports: Paired<&SideReport>) -> Result<Interleaved, SeamError> {
    let mut samples = Paired::new(Vec::new(), Vec::new());
    for side in Side::BOTH {
        let report = reports.get(side);
        let known = report.iterations.len();
        if report.ended && (known == 0 || known != report.times.len()) {
            let reason = "it is not known which samples it had run when it was ended";
            return Ok(Interleaved::InDoubt(reason.into()));
        }
        if report.summary.is_some() {
            return Ok(Interleaved::InDoubt(UNEXPLAINED.to_owned()));
        }
        if seam.worked_on(side)? {
            let reason =
                format!("the threads of the {side} side could not be stopped in the other's turns");
            return Ok(Interleaved::InDoubt(reason));
        }
        let (log, times) = (seam.take_log(side)?, &report.times);
        let warm_up = log.len().saturating_sub(times.len());
        if seam.samples_with_foreign_reads(side)? > warm_up as u64 {
            let reason = "the clock is read within timed regions, too deep to tell by what";
            return Ok(Interleaved::InDoubt(reason.into()));
        }
        match reconcile(&log, times) {
            Reconciliation::Agreed(records) => *samples.get_mut(side) = records,
            Reconciliation::Disagreed(difference) => {
                return Ok(Interleaved::InDoubt(difference.to_string()));
            }
        }
    }
    if overlap(samples.as_ref().map(Vec::as_slice)) {
        // A benchmark may have closed the file through which the turn passes.
        let reason = "samples of both sides ran at once";
        return Ok(Interleaved::InDoubt(reason.into()));
    }
    Ok(Interleaved::BySample(samples))
}

/// Whether a sample began before another had ended.
fn overlap(samples: Paired<&[SampleRecord]>) -> bool {
    let mut spans: Vec<(u64, u64)> = samples
        .base
        .iter()
        .chain(samples.head)
        .map(|sample| (sample.start_ns, sample.end_ns))
        .collect();
    spans.sort_unstable();
    spans.windows(2).any(|two| two[1].0 < two[0].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_ran_at_once_are_seen() {
        let sample = |start_ns, end_ns| SampleRecord {
            start_ns,
            end_ns,
            timed_ns: end_ns - start_ns,
            regions: 1,
            preempted_ns: 0,
        };
        let base = [sample(0, 10), sample(30, 40)];
        let turns = [sample(10, 20), sample(20, 30), sample(40, 41)];
        let beside = |head: &[SampleRecord]| overlap(Paired::new(&base[..], head));
        assert!(!beside(&turns));
        assert!(!beside(&[]));
        assert!(beside(&[sample(39, 41)]));
        assert!(beside(&[sample(9, 41)]));
    }
}
