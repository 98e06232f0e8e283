//! One target, counted: processes below Valgrind, of both sides at the same time where there are processors for it.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use crate::build::{Choice, Executable};
use crate::discover::{Presence, Target};
use crate::harness::{Ending, Invocation, Length, Timing};
use crate::plan::Sampling;
use crate::process::{self, Interrupted, Placement, Valgrind};
use crate::scratch::Scratch;
use crate::seam::{CountDetail, InstructionSeam, SeamError, TakenCalls};
use crate::units::{Event, EventSink, Paired, Side};

use super::super::batches::{chunks, fit};
use super::super::budget::go_on;
use super::super::player::{Fault, Player, Turn};
use super::super::profiles::profiles_both_at_once;
use super::super::seams::explain;
use super::super::threads::Threads;
use super::counts::InstructionCounts;

/// How a benchmark is run behind the calls that are counted: as short as it can be.
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    measurement: Duration::from_millis(10),
    sample_size: 10,
};

/// The signal of an instruction that the processor, or Valgrind in its place, does not know.
const SIGILL: i32 = 4;

/// Counts one target.
pub(super) struct InstructionCounter<'a> {
    pub(super) sampling: &'a Sampling,
    pub(super) valgrind: &'a Valgrind,
    /// After this no process is started.
    pub(super) end: Option<Instant>,
    pub(super) target: &'a Target,
    pub(super) detail: CountDetail,
    pub(super) scratch: &'a Scratch,
    pub(super) events: EventSink<'a>,
}

/// What the processes of one side showed of one benchmark.
struct SideCount {
    id: String,
    /// What was counted, or why nothing was.
    calls: Result<TakenCalls, String>,
    threads: Threads,
}

/// Why a process ran no further.
enum Stopped {
    /// It has ended as it should, or was ended in a benchmark that it had run enough of.
    Over,
    /// A benchmark broke it, if it is known which.
    Broken(Option<String>, String),
    /// Nothing that it does can be counted.
    Uncounted(String),
}

impl From<SeamError> for Stopped {
    fn from(error: SeamError) -> Self {
        Stopped::Uncounted(explain(&error))
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped::Broken(fault.id, fault.failure.reason)
    }
}

impl InstructionCounter<'_> {
    /// Counts the benchmarks of the target: a process of each side, and more of those of which one is not enough.
    pub(super) fn count(&self, counted: &mut [InstructionCounts]) -> Result<(), Interrupted> {
        let path = |side| {
            let executable = self.target.executables.get(side).as_ref();
            executable.map(|executable| executable.path.as_path())
        };
        // Where one side has no executable, its place is taken by the other's, and never run.
        let Some(any) = path(Side::Base).or(path(Side::Head)) else {
            return Ok(());
        };
        let paths = Paired::from_fn(|side| path(side).unwrap_or(any));
        let seam = match InstructionSeam::prepare(self.scratch.path(), paths, self.detail) {
            Ok(seam) => seam,
            Err(error) => {
                let why = explain(&error);
                counted.iter_mut().for_each(|each| each.note(&why));
                return Ok(());
            }
        };
        let mut processes = 0;
        loop {
            go_on(self.end)?;
            let open = Paired::from_fn(|side| self.open(side, processes, counted));
            if open.base.is_empty() && open.head.is_empty() {
                return Ok(());
            }
            let found = self.both(&seam, open);
            process::check()?;
            for side in Side::BOTH {
                for count in found.get(side) {
                    take(side, count, counted);
                }
            }
            processes += 1;
        }
    }

    /// What `side` has to run in its process of this number.
    fn open(&self, side: Side, process: usize, counted: &[InstructionCounts]) -> Vec<String> {
        let has = |id: &String| {
            let mut benchmarks = self.target.benchmarks.iter();
            benchmarks.any(|b| b.key.id == *id && b.presence != Presence::Only(side.other()))
        };
        counted
            .iter()
            .filter(|each| self.needs_more(each, process))
            .filter(|each| each.processes.get(side).len() == process)
            .map(|each| each.key.id.clone())
            .filter(has)
            .collect()
    }

    /// Whether a benchmark needs one more process of each side. Where places are counted, the first one says it all:
    /// totals are confirmed by a pass of their own.
    fn needs_more(&self, counted: &InstructionCounts, process: usize) -> bool {
        match self.detail {
            CountDetail::Totals => counted.needs_more(),
            CountDetail::Places => process == 0,
        }
    }

    fn both(&self, seam: &InstructionSeam, open: Paired<Vec<String>>) -> Paired<Vec<SideCount>> {
        let Paired { base, head } = open;
        if !profiles_both_at_once() {
            let base = self.side(seam, Side::Base, base);
            return Paired::new(base, self.side(seam, Side::Head, head));
        }
        // The thread that starts a process outlives it.
        std::thread::scope(|scope| {
            let other = scope.spawn(|| self.side(seam, Side::Base, base));
            let head = self.side(seam, Side::Head, head);
            let base = other.join();
            Paired::new(
                base.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                head,
            )
        })
    }

    /// Runs benchmarks of one side in as many processes as it takes.
    fn side(&self, seam: &InstructionSeam, side: Side, ids: Vec<String>) -> Vec<SideCount> {
        let mut found = Vec::new();
        let groups = match self.target.choice() {
            Choice::One => ids.into_iter().map(|id| vec![id]).collect(),
            Choice::Any | Choice::All => chunks(ids),
        };
        for mut open in groups {
            while !open.is_empty() && go_on(self.end).is_ok() {
                let before = open.len();
                let stopped = self.play(seam, side, &mut open, &mut found);
                let stopped = stopped.err().unwrap_or(Stopped::Over);
                let (culprits, why) = match stopped {
                    Stopped::Over if open.len() < before => continue,
                    Stopped::Over => {
                        let why = "was named by its executable and then not run by it";
                        (std::mem::take(&mut open), why.to_owned())
                    }
                    Stopped::Uncounted(why) => (std::mem::take(&mut open), why),
                    Stopped::Broken(id, why) => {
                        let known = id.filter(|id| open.contains(id));
                        // It broke on the way to the next one; if it never began, it never will.
                        let next = || open.first().filter(|_| open.len() < before).cloned();
                        match known.or_else(next) {
                            Some(id) => {
                                open.retain(|other| *other != id);
                                (vec![id], why)
                            }
                            None => (std::mem::take(&mut open), why),
                        }
                    }
                };
                found.extend(culprits.into_iter().map(|id| SideCount {
                    id,
                    calls: Err(why.clone()),
                    threads: Threads::One,
                }));
            }
        }
        found
    }

    /// A process of `side` below Valgrind, held at its handshake.
    fn start(
        &self,
        seam: &InstructionSeam,
        side: Side,
        open: &[String],
    ) -> Result<Player, Stopped> {
        let uncounted = |why: &str| Stopped::Uncounted(why.to_owned());
        let executable = self.target.executables.get(side).as_ref();
        let executable = executable.ok_or_else(|| uncounted("no executable was built"))?;
        let arguments = seam
            .arguments(side)
            .ok_or_else(|| uncounted("the run's folder has a name that Valgrind cannot be told"))?;
        let executable = Executable {
            runner: Some(Valgrind::behind(executable.runner.as_ref(), arguments)),
            ..executable.clone()
        };
        let version = *self.target.criterion.get(side);
        let invocation = Invocation {
            executable: &executable,
            side,
            filter: Invocation::filter_for(open.iter().map(String::as_str)),
            timing: Some((fit(TIMING, self.target), version)),
            length: Length::Whole,
            placement: Placement::Free,
            env: seam.env(side),
        };
        let player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !seam.attached(side, player.id())? {
            let why = player.kept_out_by();
            let why = format!("the loader did not let the probe into the process{why}");
            return Err(Stopped::Uncounted(why));
        }
        Ok(player)
    }

    /// One process, to its end. What it counted is no longer open.
    fn play(
        &self,
        seam: &InstructionSeam,
        side: Side,
        open: &mut Vec<String>,
        found: &mut Vec<SideCount>,
    ) -> Result<(), Stopped> {
        let mut player = self.start(seam, side, open)?;
        loop {
            if let Some(next) = open.first() {
                (self.events)(Event::Measuring {
                    benchmark: format!("{}::{} {next}", self.target.package, self.target.target),
                    round: 1,
                });
            }
            player.at(seam.observe(side)?);
            let report = match player.turn() {
                Ok(Turn::Complete(report) | Turn::Enough(report)) => report,
                Ok(Turn::Over) => return Ok(()),
                Err(ending) => return Err(self.broken(player, &ending)),
            };
            if open.contains(&report.id) {
                open.retain(|id| *id != report.id);
                let calls = seam.take_calls(side)?.ok_or_else(|| {
                    "which iterations it ran could not be seen (it times itself, or calls `Bencher::iter` more than once)"
                        .to_owned()
                });
                found.push(SideCount {
                    id: report.id,
                    calls,
                    threads: report.threads,
                });
            }
            if report.ended {
                return Ok(());
            }
        }
    }

    fn broken(&self, player: Player, ending: &Ending) -> Stopped {
        let unknown =
            matches!(ending, Ending::Exited { status } if status.signal() == Some(SIGILL));
        let fault = player.into_fault(ending);
        match unknown {
            true => Stopped::Broken(
                fault.id,
                format!(
                    "it executed an instruction that {} does not know (AVX-512, for example): build for a processor \
                     without it, or do not count (`--no-instructions`)",
                    self.valgrind.version
                ),
            ),
            false => fault.into(),
        }
    }
}

/// Takes in what a process of `side` showed.
fn take(side: Side, count: &SideCount, counted: &mut [InstructionCounts]) {
    let Some(each) = counted.iter_mut().find(|each| each.key.id == count.id) else {
        return;
    };
    match &count.calls {
        Ok(taken) => {
            each.processes
                .get_mut(side)
                .push(taken.instructions.clone());
            *each.code.get_mut(side) = taken.code.clone();
        }
        Err(why) => each.note(&format!("{side}: {why}")),
    }
    if count.threads == Threads::Several {
        each.note(
            "several threads work in it, which Valgrind runs one at a time: how long they wait for each other is \
             counted, and differs from a run without Valgrind",
        );
    }
}
