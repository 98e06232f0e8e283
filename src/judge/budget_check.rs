//! The state of a budget, as the report shows it.

use serde::{Deserialize, Serialize};

use crate::analyse::IterationsPerSample;
use crate::units::{BenchmarkKey, Metric};

/// A budget, checked on the head side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetCheck {
    /// Whose budget.
    #[serde(flatten)]
    pub subject: BudgetSubject,
    /// What is limited.
    pub metric: Metric,
    /// For a percentile: how many iterations each sample of the head side has. Absent if they were not timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations_per_sample: Option<IterationsPerSample>,
    /// The limit, in the metric's unit: a maximum, or a minimum for a throughput.
    pub limit: f64,
    /// The amount from which on the vote is `modify`.
    pub investigate: Option<f64>,
    /// What the base side uses, where known.
    pub base: Option<f64>,
    /// What the head side uses, where known.
    pub head: Option<f64>,
    /// What the head side certainly uses at least (for a throughput: reaches at most), with the
    /// confidence of the report; the amount itself if it is exact.
    pub certain: Option<f64>,
    /// The share of the limit that is used: 1 is all of it.
    pub used: Option<f64>,
    /// What follows.
    pub status: BudgetStatus,
    /// What the reader should know, as a lower-case fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whose budget it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetSubject {
    /// A benchmark's.
    Benchmark(BenchmarkKey),
    /// A program's, built for release.
    Binary {
        /// The package's name.
        package: String,
        /// The program's name.
        name: String,
    },
}

impl std::fmt::Display for BudgetSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BudgetSubject::Benchmark(key) => key.fmt(f),
            BudgetSubject::Binary { package, name } => write!(f, "{package} binary {name}"),
        }
    }
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetStatus {
    /// The limit is certainly exceeded.
    Over,
    /// It is nearly used up, or exceeded by less than the measurement can tell.
    Investigate,
    /// It could not be checked.
    Unknown,
    /// Kept.
    Within,
    /// Not measured, since nothing that it executes has changed.
    Unmeasured,
}

impl BudgetStatus {
    /// The status as the report words it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BudgetStatus::Over => "over",
            BudgetStatus::Investigate => "investigate",
            BudgetStatus::Unknown => "unknown",
            BudgetStatus::Within => "within",
            BudgetStatus::Unmeasured => "unmeasured",
        }
    }
}
