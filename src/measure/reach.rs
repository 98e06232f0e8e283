//! Which benchmarks execute changed code, found out before anything is timed.
//!
//! Each side runs its benchmarks in short processes with a breakpoint wherever control enters code that the other
//! side does not have. What a process executes before its first benchmark counts for all of them: a set-up that has
//! changed may prepare other data. So does code that one benchmark executes once on behalf of others (a table that
//! is built on first use). So benchmarks count as unreached only once a process of their own side has run them, and
//! no others, from start to end without executing any such code. If anything goes wrong, they are timed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use crate::build::Choice;
use crate::discover::{Changes, DifferenceOrigin, Discovery, Identity, Presence, Reached, Target};
use crate::plan::Sampling;
use crate::process::Interrupted;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Pass};

use super::budget::go_on;
use super::reached::Executed;
use super::search::Search;

/// What the change can reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// What was executed, for each executable of the head side for which that is known.
    pub executed: Vec<Executed>,
    /// How many functions differ, each counted once.
    pub changed: usize,
    /// Why it is unknown, for the targets for which it is; one lower-case fragment per target.
    pub unknown: Vec<String>,
    /// The targets of which some benchmarks start or load code of the build that differs: what that code executes
    /// is unknown.
    pub elsewhere: Vec<String>,
    /// What ended the search early, if anything.
    pub ended: Option<Interrupted>,
}

/// Finds out, target by target, which benchmarks can be affected, and enters it in `discovery`. After `end` no
/// further target is begun, and the rest stays unknown. `watched` are the addresses of functions, by executable of
/// the head side: whether any benchmark executes them is found out on the way.
pub fn find_reach(
    sampling: &Sampling,
    changes: &Changes<'_>,
    watched: &BTreeMap<PathBuf, Vec<Vec<u64>>>,
    discovery: &mut Discovery,
    end: Option<Instant>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Reach {
    let started = Instant::now();
    // Nothing can be learnt about what cannot be run.
    let concerned = |target: &Target| {
        let mut benchmarks = target.benchmarks.iter();
        matches!(
            target.identity,
            Identity::Different(_) | Identity::SameCode(_)
        ) && benchmarks.any(|benchmark| benchmark.failure.is_none())
    };
    let benchmarks = discovery.targets.iter().filter(|target| concerned(target));
    (events)(Event::PassStarted {
        pass: Pass::Reach,
        benchmarks: benchmarks.map(|target| target.benchmarks.len()).sum(),
        rounds: 1,
    });
    let mut reach = Reach::default();
    let mut changed = BTreeSet::new();
    for target in discovery
        .targets
        .iter_mut()
        .filter(|target| concerned(target))
    {
        let name = format!("{} {}", target.package, target.target);
        if let Err(interrupted) = go_on(end) {
            reach.unknown.push(format!("{name}: {interrupted}"));
            reach.ended = Some(interrupted);
            continue;
        }
        let found = match changes.of(target) {
            Ok(differing) if target.choice() == Choice::All => {
                changed.extend(differing.functions.into_iter().map(|one| one.name));
                Err("its executable ignores filters and runs all benchmarks".to_owned())
            }
            Ok(differing) => {
                changed.extend(differing.functions.iter().map(|one| one.name.clone()));
                let head = target.executables.head.as_ref();
                let watched = head.and_then(|executable| watched.get(&executable.path));
                let watched = watched.map_or(&[][..], Vec::as_slice);
                let search = Search::new(sampling, target, &differing, watched, scratch, events);
                search.run().unwrap_or_else(|interrupted| {
                    reach.ended = Some(interrupted);
                    Err(interrupted.to_string())
                })
            }
            Err(unclear) => Err(unclear.to_string()),
        };
        match found {
            Ok(found) => {
                for benchmark in &mut target.benchmarks {
                    benchmark.reached = found.of(benchmark);
                }
                let touched = found.touched.iter().map(|path| path.as_path());
                if let Identity::SameCode(outside) = &mut target.identity
                    && changes.origin(touched) == DifferenceOrigin::Checkouts
                {
                    outside.origin = DifferenceOrigin::Checkouts;
                }
                reach.executed.extend(found.executed);
                if found.touched.iter().any(|path| changes.is_code(path)) {
                    reach.elsewhere.push(name);
                }
                settle(target);
            }
            Err(reason) => reach.unknown.push(format!("{name}: {reason}")),
        }
    }
    reach.changed = changed.len();
    (events)(Event::PassFinished {
        pass: Pass::Reach,
        took: started.elapsed(),
    });
    reach
}

/// The same code that accesses nothing that differs is the same in every respect.
fn settle(target: &mut Target) {
    let mut common = target.benchmarks.iter();
    let same_code = matches!(target.identity, Identity::SameCode(_));
    if same_code && common.all(|one| one.presence == Presence::Common && one.reached == Reached::No)
    {
        target.identity = Identity::Identical;
    }
}
