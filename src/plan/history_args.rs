//! The command line of what is kept of runs.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::Renaming;
use super::backfill_args::BackfillArgs;
use super::options::TerminalArgs;
use super::value::Span;

/// Which history a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HistoryOf {
    /// Folder of the history, instead of the reference `refs/perfcheck/history`
    #[arg(long, value_name = "DIR", global = true)]
    pub history: Option<PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", global = true)]
    pub manifest_path: Option<PathBuf>,
}

/// `cargo perfcheck trend`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck main~1..main --record         keep what a commit did
  cargo perfcheck trend                         every benchmark, and where it changed
  cargo perfcheck trend parse --anchor v1.4     relative to a release, commit by commit
  cargo perfcheck trend --metric allocations    another metric that runs have
  cargo perfcheck trend --format html -o trend.html")]
pub struct TrendArgs {
    /// Show only benchmarks whose name contains this text, commit by commit
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: Option<String>,
    /// The commit that levels are relative to [default: the oldest one that was measured]
    #[arg(long, value_name = "REVISION")]
    pub anchor: Option<String>,
    /// Which branch to show: commits outside of its history are left out
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub branch: String,
    /// Show this metric, as the JSON report names it, for example `allocations` or `peak-memory`
    #[arg(long, value_name = "METRIC", default_value = "time")]
    pub metric: String,
    /// Join what was recorded of a benchmark, a group of them, a bench target or a package before it was renamed
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<Renaming>,
    /// Format of the trend [default: text, or what the extension of `--output` says]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<TrendFormat>,
    /// Write the trend to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which history.
    #[command(flatten)]
    pub of: HistoryOf,
    /// How it is written on a terminal.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// The formats of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrendFormat {
    /// A table for the terminal
    Text,
    /// One page that opens from disk, with plots
    Html,
    /// For a program: levels, steps and drifts
    Json,
    /// For a spreadsheet: a line for each benchmark and commit
    Csv,
}

impl TrendArgs {
    /// The format that is asked for.
    #[must_use]
    pub fn chosen_format(&self) -> TrendFormat {
        let extension = self.output.as_deref().and_then(Path::extension);
        let by_extension = match extension.and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => TrendFormat::Html,
            Some("json") => TrendFormat::Json,
            Some("csv") => TrendFormat::Csv,
            _ => TrendFormat::Text,
        };
        self.format.unwrap_or(by_extension)
    }
}

/// `cargo perfcheck history`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck history list                  the runs that were kept
  cargo perfcheck history backfill v1.4..main   measure the commits in between
  cargo perfcheck history import perf.json      keep a saved JSON report
  cargo perfcheck history import target/criterion
                                                keep Criterion's saved baselines, as series of their own
  cargo perfcheck history push                  share them, merged with those of others
  cargo perfcheck history export --format csv > history.csv")]
pub struct HistoryArgs {
    /// What to do with the history.
    #[command(subcommand)]
    pub command: HistoryCommand,
    /// Which history.
    #[command(flatten)]
    pub of: HistoryOf,
}

/// What to do with the history.
#[derive(Debug, Clone, Subcommand)]
pub enum HistoryCommand {
    /// List the runs, the newest first
    List,
    /// Read every file, and name those that cannot be used
    Verify,
    /// Measure the commits of a range that have no recorded run, the newest first
    Backfill(Box<BackfillArgs>),
    /// Add runs from saved JSON reports or exported files, or series that other tools measured
    Import(HistoryImportArgs),
    /// Print the runs for other programs
    Export(HistoryExportArgs),
    /// Push the runs to a remote, merged with those that it has
    Push(HistoryRemoteArgs),
    /// Fetch the runs of a remote, and merge them with those here
    Fetch(HistoryRemoteArgs),
    /// Remove files that cannot be used, and runs that are old
    Prune(HistoryPruneArgs),
    /// Accept a step: the trend no longer shows it as news
    Accept(HistoryAcceptArgs),
}

/// `cargo perfcheck history push` and `fetch`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryRemoteArgs {
    /// Name or address of the remote
    #[arg(value_name = "REMOTE", default_value = "origin")]
    pub remote: String,
}

/// `cargo perfcheck history prune`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryPruneArgs {
    /// Remove runs and imports that are older than this, for example `1y`
    #[arg(long, value_name = "TIME")]
    pub older_than: Option<Span>,
}

/// `cargo perfcheck history accept`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryAcceptArgs {
    /// The commit of the step
    #[arg(value_name = "COMMIT")]
    pub commit: String,
    /// A part of the benchmark's name that no other benchmark's name contains
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: String,
    /// The reason, which the trend shows
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

/// `cargo perfcheck history import`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryImportArgs {
    /// JSON reports (`--format json`), what `history export` wrote, a folder of Criterion (`target/criterion`), or the
    /// `data.js` of github-action-benchmark
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Import only this baseline of a Criterion folder [default: all that are named after a tag or a commit]
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,
    /// The commit that the baseline measured [default: the one that it is named after]
    #[arg(long, value_name = "REVISION", requires = "baseline")]
    pub commit: Option<String>,
    /// Keep the numbers of other tools apart under this name, for example that of their machine
    #[arg(long, value_name = "NAME")]
    pub series: Option<String>,
}

/// `cargo perfcheck history export`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryExportArgs {
    /// Format of the runs
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "jsonl")]
    pub format: HistoryExportFormat,
    /// In the formats of other tools, leave out commits outside of this branch's history
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub branch: String,
}

/// The formats in which a history leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryExportFormat {
    /// A line of JSON for each run, which `history import` reads
    Jsonl,
    /// A line for each run, benchmark and metric
    Csv,
    /// A line for each run: a report for bencher.dev's API, with absolute numbers in Bencher Metric Format
    Bencher,
    /// The `data.js` of github-action-benchmark, with absolute numbers
    GithubActionBenchmark,
}
