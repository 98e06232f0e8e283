//! A trend as one page that opens from disk, needs no network and reads without scripts.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::absolute::class_name;
use super::changes::{ChangeShape, TrendChange, percent};
use super::imported_page::imported_page;
use super::imported_trends::ImportedTrends;
use super::trend_data::points;
use super::trend_frame::{BOTTOM, HEIGHT, TOP, TrendFrame, WIDTH, unit};
use super::trends::{BenchmarkTrend, Trends};
use crate::report::visible;
use crate::stats::trend::Trend;
use crate::units::{Metric, Ratio, Timestamp, plural};

/// Nothing is loaded from anywhere; the page's own style and script are inline.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page.
pub(crate) fn page(trends: &Trends, imported: &ImportedTrends) -> String {
    let since = visible(&trends.name(trends.anchor));
    let title = match trends.metric == Metric::TIME {
        true => format!("Performance since {since}"),
        false => format!("{} since {since}", visible(trends.metric.name)),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content={ "cargo-perfcheck " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(include_str!("trend.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    p.soft {
                        (plural(trends.benchmarks.len(), "benchmark", "benchmarks")) " over "
                        (plural(trends.commits.len(), "commit", "commits")) " in "
                        (plural(trends.runs, "run", "runs"))
                        ". The band is the 95 % confidence interval of each level."
                    }
                    input id="search" type="search" placeholder="Search by name" aria-label="Search by name";
                }
                main {
                    @for one in &trends.benchmarks { (benchmark(trends, one)) }
                    (imported_page(imported))
                }
                @let remarks = trends.remarks();
                @if !remarks.is_empty() {
                    h2 { "Notes" }
                    ul { @for remark in &remarks { li { (visible(remark)) } } }
                }
                script { (PreEscaped(include_str!("trend.js"))) }
            }
        }
    };
    page.into_string()
}

fn benchmark(trends: &Trends, one: &BenchmarkTrend) -> Markup {
    let name = visible(&one.key.to_string());
    let changes = one.changes();
    html! {
        section.benchmark data-name=(name.to_lowercase()) {
            h2 { code { (name) } @if let Some(total) = one.total() {
                " " span.number { (total.ratio()) " ± " (percent(total.margin())) }
                @if total.is_beyond(trends.threshold) { " " strong { "beyond the threshold" } }
            } }
            @if one.apart.is_empty() {
                (picture(trends, one, &one.trend, &changes))
            } @else {
                p { "Kinds of machines differ, so each is shown apart." }
                @for apart in &one.apart {
                    @let class = &trends.classes[apart.class];
                    h3 { (visible(&class_name(class))) }
                    (picture(trends, one, &apart.trend, &[]))
                }
            }
            (list(trends, one, &changes))
        }
    }
}

fn list(trends: &Trends, one: &BenchmarkTrend, changes: &[TrendChange]) -> Markup {
    html! {
        @if !changes.is_empty() {
            table {
                thead { tr { th { "change" } th { "±" } th { "commit" } th { "date" } th { "message" } } }
                tbody {
                    @for change in changes.iter().rev() {
                        @let commit = &trends.commits[change.commit];
                        @let accepted = one.accepted.get(&change.commit);
                        tr class=(class(trends, one, change)) {
                            td.number { (symbol(change)) " " (change.size.ratio()) }
                            td.number { (percent(change.size.margin())) }
                            td { code title=(visible(&commit.id)) { (visible(&trends.name(change.commit))) } }
                            td { (commit.date.map_or(String::new(), Timestamp::day)) }
                            td { (visible(&commit.subject)) span.soft { (visible(&trends.certain(change))) }
                                @if let Some(why) = accepted { span.soft { " accepted: " (visible(why)) } } }
                        }
                    }
                }
            }
        }
    }
}

fn class(trends: &Trends, one: &BenchmarkTrend, change: &TrendChange) -> &'static str {
    match (
        one.accepted.contains_key(&change.commit),
        trends.is_worse(change),
    ) {
        (true, _) => "accepted",
        (false, true) => "slower",
        (false, false) => "faster",
    }
}

fn symbol(change: &TrendChange) -> &'static str {
    match (change.shape, change.size.ln_ratio > 0.0) {
        (ChangeShape::Step, true) => "▲",
        (ChangeShape::Step, false) => "▼",
        (ChangeShape::Drift, true) => "↗",
        (ChangeShape::Drift, false) => "↘",
    }
}

fn picture(
    trends: &Trends,
    one: &BenchmarkTrend,
    trend: &Trend,
    changes: &[TrendChange],
) -> Markup {
    let frame = TrendFrame::of(trend, trends.threshold, trends.commits.len());
    let line: Vec<String> = points(trend)
        .map(|(place, level)| point(&frame, place, level.ratio()))
        .collect();
    let upper = points(trend).map(|(place, level)| point(&frame, place, level.bounds()[1]));
    let mut band: Vec<String> = upper.collect();
    let lower = points(trend).map(|(place, level)| point(&frame, place, level.bounds()[0]));
    let lower: Vec<String> = lower.collect();
    band.extend(lower.into_iter().rev());
    let tagged = trends.commits.iter().enumerate();
    let tagged = tagged.filter_map(|(place, commit)| Some((place, commit.tags.first()?)));
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ "Levels of " (visible(&one.key.id)) } {
            @for tick in frame.ticks() { (frame.line(tick, &Ratio::from_change(tick).to_string())) }
            @for (place, tag) in tagged {
                path.release d={ "M" (unit(frame.x(place))) " " (TOP) "V" (HEIGHT - BOTTOM) } {}
                text.axis x=(unit(frame.x(place))) y=(HEIGHT - 8.0) text-anchor="middle" { (visible(tag)) }
            }
            polygon.band points=(band.join(" ")) {}
            polyline.level points=(line.join(" ")) {}
            @for change in changes {
                g class=(class(trends, one, change)) {
                    title { (change.size.ratio()) " " (visible(&trends.name(change.commit))) " " (visible(&trends.commits[change.commit].subject)) }
                    (frame.mark(change.first, change.last))
                }
            }
        }
    }
}

fn point(frame: &TrendFrame, place: usize, ratio: Ratio) -> String {
    format!(
        "{},{}",
        unit(frame.x(place)),
        unit(frame.y(ratio.as_change()))
    )
}
