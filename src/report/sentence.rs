//! The report in one sentence.

use super::escape::{shortened, visible};
use super::words::{benchmarks, count, magnitude_of, ordered, plural, share, tally};
use super::{Report, reasons};
use crate::analyse::{Comparison, Direction, RatioEstimate, Verdict};
use crate::judge::Vote;
use crate::units::MetricGroup;

/// One sentence that says what led to the vote.
pub(super) fn of(report: &Report) -> String {
    let total = report.benchmarks.len();
    let slower = count(report, Verdict::Slower);
    let all = benchmarks(total);
    if slower > 0 {
        return slower_sentence(report, slower, &all);
    }
    if report.decision.vote != Vote::Approve {
        return match reasons::of(report).split_first() {
            Some((first, [])) => capitalised(&format!("{}.", visible(first))),
            Some((first, rest)) => capitalised(&format!(
                "{}; {}.",
                visible(first),
                plural(rest.len(), "more reason", "more reasons")
            )),
            None => format!("Of {all}: {}.", tally(report)),
        };
    }
    if total == 0 {
        return "There was no benchmark to compare.".to_owned();
    }
    if count(report, Verdict::Identical) == total {
        return format!("The compiled code of {all} is identical; nothing had to be measured.");
    }
    let (identical, unreached) = (
        count(report, Verdict::Identical),
        count(report, Verdict::Unreached),
    );
    if identical + unreached == total {
        return format!(
            "None of {all} executes anything that changed; nothing had to be measured."
        );
    }
    if count(report, Verdict::Untimed) > 0 {
        return untimed_sentence(report, &all);
    }
    match count(report, Verdict::Faster) {
        0 if total == 1 => format!(
            "The benchmark did not change by more than {}.",
            threshold(report)
        ),
        0 => format!("None of {all} changed by more than {}.", threshold(report)),
        n => format!("{n} of {all} {} faster, none is slower.", are(n)),
    }
}

/// What an unchanged benchmark does not exceed: some have thresholds of their own.
fn threshold(report: &Report) -> String {
    let general = report.methodology.threshold;
    let exceeds = |change: &RatioEstimate| {
        change.upper.ln() > general.ln_1p() || change.lower.ln() < -general.ln_1p()
    };
    let unchanged = report
        .benchmarks
        .iter()
        .filter(|one| one.verdict == Verdict::Unchanged);
    match unchanged.filter_map(Comparison::estimate).any(exceeds) {
        true => "its threshold".to_owned(),
        false => share(general),
    }
}

/// Of a run for instructions alone in which nothing executes more of them.
fn untimed_sentence(report: &Report, all: &str) -> String {
    let fewer = report.benchmarks.iter().filter(|comparison| {
        comparison.direction(MetricGroup::Instructions) == Some(Direction::Fewer)
    });
    match fewer.count() {
        0 => format!("None of {all} executes more or fewer instructions; nothing was timed."),
        1 => format!(
            "1 of {all} executes fewer instructions, none executes more; nothing was timed."
        ),
        n => format!(
            "{n} of {all} execute fewer instructions, none executes more; nothing was timed."
        ),
    }
}

fn slower_sentence(report: &Report, slower: usize, all: &str) -> String {
    let worst = ordered(report)
        .into_iter()
        .find(|c| c.verdict == Verdict::Slower)
        .and_then(|c| Some((c, c.estimate()?)));
    let Some((worst, change)) = worst else {
        return format!("{slower} of {all} {} slower.", are(slower));
    };
    let name = shortened(&visible(&worst.key.id), 60);
    let (size, least) = (magnitude_of(change.ratio), magnitude_of(change.lower));
    if slower == 1 {
        return format!("1 of {all} is slower: {name} by {size} (at least {least}).");
    }
    format!("{slower} of {all} are slower, the worst {name} by {size} (at least {least}).")
}

fn are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
