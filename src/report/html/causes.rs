//! What a change comes from: functions and hunks, below the table.

use maud::{Markup, html};

use super::flames;

use crate::attribute::{Attribution, Contributor, Explanation, Hunk, LineKind};
use crate::report::Report;
use crate::report::causes;
use crate::report::escape::visible;
use crate::report::words::Naming;

/// Columns of a line of source.
const WIDTH: usize = 400;

pub(super) fn causes(report: &Report) -> Markup {
    let all = causes::of(report);
    let naming = Naming::of(report);
    html! {
        @if all.iter().any(|(_, attribution)| attribution.explanation.is_some()) {
            section aria-labelledby="causes" {
                h2 id="causes" { "Where the changes come from" }
                p.soft {
                    "Each sample counts for one function: the innermost of the project on its stack. "
                    "Intervals hold the chance of sampling and the uncertainty of the times (95 %)."
                }
                @for (place, (comparison, attribution)) in all.iter().enumerate() {
                    @if let Some(explanation) = &attribution.explanation {
                        details open[all.len() <= 6] {
                            summary { code { (visible(&naming.name(&comparison.key))) } " " (total(attribution)) }
                            (explained(attribution, explanation))
                            @if place < flames::IN_PAGE { (flames::graphs(attribution)) }
                        }
                    }
                }
            }
        }
    }
}

fn total(attribution: &Attribution) -> String {
    attribution
        .change
        .as_ref()
        .map(causes::estimate)
        .unwrap_or_default()
}

fn explained(attribution: &Attribution, explanation: &Explanation) -> Markup {
    let change = attribution.change.map_or(0.0, |change| change.ns);
    html! {
        @for contributor in &explanation.contributors { (contribution(contributor, change)) }
        @if let Some(rest) = causes::unexplained(attribution, explanation) { p.soft { (rest) } }
        @for beside in &explanation.beside { p { "Also changed: " (visible(beside)) } }
        p.soft { (causes::sampled(attribution)) }
        details {
            summary { "All functions with a noticeable share" }
            (functions(explanation))
        }
    }
}

fn contribution(contributor: &Contributor, change: f64) -> Markup {
    html! {
        div.cause {
            p {
                strong { (causes::estimate(&contributor.change)) }
                " (" (format!("{:.0}", contributor.change.ns / change * 100.0)) " %) "
                code { (visible(&contributor.function)) }
                @if let Some(place) = causes::place(contributor) { " " span.soft { (visible(&place.to_string())) } }
            }
            @for remark in causes::remarks(contributor) { p.soft { (remark) } }
            @for hunk in &contributor.hunks { (piece(hunk)) }
        }
    }
}

fn piece(hunk: &Hunk) -> Markup {
    html! {
        p.soft { (causes::hunk_heading(hunk)) }
        pre.diff {
            @for line in &hunk.lines {
                span class=(class(line.kind)) { (causes::diff_line(line, WIDTH)) "\n" }
            }
        }
        @if hunk.left_out > 0 { p.soft { "… " (hunk.left_out) " more lines" } }
    }
}

fn class(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Same => "same",
        LineKind::Removed => "removed",
        LineKind::Added => "added",
    }
}

fn functions(explanation: &Explanation) -> Markup {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Functions" { table.functions {
            thead { tr {
                th scope="col" { "function" } th scope="col" { "from" }
                th scope="col" { "self, base" } th scope="col" { "self, head" } th scope="col" { "change of self" }
                th scope="col" { "total, base" } th scope="col" { "total, head" } th scope="col" { "change of total" }
            } }
            tbody {
                @for function in &explanation.functions {
                    tr {
                        th scope="row" { code { (visible(&function.function)) } }
                        td { (visible(&function.origin.to_string())) }
                        td.number { (percent(function.own.base)) } td.number { (percent(function.own.head)) }
                        td.number { (causes::estimate(&function.own_change)) }
                        td.number { (percent(function.total.base)) } td.number { (percent(function.total.head)) }
                        td.number { (causes::estimate(&function.total_change)) }
                    }
                }
            }
        } }
    }
}
