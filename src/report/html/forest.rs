//! All changes with their intervals in one picture.

use maud::{Markup, html};

use super::files;
use super::plot::{Axis, BarReach, unit};
use crate::analyse::{Comparison, RatioEstimate};
use crate::report::Report;
use crate::report::escape::shortened;
use crate::report::words::{self, Naming};
use crate::units::Ratio;

/// The most rows that are drawn; nobody would read more.
const ROWS: usize = 60;

const ROW: f64 = 22.0;

/// A picture of its own, with its own colours for light and dark.
pub(in crate::report) fn file(report: &Report) -> String {
    let picture = drawn(report, mark(report)).unwrap_or_else(|| nothing(report));
    files::file(picture, 860, "Changes with their intervals")
}

fn nothing(report: &Report) -> Markup {
    html! {
        svg.plot viewBox="0 0 860 60" role="img" {
            text x="10" y="25" { "Nothing was timed: " (words::tally(report)) }
            @if let Some(mark) = mark(report) { text x="10" y="45" { (mark) } }
        }
    }
}

/// What a picture outside the page says about a partial report.
fn mark(report: &Report) -> Option<&'static str> {
    let partial = report.partial.as_ref();
    partial.map(|_| "Partial report: the run ended before it was done; the other formats say what is missing.")
}

/// The forest plot, the largest change first.
pub(super) fn picture(report: &Report) -> Option<Markup> {
    drawn(report, None)
}

fn drawn(report: &Report, mark: Option<&str>) -> Option<Markup> {
    let timed: Vec<(&Comparison, &RatioEstimate)> = words::ordered(report)
        .into_iter()
        .filter_map(|c| Some((c, c.estimate()?)))
        .collect();
    let shown = &timed[..timed.len().min(ROWS)];
    let threshold = report.methodology.threshold;
    if shown.is_empty() {
        return None;
    }
    let reach = BarReach::fitting(shown.iter().map(|(_, change)| *change), threshold);
    let axis = Axis::new(-reach.0, reach.0, 330.0, 690.0);
    let bottom = 10.0 + ROW * shown.len() as f64;
    let more = timed.len() - shown.len();
    let naming = Naming::of(report);
    let below = bottom + 50.0;
    let height = if mark.is_some() { below + ROW } else { below };
    Some(html! {
        svg.plot viewBox={ "0 0 860 " (unit(height)) } role="img" aria-label="Changes with their intervals" {
            rect.band x=(unit(axis.at(-threshold))) y="4" width=(unit(axis.at(threshold) - axis.at(-threshold))) height=(unit(bottom)) {}
            path.zero d={ "M" (unit(axis.at(0.0))) " 4V" (unit(bottom + 4.0)) } {}
            @for (row, (comparison, change)) in shown.iter().enumerate() {
                (line(naming, comparison, change, &axis, 10.0 + ROW * row as f64))
            }
            g.axis {
                @for tick in axis.ticks() {
                    path d={ "M" (unit(axis.at(tick))) " " (unit(bottom + 4.0)) "v5" } {}
                    text x=(unit(axis.at(tick))) y=(unit(bottom + 24.0)) text-anchor="middle" { (words::tick(tick)) }
                }
            }
            @if more > 0 {
                text.quiet x="330" y=(unit(bottom + 44.0)) { (more) " more, with smaller changes, are not drawn" }
            }
            @if let Some(mark) = mark { text x="10" y=(unit(below + 12.0)) { (mark) } }
        }
    })
}

fn line(
    naming: Naming,
    comparison: &Comparison,
    change: &RatioEstimate,
    axis: &Axis,
    top: f64,
) -> Markup {
    let y = top + ROW / 2.0;
    let at = |ratio: Ratio| axis.at(ratio.as_change());
    let name = naming.name(&comparison.key);
    html! {
        g class=(comparison.verdict.name()) {
            text x="320" y=(unit(y + 4.0)) text-anchor="end" { title { (name) } (shortened(&name, 42)) }
            path.interval d={ "M" (unit(at(change.lower))) " " (unit(y)) "H" (unit(at(change.upper).max(at(change.lower) + 1.0))) } {}
            circle.point cx=(unit(at(change.ratio))) cy=(unit(y)) r="4" {}
            text.number x="705" y=(unit(y + 4.0)) { (change.ratio) " " (comparison.verdict.name()) }
        }
    }
}
