//! One limit: what of, in what, how much.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Nanos};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The median of the samples. A sample's time is the mean of its iterations.
    P50,
    /// The 95th percentile of the samples: of iterations only where a sample has one.
    P95,
    /// The 99th percentile of the samples: of iterations only where a sample has one.
    P99,
    /// The mean time of an iteration.
    Mean,
    /// What is processed in a second, at the median time; the only one that must not be less.
    Throughput,
    /// Allocations an iteration (reallocations are counted apart).
    Allocations,
    /// Bytes asked for in an iteration.
    Bytes,
    /// Most bytes in use at once, above those at the start of the timed region.
    Peak,
    /// The size of a program built for release.
    Size,
}

impl Metric {
    pub(super) const OF_BENCHMARKS: [Metric; 8] = [
        Metric::P50,
        Metric::P95,
        Metric::P99,
        Metric::Mean,
        Metric::Throughput,
        Metric::Allocations,
        Metric::Bytes,
        Metric::Peak,
    ];

    /// Whether it is a percentile of samples.
    #[must_use]
    pub fn is_percentile(self) -> bool {
        matches!(self, Metric::P50 | Metric::P95 | Metric::P99)
    }

    /// `≤`, or `≥` of what must not be less.
    #[must_use]
    pub fn relation(self) -> &'static str {
        match self {
            Metric::Throughput => "≥",
            _ => "≤",
        }
    }

    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Metric::P50 => "p50",
            Metric::P95 => "p95",
            Metric::P99 => "p99",
            Metric::Mean => "mean",
            Metric::Throughput => "throughput",
            Metric::Allocations => "allocations",
            Metric::Bytes => "bytes",
            Metric::Peak => "peak",
            Metric::Size => "size",
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// In what a budget is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// Bytes a second.
    BytesPerSecond,
    /// Elements a second.
    ElementsPerSecond,
    /// Bits a second.
    BitsPerSecond,
}

impl Unit {
    /// A measured amount with its unit: `2.481 ms`, `64.0 KiB`, `12.30 Melem/s`.
    #[must_use]
    pub fn show(self, amount: f64) -> String {
        let bytes = |amount: f64| Bytes::from_bytes(amount.round() as u64);
        match self {
            Unit::Nanoseconds => Nanos::from_nanos(amount).to_string(),
            Unit::Bytes => bytes(amount).to_string(),
            Unit::BytesPerSecond => format!("{}/s", bytes(amount)),
            Unit::Count if amount.fract() == 0.0 => format!("{amount:.0}"),
            Unit::Count => format!("{amount:.2}"),
            Unit::ElementsPerSecond => scaled(amount, "elem/s"),
            Unit::BitsPerSecond => scaled(amount, "bit/s"),
        }
    }

    /// An amount that somebody typed: without the digits that nobody would type.
    #[must_use]
    pub fn show_typed(self, amount: f64) -> String {
        let shown = self.show(amount);
        let Some((number, unit)) = shown.split_once(' ').filter(|(n, _)| n.contains('.')) else {
            return shown;
        };
        let number = number.trim_end_matches('0').trim_end_matches('.');
        format!("{number} {unit}")
    }
}

/// Four digits with the prefix that suits.
fn scaled(amount: f64, unit: &str) -> String {
    let prefixes = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let fitting = prefixes.into_iter().find(|(scale, _)| amount >= *scale);
    let (scale, prefix) = fitting.unwrap_or((1.0, ""));
    format!("{:.2} {prefix}{unit}", amount / scale)
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub metric: Metric,
    /// In what.
    pub unit: Unit,
    /// The limit; above zero.
    pub limit: f64,
    /// From where on it should be looked at; between zero and the limit, or above a throughput.
    pub investigate: Option<f64>,
}

impl std::fmt::Display for Limit {
    /// `p95 ≤ 3 ms`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limit = self.unit.show_typed(self.limit);
        write!(f, "{} {} {limit}", self.metric, self.metric.relation())
    }
}
