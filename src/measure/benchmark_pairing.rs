//! Two processes of which only one runs at a time: while one is measured, the other is held at its
//! handshake or after its last benchmark.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::discover::Failure;
use crate::harness::WallSpan;
use crate::seam::{Enough, SampleRecord, WarmUp};
use crate::units::{Paired, Side};

use super::batches::Gate;
use super::iterations::{LeftAlone, Shown};
use super::player::{Fault, Player, Turn};
use super::reported::SideReport;
use super::standstill::Restless;

/// The results of one pair of processes.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    /// What was heard of each benchmark.
    pub(super) heard: BTreeMap<String, Heard>,
    /// Faults outside any benchmark: in setup, or between two benchmarks.
    pub(super) stray: Vec<Failure>,
    /// The sides began different benchmarks at the same time, so that these could not be paired.
    pub(super) disordered: bool,
    /// Benchmarks that turned out to be too slow for this kind of process.
    pub(super) slow: BTreeSet<String>,
    /// How long each side's process ran outside of all benchmarks.
    pub(super) set_up: Option<Paired<Duration>>,
    /// Why the clock seam failed, where it did.
    pub(super) seam_failure: Option<String>,
}

/// What was heard of one benchmark.
#[derive(Debug)]
pub(super) struct Heard {
    /// The side that went first.
    pub(super) first: Side,
    /// What each side reported.
    pub(super) reports: Paired<Option<SideReport>>,
    /// What each side failed with.
    pub(super) failures: Paired<Option<Failure>>,
    /// How the sides were interleaved.
    pub(super) interleaved: Interleaved,
    /// What each side's process showed about its iterations, if the clock seam watched.
    pub(super) shown: Paired<Option<Result<Shown, LeftAlone>>>,
    /// Whether both sides ran the iterations that they were told to, if they were told.
    pub(super) kept: Result<(), LeftAlone>,
}

/// A benchmark that both sides are about to run.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Which; absent where that is not known.
    pub(super) id: Option<String>,
    /// The side that goes first.
    pub(super) first: Side,
    /// What makes only one side run at a time.
    pub(super) gate: Gate,
    /// How its warm-up is to be ended, if decided.
    pub(super) warm_up: Option<Paired<WarmUp>>,
    /// When the processes have run enough of it, if they are not to run to its end.
    pub(super) enough: Option<Enough>,
    /// The measurement time that is in force, where that is known.
    pub(super) measurement: Option<WallSpan>,
}

/// How the sides of one benchmark were interleaved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interleaved {
    /// One ran, then the other.
    ByBenchmark,
    /// Sample by sample; what the seam saw of each.
    BySample(Paired<Vec<SampleRecord>>),
    /// Sample by sample was tried, but stopping a side while the other one runs would disturb it.
    Restless(Restless),
    /// Sample by sample was tried, but what the seam saw is not what was reported, for this reason.
    /// Both sides may have run at once, so their times are worthless.
    InDoubt(String),
}

impl Attempt {
    pub(super) fn heard(&mut self, id: String, side: Side) -> &mut Heard {
        self.heard.entry(id).or_insert_with(|| Heard {
            first: side,
            reports: Paired::new(None, None),
            failures: Paired::new(None, None),
            interleaved: Interleaved::ByBenchmark,
            shown: Paired::new(None, None),
            kept: Ok(()),
        })
    }

    pub(super) fn report(&mut self, side: Side, report: SideReport) {
        let heard = self.heard(report.id.clone(), side);
        *heard.reports.get_mut(side) = Some(report);
    }

    fn set_up(&mut self, side: Side, took: Duration) {
        let nothing = Paired::new(Duration::ZERO, Duration::ZERO);
        *self.set_up.get_or_insert(nothing).get_mut(side) = took;
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        let side = fault.failure.side;
        match fault.id {
            Some(id) => *self.heard(id, side).failures.get_mut(side) = Some(fault.failure),
            None => self.stray.push(fault.failure),
        }
    }

    /// Whether a process is lost, so that continuing with the other one is pointless.
    pub(super) fn is_broken(&self) -> bool {
        let failed = |heard: &Heard| heard.failures.base.is_some() || heard.failures.head.is_some();
        !self.stray.is_empty() || self.heard.values().any(failed)
    }
}

/// Runs both processes to their ends, benchmark by benchmark. `begin` is called with the number of
/// each step before it begins, and returns what is run and which side goes first.
///
/// When a side fails in a benchmark, the other side still has its turn with it: whether it fails on
/// one side or on both is worth knowing.
pub(super) fn alternate(
    players: &mut Paired<Option<Player>>,
    attempt: &mut Attempt,
    steps: impl IntoIterator<Item = usize>,
    begin: &mut dyn FnMut(usize) -> Step,
) {
    let held = [&mut players.base, &mut players.head];
    held.into_iter().flatten().for_each(Player::rest);
    for step in steps {
        if attempt.is_broken() || (players.base.is_none() && players.head.is_none()) {
            return;
        }
        let first = begin(step).first;
        take_turns(first, players, attempt);
    }
}

/// One benchmark, on one side after the other.
pub(super) fn take_turns(first: Side, players: &mut Paired<Option<Player>>, attempt: &mut Attempt) {
    for side in [first, first.other()] {
        take_turn(side, players.get_mut(side), attempt);
    }
}

fn take_turn(side: Side, slot: &mut Option<Player>, attempt: &mut Attempt) {
    let Some(player) = slot else {
        return;
    };
    match player.turn() {
        Ok(Turn::Complete(report)) => {
            player.rest();
            attempt.report(side, *report);
        }
        Ok(Turn::Over) => {
            attempt.set_up(side, player.set_up());
            *slot = None;
        }
        Ok(Turn::Enough(report)) => {
            attempt.slow.insert(report.id);
            attempt.set_up(side, player.set_up());
            *slot = None;
        }
        Err(ending) => {
            if let Some(player) = slot.take() {
                attempt.fault(player.into_fault(&ending));
            }
        }
    }
}
