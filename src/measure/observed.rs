//! Two processes that run one after the other, benchmark by benchmark, while the clock seam logs their samples.

use std::collections::BTreeSet;

use crate::seam::{Reconciliation, Seam, SeamError, reconcile};
use crate::units::{Paired, Side};

use super::batches::Gate;
use super::benchmark_pairing::{Attempt, Interleaved, Step, take_turns};
use super::iterations::{LeftAlone, Shown};
use super::player::Player;
use super::reported::SideReport;

/// Runs both processes to their ends. The head side's samples are lengthened if the seam is set to do so, and
/// warm-ups are ended as `begin` says.
///
/// If the seam did not see what the head side reported for a benchmark that was to be lengthened, the benchmark is
/// left in doubt: it cannot have been lengthened.
///
/// # Errors
/// When the seam's files fail.
pub(super) fn observe(
    players: &mut Paired<Option<Player>>,
    seam: &mut Seam,
    attempt: &mut Attempt,
    begin: &mut dyn FnMut(usize) -> Step,
) -> Result<(), SeamError> {
    let held = [&mut players.base, &mut players.head];
    held.into_iter().flatten().for_each(Player::rest);
    for step in 0.. {
        if attempt.is_broken() || (players.base.is_none() && players.head.is_none()) {
            break;
        }
        let before = reported(attempt);
        seam.observe()?;
        let step = begin(step);
        prepare(&step, seam, players)?;
        take_turns(step.first, players, attempt);
        if !attempt.slow.is_empty() {
            // Later benchmarks run in other processes.
            *players = Paired::new(None, None);
        }
        for (side, id) in reported(attempt).difference(&before) {
            let Some(heard) = attempt.heard.get_mut(id) else {
                continue;
            };
            let Some(report) = heard.reports.get(*side) else {
                continue;
            };
            let (shown, reconciled) = look(*side, report, seam, step.gate)?;
            if let (Side::Head, Reconciliation::Disagreed(difference)) = (side, reconciled)
                && step.gate == Gate::ProtocolObserved
            {
                heard.interleaved = Interleaved::InDoubt(difference.to_string());
            }
            *heard.shown.get_mut(*side) = Some(shown);
        }
    }
    Ok(())
}

/// Makes the warm-up of the benchmark that is about to begin end as the step says.
pub(super) fn prepare(
    step: &Step,
    seam: &Seam,
    players: &mut Paired<Option<Player>>,
) -> Result<(), SeamError> {
    let Some(warm_up) = &step.warm_up else {
        return Ok(());
    };
    for side in Side::BOTH {
        let pace = seam.bound(side, *warm_up.get(side), step.enough)?;
        if let Some(player) = players.get_mut(side) {
            player.at(pace);
        }
    }
    Ok(())
}

/// What the process of `side` showed of the benchmark that it has just run.
///
/// # Errors
/// When the seam's files fail.
pub(super) fn look(
    side: Side,
    report: &SideReport,
    seam: &Seam,
    gate: Gate,
) -> Result<(Result<Shown, LeftAlone>, Reconciliation), SeamError> {
    let log = seam.take_log(side)?;
    if report.summary.is_some() {
        let (mut report, place) = (report.clone(), seam.last_place(side)?);
        let calls = report.explain(&log);
        let shown = calls.ok_or(LeftAlone::NotSeen);
        let shown = shown.and_then(|calls| Shown::of_libtest(&report, &log, calls, place));
        return Ok((shown, reconcile(&log, &report.times)));
    }
    let reconciled = reconcile(&log, &report.times);
    let shown = match reconciled {
        Reconciliation::Agreed(_) => {
            let (warmed_up, place) = (seam.warmed_up(side)?, seam.last_place(side)?);
            match gate {
                Gate::Quick => Shown::of_quick(report, &log, place),
                _ => Shown::of(report, &log, warmed_up, place),
            }
        }
        Reconciliation::Disagreed(_) => Err(LeftAlone::NotSeen),
    };
    Ok((shown, reconciled))
}

fn reported(attempt: &Attempt) -> BTreeSet<(Side, String)> {
    let heard = attempt.heard.iter();
    heard
        .flat_map(|(id, heard)| Side::BOTH.map(|side| (side, id, heard)))
        .filter(|(side, _, heard)| heard.reports.get(*side).is_some())
        .map(|(side, id, _)| (side, id.clone()))
        .collect()
}
