//! What was counted of a benchmark.

use crate::seam::{AllocationRecord, Tracing};
use crate::units::{BenchmarkKey, Paired, Side};

use super::traced::Traced;

/// The most stacks per sample: a stack takes some ten microseconds.
const MOST_STACKS: u64 = 4000;

/// Enough stacks per sample, if they are those of whole iterations.
const ENOUGH_STACKS: u64 = 500;

/// Processes per side: differences between processes must show.
pub(crate) const PROCESSES: usize = 2;

/// The fewest processes per side for a benchmark whose counts vary: with fewer, a test finds next to nothing.
pub(crate) const PROCESSES_IF_VARYING: usize = 6;

/// What was counted of one benchmark.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// What each side's processes did, in order; empty if a side was not counted.
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

/// What one iteration did, if every iteration did the same.
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

    /// With batches, Criterion frees the vector of inputs within each timed region, which the routine
    /// is not responsible for. A batch of one has no such vector.
    fn frees_of_routine(&self) -> Option<u64> {
        let batches = self.record.sample.regions;
        (batches < self.iterations)
            .then(|| self.record.frees.checked_sub(batches))
            .flatten()
    }
}

/// One figure of an iteration, as one process shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// The same whole number in every sample.
    Exact(f64),
    /// A mean: it varies from sample to sample.
    Mean(f64),
    /// It cannot be told.
    Unknown,
}

/// What one process shows of an iteration, figure by figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Allocations.
    pub allocations: Figure,
    /// Reallocations.
    pub reallocations: Figure,
    /// Bytes asked for.
    pub bytes: Figure,
    /// The most live bytes above those at the start.
    pub peak: Figure,
    /// Bytes that are left behind for good.
    pub retained: Figure,
}

impl CountedProcess {
    /// What it shows of an iteration.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let samples: Vec<&CountedSample> = self.samples.iter().collect();
        let known = |exact: Option<f64>| exact.map_or(Figure::Unknown, Figure::Exact);
        Figures {
            allocations: figure(&samples, |s| s.record.allocations),
            reallocations: figure(&samples, |s| s.record.reallocations),
            bytes: figure(&samples, |s| s.record.bytes),
            peak: known(peak(&samples).agreed.map(|bytes| bytes as f64)),
            retained: known(retained(&samples).map(|bytes| bytes as f64)),
        }
    }
}

fn figure(samples: &[&CountedSample], sum: fn(&CountedSample) -> u64) -> Figure {
    let each = |sample: &&CountedSample| {
        let whole = sum(sample).is_multiple_of(sample.iterations);
        whole.then(|| sum(sample) / sample.iterations)
    };
    let Some(first) = samples.first() else {
        return Figure::Unknown;
    };
    match each(first) {
        Some(exact) if samples.iter().all(|sample| each(sample) == Some(exact)) => {
            Figure::Exact(exact as f64)
        }
        _ => {
            let all: u64 = samples.iter().map(|sample| sum(sample)).sum();
            let iterations: u64 = samples.iter().map(|sample| sample.iterations).sum();
            Figure::Mean(all as f64 / iterations.max(1) as f64)
        }
    }
}

/// The peak of a single iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// Where every sample agrees on it.
    pub agreed: Option<u64>,
    /// What to show anyway.
    pub shown: u64,
}

/// The peak of a single iteration in these samples.
///
/// What iterations leave behind adds up within a region, and how many iterations a region has
/// depends on the time they take. Unless that is subtracted, the sides could seem to differ when
/// they do not.
#[must_use]
pub fn peak(samples: &[&CountedSample]) -> Peak {
    let per_region = |sample: &CountedSample| {
        sample
            .iterations
            .div_ceil(sample.record.sample.regions.max(1))
    };
    let single = |sample: &CountedSample| {
        let growth = u64::try_from(sample.record.growth_bytes).unwrap_or(0);
        let left_before = growth / sample.iterations * (per_region(sample) - 1);
        sample.record.peak_bytes.saturating_sub(left_before)
    };
    let shown = samples.iter().map(|s| single(s)).max().unwrap_or(0);
    let agreed = samples.iter().all(|sample| single(sample) == shown);
    // The outputs of a batch are kept together with a vector that Criterion frees within the region:
    // their sum is unknown, and shows as a peak that grows with the batch. Equal batches would hide
    // it.
    let tellable = |sample: &CountedSample| {
        sample.record.sample.regions == 1
            || per_region(sample) == 1
            || samples
                .iter()
                .any(|other| per_region(other) != per_region(sample))
    };
    let known = agreed && samples.iter().all(|sample| tellable(sample));
    Peak {
        agreed: known.then_some(shown),
        shown,
    }
}

/// What one iteration leaves behind for good, where every sample agrees on it.
fn retained(samples: &[&CountedSample]) -> Option<i64> {
    let single = |sample: &CountedSample| {
        let iterations = i64::try_from(sample.iterations).ok()?;
        let left = sample.record.retained_bytes;
        (left % iterations == 0).then(|| left / iterations)
    };
    let first = single(samples.first()?)?;
    samples
        .iter()
        .all(|sample| single(sample) == Some(first))
        .then_some(first)
}

impl Counted {
    /// What each iteration of `side` did, if every sample of every process shows the same.
    #[must_use]
    pub fn exact(&self, side: Side) -> Option<Exact> {
        let processes = self.processes.get(side);
        let mut samples = processes.iter().flat_map(|process| &process.samples);
        let first = samples.next()?.exact()?;
        samples
            .all(|sample| sample.exact() == Some(first))
            .then_some(first)
    }

    /// Whether the sides may differ: then more processes are needed, and it is worth recording where they allocate.
    pub(crate) fn differs(&self) -> bool {
        let counted = |side: Side| !self.processes.get(side).is_empty();
        let varies = Side::BOTH
            .into_iter()
            .any(|side| self.exact(side).is_none());
        let mut figures = Side::BOTH
            .into_iter()
            .flat_map(|side| self.processes.get(side))
            .map(CountedProcess::figures);
        let first = figures.next();
        let differ = figures.any(|figures| Some(figures) != first);
        counted(Side::Base) && counted(Side::Head) && (varies || differ)
    }

    /// Whether more processes are needed, if a difference must be seen in `enough` per side to be
    /// believed: modes that processes fall into at random look like a difference in few of them.
    #[must_use]
    pub fn needs_more(&self, enough: usize) -> bool {
        let [base, head] = Side::BOTH.map(|side| self.processes.get(side).len());
        // A side that cannot be counted gets no more processes.
        let asked = base.max(head);
        asked < PROCESSES
            || (self.differs() && asked < enough)
            || (self.varies() && asked < enough.max(PROCESSES_IF_VARYING))
    }

    /// Which requests of `side` are to have their stack recorded; `None` if there are none.
    pub(crate) fn tracing(&self, side: Side) -> Option<Tracing> {
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

    pub(crate) fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| note == text) {
            self.notes.push(text.to_owned());
        }
    }
}
