//! Two processes whose samples alternate: both are released, and the clock seam passes the turn
//! between them.

use std::time::{Duration, Instant};

use crate::harness::{Ending, next_of};
use crate::seam::{Phase, Seam, SeamError};
use crate::units::{Paired, Side};

use super::benchmark_pairing::{Attempt, Step, alternate};
use super::observed::prepare;
use super::player::{GLANCE, LONGEST_ROUND, Player, Turn};
use super::reported::SideReport;
use super::standstill::Restless;
use super::taken_in::take_in;

/// How often to check that the turn still passes between silent sides. Rare enough to disturb
/// nothing.
const LOOK: Duration = Duration::from_secs(1);

/// When to check for the first time. After that the interval doubles: threads that end with a sample must be seen
/// while a short benchmark runs.
const FIRST_LOOK: Duration = Duration::from_millis(20);

/// Why two processes could not be paired by sample.
#[derive(Debug, thiserror::Error)]
pub(super) enum WeaveError {
    /// The probe is not at work in a process.
    #[error("the probe was not loaded into the process of the {side} side{why}")]
    NotAttached {
        /// The side.
        side: Side,
        /// Why, where that is known.
        why: String,
    },
    /// Nobody has the turn.
    #[error("the sides lost track of whose turn it was")]
    Stalled,
    /// The seam itself failed.
    #[error(transparent)]
    Seam(#[from] SeamError),
}

/// Checks that the probe is at work in the processes that exist.
///
/// # Errors
/// Where it is not.
pub(super) fn check_attached(
    players: &Paired<Option<Player>>,
    seam: &Seam,
) -> Result<(), WeaveError> {
    for side in Side::BOTH {
        if let Some(player) = players.get(side)
            && !seam.attached(side, player.id())?
        {
            let why = player.kept_out_by();
            return Err(WeaveError::NotAttached { side, why });
        }
    }
    Ok(())
}

/// Runs both processes to their ends, benchmark by benchmark, each paired by sample. `begin` is
/// called with the number of each step before it begins, and returns what is run and which side
/// runs the first sample.
///
/// What is in the attempt is reconciled: a benchmark is `Interleaved::BySample` only if the seam
/// saw every sample of both sides, to the nanosecond.
///
/// # Errors
/// When the probe is not there or the seam's files fail. Earlier reports stay valid.
pub(super) fn weave(
    players: &mut Paired<Option<Player>>,
    seam: &mut Seam,
    attempt: &mut Attempt,
    begin: &mut dyn FnMut(usize) -> Step,
) -> Result<(), WeaveError> {
    check_attached(players, seam)?;
    if let (Some(base), Some(head)) = (&players.base, &players.head) {
        seam.introduce(Paired::new(base.id(), head.id()))?;
    }
    for step in 0.. {
        if attempt.is_broken() {
            return Ok(());
        }
        if players.base.is_none() || players.head.is_none() {
            // One side has more benchmarks than the other.
            seam.disable()?;
            alternate(players, attempt, step.., begin);
            return Ok(());
        }
        let step = begin(step);
        seam.begin(step.first)?;
        prepare(&step, seam, players)?;
        let mut restless = None;
        let reports = run_both(players, seam, attempt, &mut restless)?;
        let ended = |report: &Option<SideReport>| report.as_ref().is_some_and(|it| it.ended);
        let over = ended(&reports.base) || ended(&reports.head);
        take_in(&step, reports, restless, seam, attempt)?;
        if attempt.disordered {
            return Ok(());
        }
        if over {
            // Later benchmarks run in other processes.
            *players = Paired::new(None, None);
            return Ok(());
        }
    }
    Ok(())
}

/// Lets both held processes run until each has measured one more benchmark, or is gone.
fn run_both(
    players: &mut Paired<Option<Player>>,
    seam: &Seam,
    attempt: &mut Attempt,
    restless: &mut Option<Restless>,
) -> Result<Paired<Option<SideReport>>, WeaveError> {
    let begun = Instant::now();
    let (mut next_look, mut between_looks) = (begun + FIRST_LOOK, FIRST_LOOK);
    let mut reports = Paired::new(None, None);
    let mut turns = Paired::new(0, 0);
    for side in Side::BOTH {
        if let Some(player) = players.get_mut(side)
            && let Err(ending) = player.release()
        {
            lose(side, players, ending, seam, attempt)?;
        }
    }
    loop {
        let mut running = Paired {
            base: reports.base.is_none().then_some(&mut players.base),
            head: reports.head.is_none().then_some(&mut players.head),
        }
        .map(|slot| slot.and_then(Option::as_mut));
        let deadlines = [&running.base, &running.head]
            .into_iter()
            .flatten()
            .map(|player| player.deadline());
        let Some(deadline) = deadlines.min() else {
            return Ok(reports);
        };
        let watched =
            |player: &Option<&mut Player>| player.as_ref().is_some_and(|it| it.is_watched());
        let deadline = match watched(&running.base) || watched(&running.head) {
            true => deadline.min(next_look).min(Instant::now() + GLANCE),
            false => deadline.min(next_look),
        };
        let heard = {
            let mut processes = Paired {
                base: running.base.as_deref_mut().map(Player::process),
                head: running.head.as_deref_mut().map(Player::process),
            };
            next_of(&mut processes, deadline)
        };
        let Some((side, heard)) = heard else {
            let cut = cut(&mut running);
            if let Some((side, report)) = cut {
                hold(side, &mut running, restless, seam)?;
                *reports.get_mut(side) = Some(report);
                continue;
            }
            if Instant::now() < next_look {
                continue;
            }
            between_looks = (between_looks * 2).min(LOOK);
            next_look = Instant::now() + between_looks;
            look_for_restless(players, seam, restless)?;
            let before =
                std::mem::replace(&mut turns, Paired::try_from_fn(|side| seam.turns(side))?);
            if turns == before || begun.elapsed() > LONGEST_ROUND {
                end_the_silent(players, &reports, seam, attempt)?;
            } else {
                // Each is also silent while the other works: only the turn shows that they work.
                let both = [&mut players.base, &mut players.head];
                both.into_iter().flatten().for_each(Player::excuse);
            }
            continue;
        };
        let Some(player) = running.get_mut(side) else {
            continue;
        };
        match heard.and_then(|message| player.hear(message)) {
            Ok(None) => {}
            Ok(Some(report)) => {
                hold(side, &mut running, restless, seam)?;
                *reports.get_mut(side) = Some(report);
            }
            Err(ending) => lose(side, players, ending, seam, attempt)?,
        }
    }
}

/// The side that has run enough of its benchmark, if any, and what is known about the benchmark.
fn cut(running: &mut Paired<Option<&mut Player>>) -> Option<(Side, SideReport)> {
    let enough = |side: &Side| running.get(*side).as_ref().is_some_and(|p| p.is_enough());
    let side = Side::BOTH.into_iter().find(enough)?;
    Some((side, running.get_mut(side).as_mut()?.cut()))
}

/// A side has finished its step; the other one continues alone.
fn hold(
    side: Side,
    running: &mut Paired<Option<&mut Player>>,
    restless: &mut Option<Restless>,
    seam: &Seam,
) -> Result<(), SeamError> {
    if let Some(player) = running.get_mut(side) {
        if seam.was_stopped(side)? {
            *restless = restless.take().or_else(|| player.restless());
        }
        player.rest();
    }
    if let Some(peer) = running.get_mut(side.other()) {
        peer.excuse();
        peer.resume();
    }
    seam.alone(side.other())
}

/// Examines the sides that were stopped, as long as nothing has been found.
fn look_for_restless(
    players: &Paired<Option<Player>>,
    seam: &Seam,
    restless: &mut Option<Restless>,
) -> Result<(), SeamError> {
    for side in Side::BOTH {
        if restless.is_none()
            && let Some(player) = players.get(side)
            && seam.was_stopped(side)?
        {
            *restless = player.restless();
        }
    }
    Ok(())
}

/// A process has ended, in order or not; its peer continues alone.
fn lose(
    side: Side,
    players: &mut Paired<Option<Player>>,
    ending: Ending,
    seam: &Seam,
    attempt: &mut Attempt,
) -> Result<(), SeamError> {
    if let Some(player) = players.get_mut(side).take() {
        match player.ended(ending) {
            Ok(Turn::Over | Turn::Complete(_) | Turn::Enough(_)) => {}
            Err(ending) => attempt.fault(player.into_fault(&ending)),
        }
    }
    // The peer may have waited for this one as long as it was silent.
    if let Some(peer) = players.get_mut(side.other()) {
        peer.excuse();
        peer.resume();
    }
    seam.alone(side.other())
}

/// A side was silent for too long. One that waits for its turn is not to blame while its peer
/// works.
fn end_the_silent(
    players: &mut Paired<Option<Player>>,
    reports: &Paired<Option<SideReport>>,
    seam: &Seam,
    attempt: &mut Attempt,
) -> Result<(), WeaveError> {
    let now = Instant::now();
    let runs = Paired::from_fn(|side| reports.get(side).is_none() && players.get(side).is_some());
    let waits = Paired::try_from_fn(|side| seam.phase(side).map(|phase| phase == Phase::Waiting))?;
    for side in Side::BOTH.into_iter().filter(|side| *runs.get(*side)) {
        let peer_works = *runs.get(side.other()) && !waits.get(side.other());
        let Some(player) = players.get_mut(side) else {
            continue;
        };
        if player.deadline() > now {
            continue;
        }
        match (*waits.get(side), peer_works) {
            (true, true) => player.excuse(),
            (true, false) => return Err(WeaveError::Stalled),
            (false, _) if player.sets_up() => player.excuse(),
            (false, _) => {
                let ending = player.silence();
                lose(side, players, ending, seam, attempt)?;
            }
        }
    }
    Ok(())
}
