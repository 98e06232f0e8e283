//! The pass that counts allocations: after timing, never during it.
//!
//! Counts do not depend on what else the machine does, so nothing is paired here: each side runs by
//! itself, in two short processes. A benchmark whose processes disagree, be it within a side (a hash seed, a
//! race between threads) or between the sides, gets more of them: until chance cannot explain it any more,
//! or a test can tell. Whatever goes wrong is
//! a note about the benchmark it happened to, and costs nobody else anything.

use std::time::Instant;

use crate::discover::{Benchmark, Discovery, Presence, Target};
use crate::plan::Sampling;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Pass};

use super::MeasureError;
use super::counted::{Counted, PROCESSES};
use super::counter::Counter;
use super::traced::Sources;

/// Counts what every benchmark allocates that executes something that differs; in `enough` processes a side
/// where the sides do not do the same.
///
/// # Errors
/// [`MeasureError::Interrupted`] when the user ends the run.
pub fn count_allocations(
    sampling: &Sampling,
    enough: usize,
    discovery: &Discovery,
    sources: Paired<Sources<'_>>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<Counted>, MeasureError> {
    let started = Instant::now();
    let targets: Vec<(&Target, Vec<Counted>)> = discovery
        .targets
        .iter()
        .map(|target| (target, enter(sampling, target)))
        .filter(|(_, counted)| !counted.is_empty())
        .collect();
    (events)(Event::PassStarted {
        pass: Pass::Allocations,
        benchmarks: targets.iter().map(|(_, counted)| counted.len()).sum(),
        rounds: PROCESSES,
    });
    let mut all = Vec::new();
    for (target, mut counted) in targets {
        let counter = Counter {
            sampling,
            enough,
            target,
            sources,
            scratch,
            events,
        };
        counter.count(&mut counted)?;
        all.append(&mut counted);
    }
    (events)(Event::PassFinished {
        pass: Pass::Allocations,
        took: started.elapsed(),
    });
    Ok(all)
}

/// The benchmarks of a target that take part.
fn enter(sampling: &Sampling, target: &Target) -> Vec<Counted> {
    let differs =
        |benchmark: &Benchmark| sampling.measure_identical || target.may_differ(benchmark);
    let benchmarks = target.benchmarks.iter();
    benchmarks
        .filter(|benchmark| benchmark.failure.is_none())
        .filter(|benchmark| benchmark.presence != Presence::Common || differs(benchmark))
        .map(|benchmark| Counted {
            key: benchmark.key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            traced: Paired::new(None, None),
            notes: Vec::new(),
        })
        .collect()
}
