//! What more allocations mean for the vote.

use super::reason::{Grown, Growth};
use super::{Basis, Reason, Vote};
use crate::analyse::{AllocationVerdict, Comparison};
use crate::plan::{AllocationPolicy, OnMore};
use crate::units::Paired;

/// Benchmarks of which one iteration allocates more, or needs more memory at a time, by more than the
/// policy's threshold.
pub(super) fn reason_of_growth(comparisons: &[Comparison], basis: &Basis) -> Option<Reason> {
    let policy = basis.allocations.as_ref()?;
    let vote = match policy.on_more {
        OnMore::Approve => return None,
        OnMore::Modify => Vote::Modify,
        OnMore::Reject => Vote::Reject,
    };
    let grown = comparisons.iter().filter_map(|c| growth(c, policy));
    let mut benchmarks: Vec<Growth> = grown.collect();
    let share = |growth: &Growth| growth.amount.head / growth.amount.base.max(f64::MIN_POSITIVE);
    benchmarks.sort_by(|a, b| share(b).total_cmp(&share(a)));
    (!benchmarks.is_empty()).then_some(Reason::AllocatesMore { vote, benchmarks })
}

fn growth(comparison: &Comparison, policy: &AllocationPolicy) -> Option<Growth> {
    let allocations = comparison.allocations.as_ref()?;
    let (base, head) = (allocations.base.as_ref()?, allocations.head.as_ref()?);
    if allocations.verdict != Some(AllocationVerdict::More) {
        return None;
    }
    let counts = Paired::new(base.count, head.count);
    let peaks = Paired::new(base.peak_bytes as f64, head.peak_bytes as f64);
    let all = [(Grown::Count, counts), (Grown::Peak, peaks)];
    let beyond = |(_, amount): &(Grown, Paired<f64>)| {
        amount.head > amount.base * policy.threshold.as_quotient()
    };
    let (grown, amount) = all.into_iter().find(beyond)?;
    Some(Growth {
        benchmark: comparison.key.clone(),
        grown,
        amount,
    })
}
