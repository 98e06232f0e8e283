//! What names a benchmark, and what it says of itself.

use serde::{Deserialize, Serialize};

use super::{Metric, Nanos};

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

    /// How much is processed in a second where an iteration takes `time`.
    #[must_use]
    pub fn a_second(self, time: Nanos) -> f64 {
        let (Throughput::Bytes(each) | Throughput::Elements(each) | Throughput::Bits(each)) = self;
        each as f64 / time.as_nanos() * 1e9
    }
}
