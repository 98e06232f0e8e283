//! The pass that counts allocations: after timing, never during it.
//!
//! Counts do not depend on what else the machine does, so nothing is paired here: each side runs by
//! itself, in two short processes. A benchmark whose processes disagree (a hash seed, a race between
//! threads) gets more of them, so that its sides can be compared with a test. Whatever goes wrong is
//! a note about the benchmark it happened to, and costs nobody else anything.

use std::time::Instant;

use crate::discover::{BenchmarkKey, Discovery, Identity, Presence, Target};
use crate::plan::Sampling;
use crate::scratch::Scratch;
use crate::seam::AllocationRecord;
use crate::units::{Event, EventSink, Paired, Pass, Side};

use super::MeasureError;
use super::counter::{Counter, PROCESSES};

/// What was counted of one benchmark.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// What each side's processes did, in order; none where a side was not counted.
    pub processes: Paired<Vec<CountedProcess>>,
    /// Why it could not be counted, or what the reader should know, as lower-case fragments.
    pub notes: Vec<String>,
}

/// What one process did in the samples of one benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedProcess {
    /// Its samples, in order; at least one.
    pub samples: Vec<CountedSample>,
}

/// What the timed regions of one sample did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedSample {
    /// Iterations of the sample; at least one.
    pub iterations: u64,
    /// What all of them did together.
    pub record: AllocationRecord,
}

/// What one iteration did, where every iteration did the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    /// Allocations.
    pub allocations: u64,
    /// Reallocations.
    pub reallocations: u64,
    /// Frees.
    pub frees: u64,
    /// Bytes asked for.
    pub bytes: u64,
}

impl CountedSample {
    /// What one iteration did; `None` where the sums cannot be whole multiples.
    #[must_use]
    pub fn exact(&self) -> Option<Exact> {
        let record = &self.record;
        let each = |sum: u64| {
            sum.is_multiple_of(self.iterations)
                .then(|| sum / self.iterations)
        };
        Some(Exact {
            allocations: each(record.allocations)?,
            reallocations: each(record.reallocations)?,
            frees: each(record.frees).or_else(|| each(self.frees_of_routine()?))?,
            bytes: each(record.bytes)?,
        })
    }

    /// With batches, Criterion frees the vector of inputs within each timed region: not the routine's
    /// doing. A batch of one has no such vector.
    fn frees_of_routine(&self) -> Option<u64> {
        let batches = self.record.sample.regions;
        (batches < self.iterations)
            .then(|| self.record.frees.checked_sub(batches))
            .flatten()
    }
}

impl Counted {
    /// What each iteration of `side` did, where every sample of every process says the same.
    #[must_use]
    pub fn exact(&self, side: Side) -> Option<Exact> {
        let processes = self.processes.get(side);
        let mut samples = processes.iter().flat_map(|process| &process.samples);
        let first = samples.next()?.exact()?;
        samples
            .all(|sample| sample.exact() == Some(first))
            .then_some(first)
    }

    pub(super) fn varies(&self) -> bool {
        Side::BOTH
            .into_iter()
            .any(|side| !self.processes.get(side).is_empty() && self.exact(side).is_none())
    }

    pub(super) fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| note == text) {
            self.notes.push(text.to_owned());
        }
    }
}

/// Counts what every benchmark allocates that is not in identical code.
///
/// # Errors
/// [`MeasureError::Interrupted`] when the user ends the run.
pub fn count_allocations(
    sampling: &Sampling,
    discovery: &Discovery,
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
            target,
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
    let identical = target.identity == Identity::Identical && !sampling.measure_identical;
    let benchmarks = target.benchmarks.iter();
    benchmarks
        .filter(|benchmark| benchmark.failure.is_none())
        .filter(|benchmark| !identical || benchmark.presence != Presence::Common)
        .map(|benchmark| Counted {
            key: benchmark.key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            notes: Vec::new(),
        })
        .collect()
}
