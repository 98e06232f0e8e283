//! What more allocations mean for the vote.

use super::reason::{FurtherGrowth, Grown, Growth};
use super::{Basis, Reason, Vote};
use crate::analyse::{AllocationVerdict, Comparison};
use crate::plan::{AllocationPolicy, OnMore};
use crate::units::Paired;

/// Benchmarks of which one iteration makes more allocations, asks for more bytes or needs more memory at a time,
/// by more than the policy's threshold.
pub(super) fn reason_of_growth(comparisons: &[Comparison], basis: &Basis) -> Option<Reason> {
    let policy = basis.allocations.as_ref()?;
    let vote = match policy.on_more {
        OnMore::Approve => return None,
        OnMore::Modify => Vote::Modify,
        OnMore::Reject => Vote::Reject,
    };
    let grown = comparisons.iter().filter_map(|c| growth(c, policy));
    let mut benchmarks: Vec<Growth> = grown.collect();
    benchmarks.sort_by(|a, b| share(b).total_cmp(&share(a)));
    (!benchmarks.is_empty()).then_some(Reason::AllocatesMore { vote, benchmarks })
}

/// Each figure for itself: fewer allocations do not make up for more bytes.
fn growth(comparison: &Comparison, policy: &AllocationPolicy) -> Option<Growth> {
    let allocations = comparison.allocations.as_ref()?;
    let (base, head) = (allocations.base.as_ref()?, allocations.head.as_ref()?);
    let more = Some(AllocationVerdict::More);
    // Reports of older versions have one verdict on all figures.
    let [count, bytes, peak] = match allocations.figures {
        Some(figures) => [figures.allocations, figures.bytes, figures.peak],
        None => [allocations.verdict, None, allocations.verdict],
    };
    let peaks = Paired::new(base.peak_bytes as f64, head.peak_bytes as f64);
    let all = [
        (Grown::Count, count, Paired::new(base.count, head.count)),
        (Grown::Bytes, bytes, Paired::new(base.bytes, head.bytes)),
        (Grown::Peak, peak, peaks),
    ];
    let beyond = |amount: &Paired<f64>| amount.head > amount.base * policy.threshold.as_quotient();
    let mut grown = all
        .into_iter()
        .filter(|(_, verdict, amount)| *verdict == more && beyond(amount))
        .map(|(grown, _, amount)| FurtherGrowth { grown, amount });
    let FurtherGrowth {
        grown: first,
        amount,
    } = grown.next()?;
    Some(Growth {
        benchmark: comparison.key.clone(),
        grown: first,
        amount,
        also: grown.collect(),
    })
}

/// By how much a benchmark's allocations grew: the figure that grew most.
fn share(growth: &Growth) -> f64 {
    let of = |amount: &Paired<f64>| amount.head / amount.base.max(f64::MIN_POSITIVE);
    let also = growth.also.iter().map(|further| of(&further.amount));
    also.fold(of(&growth.amount), f64::max)
}
