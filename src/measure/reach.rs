//! Which benchmarks execute what has changed, found out before anything is timed.
//!
//! Each side runs its benchmarks in short processes with a breakpoint on every function that
//! differs. What a process executes before its first benchmark counts for all of them: a set-up that
//! has changed may prepare other data. So does what a benchmark has executed once and others find
//! done (a table that is made when first used). Hence a benchmark counts as unreached only once a
//! process of its own side, with no other than such benchmarks, has run all of them from start to
//! end and executed no differing function at all. Whatever goes wrong, they are timed.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::discover::{Changes, Discovery, Identity, Target};
use crate::plan::Sampling;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Pass};

use super::MeasureError;
use super::search::{Differing, Search};

/// What the change can reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// The differing functions that some benchmark has executed. One of a library can be among those
    /// of several executables, and an instance of a generic one beside others of it.
    pub covered: Vec<Differing>,
    /// The differing functions that no benchmark of their own executable has executed, of targets where
    /// that is known.
    pub uncovered: Vec<Differing>,
    /// How many functions differ, each counted once.
    pub changed: usize,
    /// Where it is not known, why; one lower-case fragment a target.
    pub unknown: Vec<String>,
}

/// Finds out, target by target, which benchmarks can be affected, and enters it in `discovery`.
///
/// # Errors
/// [`MeasureError::Interrupted`] when the user ends the run.
pub fn find_reach(
    sampling: &Sampling,
    changes: &Changes<'_>,
    discovery: &mut Discovery,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Reach, MeasureError> {
    let started = Instant::now();
    let concerned = |target: &Target| matches!(target.identity, Identity::Different(_));
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
        let found = match changes.of(target) {
            Ok(functions) => {
                changed.extend(functions.iter().map(|function| function.name.clone()));
                Search::new(sampling, target, &functions, scratch, events).run()?
            }
            Err(unclear) => Err(unclear.to_string()),
        };
        match found {
            Ok(found) => {
                for benchmark in &mut target.benchmarks {
                    benchmark.reached = found.of(benchmark);
                }
                reach.covered.extend(found.covered);
                reach.uncovered.extend(found.uncovered);
            }
            Err(reason) => reach.unknown.push(format!("{name}: {reason}")),
        }
    }
    reach.changed = changed.len();
    (events)(Event::PassFinished {
        pass: Pass::Reach,
        took: started.elapsed(),
    });
    Ok(reach)
}
