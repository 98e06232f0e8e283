//! What a report says about the layouts in which benchmarks were timed.

use std::collections::BTreeMap;

use crate::measure::LayoutRun;

/// Notes on targets that did not get a layout for each round, as lower-case fragments: one for each reason.
pub(super) fn notes(run: &LayoutRun) -> Vec<String> {
    let mut targets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fixed in &run.fixed {
        let cause = std::error::Error::source(&fixed.reason);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        let name = format!("{}::{}", fixed.package, fixed.target);
        let of_reason = targets.entry(format!("{}{cause}", fixed.reason));
        of_reason.or_default().push(name);
    }
    let note = |(reason, targets): (String, Vec<String>)| {
        format!(
            "all rounds of {} share one layout of the code, so functions that merely moved may look faster or slower: {reason}",
            targets.join(", ")
        )
    };
    targets.into_iter().map(note).collect()
}
