//! What other tools measured, as it is kept.
//!
//! Absolute numbers, one machine's own. They are another kind of thing than a run's differences, and no edge of any trend
//! is made of them: they are shown apart ([`ImportedTrends`](super::ImportedTrends)).

use serde::{Deserialize, Serialize};

use super::record::{RecordedCommit, significant};
use crate::units::{Better, Timestamp};

/// The version of [`ImportedRun`].
const VERSION: u32 = 1;

/// What another tool measured of one commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportedRun {
    /// [`VERSION`].
    pub(super) version: u32,
    /// Which tool.
    pub(crate) source: ImportSource,
    /// What its numbers are in line with: a suite, a machine.
    pub(crate) series: String,
    /// The commit.
    pub(crate) commit: RecordedCommit,
    /// When it was measured, if the tool says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Timestamp>,
    /// Which way is an improvement.
    #[serde(default = "lower", skip_serializing_if = "is_lower")]
    pub(crate) better: Better,
    /// What was measured.
    pub(crate) benchmarks: Vec<ImportedValue>,
}

/// A tool whose data can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImportSource {
    /// Criterion's saved baselines.
    Criterion,
    /// The `data.js` of github-action-benchmark.
    GithubActionBenchmark,
}

/// A number of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportedValue {
    /// The benchmark, as the tool names it.
    pub(crate) name: String,
    /// The number.
    pub(crate) value: f64,
    /// Its unit, as the tool names it.
    pub(crate) unit: String,
}

/// A part of a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportRefusal {
    /// What, as a reader finds it.
    pub(crate) what: String,
    /// Why, as a lower-case fragment.
    pub(crate) why: String,
}

/// What could be read of a tool's data.
#[derive(Debug, Default)]
pub(crate) struct ImportedData {
    /// What can be used.
    pub(crate) runs: Vec<ImportedRun>,
    /// What cannot.
    pub(crate) refused: Vec<ImportRefusal>,
}

fn lower() -> Better {
    Better::Lower
}

fn is_lower(better: &Better) -> bool {
    *better == Better::Lower
}

impl ImportSource {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ImportSource::Criterion => "criterion",
            ImportSource::GithubActionBenchmark => "github-action-benchmark",
        }
    }
}

impl ImportedRun {
    /// Numbers of a commit, of which less is better.
    pub(super) fn of(
        source: ImportSource,
        series: &str,
        commit: RecordedCommit,
        benchmarks: Vec<ImportedValue>,
    ) -> ImportedRun {
        ImportedRun {
            version: VERSION,
            source,
            series: series.to_owned(),
            commit,
            date: None,
            better: Better::Lower,
            benchmarks,
        }
    }

    /// Whether this program can use it.
    pub(super) fn known_version(&self) -> Result<(), u32> {
        match self.version {
            VERSION => Ok(()),
            other => Err(other),
        }
    }
}

impl ImportedValue {
    /// A number with as many digits as a measurement has; `None` where it is none.
    pub(super) fn of(name: &str, value: f64, unit: &str) -> Option<ImportedValue> {
        let is_named = !name.is_empty();
        (is_named && value.is_finite()).then(|| ImportedValue {
            name: name.to_owned(),
            value: significant(value),
            unit: unit.to_owned(),
        })
    }
}
