//! The pass that counts allocations: after timing, never during it.
//!
//! Counts do not depend on what else the machine does, so nothing is paired here: each side runs by itself, in two
//! short processes. A benchmark whose processes disagree, within a side (a hash seed, a race between threads) or
//! between the sides, gets more of them until chance can no longer explain the difference, or a test can decide. If
//! something goes wrong, it becomes a note about that benchmark, and does not affect the others.

use std::time::Instant;

use crate::discover::{Benchmark, Discovery, Presence, Target};
use crate::plan::Sampling;
use crate::process::Interrupted;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Pass};

use super::budget::go_on;
use super::counted::{Counted, PROCESSES};
use super::counter::{Counter, Counting};
use super::traced::Sources;

/// What counting came to.
#[derive(Debug)]
pub struct AllocationRun {
    /// Every benchmark of a target that was counted to its end.
    pub counted: Vec<Counted>,
    /// What ended the pass early, if anything.
    pub ended: Option<Interrupted>,
    /// How many benchmarks were to be counted.
    pub wanted: usize,
}

/// Counts the allocations of every benchmark that executes something that differs, in as many processes as
/// `counting` says.
pub fn count_allocations(
    sampling: &Sampling,
    counting: Counting<'_>,
    discovery: &Discovery,
    sources: Paired<Sources<'_>>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> AllocationRun {
    let started = Instant::now();
    let targets: Vec<(&Target, Vec<Counted>)> = discovery
        .targets
        .iter()
        .map(|target| (target, enter(sampling, target)))
        .filter(|(_, counted)| !counted.is_empty())
        .collect();
    let wanted = targets.iter().map(|(_, counted)| counted.len()).sum();
    (events)(Event::PassStarted {
        pass: Pass::Allocations,
        benchmarks: wanted,
        rounds: PROCESSES,
    });
    let mut run = AllocationRun {
        counted: Vec::new(),
        ended: None,
        wanted,
    };
    for (target, mut counted) in targets {
        let counter = Counter {
            sampling,
            counting,
            target,
            sources,
            scratch,
            events,
        };
        // Counts of only one side cannot be compared.
        let done = go_on(counting.end).and_then(|()| counter.count(&mut counted));
        if let Err(interrupted) = done {
            run.ended = Some(interrupted);
            break;
        }
        run.counted.append(&mut counted);
    }
    (events)(Event::PassFinished {
        pass: Pass::Allocations,
        took: started.elapsed(),
    });
    run
}

/// The benchmarks of a target in which something is counted.
pub(super) fn taking_part<'a>(
    sampling: &'a Sampling,
    target: &'a Target,
) -> impl Iterator<Item = &'a Benchmark> {
    let differs =
        |benchmark: &Benchmark| sampling.measure_identical || target.may_differ(benchmark);
    let benchmarks = target.benchmarks.iter();
    benchmarks
        .filter(|benchmark| benchmark.failure.is_none())
        .filter(move |benchmark| benchmark.presence != Presence::Common || differs(benchmark))
}

/// The benchmarks of a target that take part.
fn enter(sampling: &Sampling, target: &Target) -> Vec<Counted> {
    taking_part(sampling, target)
        .map(|benchmark| Counted {
            key: benchmark.key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            traced: Paired::new(None, None),
            notes: Vec::new(),
        })
        .collect()
}
