//! The options of a comparison, as typed.

use std::path::PathBuf;

use clap::ValueEnum;

use super::value::{Confidence, IdFilter, Share, Span};
use super::{
    CauseEvidence, Claim, ColourRequest, Format, Layouts, MessageFormat, OnMore, OnlyPass,
    PairingRequest, Partition, Pinning, RecordArgs, SidesArgs, Size, UndoneSwitches,
};

/// The options of a comparison, of whichever revisions.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CompareOptions {
    /// What to build.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// What both sides have in common.
    #[command(flatten)]
    pub sides: SidesArgs,
    /// How to measure.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// How to judge.
    #[command(flatten)]
    pub judgement: JudgementArgs,
    /// Where reports go.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Whether the run is kept.
    #[command(flatten)]
    pub recording: RecordArgs,
    /// What appears meanwhile.
    #[command(flatten)]
    pub terminal: TerminalArgs,
    /// Keep both source trees and their builds after the run
    #[arg(long, help_heading = "Output")]
    pub keep: bool,
    /// Write flame graphs, folded stacks and pprof files, of time and of allocations, into this folder
    /// [default: `profiles` in `--report-dir`, where that is given]
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub artifacts: Option<PathBuf>,
    /// The opposite of every switch above.
    #[command(flatten)]
    pub undone: UndoneSwitches,
}

/// Cargo's own selection flags, described in cargo's own words.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What to build (as in cargo)")]
pub struct SelectionArgs {
    /// Package whose benchmarks to run
    #[arg(short = 'p', long = "package", value_name = "SPEC")]
    pub packages: Vec<String>,
    /// Run the benchmarks of every member of the workspace
    #[arg(long)]
    pub workspace: bool,
    /// Leave this package out
    #[arg(long, value_name = "SPEC", requires = "workspace")]
    pub exclude: Vec<String>,
    /// Run this benchmark target only
    #[arg(long = "bench", value_name = "NAME")]
    pub benches: Vec<String>,
    /// Features to activate, separated by spaces or commas
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long)]
    pub no_default_features: bool,
    /// Build with this profile instead of `bench`
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Build for this target, whose programs must start on this machine
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Where builds are kept, instead of the user's cache folder (in an archive, if that is in the repository)
    #[arg(long, value_name = "DIR")]
    pub target_dir: Option<PathBuf>,
    /// Build from scratch, and keep nothing for the next run
    #[arg(long)]
    pub no_cache: bool,
    /// Maximum disk space for the kept builds of all repositories [default: 10GB]
    #[arg(long, value_name = "SIZE")]
    pub cache_size: Option<Size>,
    /// Fail if a lock file would have to change
    #[arg(long)]
    pub locked: bool,
    /// Do not use the network
    #[arg(long)]
    pub offline: bool,
    /// Both of `--locked` and `--offline`
    #[arg(long)]
    pub frozen: bool,
}

/// How to measure.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Measuring")]
pub struct SamplingArgs {
    /// Compare this command line instead of the benchmarks: a whole program, as built on each side
    ///
    /// `{bin:NAME}` is a program or example of the workspace, `{dir}` the workspace's folder in each side's checkout,
    /// where the command runs, and `{side}` `base` or `head`. No shell reads it. Can be given several times. Name
    /// what you run again and again in a `[[workload]]` of the configuration.
    #[arg(long, value_name = "COMMAND")]
    pub run: Vec<String>,
    /// Measure only benchmarks whose id (`group/function/value`) matches this regular expression
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<IdFilter>,
    /// Measure only this part of the benchmarks, so that several machines share the work
    ///
    /// `hash:2/4` is the second of four; which part a benchmark is in follows from its name. Both
    /// sides of a benchmark are always measured on one machine. `cargo perfcheck report` merges the
    /// parts' JSON reports.
    #[arg(long, value_name = "hash:PART/PARTS")]
    pub partition: Option<Partition>,
    /// Take a quick look, before a push: 600ms per benchmark, at most 12 rounds of 50ms, profiles of 1s
    #[arg(long, conflicts_with = "thorough")]
    pub quick: bool,
    /// Take a close look, before a release: 10s per benchmark, at most 100 rounds, `unchanged` only after 29, confidence 0.99
    #[arg(long)]
    pub thorough: bool,
    /// How long the whole run may take, building included
    ///
    /// Every benchmark gets six rounds before any gets more. Then required benchmarks come first, and after
    /// them those that need the least time. A fifth of the time left after building is reserved for allocations
    /// and profiles. When the time is up, everything stops within seconds, except a build: a second run
    /// continues from it. The report is then partial, and the exit code is 103, or 102 if nothing was measured.
    #[arg(long, value_name = "TIME")]
    pub time: Option<Span>,
    /// Timed work per side after which a benchmark counts as inconclusive [default: 2s]
    #[arg(long, value_name = "TIME")]
    pub time_per_benchmark: Option<Span>,
    /// Maximum number of rounds per benchmark, each a fresh pair of processes [default: 30, or more
    /// where `--time-per-benchmark` asks for more]
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Criterion's warm-up time per round [default: 50ms, less where many benchmarks are compared]
    #[arg(long, value_name = "TIME")]
    pub warm_up_time: Option<Span>,
    /// Criterion's measurement time per round [default: 100ms, less where many benchmarks are compared]
    #[arg(long, value_name = "TIME")]
    pub measurement_time: Option<Span>,
    /// Criterion's sample size per round, at least 10 [default: 20]
    #[arg(long, value_name = "N")]
    pub sample_size: Option<usize>,
    /// How long a benchmark may be silent before it counts as hung [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<Span>,
    /// Seed of every random choice; drawn and printed if not given
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// How the two sides alternate: sample by sample where that works, or benchmark by benchmark
    /// [default: auto]
    #[arg(long, value_name = "auto|benchmark")]
    pub pairing: Option<PairingRequest>,
    /// Which processor benchmarks run on [default: auto]
    ///
    /// `auto`: both sides share one, a performance core where there are two kinds, unless the benchmark
    /// has several threads. `off`: the scheduler decides. A number: that processor.
    #[arg(long, value_name = "auto|off|CPU")]
    pub pin: Option<Pinning>,
    /// Whether each round draws a new placement of functions in memory [default: auto]
    ///
    /// Its placement makes a function faster or slower, and a change moves functions that it does not touch. `auto`: each
    /// round links both sides again, without compiling, in a random order in which unchanged functions are at the same offset
    /// within a page on both sides; this needs the linker lld. `off`: all rounds time the executables that cargo made.
    #[arg(long, value_enum, value_name = "auto|off")]
    pub layouts: Option<Layouts>,
    /// Do not count allocations
    #[arg(long)]
    pub no_allocations: bool,
    /// Also count instructions, exactly: runs each benchmark for about fifteen iterations under Valgrind
    #[arg(long)]
    pub instructions: bool,
    /// Run this pass alone and time nothing: a gate that other programs on the machine do not disturb
    ///
    /// `instructions`: a benchmark that executes more of them is rejected.
    #[arg(long, value_enum, value_name = "PASS")]
    pub only: Option<OnlyPass>,
    /// Time every benchmark, even those that execute nothing that changed
    #[arg(long)]
    pub no_reach: bool,
    /// Profile every benchmark, not only the twenty that changed most
    #[arg(long, conflicts_with = "no_profile")]
    pub profile_all: bool,
    /// How long each side of a benchmark is profiled [default: 3s, less where many benchmarks have changed]
    #[arg(long, value_name = "TIME")]
    pub profile_time: Option<Span>,
    /// How the functions behind a change are found [default: auto]
    ///
    /// `auto`: by samples of the processor's time. Where these do not tell functions apart, since a change is small, perfcheck
    /// counts the instructions of each function exactly if Valgrind is there, and takes more samples where that does not
    /// tell either. `samples`: by samples alone.
    #[arg(long, value_enum, value_name = "auto|samples")]
    pub causes: Option<CauseEvidence>,
    /// Take no profiles; the report then names no functions behind a change
    #[arg(long)]
    pub no_profile: bool,
}

/// How to judge.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgementArgs {
    /// The smallest difference that counts [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub threshold: Option<Share>,
    /// The confidence level of the whole report [default: 0.95]
    #[arg(long, value_name = "LEVEL")]
    pub confidence: Option<Confidence>,
    /// How much allocations, requested bytes or peak memory must grow to count in the vote [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub allocation_threshold: Option<Share>,
    /// How much the number of instructions must change to count, beyond a difference of two [default: 0.1%]
    #[arg(long, value_name = "SHARE")]
    pub instruction_threshold: Option<Share>,
    /// The vote on a benchmark that allocates more [default: modify]
    #[arg(long, value_enum, value_name = "VOTE")]
    pub more_allocations: Option<OnMore>,
    /// What the change claims to gain: the vote is `modify` unless the report shows it
    ///
    /// `faster=REGEX`, `fewer-allocations=REGEX`, `fewer-bytes=REGEX`, `lower-peak=REGEX` or
    /// `fewer-instructions=REGEX`. The expression chooses benchmarks by id, as with `--filter`. The report shows a
    /// claim if at least one of them gained and none got worse. Otherwise there is no evidence for it: an inconclusive benchmark shows no gain. A claim that
    /// matches no benchmark is an error. Can be given several times; each claim must be shown.
    #[arg(long = "claim", value_name = "GAIN=REGEX")]
    pub claims: Vec<Claim>,
    /// Votes that fail the run, in addition to `reject`
    #[arg(long, value_enum, value_name = "VOTE")]
    pub deny: Vec<Deny>,
}

/// A vote that can be made to fail the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Something is inconclusive, failed or was removed, or changed code has no benchmark
    Modify,
}

/// Where reports go.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the report; give several with as many `--output`, in the same order [default: text]
    #[arg(long = "format", value_enum, value_name = "FORMAT")]
    pub formats: Vec<Format>,
    /// Write the report to this file instead of stdout (`-` is stdout)
    ///
    /// Without a `--format` of its own, its extension decides.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Write the report into this folder, one file per format, with plots of what changed
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
}

/// What appears on a terminal, and how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct TerminalArgs {
    /// Print only errors to stderr
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print everything: the whole report, and what cargo and the benchmarks say
    #[arg(short, long)]
    pub verbose: bool,
    /// Print to stderr where the time went
    #[arg(long)]
    pub timings: bool,
    /// When to use colour [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColourRequest>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// How progress appears on stderr: for a person, or one JSON object per line
    /// [default: human]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub message_format: Option<MessageFormat>,
}
