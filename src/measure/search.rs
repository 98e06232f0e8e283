//! What the benchmarks of one target execute.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::build::Choice;
use crate::discover::{Benchmark, ChangedFunction, Difference, Presence, Reached, Target};
use crate::plan::Sampling;
use crate::protocol::{Filter, Invocation, Placement, Timing};
use crate::scratch::{self, Interrupted, Scratch};
use crate::seam::{MarkSeam, SeamError};
use crate::units::{Event, EventSink, Side};

use super::player::{Fault, Player, Turn};
use super::seams::explain;
use super::way::{chunks, fit};

/// How a benchmark is run for its functions to be seen: some thousand iterations of a quick one, so
/// that what happens seldom (a table that grows) has happened.
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    measurement: Duration::from_millis(20),
    sample_size: 10,
};

/// So often, on each side, those that have executed nothing yet are run again without those that have.
const PASSES: usize = 6;

/// What the benchmarks of one executable of the head side executed, all of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The executable.
    pub executable: PathBuf,
    /// Where the code lies that differs, what only refers to something else aside.
    pub differing: Vec<Range<u64>>,
    /// The addresses that were watched and executed.
    pub addresses: BTreeSet<u64>,
    /// Whether every benchmark could be run.
    pub extent: Extent,
}

/// How much of an executable's benchmarks was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Each.
    All,
    /// Some could not be run: nobody knows what they execute.
    Part,
}

/// What was found out about one target.
pub(super) struct Found {
    /// Ids of benchmarks that executed no differing function.
    unreached: BTreeSet<String>,
    /// Ids of benchmarks that did.
    reached: BTreeSet<String>,
    /// What was executed on the head side, if it has the target.
    pub(super) executed: Option<Executed>,
}

impl Found {
    pub(super) fn of(&self, benchmark: &Benchmark) -> Reached {
        let id = &benchmark.key.id;
        if benchmark.presence != Presence::Common || benchmark.failure.is_some() {
            Reached::Unknown
        } else if self.unreached.contains(id) {
            Reached::No
        } else if self.reached.contains(id) {
            Reached::Yes
        } else {
            Reached::Unknown
        }
    }
}

/// The search for what one target's benchmarks execute.
pub(super) struct Search<'a> {
    sampling: &'a Sampling,
    target: &'a Target,
    functions: &'a [ChangedFunction],
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
}

/// Why nothing can be said of a target, as a lower-case fragment.
pub(super) type Reason = String;

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
        functions: &'a [ChangedFunction],
        watched: &'a [u64],
        scratch: &'a Scratch,
        events: EventSink<'a>,
    ) -> Search<'a> {
        Search {
            sampling,
            target,
            functions,
            watched,
            scratch,
            events,
            reached: BTreeSet::new(),
            failed: BTreeSet::new(),
            executed: BTreeSet::new(),
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
        let mut addresses: Vec<u64> = self.differing(side).collect();
        let executable = self.target.executables.get(side).as_ref();
        let (Some(executable), false) = (executable, addresses.is_empty()) else {
            return Ok(Ok(()));
        };
        if side == Side::Head {
            addresses.extend(self.watched);
        }
        let path = &executable.path;
        let seam = match MarkSeam::prepare(self.scratch.path(), side, path, &addresses) {
            Ok(seam) => seam,
            Err(error) => return Ok(Err(explain(&error))),
        };
        // Asked to run nothing, a process shows what happens before any benchmark.
        match self.pass(&seam, side, Vec::new(), TIMING)? {
            Ok(Seen::Nothing) => {}
            Ok(_) => {
                let all = self.open(side);
                self.reached.extend(all.iter().cloned());
                // What else they cover is seen from the head side alone.
                return match side {
                    Side::Base => Ok(Ok(())),
                    Side::Head => Ok(self.pass(&seam, side, all, TIMING)?.map(|_| ())),
                };
            }
            Err(reason) => return Ok(Err(reason)),
        }
        for pass in 0..PASSES {
            let open = self.open(side);
            // As long as a round that is timed, except for the first glance.
            let glance = pass == 0 && side == Side::Head;
            let timing = if glance { TIMING } else { self.round() };
            match self.pass(&seam, side, open, timing)? {
                Ok(Seen::Nothing) if !glance => return Ok(Ok(())),
                Ok(Seen::Everything) => break,
                Ok(_) => {}
                Err(reason) => return Ok(Err(reason)),
            }
        }
        let rest = self.open(side);
        self.reached.extend(rest);
        Ok(Ok(()))
    }

    /// Where the functions of a side begin that differ.
    fn differing(&self, side: Side) -> impl Iterator<Item = u64> {
        self.functions.iter().filter_map(move |f| f.address(side))
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
        seam: &MarkSeam,
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
            let outcome = self.process(seam, side, &chunk, timing);
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
        seam: &MarkSeam,
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
            placement: Placement::Free,
            env: seam.env(),
        };
        let mut player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !seam.attached(player.id())? {
            let why = "breakpoints could not be set in the benchmark's process";
            return Err(Stop::Blind(why.to_owned()));
        }
        let mut seen = match self.take(seam, side, player.id())? {
            true => Seen::Everything,
            false => Seen::Nothing,
        };
        for id in ids.iter().map(Some).chain(std::iter::repeat(None)) {
            self.announce(id);
            let report = match player.turn() {
                Ok(Turn::Complete(report)) => report,
                Ok(Turn::Over) => break,
                Err(ending) => return Err(player.into_fault(&ending).into()),
            };
            if self.take(seam, side, player.id())? {
                self.reached.insert(report.id);
                seen = worse(seen, Seen::Something);
            }
        }
        // After the last benchmark nothing matters to any of them; without one, it is the set-up.
        let late = self.take(seam, side, player.id())?;
        if late && ids.is_empty() {
            seen = Seen::Everything;
        }
        Ok(seen)
    }

    /// Whether something that differs was executed since the last time.
    fn take(&mut self, seam: &MarkSeam, side: Side, pid: u32) -> Result<bool, SeamError> {
        let executed = seam.take(pid)?;
        let any = self.differing(side).any(|one| executed.contains(&one));
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
            .functions
            .iter()
            .filter(|f| f.difference == Difference::Code);
        let differing = code
            .filter_map(|function| function.code.head.clone())
            .collect();
        let executable = self.target.executables.head.as_ref();
        Found {
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

impl From<SeamError> for Stop {
    fn from(error: SeamError) -> Self {
        Stop::Blind(explain(&error))
    }
}
