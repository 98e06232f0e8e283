//! What the rounds of unchanged benchmarks may have missed, in the words that every renderer for people shares.

use super::Report;
use crate::analyse::{Comparison, Verdict};
use crate::stats::unseen_mode;
use crate::units::plural;

/// What the rounds of an unchanged benchmark may have missed.
pub(super) fn of(comparison: &Comparison) -> Option<String> {
    let change = comparison.estimate()?;
    (comparison.verdict == Verdict::Unchanged).then(|| {
        format!(
            "{} can miss a mode that up to {} of the processes fall into",
            plural(change.rounds, "round", "rounds"),
            whole_share(unseen_mode(change.rounds))
        )
    })
}

/// What the rounds of this report's unchanged benchmarks may have missed; `None` if there are none.
pub(super) fn modes(report: &Report) -> Option<String> {
    let unchanged = report
        .benchmarks
        .iter()
        .filter(|c| c.verdict == Verdict::Unchanged);
    let rounds = unchanged.filter_map(|c| Some(c.estimate()?.rounds));
    let fewest = rounds.min()?;
    let then = match fewest < THOROUGH {
        true => format!(
            "; `--thorough` goes on to {THOROUGH} rounds ({})",
            whole_share(unseen_mode(THOROUGH))
        ),
        false => String::new(),
    };
    Some(format!(
        "`unchanged` holds for the processes that ran: {} can miss a slow mode that up to {} of \
         the processes fall into (95 % confidence){then}",
        plural(fewest, "round", "rounds"),
        whole_share(unseen_mode(fewest))
    ))
}

/// How many rounds `--thorough` takes before it calls anything unchanged.
const THOROUGH: usize = 29;

fn whole_share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
