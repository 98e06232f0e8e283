//! What the benchmarks of one target execute.

mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::binary::FunctionDifference;
use crate::build::Choice;
use crate::discover::{Presence, Target, TargetChanges};
use crate::file_access::Watched;
use crate::harness::Timing;
use crate::plan::Sampling;
use crate::process::Interrupted;
use crate::scratch::Scratch;
use crate::units::{EventSink, Side};

use super::batches::chunks;
use super::iterations::Shown;
use super::reached::{Executed, Found, RunExtent, WhyUnknown};
use super::witness::Witness;
use process::Stop;

/// How a benchmark is run to see which functions it executes: some thousand iterations of a fast
/// one, so that rare events (a table that grows) happen.
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    measurement: Duration::from_millis(20),
    sample_size: 10,
};

/// How often, on each side, the benchmarks that have executed nothing yet are run again without the others.
const PASSES: usize = 6;

/// The search for what one target's benchmarks execute.
pub(super) struct Search<'a> {
    sampling: &'a Sampling,
    target: &'a Target,
    changes: &'a TargetChanges,
    /// The addresses of the code of each function of the head side whose coverage is wanted. They do not affect
    /// what is reached.
    watched: &'a [Vec<u64>],
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// Ids that executed a differing function.
    reached: BTreeSet<String>,
    /// Ids that could not be run to their ends.
    failed: BTreeSet<String>,
    /// Ids that are slow, and what a call of one iteration takes: a process is ended once it has run some calls of them.
    slow: BTreeMap<String, Duration>,
    /// What benchmarks of the head side have shown of their iterations, by id, where these can be chosen.
    shown: BTreeMap<String, Shown>,
    /// Addresses of the head side that were executed.
    executed: BTreeSet<u64>,
    /// What was accessed on either side, including the benchmark's own executable.
    touched: BTreeSet<PathBuf>,
}

/// How closely benchmarks are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Briefly: benchmarks that execute nothing that differs are run again.
    Glance,
    /// For long enough that those may count as unreached.
    Proof(Timing),
}

impl Look {
    fn timing(self) -> Timing {
        match self {
            Look::Glance => TIMING,
            Look::Proof(timing) => timing,
        }
    }
}

/// What one pass over some benchmarks of one side saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// None of them executed anything that differs.
    Nothing,
    /// Some did, or could not be run.
    Something,
    /// All of them do, since the process does before the first one begins.
    Everything,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        sampling: &'a Sampling,
        target: &'a Target,
        changes: &'a TargetChanges,
        watched: &'a [Vec<u64>],
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
            slow: BTreeMap::new(),
            shown: BTreeMap::new(),
            executed: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// The head side goes first: what it shows need not be checked on the base side.
    pub(super) fn run(mut self) -> Result<Result<Found, WhyUnknown>, Interrupted> {
        for side in [Side::Head, Side::Base] {
            if let Err(reason) = self.search(side)? {
                return Ok(Err(reason));
            }
        }
        let unreached = self.open(Side::Base);
        Ok(Ok(self.found(unreached)))
    }

    fn search(&mut self, side: Side) -> Result<Result<(), WhyUnknown>, Interrupted> {
        if !self.has_to_be_asked(side) {
            return Ok(Ok(()));
        }
        let mut witness = match self.witness(side) {
            Ok(witness) => witness,
            Err(reason) => return Ok(Err(reason)),
        };
        // Asked to run nothing, a process shows what happens before any benchmark.
        match self.pass(&mut witness, side, Vec::new(), Look::Glance)? {
            Ok(Seen::Nothing) => {}
            Ok(_) => {
                let all = self.open(side);
                self.reached.extend(all.iter().cloned());
                // Coverage is taken from the head side only.
                return match side {
                    Side::Base => Ok(Ok(())),
                    Side::Head => Ok(self
                        .pass(&mut witness, side, all, Look::Glance)?
                        .map(|_| ())),
                };
            }
            Err(reason) => return Ok(Err(reason)),
        }
        for pass in 0..PASSES {
            let open = self.open(side);
            if open.is_empty() {
                return Ok(Ok(()));
            }
            // As long as a round that is timed, except for the first glance. Files are opened at once or never.
            let look = match side {
                _ if witness.sees_files_alone() => Look::Proof(TIMING),
                Side::Head if pass == 0 => Look::Glance,
                _ => Look::Proof(self.round()),
            };
            match self.pass(&mut witness, side, open, look)? {
                Ok(Seen::Nothing) if look != Look::Glance => return Ok(Ok(())),
                Ok(Seen::Everything) => break,
                Ok(_) => {}
                Err(reason) => return Ok(Err(reason)),
            }
        }
        let rest = self.open(side);
        self.reached.extend(rest);
        Ok(Ok(()))
    }

    /// Whether the processes of this side can show what those of the other side cannot.
    fn has_to_be_asked(&self, side: Side) -> bool {
        let differs = match side {
            Side::Base => self.changes.base_has_more,
            Side::Head => *self.changes.watched.get(side) != Watched::default(),
        };
        let unclear = side == Side::Head || !self.open(side).is_empty();
        let can_differ = differs || !self.addresses(side).is_empty();
        self.target.executables.get(side).is_some() && unclear && can_differ
    }

    /// Where breakpoints stand.
    fn addresses(&self, side: Side) -> Vec<u64> {
        let mut addresses: Vec<u64> = self.differing(side).collect();
        if side == Side::Head && !self.changes.functions.is_empty() {
            addresses.extend(self.watched.iter().flatten());
        }
        addresses
    }

    fn witness(&self, side: Side) -> Result<Witness, WhyUnknown> {
        let addresses = self.addresses(side);
        let executable = self.target.executables.get(side).as_ref();
        let executable = executable.map(|executable| executable.path.as_path());
        let files = self.changes.watched.get(side);
        Witness::prepare(self.scratch.path(), side, executable, &addresses, files)
    }

    /// Where a side's code begins to differ.
    fn differing(&self, side: Side) -> impl Iterator<Item = u64> {
        let functions = self.changes.functions.iter();
        functions.flat_map(move |function| function.entries.get(side).iter().copied())
    }

    fn round(&self) -> Timing {
        Timing {
            warm_up: self.sampling.warm_up,
            measurement: self.sampling.measurement,
            sample_size: self.sampling.sample_size,
        }
    }

    /// The ids of `side` that have shown nothing yet. What the base side alone has is compared with nothing.
    fn open(&self, side: Side) -> Vec<String> {
        let benchmarks = self.target.benchmarks.iter();
        let is_asked = |presence: Presence| match presence {
            Presence::Common => true,
            Presence::Only(only) => only == Side::Head && side == Side::Head,
        };
        benchmarks
            .filter(|benchmark| is_asked(benchmark.presence))
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
        look: Look,
    ) -> Result<Result<Seen, WhyUnknown>, Interrupted> {
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
        while let Some(mut chunk) = open.pop() {
            crate::process::check()?;
            let outcome = self.process(witness, side, &chunk, look);
            crate::process::check()?;
            match outcome {
                Ok(seen) => {
                    all = worse(all, seen);
                    continue;
                }
                Err(Stop::Ended(ended)) => {
                    all = worse(all, ended.seen);
                    open.extend(self.again(&ended, look, &mut chunk));
                }
                // The others get another process, without the one that broke this one.
                Err(Stop::Fault(fault)) => {
                    all = worse(all, Seen::Something);
                    let Some(id) = fault.id.filter(|id| chunk.contains(id)) else {
                        return Ok(Err(fault.failure.reason));
                    };
                    chunk.retain(|other| *other != id);
                    self.failed.insert(id);
                }
                Err(Stop::Blind(reason)) => return Ok(Err(reason)),
            }
            if !chunk.is_empty() {
                open.push(chunk);
            }
        }
        Ok(Ok(all))
    }

    fn found(self, unreached: Vec<String>) -> Found {
        // Code that only refers to something else has the same source.
        let code = self
            .changes
            .functions
            .iter()
            .filter(|f| f.difference == FunctionDifference::Code);
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
                    true => RunExtent::All,
                    false => RunExtent::Part,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::fake;
    use crate::measure::tests::{sampling, target};
    use crate::units::Paired;

    #[test]
    fn no_process_is_started_that_has_nothing_to_show() {
        let (sampling, changes) = (
            sampling(),
            TargetChanges {
                functions: Vec::new(),
                watched: Paired::new(Watched::default(), Watched::default()),
                base_has_more: true,
            },
        );
        let target = target("t", "bench\ta\nbench\tb\nbench\tgone", "bench\ta\nbench\tb");
        let scratch = fake::scratch();
        let mut search = Search::new(&sampling, &target, &changes, &[], scratch, &|_| {});
        assert_eq!(search.open(Side::Base), ["a", "b"]);
        search.reached.insert("a".into());
        assert!(search.has_to_be_asked(Side::Base));
        search.reached.insert("b".into());
        assert!(!search.has_to_be_asked(Side::Base));
    }
}
