//! What the rules for single benchmarks demand of a run as a whole.

use crate::analyse::{Comparison, Decision, Verdict, Vote};
use crate::discover::Discovery;
use crate::plan::config::{Obligation, Rules};

/// Takes the benchmarks out that rules skip; what to tell about it, as lower-case fragments.
pub(super) fn skip(discovery: &mut Discovery, rules: &Rules) -> Vec<String> {
    if rules.is_empty() {
        return Vec::new();
    }
    let mut skipped = Vec::new();
    for target in &mut discovery.targets {
        target.benchmarks.retain(|benchmark| {
            let key = &benchmark.key;
            let own = rules.of(&key.package, &key.target, &key.id);
            let stays = own.obligation != Obligation::Skipped;
            if !stays {
                skipped.push(key.to_string());
            }
            stays
        });
    }
    match skipped.len() {
        0 => Vec::new(),
        1 => vec![format!("not measured, as a rule asks: {}", skipped[0])],
        n => vec![format!(
            "{n} benchmarks not measured, as rules ask: {}",
            skipped.join(", ")
        )],
    }
}

/// Rejects where a required benchmark failed or was removed.
pub(super) fn demand(
    mut decision: Decision,
    comparisons: &[Comparison],
    rules: &Rules,
) -> Decision {
    for comparison in comparisons {
        let key = &comparison.key;
        let own = rules.of(&key.package, &key.target, &key.id);
        let what = match comparison.verdict {
            Verdict::Failed => "failed",
            Verdict::Removed => "was removed",
            _ => continue,
        };
        if own.obligation == Obligation::Required {
            decision.vote = Vote::Reject;
            decision
                .reasons
                .insert(0, format!("{key} is required, and {what}"));
        }
    }
    decision
}
