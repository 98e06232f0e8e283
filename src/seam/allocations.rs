//! Exact counts of what the timed regions of unmodified benchmarks do on the heap.
//!
//! The seam with the other build of the probe: it snapshots its counters where the clock is read, so
//! that Criterion's own work and the setup of `iter_batched` are not counted. Never used while
//! timing.
//!
//! ```text
//! let mut seam = AllocationSeam::prepare(run_dir, executables)?;
//! // spawn `side` with seam.env(side), shake hands
//! seam.attached(side, pid)? ; seam.coverage(side)?;
//! seam.observe()?; // before each benchmark; the sides may run at the same time
//! // … at MeasurementComplete:
//! let records = seam.take_log(side, &reported.times)?; // Err(disagreement): do not trust them
//! ```

use std::ffi::OsString;
use std::path::Path;

use super::symbols::{Allocator, Symbols};
use super::{
    ALLOCATION_PROBE, Disagreement, Kind, Reconciliation, SampleRecord, Seam, SeamError, Settings,
    layout, reconcile,
};
use crate::units::{Paired, Side};

/// Buckets of [`AllocationRecord::histogram`].
pub const HISTOGRAM_BUCKETS: usize = layout::HISTOGRAM_WORDS;

/// What all timed regions of one sample did on the heap, in all threads together. Divide by the
/// sample's iterations for figures of one iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRecord {
    /// When the sample was, and for how long (not a measurement: counting takes time).
    pub sample: SampleRecord,
    /// Allocations that succeeded.
    pub allocations: u64,
    /// Reallocations that succeeded, in place or not.
    pub reallocations: u64,
    /// Frees. With batches, Criterion itself frees the inputs' vector within each region.
    pub frees: u64,
    /// Bytes asked for: sizes of allocations, and new sizes of reallocations.
    pub bytes: u64,
    /// The most live bytes above those live at the start of the region: the highest of all regions.
    /// Rust's blocks count with the size asked for, C's with the size the allocator made of it.
    pub peak_bytes: u64,
    /// Live bytes at the end of the regions less those at their start: what the routine has kept (its
    /// outputs with `iter_batched`, or a leak), or less than zero if it freed what its setup made.
    pub growth_bytes: i64,
    /// Live bytes at the end of the sample less those at its start, set-up and dropped outputs included:
    /// what is left behind for good.
    pub retained_bytes: i64,
    /// The largest size asked for.
    pub largest_bytes: u64,
    /// Requests that were refused.
    pub failures: u64,
    /// Requests by size: bucket 0 for size 0, bucket b for sizes from 2^(b−1) to 2^b − 1.
    pub histogram: [u64; HISTOGRAM_BUCKETS],
}

impl AllocationRecord {
    fn of(words: &[u64]) -> AllocationRecord {
        let mut histogram = [0; HISTOGRAM_BUCKETS];
        histogram.copy_from_slice(&words[layout::RECORD_HISTOGRAM..layout::ALLOCATION_WORDS]);
        AllocationRecord {
            sample: SampleRecord::of(words),
            allocations: words[layout::RECORD_ALLOCATIONS],
            reallocations: words[layout::RECORD_REALLOCATIONS],
            frees: words[layout::RECORD_FREES],
            bytes: words[layout::RECORD_BYTES],
            peak_bytes: words[layout::RECORD_PEAK],
            growth_bytes: words[layout::RECORD_GROWTH].cast_signed(),
            retained_bytes: words[layout::RECORD_RETAINED].cast_signed(),
            largest_bytes: words[layout::RECORD_LARGEST],
            failures: words[layout::RECORD_FAILURES],
            histogram,
        }
    }
}

/// Whether the counts of a process can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every allocation of Rust and of C code is seen.
    Complete,
    /// Some are not.
    Partial {
        /// Which, as a lower-case fragment.
        reason: &'static str,
    },
    /// Counts would be wrong: show none.
    None {
        /// Why, as a lower-case fragment.
        reason: &'static str,
    },
}

/// The seam of the pass that counts allocations.
#[derive(Debug)]
pub struct AllocationSeam {
    seam: Seam,
    symbols: Paired<Symbols>,
}

impl AllocationSeam {
    /// As [`Seam::prepare`].
    ///
    /// # Errors
    /// Where the probe cannot be preloaded: see [`SeamError`].
    pub fn prepare(
        run_dir: &Path,
        executables: Paired<&Path>,
    ) -> Result<AllocationSeam, SeamError> {
        let kind = Kind {
            probe: ALLOCATION_PROBE,
            record_words: layout::ALLOCATION_WORDS,
        };
        let (seam, symbols) = Seam::of_kind(run_dir, executables, &Settings::default(), kind)?;
        Ok(AllocationSeam { seam, symbols })
    }

    /// As [`Seam::env`].
    #[must_use]
    pub fn env(&self, side: Side) -> Vec<(OsString, OsString)> {
        self.seam.env(side)
    }

    /// As [`Seam::attached`].
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn attached(&self, side: Side, pid: u32) -> Result<bool, SeamError> {
        self.seam.attached(side, pid)
    }

    /// What is counted in the process of `side`, once the probe is attached.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn coverage(&self, side: Side) -> Result<Coverage, SeamError> {
        let state = self.seam.channels.get(side).get(layout::SHIM_STATE)?;
        Ok(coverage(state, self.symbols.get(side)))
    }

    /// Begins a benchmark on both sides. No side runs meanwhile.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn observe(&mut self) -> Result<(), SeamError> {
        self.seam.observe()
    }

    /// The counts of the reported samples of `side`, in order; `Ok(Err(…))` if the log does not agree
    /// with the reported times (in nanoseconds), so that nobody knows what the counts belong to. The
    /// side is held or gone.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn take_log(
        &self,
        side: Side,
        reported_times: &[f64],
    ) -> Result<Result<Vec<AllocationRecord>, Disagreement>, SeamError> {
        let log = self.seam.channels.get(side).log()?;
        let mut records: Vec<_> = log
            .iter()
            .map(|words| AllocationRecord::of(words))
            .collect();
        let samples: Vec<SampleRecord> = records.iter().map(|record| record.sample).collect();
        Ok(match reconcile(&samples, reported_times) {
            Reconciliation::Agreed(reported) => {
                Ok(records.split_off(records.len() - reported.len()))
            }
            Reconciliation::Disagreed(why) => Err(why),
        })
    }
}

fn coverage(state: u64, symbols: &Symbols) -> Coverage {
    match (state, symbols.allocator) {
        // Seen with Rust 1.95: routines called mimalloc and jemalloc past the entry points.
        (_, Allocator::Inlinable) => Coverage::None {
            reason: "the compiler can inline the program's own allocator, and then its calls are \
                     not seen",
        },
        (layout::SHIM_HOOKED, _) if symbols.own_malloc => Coverage::Partial {
            reason: "the executable has a `malloc` of its own, so allocations of C code are not seen",
        },
        (layout::SHIM_HOOKED, _) => Coverage::Complete,
        _ if symbols.own_malloc => Coverage::None {
            reason: "the executable has a `malloc` of its own",
        },
        (_, Allocator::System) => Coverage::Complete,
        (layout::SHIM_NONE, Allocator::Unknown) => Coverage::None {
            reason: "the calls of the allocator were inlined (link-time optimisation)",
        },
        (layout::SHIM_REFUSED, _) => Coverage::None {
            reason: "the system did not allow to redirect the calls of the program's own allocator",
        },
        _ => Coverage::None {
            reason: "the calls of the program's own allocator have an unknown form",
        },
    }
}
