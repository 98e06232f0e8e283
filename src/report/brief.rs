//! A report in under 2,000 characters, for scripts and agents: the vote, why, and each finding with its function,
//! the changed lines, and the command that measures it again.

use super::causes::{self, ShownCauses};
use super::escape::{shortened, visible};
use super::words::{self, Naming};
use super::{Report, metrics, partial, reasons, sentence, standing};
use crate::analyse::{Comparison, Verdict};
use crate::attribute::{Contributor, LineKind};
use crate::units::{MetricGroup, command_line};

/// What a command that measures a service begins with.
const LOAD: &str = "load";
/// The output is shorter than this, whatever the report holds.
const LIMIT: usize = 2_000;
/// The most characters of the last line, which counts the findings that did not fit.
const LAST_LINE: usize = 100;
/// This many reasons of the vote.
const REASONS: usize = 5;
/// The most characters of one reason.
const LONGEST_REASON: usize = 160;
/// This many characters of a name.
const LONGEST_NAME: usize = 80;
/// This many lines of a hunk.
const LINES: usize = 6;
/// Columns of each.
const WIDTH: usize = 80;

pub(super) fn render(report: &Report) -> String {
    let mut out = head(report);
    let naming = Naming::of(report);
    let mut shown = ShownCauses::default();
    let mut left_out = 0;
    let mut findings = words::ordered(report);
    findings.retain(|comparison| words::is_notable(comparison));
    // Problems first: good news can be left out.
    findings.sort_by_key(|comparison| comparison.verdict == Verdict::Faster);
    for comparison in findings {
        let [title, hunk, command] = finding(report, naming, comparison, &mut shown);
        let room = (LIMIT - LAST_LINE).saturating_sub(out.chars().count());
        let fits = |text: &str| text.chars().count() < room;
        let whole = format!("\n{title}{hunk}{command}");
        let without_hunk = format!("\n{title}{command}");
        match (left_out, fits(&whole), fits(&without_hunk)) {
            (0, true, _) => out.push_str(&whole),
            (0, false, true) => out.push_str(&without_hunk),
            _ => left_out += 1,
        }
    }
    if left_out > 0 {
        out.push_str(&format!(
            "\n{}; `--format json` has all\n",
            words::plural(left_out, "more finding", "more findings")
        ));
    }
    out
}

/// The vote in one line, what was compared, and why.
fn head(report: &Report) -> String {
    let vote = words::vote_word(report.decision.vote);
    let range = &report.range;
    let mut out = format!(
        "{vote}: {}\n{} → {}; {}\n",
        shortened(&sentence::of(report), 2 * LONGEST_REASON),
        words::revision(&range.base),
        words::revision(&range.head),
        words::tally(report)
    );
    if let Some(partial) = partial::sentence(report) {
        let partial = shortened(&visible(&partial), 2 * LONGEST_REASON);
        out.push_str(&format!("partial: {partial}\n"));
    }
    let all = reasons::of(report);
    for reason in all.iter().take(REASONS) {
        let reason = shortened(&visible(reason), LONGEST_REASON);
        out.push_str(&format!("reason: {reason}\n"));
    }
    if all.len() > REASONS {
        out.push_str(&format!("reason: … and {} more\n", all.len() - REASONS));
    }
    out
}

/// The text about one benchmark: its result and function, the changed lines, the command.
fn finding<'a>(
    report: &'a Report,
    naming: Naming,
    comparison: &Comparison,
    shown: &mut ShownCauses<'a>,
) -> [String; 3] {
    let name = shortened(&naming.name(&comparison.key), LONGEST_NAME);
    let culprit = causes::culprit(report, comparison);
    let function = culprit.map(function).unwrap_or_default();
    let standing = standing::of(report, &comparison.key);
    let standing = standing.map(|one| format!("  {}\n", standing::words(one)));
    let title = format!(
        "{} {name}{}\n{}{function}",
        comparison.verdict.name(),
        numbers(comparison),
        standing.unwrap_or_default()
    );
    let hunk = culprit.and_then(|contributor| contributor.hunks.first());
    let hunk = hunk.filter(|hunk| shown.is_new(hunk)).map(|hunk| {
        let lines = causes::telling(&hunk.lines, LINES).into_iter().flatten();
        let changed = lines.filter(|line| line.kind != LineKind::Same);
        let lines: Vec<String> = changed
            .map(|line| format!("  {}\n", causes::plain_diff_line(line, WIDTH)))
            .collect();
        let place = visible(&format!("{}:{}", hunk.path, hunk.line));
        format!("  {}\n{}", shortened(&place, WIDTH), lines.concat())
    });
    [title, hunk.unwrap_or_default(), command(report, comparison)]
}

fn numbers(comparison: &Comparison) -> String {
    let mut out = String::new();
    if let Some(change) = comparison.estimate() {
        out.push_str(&format!(
            " {} ({} … {})",
            change.ratio, change.lower, change.upper
        ));
    }
    if let Some(failure) = &comparison.failure {
        let reason = shortened(&visible(&failure.reason), LONGEST_REASON);
        out.push_str(&format!(": the {} side {reason}", failure.side));
    }
    for group in MetricGroup::BESIDE_TIME {
        let has_moved = metrics::moved(comparison, group).is_some();
        if let Some(both) = metrics::both(comparison, group).filter(|_| has_moved) {
            out.push_str(&format!("; {} {both}", group.name()));
        }
    }
    out
}

fn function(contributor: &Contributor) -> String {
    let name = shortened(&causes::name(contributor), LONGEST_NAME);
    let place = causes::place(contributor).map(|at| format!(" at {}", visible(&at.to_string())));
    let place = shortened(&place.unwrap_or_default(), LONGEST_NAME);
    format!("  in {name}{place}\n")
}

/// Measures this benchmark alone, with the seed and the settings of the run.
fn command(report: &Report, comparison: &Comparison) -> String {
    if comparison.verdict == Verdict::Removed {
        return String::new();
    }
    // A hyphen means nothing outside of brackets.
    let id = regex::escape(&comparison.key.id).replace("\\-", "-");
    let filter = format!("^{id}$");
    let words = without_filter(&report.methodology.command_line);
    // A service is measured as a whole.
    let filter = match words.first() {
        Some(&LOAD) => [].as_slice(),
        _ => &["--filter", &filter],
    };
    let words = words.iter().chain(filter).copied();
    format!("  $ cargo perfcheck {}\n", visible(&command_line(words)))
}

/// The arguments of a command without its filter, since there can be only one.
fn without_filter(words: &[String]) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--filter" => drop(words.next()),
            _ if word.starts_with("--filter=") => {}
            _ => kept.push(word),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::without_filter;

    #[test]
    fn a_command_keeps_everything_but_its_filter() {
        let words = "main..HEAD --filter ^a --seed 7 --filter=b".split(' ');
        let words: Vec<String> = words.map(str::to_owned).collect();
        assert_eq!(without_filter(&words), ["main..HEAD", "--seed", "7"]);
    }
}
