//! What was counted of a benchmark.

use crate::discover::BenchmarkKey;
use crate::seam::{AllocationRecord, Tracing};
use crate::units::{Paired, Side};

use super::traced::Traced;

/// Stacks of a sample at most: a stack takes some ten microseconds.
const MOST_STACKS: u64 = 4000;

/// Stacks of a sample with which one is content, if they are those of whole iterations.
const ENOUGH_STACKS: u64 = 500;

/// What was counted of one benchmark.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// What each side's processes did, in order; none where a side was not counted.
    pub processes: Paired<Vec<CountedProcess>>,
    /// Where each side asks for memory; looked at only where the sides differ.
    pub traced: Paired<Option<Traced>>,
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

    /// Whether the sides are not known to do the same, so that it is worth asking where they do it.
    pub(super) fn differs(&self) -> bool {
        let counted = |side: Side| !self.processes.get(side).is_empty();
        let exact = Paired::from_fn(|side| self.exact(side));
        counted(Side::Base)
            && counted(Side::Head)
            && (exact.base.is_none() || exact.base != exact.head)
    }

    /// Which requests of `side` are to have their stack looked at; `None` where there are none.
    pub(super) fn tracing(&self, side: Side) -> Option<Tracing> {
        if let Some(exact) = self.exact(side) {
            let requests = exact.allocations + exact.reallocations;
            return (requests > 0).then(|| Tracing {
                stride: requests.div_ceil(MOST_STACKS),
                limit: requests * (ENOUGH_STACKS / requests).max(1),
            });
        }
        let processes = self.processes.get(side).iter();
        let samples = processes.flat_map(|process| &process.samples);
        let requests = samples.map(|s| s.record.allocations + s.record.reallocations);
        let most = requests.max().filter(|most| *most > 0)?;
        Some(Tracing {
            stride: most.div_ceil(MOST_STACKS),
            limit: u64::MAX,
        })
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
