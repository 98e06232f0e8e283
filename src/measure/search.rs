//! What the benchmarks of one target execute.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::Choice;
use crate::discover::{Difference, Presence, Target, TargetChanges};
use crate::file_access::{Access, RecordError, Watched};
use crate::plan::Sampling;
use crate::protocol::{Filter, Invocation, Length, Placement, Timing};
use crate::scratch::{self, Interrupted, Scratch};
use crate::seam::SeamError;
use crate::units::{Event, EventSink, Side};

use super::player::{Fault, Player, Turn};
use super::reached::{Executed, Extent, Found, Reason};
use super::seams::explain;
use super::way::{chunks, fit};
use super::witness::Witness;

/// How a benchmark is run for its functions to be seen: some thousand iterations of a quick one, so
/// that what happens seldom (a table that grows) has happened.
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    measurement: Duration::from_millis(20),
    sample_size: 10,
};

/// So often, on each side, those that have executed nothing yet are run again without those that have.
const PASSES: usize = 6;

/// The search for what one target's benchmarks execute.
pub(super) struct Search<'a> {
    sampling: &'a Sampling,
    target: &'a Target,
    changes: &'a TargetChanges,
    /// Addresses of the head side that say nothing about reach; whether any benchmark executes them is
    /// asked all the same.
    watched: &'a [u64],
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// Ids that executed a differing function.
    reached: BTreeSet<String>,
    /// Ids that could not be run to their ends.
    failed: BTreeSet<String>,
    /// Addresses of the head side that were executed.
    executed: BTreeSet<u64>,
    /// What was touched on either side, its own executable included.
    touched: BTreeSet<PathBuf>,
}

/// What one pass over some benchmarks of one side saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// None of them executed anything that differs.
    Nothing,
    /// Some did, or could not be run.
    Something,
    /// All do, before the first of them begins.
    Everything,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        sampling: &'a Sampling,
        target: &'a Target,
        changes: &'a TargetChanges,
        watched: &'a [u64],
        scratch: &'a Scratch,
        events: EventSink<'a>,
    ) -> Search<'a> {
        Search {
            sampling,
            target,
            changes,
            watched,
            scratch,
            events,
            reached: BTreeSet::new(),
            failed: BTreeSet::new(),
            executed: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// The head side first: what it shows need not be asked of the base side.
    pub(super) fn run(mut self) -> Result<Result<Found, Reason>, Interrupted> {
        for side in [Side::Head, Side::Base] {
            if let Err(reason) = self.search(side)? {
                return Ok(Err(reason));
            }
        }
        let unreached = self.open(Side::Base);
        Ok(Ok(self.found(unreached)))
    }

    fn search(&mut self, side: Side) -> Result<Result<(), Reason>, Interrupted> {
        if !self.has_to_be_asked(side) {
            return Ok(Ok(()));
        }
        let mut witness = match self.witness(side) {
            Ok(witness) => witness,
            Err(reason) => return Ok(Err(reason)),
        };
        // Asked to run nothing, a process shows what happens before any benchmark.
        match self.pass(&mut witness, side, Vec::new(), TIMING)? {
            Ok(Seen::Nothing) => {}
            Ok(_) => {
                let all = self.open(side);
                self.reached.extend(all.iter().cloned());
                // What else they cover is seen from the head side alone.
                return match side {
                    Side::Base => Ok(Ok(())),
                    Side::Head => Ok(self.pass(&mut witness, side, all, TIMING)?.map(|_| ())),
                };
            }
            Err(reason) => return Ok(Err(reason)),
        }
        for pass in 0..PASSES {
            let open = self.open(side);
            // As long as a round that is timed, except for the first glance. Files are opened at once or never.
            let glance = pass == 0 && side == Side::Head;
            let short = glance || witness.sees_files_alone();
            let timing = if short { TIMING } else { self.round() };
            match self.pass(&mut witness, side, open, timing)? {
                Ok(Seen::Nothing) if !glance || witness.sees_files_alone() => return Ok(Ok(())),
                Ok(Seen::Everything) => break,
                Ok(_) => {}
                Err(reason) => return Ok(Err(reason)),
            }
        }
        let rest = self.open(side);
        self.reached.extend(rest);
        Ok(Ok(()))
    }

    /// Whether the processes of a side can show what those of the other cannot.
    fn has_to_be_asked(&self, side: Side) -> bool {
        let differs = match side {
            Side::Base => self.changes.base_has_more,
            Side::Head => *self.changes.watched.get(side) != Watched::default(),
        };
        self.target.executables.get(side).is_some()
            && (differs || self.differing(side).next().is_some())
    }

    fn witness(&self, side: Side) -> Result<Witness, Reason> {
        let mut addresses: Vec<u64> = self.differing(side).collect();
        if side == Side::Head && !addresses.is_empty() {
            addresses.extend(self.watched);
        }
        let executable = self.target.executables.get(side).as_ref();
        let executable = executable.map(|executable| executable.path.as_path());
        let files = self.changes.watched.get(side);
        Witness::prepare(self.scratch.path(), side, executable, &addresses, files)
    }

    /// Where the functions of a side begin that differ.
    fn differing(&self, side: Side) -> impl Iterator<Item = u64> {
        let functions = self.changes.functions.iter();
        functions.filter_map(move |function| function.address(side))
    }

    fn round(&self) -> Timing {
        Timing {
            warm_up: self.sampling.warm_up,
            measurement: self.sampling.measurement,
            sample_size: self.sampling.sample_size,
        }
    }

    /// The ids of `side` that have shown nothing yet.
    fn open(&self, side: Side) -> Vec<String> {
        let benchmarks = self.target.benchmarks.iter();
        benchmarks
            .filter(|benchmark| benchmark.presence != Presence::Only(side.other()))
            .filter(|benchmark| benchmark.failure.is_none())
            .map(|benchmark| benchmark.key.id.clone())
            .filter(|id| !self.reached.contains(id) && !self.failed.contains(id))
            .collect()
    }

    /// Runs these benchmarks, or none, in as many processes as it takes.
    fn pass(
        &mut self,
        witness: &mut Witness,
        side: Side,
        ids: Vec<String>,
        timing: Timing,
    ) -> Result<Result<Seen, Reason>, Interrupted> {
        let nothing = ids.is_empty();
        let mut all = Seen::Nothing;
        let mut open = if nothing {
            vec![Vec::new()]
        } else {
            match self.target.choice() {
                Choice::One => ids.into_iter().map(|id| vec![id]).collect(),
                Choice::Any | Choice::All => chunks(ids),
            }
        };
        while let Some(chunk) = open.pop() {
            scratch::check()?;
            let before = chunk.len();
            let outcome = self.process(witness, side, &chunk, timing);
            scratch::check()?;
            let fault = match outcome {
                Ok(seen) => {
                    all = worse(all, seen);
                    continue;
                }
                Err(Stop::Fault(fault)) => fault,
                Err(Stop::Blind(reason)) => return Ok(Err(reason)),
            };
            // The others get another process without the one that broke it.
            all = worse(all, Seen::Something);
            match fault.id.filter(|id| chunk.contains(id)) {
                Some(id) => {
                    self.failed.insert(id.clone());
                    open.push(chunk.into_iter().filter(|other| *other != id).collect());
                }
                None => return Ok(Err(fault.failure.reason)),
            }
            if open.last().is_some_and(Vec::is_empty) && before > 0 {
                open.pop();
            }
        }
        Ok(Ok(all))
    }

    /// One process, to its end.
    fn process(
        &mut self,
        witness: &mut Witness,
        side: Side,
        ids: &[String],
        timing: Timing,
    ) -> Result<Seen, Stop> {
        let (Some(executable), Some(version)) = (
            self.target.executables.get(side).as_ref(),
            *self.target.criterion.get(side),
        ) else {
            return Ok(Seen::Nothing);
        };
        let filter = match ids {
            [] => Filter::Nothing,
            ids => Invocation::filter_for(ids.iter().map(String::as_str)),
        };
        let invocation = Invocation {
            executable,
            side,
            filter,
            timing: Some((fit(timing, self.target), version)),
            length: Length::Whole,
            placement: Placement::Free,
            env: witness.env(),
        };
        witness.expect_start();
        let mut player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !witness.sees(player.id())? {
            let why = "breakpoints could not be set in the benchmark's process";
            return Err(Stop::Blind(why.to_owned()));
        }
        let mut seen = match self.take(witness, side, player.id())? {
            true => Seen::Everything,
            false => Seen::Nothing,
        };
        for id in ids.iter().map(Some).chain(std::iter::repeat(None)) {
            self.announce(id);
            let report = match player.turn() {
                Ok(Turn::Complete(report) | Turn::Enough(report)) => report,
                Ok(Turn::Over) => break,
                Err(ending) => return Err(player.into_fault(&ending).into()),
            };
            if self.take(witness, side, player.id())? {
                self.reached.insert(report.id);
                seen = worse(seen, Seen::Something);
            }
        }
        // After the last benchmark nothing matters to any of them; without one, it is the set-up.
        let late = self.take(witness, side, player.id())?;
        if late && ids.is_empty() {
            seen = Seen::Everything;
        }
        Ok(seen)
    }

    /// Whether something that differs was executed or opened since the last time.
    fn take(&mut self, witness: &mut Witness, side: Side, pid: u32) -> Result<bool, Stop> {
        let (executed, touched) = (witness.executed(pid)?, witness.touched()?);
        let any = !touched.is_empty() || self.differing(side).any(|one| executed.contains(&one));
        let paths = touched.iter().map(Access::path);
        self.touched.extend(paths.map(Path::to_owned));
        if side == Side::Head {
            self.executed.extend(executed);
        }
        Ok(any)
    }

    fn announce(&self, id: Option<&String>) {
        let benchmarks = &self.target.benchmarks;
        let found = benchmarks
            .iter()
            .find(|benchmark| Some(&benchmark.key.id) == id);
        if let Some(benchmark) = found {
            (self.events)(Event::Measuring {
                benchmark: benchmark.key.to_string(),
                round: 1,
            });
        }
    }

    fn found(self, unreached: Vec<String>) -> Found {
        // What only refers to something else is the same source.
        let code = self
            .changes
            .functions
            .iter()
            .filter(|f| f.difference == Difference::Code);
        let differing = code
            .filter_map(|function| function.code.head.clone())
            .collect();
        let executable = self.target.executables.head.as_ref();
        let executable = executable.filter(|_| !self.changes.functions.is_empty());
        Found {
            touched: self.touched,
            executed: executable.map(|executable| Executed {
                executable: executable.path.clone(),
                differing,
                addresses: self.executed,
                extent: match self.failed.is_empty() {
                    true => Extent::All,
                    false => Extent::Part,
                },
            }),
            unreached: unreached.into_iter().collect(),
            reached: self.reached,
        }
    }
}

fn worse(one: Seen, other: Seen) -> Seen {
    match (one, other) {
        (Seen::Everything, _) | (_, Seen::Everything) => Seen::Everything,
        (Seen::Something, _) | (_, Seen::Something) => Seen::Something,
        _ => Seen::Nothing,
    }
}

/// Why a process ran no further.
enum Stop {
    Fault(Fault),
    /// Nothing that it does can be seen.
    Blind(Reason),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Stop::Blind(error.to_string())
    }
}

impl From<SeamError> for Stop {
    fn from(error: SeamError) -> Self {
        Stop::Blind(explain(&error))
    }
}
