//! The report as GitHub-flavoured markdown: the comment that a bot writes on a pull request.

mod budgets;
mod causes;
mod detail;
mod escape;
mod facts;
mod load_tests;
mod metrics;
mod sections;
mod tables;

use detail::Detail;

use super::Report;

/// The first line of every report, so that a bot finds its comment and updates it.
pub const MARKER: &str = "<!-- cargo-perfcheck -->";

/// How long a comment may be. GitHub counts characters; counting UTF-16 units never gives less.
/// Some are reserved for what a bot may add.
const LIMIT: usize = 65_536 - 1_024;

/// How long the summary of a step may be: GitHub takes 1 MiB, and no character has more than four
/// bytes.
const SUMMARY_LIMIT: usize = (1 << 20) / 4;

/// The most detailed version that fits into a comment.
pub(super) fn render(report: &Report) -> String {
    within(report, LIMIT)
}

/// The most detailed version that fits into the summary of a step of GitHub Actions.
pub(super) fn render_summary(report: &Report) -> String {
    within(report, SUMMARY_LIMIT)
}

fn within(report: &Report, limit: usize) -> String {
    let mut last = String::new();
    for detail in Detail::LEVELS {
        last = sections::document(report, detail);
        if last.encode_utf16().count() <= limit {
            break;
        }
    }
    last
}
