//! The report as data: what `schemas/report.v2.json` describes.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::HistoryStanding;
use crate::analyse::{Comparison, Verdict};
use crate::attribute::{Attribution, PlaceHunks, Skeleton};
use crate::discover::{SkippedTarget, TargetOutcome};
use crate::judge::{Basis, BudgetCheck, ClaimCheck, Decision, Shortfall, UncoveredFunction};
use crate::plan::Partition;
use crate::service::LoadTestResult;
use crate::units::{Metric, Paired, Timestamp};

/// The version of the JSON report.
pub const SCHEMA_VERSION: u32 = 2;

/// Everything a run found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of this program.
    pub perfcheck_version: String,
    /// When the run began; absent in reports of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// The overall vote, and what led to it.
    #[serde(flatten, with = "super::decided")]
    pub decision: Decision,
    /// Which revisions.
    pub range: Range,
    /// Where it was measured.
    pub environment: RunEnvironment,
    /// How it was measured.
    pub methodology: Methodology,
    /// Differences between the sides, other than the source, that can change times on their own.
    pub confounders: Vec<String>,
    /// Things the reader should know.
    pub warnings: Vec<String>,
    /// What the metrics are.
    #[serde(default)]
    pub metrics: MetricTable,
    /// Every benchmark.
    pub benchmarks: Vec<Comparison>,
    /// Bench targets that were not measured, with the reason.
    pub skipped: Vec<SkippedTarget>,
    /// Every budget, the most severe first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetCheck>,
    /// Every claim, with the results of the benchmarks that it matches; empty in a shard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimCheck>,
    /// Where changes stand in the recorded history; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standings: Vec<HistoryStanding>,
    /// What the change can reach, unless `--no-reach` was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<ReachSummary>,
    /// What a run that ended early did not get to; absent if it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// What the decision rests on in addition to the findings, so that merging can judge again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// For profiled benchmarks: where their time goes, and what a change of it comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributions: Vec<Attribution>,
    /// What tests of services show beside the verdicts of their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_tests: Vec<LoadTestResult>,
    /// The pieces of the change behind places that ask for more memory or run more statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceHunks>,
}

/// A description of every metric, for readers of the file; this program knows it already, and skips it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricTable;

impl Serialize for MetricTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = Metric::ALL.into_iter().chain(Metric::all_printed());
        serializer.collect_map(all.map(|metric| (metric, metric.facts())))
    }
}

impl<'de> Deserialize<'de> for MetricTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MetricTable, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| MetricTable)
    }
}

/// Whether anything was measured that had to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measuring {
    /// Something was measured, or nothing had to be.
    Something,
    /// None of it was.
    Nothing,
}

impl Report {
    /// Whether anything was measured that had to be: benchmarks that both sides have and the change may
    /// affect, and those that could not be run.
    #[must_use]
    pub fn measured(&self) -> Measuring {
        let had_to = |comparison: &&Comparison| match comparison.verdict {
            Verdict::Slower | Verdict::Faster | Verdict::Unchanged => true,
            Verdict::Inconclusive | Verdict::Failed | Verdict::Untimed => true,
            Verdict::Identical | Verdict::Unreached | Verdict::Added | Verdict::Removed => false,
        };
        let was = |comparison: &Comparison| {
            let instructions = || comparison.values(Metric::INSTRUCTIONS);
            comparison
                .values(Metric::TIME)
                .or_else(instructions)
                .is_some()
        };
        let failed = |target: &SkippedTarget| target.outcome == TargetOutcome::Failed;
        let mut wanted = self.benchmarks.iter().filter(had_to).peekable();
        let nothing_had_to = wanted.peek().is_none() && !self.skipped.iter().any(failed);
        match nothing_had_to || wanted.any(was) {
            true => Measuring::Something,
            false => Measuring::Nothing,
        }
    }
}

/// A report of a run that ended early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// What it did not come to.
    pub shortfalls: Vec<Shortfall>,
    /// What the next run of the same comparison will find; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextRun>,
}

/// What a second run of the same comparison would take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NextRun {
    /// Whether this run's builds are kept for it.
    pub builds: NextBuilds,
    /// How long this run took until measuring began, without building, in seconds.
    pub preparing_seconds: f64,
    /// How long measuring would take at least, in seconds, as far as this run could see.
    pub measuring_seconds: f64,
}

/// Whether the next run can use what this one built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NextBuilds {
    /// It does.
    Kept,
    /// It builds anew.
    Discarded,
}

/// What the change can reach, found from the executables before anything was timed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachSummary {
    /// How many benchmarks both sides have.
    pub benchmarks: usize,
    /// How many of them the change can affect, including those for which this is unknown.
    pub reached: usize,
    /// For how many of them this is unknown.
    pub unknown: usize,
    /// How many functions differ between the executables, each counted once.
    pub changed_functions: usize,
    /// The workspace's own functions whose code has changed and that no benchmark executed.
    pub uncovered: Vec<UncoveredFunction>,
    /// First benchmarks for such functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skeletons: Vec<FunctionSkeleton>,
    /// Why it is unknown what the change can reach, for targets for which it is; one fragment per target.
    pub notes: Vec<String>,
}

/// A changed function that no benchmark executes, and a first benchmark for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSkeleton {
    /// The function.
    #[serde(flatten)]
    pub function: UncoveredFunction,
    /// The benchmark, or why there is none.
    pub skeleton: Skeleton,
}

/// The two revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// As typed.
    pub spec: String,
    /// The base revision.
    pub base: Commit,
    /// The head revision.
    pub head: Commit,
}

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// What was typed, or a description of it.
    pub label: String,
    /// The full id.
    pub commit: String,
    /// The short id.
    pub short_id: String,
    /// The first line of the message.
    pub subject: String,
    /// When it was committed; absent in reports of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Whether uncommitted changes of the working tree are on top.
    pub working_tree: bool,
}

/// What kind of machine it was: numbers from one class may be compared with each other. Which individual machine it
/// was is private, and its clock speed varies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineClass {
    /// The processor's model.
    pub cpu: String,
    /// How many processors this process may use.
    pub cores: usize,
    /// The hypervisor's name, where the machine is virtual.
    pub virtualised: Option<String>,
}

/// What makes a number reproducible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnvironment {
    /// What kind of machine it is.
    pub machine: MachineClass,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// The operating system's name and version.
    pub os: String,
    /// The kernel's release.
    pub kernel: String,
    /// The one-minute load average at the start.
    pub load_at_start: f64,
    /// The share of processor time stolen by other tenants while measuring (0 to 1).
    pub steal: Option<f64>,
    /// `rustc --version` of each side.
    pub rustc: Paired<String>,
    /// `cargo --version` of each side.
    pub cargo: Paired<String>,
    /// The host triple.
    pub host: String,
    /// The cargo profile.
    pub profile: String,
    /// Criterion's version by package, for each side.
    pub criterion: Paired<BTreeMap<String, String>>,
    /// Where the versions of dependencies come from.
    #[serde(default, skip_serializing_if = "Locking::is_tracked")]
    pub locking: Locking,
    /// The toolchain of each side and who chose it; absent if the revisions or rustup's default chose both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<Paired<String>>,
    /// Where checkouts and builds lay, and why not in the user's cache folder; absent if they lay there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Files that git does not track and that were brought to both sides: each pattern, with the number of files
    /// and their size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<String>,
}

/// Where the versions of dependencies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locking {
    /// From the lock files that the revisions hold.
    #[default]
    Tracked,
    /// From one lock file for both sides, since neither revision holds one.
    Shared,
}

impl Locking {
    fn is_tracked(&self) -> bool {
        *self == Locking::Tracked
    }
}

/// How it was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Methodology {
    /// The seed of every random choice.
    pub seed: u64,
    /// At most this many rounds per benchmark.
    pub max_rounds: usize,
    /// The practical threshold as a share: 0.01 is one per cent.
    pub threshold: f64,
    /// The confidence level of the whole report.
    pub confidence: f64,
    /// How many benchmarks share that level.
    pub family_size: usize,
    /// How the report corrects for testing many benchmarks, in one sentence.
    pub correction: String,
    /// How the order of the sides was drawn, in one sentence.
    pub order: String,
    /// Criterion's warm-up within a round, in seconds.
    pub warm_up_seconds: f64,
    /// Criterion's measurement time within a round, in seconds.
    pub measurement_seconds: f64,
    /// Criterion's sample size within a round.
    pub sample_size: usize,
    /// Which processors benchmark processes may use, in words.
    pub pinning: String,
    /// In how many layouts of their code benchmarks were timed, at most; absent where all rounds had the one that cargo
    /// made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layouts: Option<usize>,
    /// The arguments, with the seed, that repeat this run.
    pub command_line: Vec<String>,
    /// Seconds spent, by stage, in order.
    pub timings: Vec<StageTiming>,
    /// Which part of the benchmarks this is; absent if it is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
}

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTiming {
    /// The stage.
    pub stage: String,
    /// Seconds.
    pub seconds: f64,
}
