//! The report as one page that opens from disk, needs no network and reads without scripts.
//!
//! Everything from elsewhere passes through maud, which escapes it, after
//! [`super::escape::visible`], which removes characters that hide or reorder others.

mod budgets;
mod causes;
mod curves;
mod facts;
mod files;
mod flames;
mod forest;
mod load_tests;
mod plot;
mod rows;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::escape::visible;
use super::findings::{self, Finding};
use super::skeletons;
use super::words::{self, Naming};
use super::{Commit, Report, claims, metrics, partial, reasons, sentence};
use crate::attribute::Skeleton;
use crate::units::{Charset, Side};
use plot::BarReach;

pub(super) use files::plots;

/// Nothing is loaded from anywhere; the page's own style and script are inline.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page.
pub(super) fn render(report: &Report) -> String {
    let range = &report.range;
    let title = format!(
        "{}: {} → {}",
        words::vote_word(report.decision.vote),
        visible(&range.base.label),
        visible(&range.head.label)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content={ "cargo-perfcheck " (report.perfcheck_version) };
                title { (title) }
                style { (PreEscaped(include_str!("plot.css"))) (PreEscaped(include_str!("page.css"))) }
            }
            body {
                (head(report))
                main {
                    (benchmarks(report))
                    (load_tests::load_tests(report))
                    (budgets::budgets(report))
                    (claimed(report))
                    (causes::causes(report))
                    (overview(report))
                    (conclusions(report))
                    (facts::facts(report))
                }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    page.into_string()
}

/// The overview of all changes, as a picture of its own.
pub(super) fn overview_file(report: &Report) -> String {
    forest::file(report)
}

fn head(report: &Report) -> Markup {
    html! {
        header {
            h1 {
                span class={ "vote " (words::vote_word(report.decision.vote)) } { (words::vote_word(report.decision.vote)) }
                " Performance of " (visible(&report.range.spec))
            }
            p.sentence { (sentence::of(report)) }
            @if let Some(partial) = partial::sentence(report) {
                p { strong { "Partial report: " } (visible(&partial)) }
            }
            div.commits {
                (commit(Side::Base, &report.range.base))
                (commit(Side::Head, &report.range.head))
            }
            p { (words::tally(report)) }
            @if report.decision.reasons.len() > 1 {
                ul { @for reason in reasons::of(report) { li { (visible(&reason)) } } }
            }
        }
    }
}

fn commit(side: Side, commit: &Commit) -> Markup {
    html! {
        span.soft { (side) }
        span { @if let Some(label) = words::label(commit) { (label) " " } code title=(visible(&commit.commit)) { (words::revision(commit)) } }
        span.subject { (visible(&commit.subject)) }
    }
}

fn benchmarks(report: &Report) -> Markup {
    if report.benchmarks.is_empty() {
        return html! {};
    }
    let all = words::ordered(report);
    let threshold = report.methodology.threshold;
    let changes = all.iter().filter_map(|c| c.estimate());
    let frame = rows::PageContext {
        report,
        naming: Naming::of(report),
        causes: causes::Causes::of(report),
        reach: BarReach::fitting(changes, threshold),
        threshold,
        groups: metrics::observed_groups(report),
    };
    html! {
        section aria-labelledby="benchmarks" {
            h2 id="benchmarks" { "Benchmarks" }
            (controls(report))
            div.headings aria-hidden="true" {
                span { "verdict" } span { "benchmark" }
                span.number { "base (median)" } span.number { "head (median)" } span.number { "change" }
                span { "interval, ±" (words::share(frame.reach.0)) } @for group in metrics::observed_groups(report) { span { (group.name()) } }
            }
            div id="rows" {
                @for (place, comparison) in all.iter().enumerate() {
                    (rows::row(&frame, place, comparison))
                }
            }
            p id="none" { "No benchmark matches this name and verdict." }
        }
    }
}

fn controls(report: &Report) -> Markup {
    html! {
        div.controls {
            input id="search" type="search" placeholder="Search by name ( / )" aria-label="Search by name";
            label { "verdict " select id="verdict" {
                option value="" { "all" }
                @for verdict in words::ORDER {
                    @let n = words::count(report, verdict);
                    @if n > 0 {
                        option value=(verdict.name()) { (words::symbol(verdict, Charset::Unicode)) " " (verdict.name()) " (" (n) ")" }
                    }
                }
            } }
            label { "order " select id="order" {
                option value="report" { "most severe first" }
                option value="slower" { "most slowed first" }
                option value="faster" { "most sped up first" }
                option value="time" { "longest first" }
                option value="bytes" { "largest increase in bytes first" }
                option value="name" { "name" }
            } }
            span.soft id="shown" role="status" {}
        }
    }
}

fn overview(report: &Report) -> Markup {
    html! {
        @if let Some(picture) = forest::picture(report) {
            section aria-labelledby="overview" {
                h2 id="overview" { "All changes with their intervals" }
                p.soft { "Grey: changes within ±" (words::share(report.methodology.threshold)) ", which do not count." }
                div.scroll tabindex="0" role="region" aria-label="Plot of all changes" { (picture) }
            }
        }
    }
}

fn claimed(report: &Report) -> Markup {
    html! {
        @if !report.claims.is_empty() {
            section aria-labelledby="claims" {
                h2 id="claims" { "Claims" }
                ul {
                    @for check in &report.claims {
                        li {
                            (claims::symbol(check.standing, Charset::Unicode)) " "
                            code { (visible(&check.claim.to_string())) } ": " (claims::why(check))
                        }
                    }
                }
            }
        }
    }
}

fn conclusions(report: &Report) -> Markup {
    let found = findings::of(report);
    html! {
        (list("Recommendations, by estimated impact", &found.recommendations))
        (list("Bottleneck risks", &[found.risks, found.bottlenecks].concat()))
        (list("In the recorded history", &found.history))
        (list("Benchmarking needed", &found.needed))
        (benchmarks_to_begin_with(report))
        (list("Notes on the measurement", &found.notes))
        (texts("Confounders: these differ besides the source", &report.confounders))
        (texts("Warnings", &report.warnings))
    }
}

/// First benchmarks of changed functions that no benchmark executes.
fn benchmarks_to_begin_with(report: &Report) -> Markup {
    html! {
        @for one in skeletons::of(report) {
            details {
                summary { "A benchmark for " code { (visible(&one.function.function)) } " to begin with" }
                @match &one.skeleton {
                    Skeleton::Code(code) => {
                        p.soft { (skeletons::HOW) }
                        pre { code { @for line in code.lines() { (visible(line)) "\n" } } }
                    }
                    Skeleton::Unavailable(reason) => {
                        p { "No benchmark can be written from its signature: " (visible(reason)) "." }
                    }
                }
            }
        }
    }
}

fn list(title: &str, findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            h2 { (title) }
            ul {
                @for finding in findings {
                    li { code { (visible(&finding.subject)) } ": " (visible(&finding.text)) }
                }
            }
        }
    }
}

fn texts(title: &str, texts: &[String]) -> Markup {
    html! {
        @if !texts.is_empty() {
            h2 { (title) }
            ul { @for text in texts { li { (visible(text)) } } }
        }
    }
}
