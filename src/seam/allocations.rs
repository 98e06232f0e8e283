//! Exact counts of what the timed regions of unmodified benchmarks do on the heap.
//!
//! The seam with the other build of the probe: it snapshots its counters where the clock is read, so
//! that Criterion's own work and the setup of `iter_batched` are not counted. Never used while
//! timing.
//!
//! ```text
//! let mut seam = AllocationSeam::prepare(run_dir, executables)?;
//! // spawn `side` with seam.env(side), shake hands
//! seam.attached(side, pid)?;
//! seam.observe()?; // before each benchmark; the sides may run at the same time
//! // … at MeasurementComplete:
//! seam.coverage(side, pid)?; // can they be trusted?
//! let records = seam.take_log(side, &reported.times)?; // Err(disagreement): do not trust them
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::channel::Room;
use super::hooks::Hooks;
use super::libraries::Libraries;
use super::stacks::{AddressStacks, Tracing};
use super::symbols::ProbeSymbols;
use super::warm_up::{Enough, Pace, WarmUp};
use super::{
    ALLOCATION_PROBE, Disagreement, ProbeBuild, ProbedSubject, Reconciliation, SampleRecord, Seam,
    SeamError, Settings, layout, reconcile,
};
use crate::units::{Paired, Side};

/// The most distinct call stacks per benchmark; requests from further ones are counted as lost.
const STACKS: usize = 4096;

/// The most distinct statements per program; further ones are counted, but not told apart.
const STATEMENTS: usize = 1024;

/// Buckets of [`AllocationRecord::histogram`].
pub const HISTOGRAM_BUCKETS: usize = layout::HISTOGRAM_WORDS;

/// What all timed regions of one sample did on the heap, in all threads together. Divide by the
/// sample's iterations for figures of one iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRecord {
    /// When the sample was taken, and how long it took (not a measurement: counting takes time).
    pub sample: SampleRecord,
    /// Allocations that succeeded.
    pub allocations: u64,
    /// Reallocations that succeeded, in place or not.
    pub reallocations: u64,
    /// Frees. With batches, Criterion itself frees the inputs' vector within each region.
    pub frees: u64,
    /// Bytes requested: sizes of allocations, and new sizes of reallocations.
    pub bytes: u64,
    /// The most live bytes above those live at the start of the region: the highest of all regions.
    /// Blocks count with their requested size.
    pub peak_bytes: u64,
    /// Live bytes at the end of the regions less those at their start: what the routine has kept (its
    /// outputs with `iter_batched`, or a leak); negative if it freed what its setup made.
    pub growth_bytes: i64,
    /// Live bytes at the end of the sample less those at its start, set-up and dropped outputs included: what stays
    /// allocated for good.
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
    pub(super) seam: Seam,
    pub(super) symbols: Paired<ProbeSymbols>,
    executables: Paired<PathBuf>,
    libraries: Libraries,
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
        AllocationSeam::of(run_dir, executables, ProbedSubject::Benchmarks)
    }

    /// The same for programs that are counted as a whole.
    ///
    /// # Errors
    /// As [`AllocationSeam::prepare`].
    pub fn of_programs(
        run_dir: &Path,
        executables: Paired<&Path>,
    ) -> Result<AllocationSeam, SeamError> {
        AllocationSeam::of(run_dir, executables, ProbedSubject::Program)
    }

    fn of(
        run_dir: &Path,
        executables: Paired<&Path>,
        subject: ProbedSubject,
    ) -> Result<AllocationSeam, SeamError> {
        let kind = ProbeBuild {
            probe: ALLOCATION_PROBE,
            room: Room {
                record_words: layout::ALLOCATION_WORDS,
                stacks: STACKS,
                statements: match subject {
                    ProbedSubject::Benchmarks => 0,
                    ProbedSubject::Program => STATEMENTS,
                },
            },
            subject,
        };
        let (seam, symbols) = Seam::of_kind(run_dir, executables, &Settings::default(), kind)?;
        Ok(AllocationSeam {
            seam,
            symbols,
            executables: Paired::new(
                fs_err::canonicalize(executables.base)?,
                fs_err::canonicalize(executables.head)?,
            ),
            libraries: Libraries::default(),
        })
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

    /// Whether the counts of the process `pid` of `side`, which is held, can be trusted. Ask after a benchmark:
    /// what its allocator does must have been seen.
    ///
    /// # Errors
    /// If the shared file, or what the process has mapped, cannot be read.
    pub fn coverage(&mut self, side: Side, pid: u32) -> Result<Coverage, SeamError> {
        let maps = fs_err::read_to_string(format!("/proc/{pid}/maps"))?;
        let probe = fs_err::canonicalize(self.seam.library.path())?;
        let own = [self.executables.get(side).as_path(), &probe];
        let strangers = self.libraries.bring_an_allocator(&maps, &own);
        let channel = self.seam.channels.get(side);
        let seen = AllocatorView {
            state: channel.get(layout::SHIM_STATE)?,
            reached: channel.get(layout::REACHED)?,
            passed_on: channel.get(layout::PASSED_ON)?,
            kept: channel.get(layout::KEPT)?,
            sizes_lost: channel.get(layout::SIZES_LOST)?,
            children: channel.get(layout::CHILDREN)?,
            strangers,
        };
        Ok(coverage(&seen, &self.symbols.get(side).hooks))
    }

    /// Begins a benchmark on both sides. No side runs meanwhile.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn observe(&mut self) -> Result<(), SeamError> {
        self.trace(Tracing::NONE)
    }

    /// The same, and also records call stacks.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn trace(&mut self, tracing: Tracing) -> Result<(), SeamError> {
        for side in Side::BOTH {
            let channel = self.seam.channels.get(side);
            channel.set(layout::TRACE_STRIDE, tracing.stride)?;
            channel.set(layout::TRACE_LIMIT, tracing.limit)?;
        }
        self.seam.observe()
    }

    /// Begins to count a whole process of `side`, which has not been started. With `tracing` it records the call stacks
    /// of such requests, and those of statements.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn begin_program(&mut self, side: Side, tracing: Option<Tracing>) -> Result<(), SeamError> {
        let channel = self.seam.channels.get(side);
        channel.set(layout::TRACE_STATEMENTS, u64::from(tracing.is_some()))?;
        let tracing = tracing.unwrap_or(Tracing::NONE);
        channel.set(layout::TRACE_STRIDE, tracing.stride)?;
        channel.set(layout::TRACE_LIMIT, tracing.limit)?;
        channel.set(layout::COUNT_FROM_START, 1)?;
        self.seam.generation += 1;
        let generation = self.seam.generation;
        self.seam.start_side(side, layout::MODE_OFF, generation)
    }

    /// What the process of `side` did, once it stands still at its end; `None` before.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn take_program(&self, side: Side) -> Result<Option<AllocationRecord>, SeamError> {
        let channel = self.seam.channels.get(side);
        if channel.get(layout::PHASE)? != layout::PHASE_ENOUGH {
            return Ok(None);
        }
        let log = channel.log()?;
        Ok(log.first().map(|words| AllocationRecord::of(words)))
    }

    /// As [`Seam::bound`].
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn end_warm_up(
        &self,
        side: Side,
        warm_up: WarmUp,
        enough: Option<Enough>,
    ) -> Result<Pace, SeamError> {
        self.seam.bound(side, warm_up, enough)
    }

    /// As [`Seam::cut_times`].
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn cut_times(&self, side: Side) -> Result<Vec<f64>, SeamError> {
        self.seam.cut_times(side)
    }

    /// The stacks of the process `pid` of `side` since the benchmark began. The process is held: once
    /// it has ended, its addresses have no meaning.
    ///
    /// # Errors
    /// If the shared file, or what the process has mapped, cannot be read.
    pub fn take_stacks(&self, side: Side, pid: u32) -> Result<AddressStacks, SeamError> {
        let channel = self.seam.channels.get(side);
        let lost = channel.get(layout::TRACE_LOST)?;
        let mut stacks = channel.stacks()?;
        stacks.retain(|stack| stack[layout::TRACE_STATEMENT] == 0);
        Ok(AddressStacks::of(
            &stacks,
            lost,
            &fs_err::read_to_string(format!("/proc/{pid}/maps"))?,
            &fs_err::canonicalize(self.seam.library.path())?,
        ))
    }

    /// The counts of the reported samples of `side`, in order; `Ok(Err(…))` if the log does not agree
    /// with the reported times (in nanoseconds), so it is unknown what the counts belong to. The side
    /// is held or gone.
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

/// What the probe has seen of an allocator.
struct AllocatorView {
    state: u64,
    reached: u64,
    passed_on: u64,
    kept: u64,
    sizes_lost: u64,
    children: u64,
    strangers: bool,
}

/// The fewest requests that reach the C library if Rust's allocator is the system's: Criterion alone makes more
/// before its first sample.
const FEWEST_REQUESTS: u64 = 100;

fn coverage(seen: &AllocatorView, hooks: &Hooks) -> Coverage {
    let none = |reason| Coverage::None { reason };
    let redirected = match (hooks, seen.state) {
        (_, layout::SHIM_DEAF) => Some(none(
            "the process has no memory or no thread-specific key left for counting",
        )),
        (Hooks::None | Hooks::Unknown, _) | (_, layout::SHIM_HOOKED) => None,
        (_, layout::SHIM_REFUSED) => Some(none(
            "the system did not let perfcheck redirect the calls of the program's own allocator",
        )),
        _ => Some(none(
            "the calls of the program's own allocator have an unknown form",
        )),
    };
    let judged = match hooks {
        Hooks::Wrapper(_) if seen.kept > 0 => Some(none(
            "the program's own allocator keeps blocks of its own, and the compiler inlines its calls",
        )),
        Hooks::Wrapper(_) if seen.passed_on == 0 => Some(none(
            "what the program's own allocator does could not be determined",
        )),
        Hooks::Unknown if seen.reached < FEWEST_REQUESTS => Some(none(
            "link-time optimisation has inlined the calls of the program's own allocator",
        )),
        Hooks::Unknown => Some(Coverage::Partial {
            reason: "link-time optimisation hides which allocator the program names: what reaches the C \
                     library is counted",
        }),
        _ => None,
    };
    let strangers = seen.strangers.then_some(Coverage::Partial {
        reason: "a library that it has loaded brings an allocator of its own, whose blocks are not counted",
    });
    let children = (seen.children > 0).then_some(Coverage::Partial {
        reason: "it starts processes of its own, and what those allocate is not counted",
    });
    let sizes = (seen.sizes_lost > 0).then_some(Coverage::Partial {
        reason: "the sizes of some blocks are not known: peak and what stays allocated are not exact",
    });
    redirected
        .or(judged)
        .or(strangers)
        .or(children)
        .or(sizes)
        .unwrap_or(Coverage::Complete)
}
