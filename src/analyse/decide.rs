//! From comparisons to the vote.

use super::{Comparison, Decision, Verdict, Vote};

/// How many benchmarks a reason names before it says "and n more".
const NAMED: usize = 3;

/// What a verdict means for the vote, and how it is worded of one benchmark and of several.
struct Rule {
    verdict: Verdict,
    vote: Vote,
    one: &'static str,
    many: &'static str,
}

/// Votes on the whole change: `reject` where something is slower, `modify` where something is
/// inconclusive, failed or removed or where nothing was compared at all, else `approve`.
#[must_use]
pub fn decide(comparisons: &[Comparison]) -> Decision {
    let rule = |verdict, vote, one, many| Rule {
        verdict,
        vote,
        one,
        many,
    };
    let rules = [
        rule(Verdict::Slower, Vote::Reject, "is slower", "are slower"),
        rule(Verdict::Failed, Vote::Modify, "failed", "failed"),
        rule(
            Verdict::Removed,
            Vote::Modify,
            "was removed",
            "were removed",
        ),
        rule(
            Verdict::Inconclusive,
            Vote::Modify,
            "is inconclusive",
            "are inconclusive",
        ),
    ];
    let mut decision = Decision {
        vote: Vote::Approve,
        reasons: Vec::new(),
    };
    for rule in rules {
        let mut found: Vec<&Comparison> = comparisons
            .iter()
            .filter(|c| c.verdict == rule.verdict)
            .collect();
        if found.is_empty() {
            continue;
        }
        found.sort_by(|a, b| size(b).total_cmp(&size(a)));
        decision.vote = decision.vote.max(rule.vote);
        decision.reasons.push(reason(&found, rule.one, rule.many));
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
