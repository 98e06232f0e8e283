//! From what was typed to what will be done: [`Args`] is the former, [`Plan`] the latter.

mod actions;
mod amount;
mod args;
mod backfill_args;
mod cache;
mod causes;
mod claim;
pub mod config;
mod default;
mod error;
mod exit;
mod format;
mod history_args;
mod limits;
mod load_args;
mod load_test;
mod located_history;
mod manifest;
mod mode;
mod options;
mod output;
mod partition;
mod range;
mod record_args;
mod request_rate;
mod resolve;
mod resolve_backfill;
mod resolve_load;
mod sampling_times;
mod service;
mod side_args;
mod sides;
mod size;
mod surroundings;
mod undone;
mod value;
mod workload;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{Charset, Ratio};

pub use actions::{Actions, Annotations};
pub use args::{Args, CalibrateArgs, Command, CompareArgs, DemoArgs, ReportArgs, near_command};
pub use backfill_args::BackfillArgs;
pub use cache::Cache;
pub use causes::CauseEvidence;
pub use claim::Claim;
pub use error::PlanError;
pub use exit::ExitStatus;
pub use format::Format;
pub use history_args::{
    HistoryAcceptArgs, HistoryArgs, HistoryCommand, HistoryExportArgs, HistoryExportFormat,
    HistoryImportArgs, HistoryOf, HistoryPruneArgs, HistoryRemoteArgs, TrendArgs, TrendFormat,
};
pub use limits::{LimitBy, LimitKind, LimitKinds, LimitsSettings};
pub use load_args::LoadArgs;
pub use load_test::{
    LoadTest, LoadTestSettings, NeighbourSettings, RampUpSettings, SoakSettings, SpikeSettings,
};

pub use located_history::LocatedHistory;
pub use options::{
    CompareOptions, Deny, JudgementArgs, OutputArgs, SamplingArgs, SelectionArgs, TerminalArgs,
};
pub use output::{Output, pair_up, plots_folder};
pub use partition::Partition;
pub use range::RangeSpec;
pub use record_args::{HistoryPlace, RecordArgs};
pub use request_rate::RequestRate;
pub use resolve_backfill::BackfillPlan;
pub use sampling_times::{ProfileTime, RoundLength};
pub use service::{IdleMode, ListenPlace, Readiness, RestartMode, Service, ServiceRequest};
pub use side_args::{
    CiSystem, CleanArgs, CompletionsArgs, ConfigArgs, DoctorArgs, DoctorFormat, GuardianArgs,
    HookArgs, HookCommand, HookInstallArgs, HookRunArgs, InitArgs, ManArgs,
};
pub use sides::{Carry, Renaming, SidesArgs};
pub use size::Size;
pub use surroundings::Environment;
pub use undone::UndoneSwitches;
pub use value::{Confidence, IdFilter, Share, Span};
pub use workload::{
    BenchmarkNeed, ProgramName, Template, TemplatePiece, Workload, WorkloadCommand,
};

/// Everything decided; no option left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The manifest of the workspace (or package) to compare; absolute.
    pub manifest_path: PathBuf,
    /// Which two revisions.
    pub range: RangeSpec,
    /// What cargo is asked to build.
    pub selection: Selection,
    /// Whole programs that are compared like benchmarks.
    pub workloads: Vec<Workload>,
    /// Services, which `load` compares.
    pub services: Vec<Service>,
    /// Only benchmarks whose id matches this regular expression.
    pub filter: Option<String>,
    /// Only this part of the benchmarks; others are measured elsewhere.
    pub partition: Option<Partition>,
    /// Files that git does not track, for both sides.
    pub carry: Vec<Carry>,
    /// What the two sides call differently.
    pub renames: Vec<Renaming>,
    /// How measuring is done.
    pub sampling: Sampling,
    /// When a difference counts.
    pub thresholds: Thresholds,
    /// Where reports go, in order.
    pub outputs: Vec<Output>,
    /// What the change claims to gain.
    pub claims: Vec<Claim>,
    /// Whether the vote `modify` fails the run, too.
    pub deny_modify: bool,
    /// How long the whole run may take; a benchmark that does not get its share stays inconclusive.
    pub time: Option<Duration>,
    /// Whether builds are kept for the next run.
    pub cache: Cache,
    /// Whether the two checkouts and builds stay after the run.
    pub keep: bool,
    /// The folder for flame graphs and other files about single benchmarks; absolute.
    pub artifacts: Option<PathBuf>,
    /// The folder for plots of single benchmarks; absolute.
    pub plots: Option<PathBuf>,
    /// Where what was measured is kept, if it is.
    pub record: Option<HistoryPlace>,
    /// Where the history is.
    pub history: HistoryPlace,
    /// How this run reports its progress.
    pub terminal: Terminal,
    /// The words after the program's name, for the report's "how to reproduce".
    pub command_line: Vec<String>,
    /// What benchmarks and programs may use, whatever they used before.
    pub budgets: config::Budgets,
    /// Parts of the configuration that were not understood but do no harm, as lower-case fragments.
    pub warnings: Vec<String>,
    /// Set where this is a step of GitHub Actions.
    pub actions: Option<Actions>,
}

impl Plan {
    /// Which of the workspace's benchmarks are compared.
    #[must_use]
    pub fn extent(&self) -> Extent {
        let selection = &self.selection;
        let all = self.filter.is_none()
            && selection.packages.is_empty()
            && selection.exclude.is_empty()
            && selection.benches.is_empty()
            && selection.benchmarks != BenchmarkNeed::Unwanted;
        match self.partition {
            _ if !all => Extent::Selection,
            Some(_) => Extent::Shard,
            None => Extent::Whole,
        }
    }
}

/// Which of the workspace's benchmarks are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    Whole,
    /// One shard; the shards together are all of them.
    Shard,
    /// Those that the user asked for.
    Selection,
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
    /// Whether bench targets are built.
    pub benchmarks: BenchmarkNeed,
    /// Programs and examples that are built for workloads.
    pub programs: Vec<ProgramName>,
    /// `--features`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--profile`; `None` is cargo's own `bench`.
    pub profile: Option<String>,
    /// `--target`.
    pub target: Option<String>,
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

/// Whether benchmarks are linked anew for each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layouts {
    /// Each round times another placement of functions, if the linker can do that
    Auto,
    /// All rounds time the executables that cargo made
    Off,
}

/// A pass that can be asked for alone: nothing is timed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnlyPass {
    /// Count instructions
    Instructions,
}

/// Which benchmarks are profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profiling {
    /// None.
    Off,
    /// Those whose time has changed, or may have by more than the threshold.
    Changed,
    /// All that are run.
    All,
}

/// How measuring is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// The seed of every random choice.
    pub seed: u64,
    /// At most this many rounds per benchmark (each a fresh pair of processes).
    pub rounds: usize,
    /// The fewest rounds after which a benchmark may be called unchanged, if its time budget lasts: fewer processes
    /// could all miss a mode of slow ones.
    pub unchanged_after: usize,
    /// Timed work per side after which perfcheck gives up on a benchmark as inconclusive.
    pub time: Duration,
    /// Criterion's `--warm-up-time` within a round.
    pub warm_up: Duration,
    /// Criterion's `--measurement-time` within a round.
    pub measurement: Duration,
    /// Whether rounds may be shorter than that.
    pub round_length: RoundLength,
    /// Criterion's `--sample-size` within a round.
    pub sample_size: usize,
    /// How long a benchmark may be silent before it counts as hung.
    pub timeout: Duration,
    /// How samples are paired.
    pub pairing: PairingRequest,
    /// Which processors.
    pub pinning: Pinning,
    /// Whether each round draws the placement of functions.
    pub layouts: Layouts,
    /// Whether the allocation pass is run.
    pub allocations: bool,
    /// Whether the pass that counts instructions is run.
    pub instructions: bool,
    /// The one pass that is run, where the others are not.
    pub only: Option<OnlyPass>,
    /// Whether it is found out first which benchmarks execute what has changed, so that the others are
    /// not timed.
    pub reach: bool,
    /// Which benchmarks are profiled.
    pub profiling: Profiling,
    /// How long each side of a benchmark is profiled.
    pub profile_time: ProfileTime,
    /// What the functions behind a change are found by.
    pub causes: CauseEvidence,
    /// Measure identical executables, too (calibration).
    pub measure_identical: bool,
    /// The probe lengthens the head side's samples by this share (calibration).
    pub inject: Option<Ratio>,
    /// What differs for single benchmarks: threshold, budget of time, whether they take part.
    pub rules: config::Rules,
}

/// When a difference counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The practical threshold δ as a ratio, for example 1.01.
    pub practical: Ratio,
    /// The simultaneous confidence level of the whole report, for example 0.95.
    pub confidence: f64,
    /// What more allocations mean for the vote.
    pub allocations: AllocationPolicy,
    /// By which ratio the number of instructions must have changed to count, for example 1.001.
    pub instructions: Ratio,
}

/// What more allocations mean for the vote.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AllocationPolicy {
    /// The ratio by which the number of allocations, or the peak, must have grown to count, for
    /// example 1.01. (Reports show smaller changes, too.)
    pub threshold: Ratio,
    /// What the vote is then.
    pub on_more: OnMore,
}

/// The vote on a benchmark that allocates more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMore {
    /// Ignore it
    Approve,
    /// Ask for a closer look
    Modify,
    /// Fail the run
    Reject,
}

/// How a run reports its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// How much goes to stderr.
    pub verbosity: Verbosity,
    /// Whether to print where the time went.
    pub timings: bool,
    /// When to colour.
    pub colour: ColourRequest,
    /// What may be drawn with.
    pub charset: Charset,
    /// How progress appears on stderr.
    pub message_format: MessageFormat,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourRequest {
    /// Where the stream is a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How progress appears on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MessageFormat {
    /// For a person
    #[default]
    Human,
    /// One JSON object per line, for a program
    Json,
}

/// How much goes to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Progress.
    Normal,
    /// Progress and what every tool says.
    Verbose,
}
