//! Which figures of a benchmark's allocations changed, in the words that every renderer for people shares.

use super::numbers::{bytes, per_iteration};
use crate::analyse::{AllocationComparison, AllocationSummary, AllocationVerdict};

/// The verdict on allocations as one word.
pub(super) fn more_or_fewer(verdict: AllocationVerdict) -> &'static str {
    match verdict {
        AllocationVerdict::More => "more",
        AllocationVerdict::Fewer => "fewer",
        AllocationVerdict::Same => "same",
    }
}

/// Which figures are more and which are fewer, one entry each way: `more bytes and peak`, `fewer allocations`.
/// Nothing in reports of versions that compared them all together.
pub(super) fn changed(allocations: &AllocationComparison) -> Vec<String> {
    let Some(figures) = allocations.figures else {
        return Vec::new();
    };
    let all = [
        ("allocations", figures.allocations),
        ("reallocations", figures.reallocations),
        ("bytes", figures.bytes),
        ("peak", figures.peak),
        ("bytes left behind", figures.retained),
    ];
    [AllocationVerdict::More, AllocationVerdict::Fewer]
        .into_iter()
        .filter_map(|way| {
            let changed = all.iter().filter(|(_, verdict)| *verdict == Some(way));
            let names: Vec<&str> = changed.map(|(name, _)| *name).collect();
            let (last, others) = names.split_last()?;
            Some(match others {
                [] => format!("{} {last}", more_or_fewer(way)),
                _ => format!("{} {} and {last}", more_or_fewer(way), others.join(", ")),
            })
        })
        .collect()
}

/// What changed beside allocations and bytes, to be put behind those: `, peak 9 B → 64.0 MiB`.
pub(super) fn beside(allocations: &AllocationComparison) -> String {
    let (Some(figures), Some(base), Some(head)) =
        (allocations.figures, &allocations.base, &allocations.head)
    else {
        return String::new();
    };
    let reallocations = |summary: &AllocationSummary| per_iteration(summary.reallocations);
    let peak = |summary: &AllocationSummary| bytes(summary.peak_bytes as f64);
    let left = |summary: &AllocationSummary| bytes(summary.leaked_bytes);
    let has_changed = |verdict: Option<AllocationVerdict>| {
        verdict.is_some_and(|verdict| verdict != AllocationVerdict::Same)
    };
    [
        (
            "reallocations",
            figures.reallocations,
            reallocations(base),
            reallocations(head),
        ),
        ("peak", figures.peak, peak(base), peak(head)),
        ("left behind", figures.retained, left(base), left(head)),
    ]
    .into_iter()
    .filter(|(_, verdict, ..)| has_changed(*verdict))
    .map(|(name, _, base, head)| format!(", {name} {base} → {head}"))
    .collect()
}
