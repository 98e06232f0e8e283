//! From comparisons to the vote.

use super::{Comparison, Decision, Verdict, Vote};

/// How many benchmarks a reason names before it says "and n more".
const NAMED: usize = 3;

/// Votes on the whole change: `reject` where something is slower, `modify` where something is
/// inconclusive, failed or removed or where nothing was compared at all, else `approve`.
#[must_use]
pub fn decide(comparisons: &[Comparison]) -> Decision {
    let rules: [(Verdict, Vote, fn(&[&Comparison]) -> String); 4] = [
        (Verdict::Slower, Vote::Reject, |found| {
            reason(found, "is slower", "are slower")
        }),
        (Verdict::Failed, Vote::Modify, |found| {
            reason(found, "failed", "failed")
        }),
        (Verdict::Removed, Vote::Modify, |found| {
            reason(found, "was removed", "were removed")
        }),
        (Verdict::Inconclusive, Vote::Modify, |found| {
            reason(found, "is inconclusive", "are inconclusive")
        }),
    ];
    let mut decision = Decision {
        vote: Vote::Approve,
        reasons: Vec::new(),
    };
    for (verdict, vote, word) in rules {
        let mut found: Vec<&Comparison> = comparisons
            .iter()
            .filter(|c| c.verdict == verdict)
            .collect();
        if found.is_empty() {
            continue;
        }
        found.sort_by(|a, b| size(b).total_cmp(&size(a)));
        decision.vote = decision.vote.max(vote);
        decision.reasons.push(word(&found));
    }
    if comparisons.iter().all(|c| c.verdict == Verdict::Added) {
        decision.vote = decision.vote.max(Vote::Modify);
        decision
            .reasons
            .push("no benchmark exists on both sides, so nothing was compared".to_owned());
    }
    decision
}

/// How far the time moved, so that the gravest is named first.
fn size(comparison: &Comparison) -> f64 {
    comparison
        .time
        .as_ref()
        .and_then(|t| t.change.as_ref())
        .map_or(0.0, |change| change.ratio.ln().abs())
}

fn reason(found: &[&Comparison], one: &str, many: &str) -> String {
    let mut names: Vec<String> = found.iter().take(NAMED).map(|c| named(c)).collect();
    let more = found.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match found.len() {
        1 => format!("1 benchmark {one}: {}", names.join(", ")),
        n => format!("{n} benchmarks {many}: {}", names.join(", ")),
    }
}

fn named(comparison: &Comparison) -> String {
    let change = comparison.time.as_ref().and_then(|t| t.change.as_ref());
    match (comparison.verdict, change) {
        (Verdict::Slower, Some(change)) => format!("{} ({})", comparison.key, change.ratio),
        _ => comparison.key.to_string(),
    }
}
