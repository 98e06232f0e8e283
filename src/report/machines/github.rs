//! GitHub Actions: annotations, as workflow commands on standard output.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::super::words::{self, Naming};
use super::super::{
    Report, budgets, causes, claims,
    escape::{shortened, visible},
    partial, sentence,
};
use super::place;
use crate::analyse::{Comparison, Verdict};
use crate::judge::{BudgetCheck, BudgetStatus, ClaimStanding};

/// GitHub shows no more of each level for one step.
const SHOWN: usize = 10;

/// A title is one line on the page.
const LONGEST_NAME: usize = 160;

/// One line for each finding, errors first, and one notice with the vote.
pub(in crate::report) fn annotations(report: &Report) -> String {
    let naming = Naming::of(report);
    let mut out = String::new();
    let of = |wanted: fn(&Comparison) -> bool| {
        words::ordered(report)
            .into_iter()
            .filter(move |c| wanted(c))
    };
    let errors: Vec<&Comparison> =
        of(|c| matches!(c.verdict, Verdict::Slower | Verdict::Failed)).collect();
    let warnings: Vec<&Comparison> = of(|c| {
        matches!(c.verdict, Verdict::Inconclusive | Verdict::Removed)
            || (!matches!(c.verdict, Verdict::Slower | Verdict::Failed)
                && words::has_grown_beside(c))
    })
    .collect();
    for (level, all, status) in [
        ("error", errors, BudgetStatus::Over),
        ("warning", warnings, BudgetStatus::Investigate),
    ] {
        let of_run = match level {
            "warning" => of_run(report),
            _ => Vec::new(),
        };
        let of_benchmarks = all.iter().map(|c| annotation(report, level, naming, c));
        let checks = report.budgets.iter().filter(|b| b.status == status);
        let of_budgets = checks.map(|check| budget(level, naming, check));
        // Benchmarks before budgets: an exceeded budget often follows from a slower benchmark.
        let all = of_run.into_iter().chain(of_benchmarks).chain(of_budgets);
        out.extend(all.take(SHOWN));
    }
    let sentence = sentence::of(report);
    let title = format!("performance: {}", words::vote_word(report.decision.vote));
    out.push_str(&format!(
        "::notice title={}::{} ({})\n",
        property(&title),
        data(&sentence),
        data(&words::tally(report))
    ));
    out
}

/// Warnings about the run as a whole: that it ended early, and claims without evidence.
fn of_run(report: &Report) -> Vec<String> {
    let warning = |title: &str, text: &str| {
        let title = property(&format!("performance: {title}"));
        format!("::warning title={title}::{}\n", data(text))
    };
    let partial = partial::sentence(report);
    let mut warnings: Vec<String> = partial
        .map(|text| warning("partial report", &text))
        .into_iter()
        .collect();
    let unshown = report.claims.iter();
    let unshown = unshown.filter(|check| check.standing != ClaimStanding::Shown);
    warnings.extend(unshown.map(|check| warning("no evidence", &claims::words(check))));
    warnings
}

fn annotation(report: &Report, level: &str, naming: Naming, comparison: &Comparison) -> String {
    let title = format!(
        "{}: {}",
        comparison.verdict.name(),
        shortened(&naming.name(&comparison.key), LONGEST_NAME)
    );
    let place = place::blamed(report, comparison)
        .map(|place| format!("file={},line={},", property(&place.path), place.line));
    format!(
        "::{level} {}title={}::{}\n",
        place.unwrap_or_default(),
        property(&title),
        data(&told(report, comparison))
    )
}

/// What happened to a benchmark, and where the change comes from.
fn told(report: &Report, comparison: &Comparison) -> String {
    let summary = words::summary(comparison);
    match causes::mainly(report, comparison) {
        Some(culprit) => format!("{summary}; most of it {culprit}"),
        None => summary,
    }
}

fn budget(level: &str, naming: Naming, check: &BudgetCheck) -> String {
    let title = format!(
        "budget: {}",
        shortened(&budgets::subject(check, naming), LONGEST_NAME)
    );
    format!(
        "::{level} title={}::{}\n",
        property(&title),
        data(&budgets::summary(check))
    )
}

/// The text of a command. Characters that would end the line are escaped, whatever was escaped before.
fn data(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a command, where colons and commas mean something as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
