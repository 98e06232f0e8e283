//! What a change comes from: functions and hunks, below the table.

use maud::{Markup, html};

use super::flames;

use crate::analyse::Comparison;
use crate::attribute::{Attribution, Contributor, Explanation, Hunk, LineKind};
use crate::report::Report;
use crate::report::causes::{self, ShownCauses};
use crate::report::contributions::{ContributionScale, ranked};
use crate::report::escape::{shortened, visible};
use crate::report::words::{self, Naming};

/// The most characters of a function's name beside its benchmark's name.
const SHORT: usize = 80;

/// Columns of a line of source.
const WIDTH: usize = 400;

/// What the lines of benchmarks say about the section below, with links to it.
pub(super) struct Causes<'a>(Vec<(&'a Comparison, &'a Attribution)>);

impl<'a> Causes<'a> {
    pub(super) fn of(report: &'a Report) -> Causes<'a> {
        Causes(causes::of(report))
    }

    fn find(&self, comparison: &Comparison) -> Option<(usize, &'a Contributor)> {
        let place = self.0.iter().position(|(c, _)| c.key == comparison.key)?;
        let explanation = self.0[place].1.explanation.as_ref()?;
        Some((place, explanation.contributors.first()?))
    }

    /// The function that most of a change comes from.
    pub(super) fn in_short(&self, comparison: &Comparison) -> Markup {
        html! {
            @if let Some((_, contributor)) = self.find(comparison).filter(|(_, c)| !c.same_code) {
                span.culprit { "mostly in " (shortened(&visible(&contributor.function), SHORT)) }
            }
        }
    }

    /// The link to everything that is known about it.
    pub(super) fn link(&self, comparison: &Comparison) -> Markup {
        html! {
            @if let Some((place, _)) = self.find(comparison) {
                p { a href={ "#cause-" (place) } { "Where the change comes from: functions, source and flame graphs" } }
            }
        }
    }
}

pub(super) fn causes(report: &Report) -> Markup {
    let all = causes::of(report);
    let naming = Naming::of(report);
    let mut shown = ShownCauses::default();
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
                        details.explained open[place == 0] {
                            summary { code { (visible(&naming.name(&comparison.key))) } " " (total(attribution)) }
                            // Browsers open a fold when a link leads inside it.
                            div id={ "cause-" (place) } {
                                (explained(attribution, explanation, &mut shown))
                                @if place < flames::IN_PAGE { (flames::graphs(attribution)) }
                            }
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

fn explained<'a>(
    attribution: &'a Attribution,
    explanation: &'a Explanation,
    shown: &mut ShownCauses<'a>,
) -> Markup {
    let scale = ContributionScale::of(explanation, attribution.change.as_ref());
    html! {
        @if let Some(ranked) = ranked(attribution) { p.soft { (ranked) } }
        @for contributor in &explanation.contributors { (contribution(contributor, scale, shown)) }
        @if let Some(rest) = scale.unexplained(explanation) { p.soft { (rest) } }
        @for beside in &explanation.beside { p.soft { (causes::beside(beside)) } }
        p.soft { (causes::sampled(attribution)) }
        details {
            summary { "All functions with a noticeable share" }
            (functions(explanation))
        }
    }
}

fn contribution<'a>(
    contributor: &'a Contributor,
    scale: ContributionScale<'_>,
    shown: &mut ShownCauses<'a>,
) -> Markup {
    html! {
        div.cause {
            p {
                strong { (scale.amount(contributor)) }
                " (" (scale.part(contributor)) ") "
                code { (visible(&contributor.function)) }
                @if let Some(place) = causes::place(contributor) { " " span.soft { (visible(&place.to_string())) } }
            }
            @for remark in causes::remarks(contributor) { p.soft { (remark) } }
            @for hunk in &contributor.hunks { (piece(hunk, shown.is_new(hunk))) }
        }
    }
}

pub(super) fn piece(hunk: &Hunk, is_new: bool) -> Markup {
    html! {
        p.soft { (causes::hunk_heading(hunk)) @if !is_new { ": see above" } }
        @if is_new {
            pre.diff tabindex="0" aria-label={ "Change of " (visible(&hunk.path)) } {
                @for line in &hunk.lines {
                    span class=(class(line.kind)) { (causes::diff_line(line, WIDTH)) "\n" }
                }
            }
            @if hunk.left_out > 0 { p.soft { "… " (words::plural(hunk.left_out, "more line", "more lines")) } }
        }
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
