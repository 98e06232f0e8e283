//! What a report says of the layouts in which benchmarks were timed.

use std::collections::BTreeMap;

use crate::measure::LayoutRun;

/// Notes on targets that were timed in the layout that cargo made, as lower-case fragments: one for each reason.
pub(super) fn notes(run: &LayoutRun) -> Vec<String> {
    let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fixed in &run.fixed {
        targets
            .entry(&fixed.reason)
            .or_default()
            .push(&fixed.target);
    }
    let note = |(reason, targets): (&str, Vec<&str>)| {
        format!(
            "{} kept one layout of code in all rounds, so a function that merely moved may seem faster or slower: {reason}",
            targets.join(", ")
        )
    };
    targets.into_iter().map(note).collect()
}
