//! What judging needs in addition to the findings that a report shows. It is stored in the report,
//! so that the shards of a run can be judged again as a whole.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::UncoveredFunction;
use crate::plan::{AllocationPolicy, Claim};
use crate::units::BenchmarkKey;

/// What the configuration asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// What more allocations mean for the vote; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<AllocationPolicy>,
    /// The benchmarks that rules require.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<BenchmarkKey>,
    /// The rules that require benchmarks which neither side has, as they were typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_in_vain: Vec<String>,
    /// What the change claims to gain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What a shard saw that only all shards together can judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartBasis>,
}

/// What a shard saw that only all shards together can judge. What is missing here may be in another shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartBasis {
    /// The workspace's own functions that changed and that a benchmark of this part executed.
    #[serde(default)]
    pub covered: Vec<UncoveredFunction>,
    /// Those that no benchmark of this part executed.
    #[serde(default)]
    pub uncovered: Vec<UncoveredFunction>,
    /// Rules that require benchmarks, none of which is in this part.
    #[serde(default)]
    pub required_in_vain: Vec<String>,
    /// Budgets that match no benchmark of this part.
    #[serde(default)]
    pub budgets_in_vain: Vec<String>,
}

/// The functions that no benchmark executed, given what was executed and what was not, in any
/// executable, instance or shard: a function is identified by where its source begins.
#[must_use]
pub fn uncovered<'a>(
    covered: impl Iterator<Item = &'a UncoveredFunction>,
    uncovered: impl Iterator<Item = &'a UncoveredFunction>,
) -> Vec<UncoveredFunction> {
    let covered: BTreeSet<&str> = covered.map(|function| &*function.location).collect();
    let is_left = |function: &&UncoveredFunction| !covered.contains(&*function.location);
    let mut left: Vec<UncoveredFunction> = uncovered.filter(is_left).cloned().collect();
    left.sort_by(|a, b| (&a.location, &a.function).cmp(&(&b.location, &b.function)));
    left.dedup_by(|a, b| a.location == b.location);
    left
}

/// The patterns that matched nothing in any of the shards.
#[must_use]
pub fn in_vain_everywhere<'a>(mut shards: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
    let first = shards.next().cloned().unwrap_or_default();
    shards.fold(first, |mut left, shard| {
        left.retain(|pattern| shard.contains(pattern));
        left
    })
}
