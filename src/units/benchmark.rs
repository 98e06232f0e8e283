//! What names a benchmark, and what it says of itself.

use serde::{Deserialize, Serialize};

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
