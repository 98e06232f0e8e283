//! From what was typed to what will be done: [`Args`] is the former, [`Plan`] the latter.

mod args;
mod range;

use std::path::PathBuf;
use std::time::Duration;

use crate::units::Ratio;

pub use args::{Args, Command, CompareArgs};
pub use range::RangeSpec;

/// Everything decided; no option left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The manifest of the workspace (or package) to compare; absolute.
    pub manifest_path: PathBuf,
    /// Which two revisions.
    pub range: RangeSpec,
    /// What cargo is asked to build.
    pub selection: Selection,
    /// Only benchmarks whose id matches this regular expression.
    pub filter: Option<String>,
    /// How measuring is done.
    pub sampling: Sampling,
    /// When a difference counts.
    pub thresholds: Thresholds,
    /// Where reports go, in order.
    pub outputs: Vec<Output>,
    /// Whether the vote `modify` fails the run, too.
    pub deny_modify: bool,
    /// Whether the two checkouts and builds stay after the run.
    pub keep: bool,
    /// How much is told on stderr.
    pub verbosity: Verbosity,
    /// The words after the program's name, for the report's "how to reproduce".
    pub command_line: Vec<String>,
}

/// Cargo's selection flags; they mean what they mean to cargo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// `-p`.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--bench`; empty means all.
    pub benches: Vec<String>,
    /// `--features`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--profile`; `None` is cargo's own `bench`.
    pub profile: Option<String>,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
    /// `--frozen`.
    pub frozen: bool,
    /// `--target-dir`: where builds are kept instead of the user's cache folder.
    pub target_dir: Option<PathBuf>,
}

/// How samples are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairingRequest {
    /// By sample where that works, else by benchmark.
    Auto,
    /// Always by benchmark.
    Benchmark,
}

/// Which processors benchmark processes may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// One processor for both sides, unless the benchmark is multi-threaded.
    Auto,
    /// No pinning.
    Off,
    /// This processor.
    Cpu(usize),
}

/// How measuring is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// The seed of every random choice.
    pub seed: u64,
    /// At most this many rounds a benchmark (each a fresh pair of processes).
    pub rounds: usize,
    /// Timed work a side and benchmark after which it is given up as inconclusive.
    pub time: Duration,
    /// Criterion's `--warm-up-time` within a round.
    pub warm_up: Duration,
    /// Criterion's `--measurement-time` within a round.
    pub measurement: Duration,
    /// Criterion's `--sample-size` within a round.
    pub sample_size: usize,
    /// How long a benchmark may be silent before it counts as hung.
    pub timeout: Duration,
    /// How samples are paired.
    pub pairing: PairingRequest,
    /// Which processors.
    pub pinning: Pinning,
    /// Whether the allocation pass is run.
    pub allocations: bool,
    /// Identical executables are measured all the same (calibration).
    pub measure_identical: bool,
    /// The probe lengthens the head side's samples by this share (calibration).
    pub inject: Option<Ratio>,
}

/// When a difference counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The practical threshold δ as a ratio, for example 1.01.
    pub practical: Ratio,
    /// The simultaneous confidence level of the whole report, for example 0.95.
    pub confidence: f64,
}

/// One report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// Where to; `None` is stdout.
    pub path: Option<PathBuf>,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// A table for the terminal.
    Text,
    /// GitHub-flavoured markdown.
    Markdown,
    /// The JSON report of `schemas/report.v1.json`.
    Json,
}

/// How much is told on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Progress.
    Normal,
    /// Progress and what every tool says.
    Verbose,
}
