//! Imported series on a page.

use maud::{Markup, html};

use super::imported_text::KIND;
use super::imported_trends::{ImportedSeries, ImportedTrends, SeriesPoint, ShownStep};
use super::trend_frame::{HEIGHT, TrendFrame, WIDTH, unit};
use super::trend_text::arrow;
use crate::report::visible;
use crate::units::{Charset, Timestamp};

/// The part of a page.
pub(super) fn imported_page(imported: &ImportedTrends) -> Markup {
    html! {
        @if !imported.is_empty() {
            h2 { "Imported series" }
            p.soft { (KIND) }
            @for one in &imported.series { (section(imported, one)) }
            @for note in &imported.notes { p.soft { (visible(note)) } }
        }
    }
}

fn section(imported: &ImportedTrends, one: &ImportedSeries) -> Markup {
    let name = visible(&one.name.to_string());
    html! {
        section.benchmark.imported data-name=(name.to_lowercase()) {
            h2 { code { (name) } @if let Some(last) = one.points.last() {
                " " span.number { (one.shown(last.value)) }
            } }
            (picture(imported, one))
            @if !one.steps.is_empty() {
                table {
                    thead { tr { th { "change" } th { "commit" } th { "date" } th { "message" } } }
                    tbody { @for step in one.shown_steps().collect::<Vec<_>>().iter().rev() { (row(imported, step)) } }
                }
            }
        }
    }
}

fn row(imported: &ImportedTrends, step: &ShownStep<'_>) -> Markup {
    let commit = &imported.commits[step.to];
    html! {
        tr class=(if step.is_worse() { "slower" } else { "faster" }) {
            td.number { (arrow(Charset::Unicode, step.is_up())) " " (step.size()) }
            td { code title=(visible(&commit.id)) { (imported.name(step.to)) } }
            td { (commit.date.map_or(String::new(), Timestamp::day)) }
            td { (visible(&commit.subject)) span.soft { " (after " (imported.name(step.from)) ")" } }
        }
    }
}

fn picture(imported: &ImportedTrends, one: &ImportedSeries) -> Markup {
    let values = one.points.iter().map(|point| point.value);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let frame = TrendFrame {
        places: imported.commits.len(),
        low,
        high,
    };
    let at = |point: &SeriesPoint| {
        format!(
            "{},{}",
            unit(frame.x(point.place)),
            unit(frame.y(point.value))
        )
    };
    let line: Vec<String> = one.points.iter().map(at).collect();
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ "Numbers of " (visible(&one.name.benchmark)) } {
            @for tick in frame.ticks() { (frame.line(tick, &one.shown(tick))) }
            polyline.level points=(line.join(" ")) {}
            @for step in one.shown_steps() {
                g class=(if step.is_worse() { "slower" } else { "faster" }) {
                    title { (step.size()) " " (imported.name(step.to)) " " (visible(&imported.commits[step.to].subject)) }
                    (frame.mark(step.to, step.to))
                }
            }
        }
    }
}
