//! The clock seam (a point where perfcheck steps in without changing the program): it alternates the samples of
//! both sides, and logs what was timed when.
//!
//! A library (the probe, `probe/`) is preloaded into the benchmark process of each side and answers
//! its clock. At the first read of a sample it makes the process wait for its turn; the time is
//! taken after that, so waiting is never timed. Its log is compared with what Criterion reported
//! ([`reconcile()`]): the pairing was by sample only if every sample agrees.
//!
//! ```text
//! let seam = Seam::prepare(run_dir, Paired::new(&base_exe, &head_exe), &Settings::default())?;
//! // each round: spawn both sides with seam.env(side), shake hands, then
//! seam.attached(side, child.id())?;      // after the handshake: is the probe there?
//! seam.introduce(pids)?;                 // each leads a process group; the idle one is stopped
//! // each benchmark: while both sides are held (at the handshake, or at `Continue`)
//! seam.begin(first)?;                    // or seam.observe()? or seam.disable()?
//! // … release both; at the first MeasurementComplete, exit or time-out of `side`:
//! seam.alone(side.other())?;
//! // … at the second one:
//! match reconcile(&seam.take_log(side)?, &reported.times) { … }
//! ```
//!
//! No call blocks or waits. [`Seam::phase`] distinguishes a side that never gets its turn (its peer
//! hangs) from one that works.
//!
//! The kernel kills a benchmark process when the *thread* that spawned it ends, so that no benchmark
//! outlives its run: spawn from a thread that lives until the process was waited for.

mod allocations;
mod callgrind;
mod channel;
mod error;
mod hooks;
mod instructions;
#[path = "../../probe/src/layout.rs"]
#[allow(dead_code, reason = "some constants are for the probe alone")]
mod layout;
mod libraries;
mod marks;
mod profiles;
mod program_instructions;
mod prologue;
mod queries;
mod reconcile;
mod sample;
mod sqlite;
mod stacks;
mod standstill;
#[cfg(test)]
#[path = "../../probe/src/statement.rs"]
mod statement;
mod symbols;
mod trial;
mod warm_up;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use fs_err::File;
use tempfile::TempDir;

pub use allocations::{AllocationRecord, AllocationSeam, Coverage, HISTOGRAM_BUCKETS};
pub use callgrind::{CodeCosts, CodePlace, ExecutedCode, ExecutedFunction, ExecutedIterations};
pub use error::SeamError;
pub use instructions::{CalledInstructions, CountDetail, InstructionSeam, TakenCalls};
pub use marks::MarkSeam;
pub use profiles::{LoadedObject, ProfileClock, ProfileNumber, ProfileSeam, RawProfile, RawStack};
pub use program_instructions::ProgramInstructionSeam;
pub use queries::{
    MOST_STATEMENT_STACKS, ProgramQueries, QueriesSeen, StatementRuns, StatementStack,
};
pub use reconcile::{Disagreement, Reconciliation, reconcile};
pub use sample::SampleRecord;
pub use stacks::{AddressStack, AddressStacks, CodeAddress, Tracing};
pub use trial::{Trial, try_preloading, try_profiling};
pub use warm_up::{Enough, LastPlace, Pace, WarmUp, WarmedUp};

use crate::units::{Paired, Side};
use channel::{Channel, Room};
use symbols::{ProbeSymbols, ProbedSubject};

/// The probe, compressed (`build.rs`); empty where preloading is not supported. Like its siblings it is not a `const`,
/// which would put a copy of the library into each codegen unit that names it.
static TIMING_PROBE: &[u8] = include_bytes!(env!("EMBEDDED_TIMING_PROBE"));

/// The probe that counts allocations; empty where preloading is not supported.
static ALLOCATION_PROBE: &[u8] = include_bytes!(env!("EMBEDDED_ALLOCATION_PROBE"));

/// The probe that has instructions counted; empty where preloading is not supported.
static INSTRUCTION_PROBE: &[u8] = include_bytes!(env!("EMBEDDED_INSTRUCTION_PROBE"));

/// The probe that takes CPU profiles; empty where preloading is not supported.
static PROFILE_PROBE: &[u8] = include_bytes!(env!("EMBEDDED_PROFILE_PROBE"));

/// How the seam works. The default is right for measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The least time that a side keeps its turn, in whole samples. It is shorter than the noise of
    /// a shared machine, and longer than the cost of switching (measured: 1 ms is as good as any
    /// value up to 10 ms).
    pub slice: Duration,
    /// The share by which every timed region of a side is lengthened, 0 to 1: a planted change, for
    /// calibration.
    pub inject: Paired<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            slice: Duration::from_millis(1),
            inject: Paired::new(0.0, 0.0),
        }
    }
}

/// A build of the probe, and the size of its records.
struct ProbeBuild {
    probe: &'static [u8],
    room: Room,
    subject: ProbedSubject,
}

/// What a side is doing, as far as the probe knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It runs, or the benchmark has not begun, or it is held by the protocol.
    Running,
    /// It waits for its turn.
    Waiting,
}

/// The seam between the host and the benchmark processes of one pair of executables. It serves any
/// number of rounds, one pair of processes at a time.
#[derive(Debug)]
pub struct Seam {
    folder: TempDir,
    library: File,
    channels: Paired<Channel>,
    generation: u64,
}

impl Seam {
    /// Reads the symbols of both executables, and makes the files of the seam in a folder of its
    /// own in `run_dir`, which is removed when the seam is dropped.
    ///
    /// # Errors
    /// If pairing by sample is not possible: see [`SeamError`].
    pub fn prepare(
        run_dir: &Path,
        executables: Paired<&Path>,
        settings: &Settings,
    ) -> Result<Seam, SeamError> {
        let kind = ProbeBuild {
            probe: TIMING_PROBE,
            room: Room {
                record_words: layout::TIMING_WORDS,
                stacks: 0,
                statements: 0,
            },
            subject: ProbedSubject::Benchmarks,
        };
        Seam::of_kind(run_dir, executables, settings, kind).map(|(seam, _)| seam)
    }

    fn of_kind(
        run_dir: &Path,
        executables: Paired<&Path>,
        settings: &Settings,
        kind: ProbeBuild,
    ) -> Result<(Seam, Paired<ProbeSymbols>), SeamError> {
        if kind.probe.is_empty() {
            return Err(SeamError::Unsupported);
        }
        let folder = tempfile::Builder::new()
            .prefix("seam-")
            .tempdir_in(fs_err::canonicalize(run_dir)?)?;
        let library = unpack(kind.probe, folder.path())?;
        let channels = Paired::try_from_fn(|side| {
            let executable = fs_err::canonicalize(executables.get(side))?;
            let symbols = ProbeSymbols::read(&executable, kind.subject)?;
            let channel = Channel::create(folder.path(), side, &executable, &symbols, kind.room)?;
            configure(&channel, settings, side)?;
            Ok::<_, SeamError>((channel, symbols))
        })?;
        let (base, head) = (channels.base, channels.head);
        let seam = Seam {
            folder,
            library,
            channels: Paired::new(base.0, head.0),
            generation: 0,
        };
        Ok((seam, Paired::new(base.1, head.1)))
    }

    /// The environment variables for starting the process of `side`; their lengths are equal on
    /// both sides. The probe removes them again before `main`. Libraries that our own environment
    /// preloads are kept.
    #[must_use]
    pub fn env(&self, side: Side) -> Vec<(OsString, OsString)> {
        variables(layout::VARIABLE, self.folder.path(), side, &[&self.library])
    }

    /// Whether the probe is at work in the process `pid` of `side`. It decides before `main`, so
    /// once the process has shaken hands the answer is final.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn attached(&self, side: Side, pid: u32) -> Result<bool, SeamError> {
        let attached = self.channels.get(side).get(layout::ATTACHED_PID)?;
        Ok(attached == u64::from(pid))
    }

    /// Begins a benchmark, paired by sample; `first` runs the first sample. Both sides are held.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn begin(&mut self, first: Side) -> Result<(), SeamError> {
        self.start(layout::MODE_PAIRED)?;
        Ok(self.channels.get(first).tell(layout::TOKEN)?)
    }

    /// Begins a benchmark whose samples are logged (and lengthened, if so set), without turns.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn observe(&mut self) -> Result<(), SeamError> {
        self.start(layout::MODE_OBSERVE)
    }

    /// Begins a benchmark in which the seam does nothing at all.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn disable(&mut self) -> Result<(), SeamError> {
        self.start(layout::MODE_OFF)
    }

    /// Tells `side` that its peer is done or has ended: it continues without turns until the next
    /// benchmark begins. Safe at any time, even if the side itself has ended.
    ///
    /// # Errors
    /// If the FIFO cannot be written.
    pub fn alone(&self, side: Side) -> Result<(), SeamError> {
        Ok(self.channels.get(side).tell(layout::ALONE)?)
    }

    /// What `side` is doing.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn phase(&self, side: Side) -> Result<Phase, SeamError> {
        let phase = self.channels.get(side).get(layout::PHASE)?;
        Ok(if phase == layout::PHASE_WAITING {
            Phase::Waiting
        } else {
            Phase::Running
        })
    }

    /// How often `side` was given the turn since the benchmark began: as long as it grows, the sides
    /// alternate and neither hangs.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn turns(&self, side: Side) -> Result<u64, SeamError> {
        Ok(self.channels.get(side).get(layout::TURNS)?)
    }

    /// The number of the last sample of `side`, counting from one and including the warm-up, in whose timed regions
    /// the clock was read by something that the probe could not identify as Criterion. The probe's own work for
    /// such a read was timed, too. Zero if there was none.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn samples_with_foreign_reads(&self, side: Side) -> Result<u64, SeamError> {
        Ok(self.channels.get(side).get(layout::FOREIGN_WITHIN)?)
    }

    /// The samples of `side` since the benchmark began, oldest first, the warm-up's included. Empty
    /// if there were more than the log can hold, or none. The side is held or gone.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn take_log(&self, side: Side) -> Result<Vec<SampleRecord>, SeamError> {
        let records = self.channels.get(side).log()?;
        Ok(records
            .iter()
            .map(|words| SampleRecord::of(words))
            .collect())
    }

    fn start(&mut self, mode: u64) -> Result<(), SeamError> {
        self.generation += 1;
        for side in Side::BOTH {
            self.start_side(side, mode, self.generation)?;
        }
        Ok(())
    }

    fn start_side(&self, side: Side, mode: u64, generation: u64) -> Result<(), SeamError> {
        let channel = self.channels.get(side);
        channel.drain()?;
        for field in [
            layout::LOG_COUNT,
            layout::FOREIGN_READS,
            layout::FOREIGN_WITHIN,
            layout::TURNS,
            layout::STOPS,
            layout::UNSTOPPED,
            layout::ENOUGH_SAMPLES,
            layout::ENOUGH_SLOW_NS,
            layout::ENOUGH_CALLS,
            layout::ENOUGH_TIMED_NS,
            layout::WARM_UP_CALLS,
            layout::WARM_UP_ENDED,
            layout::WARM_UP_DOUBTED,
            layout::SHOWN_PLACE,
            layout::COUNTED_CALLS,
        ] {
            channel.set(field, 0)?;
        }
        channel.set(layout::PHASE, layout::PHASE_RUNNING)?;
        channel.set(layout::MODE, mode)?;
        Ok(channel.set(layout::GENERATION, generation)?)
    }
}

/// Writes a compressed probe into a folder. The file stays open, so that the loader can get its descriptor.
fn unpack(probe: &[u8], folder: &Path) -> std::io::Result<File> {
    let path = folder.join("probe.so");
    std::io::copy(&mut GzDecoder::new(probe), &mut File::create(&path)?)?;
    File::open(path)
}

/// The variables that preload `libraries` into the process of `side`. The variable `name` tells one of them where
/// the files of its seam are.
fn variables(
    name: &str,
    folder: &Path,
    side: Side,
    libraries: &[&File],
) -> Vec<(OsString, OsString)> {
    let host = std::process::id();
    let mut own = OsString::new();
    // Writing to an `OsString` cannot fail.
    let _ = write!(own, "{host}:");
    own.push(folder.join(side.name()));
    vec![
        (name.into(), own),
        ("LD_PRELOAD".into(), preload_list(libraries)),
    ]
}

/// `libraries`, and those that our own environment preloads.
fn preload_list(libraries: &[&File]) -> OsString {
    let own = libraries.iter().map(|library| {
        let path = library.path().as_os_str();
        match channel::fits_preload_list(path) {
            true => path.to_owned(),
            false => format!("/proc/{}/fd/{}", std::process::id(), library.as_raw_fd()).into(),
        }
    });
    let others = std::env::var_os("LD_PRELOAD").filter(|list| !list.is_empty());
    let all: Vec<OsString> = own.chain(others).collect();
    all.join(OsStr::new(":"))
}

fn configure(channel: &Channel, settings: &Settings, side: Side) -> Result<(), SeamError> {
    let share = *settings.inject.get(side);
    if !(0.0..=1.0).contains(&share) {
        return Err(SeamError::Share { share });
    }
    let slice = u64::try_from(settings.slice.as_nanos()).unwrap_or(u64::MAX);
    channel.set(layout::SLICE_NS, slice)?;
    channel.set(layout::INJECT_PPM, (share * 1e6).round() as u64)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests;
