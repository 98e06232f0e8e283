//! The results of attribution, as data of the report.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::flame::Folded;
use crate::units::{BenchmarkKey, Paired};

/// Where the time of one benchmark goes, and where a change of it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Package, target and id.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// How each side was sampled, where it was.
    pub sampling: Paired<Option<SideSampling>>,
    /// The time of an iteration on each side in nanoseconds, where both were timed.
    pub time_ns: Option<Paired<f64>>,
    /// The measured change of time of an iteration, where both sides were timed.
    pub change: Option<NanosEstimate>,
    /// The functions that the change comes from, where both sides were profiled.
    pub explanation: Option<Explanation>,
    /// The functions of the project that take most of the time on the head side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bottlenecks: Vec<Bottleneck>,
    /// Red flags on the head side, those with the largest possible gain first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
    /// The samples of each side, for flame graphs.
    pub stacks: Paired<Option<Folded>>,
    /// Why something is missing, or what the reader should know, as lower-case fragments.
    pub notes: Vec<String>,
}

impl Attribution {
    /// Of a benchmark of which nothing is known yet.
    pub(super) fn of(key: BenchmarkKey) -> Attribution {
        Attribution {
            key,
            sampling: Paired::new(None, None),
            time_ns: None,
            change: None,
            explanation: None,
            bottlenecks: Vec::new(),
            advice: Vec::new(),
            stacks: Paired::new(None, None),
            notes: Vec::new(),
        }
    }
}

/// How a side was sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideSampling {
    /// How many samples fell into timed regions.
    pub samples: u64,
    /// The sampling rate: samples per second of time in timed regions.
    pub hertz: u64,
    /// Which threads were sampled.
    pub threads: SampledThreads,
}

/// Which threads were sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampledThreads {
    /// The main thread, which did all the work, by wall-clock time.
    Main,
    /// All threads, by processor time, at most once per kernel tick.
    All,
}

/// Nanoseconds per iteration, with a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NanosEstimate {
    /// The estimate.
    pub ns: f64,
    /// Lower end of the interval.
    pub lower_ns: f64,
    /// Upper end of the interval.
    pub upper_ns: f64,
}

impl NanosEstimate {
    /// Whether the interval is on one side of zero.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.lower_ns > 0.0 || self.upper_ns < 0.0
    }
}

/// The functions that a change of time comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The functions that contribute most to the change, the largest contribution first. Each sample
    /// counts for exactly one function, so that all contributions add up to the change.
    pub contributors: Vec<Contributor>,
    /// By what they are ranked; `None` in reports of earlier versions, which ranked by samples alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranking: Option<Ranking>,
    /// The part of the change that these contributors do not explain.
    pub unexplained_ns: f64,
    /// What changed besides the code, and could be the reason: settings of the build, the
    /// toolchain, versions of dependencies, the benchmarks themselves; as lower-case fragments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// Every function with a noticeable share of the time of a side, with itself and its callees: here
    /// a sample counts for every function on its stack.
    pub functions: Vec<FunctionShare>,
}

impl Explanation {
    /// Whether the first contributor is a cause of the change, and not one that chance may have put first.
    #[must_use]
    pub fn names_a_cause(&self) -> bool {
        let by_chance = |ranking: &Ranking| {
            let Ranking::Unresolved { why, .. } = ranking else {
                return false;
            };
            matches!(why, Unresolved::Uncertain | Unresolved::Rivalled)
        };
        !self.ranking.as_ref().is_some_and(by_chance)
    }
}

/// Why samples do not tell which function a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unresolved {
    /// No function carries more than its own uncertainty.
    Uncertain,
    /// What the first one contributes is known to no better than a third of the change.
    Coarse,
    /// Another function may contribute more.
    Rivalled,
}

/// By what the functions behind a change are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Ranking {
    /// By samples, which show where the change comes from.
    Samples,
    /// By samples, though they do not show it.
    Unresolved {
        /// Why they do not.
        why: Unresolved,
        /// The instructions of an iteration on each side, where they were counted; their difference does not explain
        /// the change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructions: Option<Paired<f64>>,
    },
    /// By the difference of the instructions that they execute, since samples do not show it.
    Instructions {
        /// Why they do not.
        why: Unresolved,
        /// The instructions of an iteration on each side.
        instructions: Paired<f64>,
    },
}

/// A function of the project (or of a dependency that changed) and what it calls elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contributor {
    /// Its name, on the head side where it exists there.
    pub function: String,
    /// Its name on the base side, if that was different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
    /// Where its code comes from.
    pub origin: Origin,
    /// Where most of its samples are, on each side.
    pub location: Paired<Option<Location>>,
    /// Its share of the time of each side, 0 to 1.
    pub share: Paired<f64>,
    /// By how much it made an iteration longer.
    pub change: NanosEstimate,
    /// The instructions of an iteration that it executes on each side, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Paired<f64>>,
    /// The function outside the project that it calls and that changed most, if this is most of its change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Whether its machine code and that of its callers is the same on both sides: then it is called more or less
    /// often, gets other data, or lies at other addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_code: bool,
    /// The pieces of the change that concern it, the closest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<Hunk>,
}

/// A piece of the range's change of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// The file, relative to the repository; on the head side where it exists there.
    pub path: String,
    /// The first line on the head side that differs.
    pub line: u32,
    /// What it has to do with the function, as a lower-case fragment.
    pub relation: String,
    /// The last commit of the range that touched it; `None` if it is not committed.
    pub commit: Option<CommitRef>,
    /// The lines, with some around those that differ.
    pub lines: Vec<DiffLine>,
    /// How many more lines it has.
    pub left_out: usize,
}

impl Hunk {
    /// Whether both are the same piece of the change, shown for different functions.
    #[must_use]
    pub fn is_same_place(&self, other: &Hunk) -> bool {
        self.path == other.path && self.line == other.line
    }
}

/// A commit, for a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRef {
    /// The first characters of its id.
    pub short_id: String,
    /// The first line of its message.
    pub subject: String,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// Whether it is new, gone or there on both sides.
    pub kind: LineKind,
    /// Its number on the base side.
    pub base: Option<u32>,
    /// Its number on the head side.
    pub head: Option<u32>,
    /// What it says.
    pub text: String,
}

/// Whether a line is new, gone or there on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// On both.
    Same,
    /// On the base side only.
    Removed,
    /// On the head side only.
    Added,
}

impl LineKind {
    /// The mark of a unified diff.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            LineKind::Same => ' ',
            LineKind::Removed => '-',
            LineKind::Added => '+',
        }
    }
}

/// A function's share of the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionShare {
    /// Its name.
    pub function: String,
    /// Where its code comes from.
    pub origin: Origin,
    /// The share of samples in itself, 0 to 1.
    pub own: Paired<f64>,
    /// The share of samples in itself or what it calls, 0 to 1.
    pub total: Paired<f64>,
    /// The change of an iteration's time in itself.
    pub own_change: NanosEstimate,
    /// The change of an iteration's time in itself or what it calls.
    pub total_change: NanosEstimate,
}

/// A function that takes a noticeable share of the time, with what it calls outside of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Its name.
    pub function: String,
    /// Where its code comes from.
    pub origin: Origin,
    /// Where most of its samples are.
    pub location: Option<Location>,
    /// Its share of the time, 0 to 1.
    pub share: f64,
}

/// Something on a hot path that can often be avoided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// What takes the time, as a lower-case fragment.
    pub what: String,
    /// What usually helps, as a lower-case fragment.
    pub advice: String,
    /// The function of the project that it is called from.
    pub function: String,
    /// Where in that function.
    pub location: Option<Location>,
    /// Its share of the time, 0 to 1.
    pub share: f64,
    /// How many times as fast the benchmark would be if all of it were gone (Amdahl's law): an upper
    /// bound.
    pub at_most: f64,
}

/// Where code comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Origin {
    /// The repository.
    Workspace,
    /// A package from elsewhere.
    Dependency {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// Rust's own libraries.
    Std,
    /// The system's libraries, or not known.
    System,
}

impl Origin {
    /// Whether both are the repository, or versions of one package.
    pub(super) fn is_akin(&self, other: &Origin) -> bool {
        match (self, other) {
            (Origin::Dependency { name: a, .. }, Origin::Dependency { name: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Workspace => f.write_str("workspace"),
            Origin::Dependency { name, version } => write!(f, "{name} {version}"),
            Origin::Std => f.write_str("std"),
            Origin::System => f.write_str("system"),
        }
    }
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to the repository for its own files; else as the package names it.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}
