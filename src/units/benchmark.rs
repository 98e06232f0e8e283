//! What names a benchmark, and what it says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Metric, Nanos, Ratio};

/// What names a benchmark across revisions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BenchmarkKey {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// Criterion's id, `group/function/value`.
    pub id: String,
}

impl BenchmarkKey {
    /// The benchmark `id` of a bench target of a package.
    #[must_use]
    pub fn new(package: &str, target: &str, id: &str) -> BenchmarkKey {
        BenchmarkKey {
            package: package.to_owned(),
            target: target.to_owned(),
            id: id.to_owned(),
        }
    }
}

impl std::fmt::Display for BenchmarkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{} {}", self.package, self.target, self.id)
    }
}

/// How much one iteration processes, as the benchmark declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", content = "amount", rename_all = "lowercase")]
pub enum Throughput {
    /// Bytes.
    Bytes(u64),
    /// Things.
    Elements(u64),
    /// Bits.
    Bits(u64),
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, one, many) = match self {
            Throughput::Bytes(amount) => (amount, "byte", "bytes"),
            Throughput::Elements(amount) => (amount, "element", "elements"),
            Throughput::Bits(amount) => (amount, "bit", "bits"),
        };
        let word = if *amount == 1 { one } else { many };
        write!(f, "{amount} {word}")
    }
}

impl Throughput {
    /// What is measured of it.
    #[must_use]
    pub fn metric(self) -> Metric {
        match self {
            Throughput::Bytes(_) => Metric::BYTES_PER_SECOND,
            Throughput::Elements(_) => Metric::ELEMENTS_PER_SECOND,
            Throughput::Bits(_) => Metric::BITS_PER_SECOND,
        }
    }

    /// How many times as much this is; `None` where either is zero or their kinds differ.
    #[must_use]
    pub fn relative_to(self, other: Throughput) -> Option<Ratio> {
        let (amount, of) = match (self, other) {
            (Throughput::Bytes(amount), Throughput::Bytes(of))
            | (Throughput::Elements(amount), Throughput::Elements(of))
            | (Throughput::Bits(amount), Throughput::Bits(of)) => (amount, of),
            _ => return None,
        };
        (amount > 0 && of > 0).then(|| Ratio::from_quotient(amount as f64 / of as f64))
    }

    /// How much is processed per second if an iteration takes `time`.
    #[must_use]
    pub fn a_second(self, time: Nanos) -> f64 {
        let (Throughput::Bytes(each) | Throughput::Elements(each) | Throughput::Bits(each)) = self;
        each as f64 / time.as_nanos() * 1e9
    }
}
