//! One benchmark: a line that opens.

use maud::{Markup, html};

use super::causes::{Causes, piece};
use super::plot::{self, BarReach};
use crate::analyse::{AllocationSite, Change, Comparison, Direction, StatementChange, Verdict};
use crate::measure::Pairing;
use crate::report::Report;
use crate::report::escape::visible;
use crate::report::metrics;
use crate::report::percentiles;
use crate::report::places;
use crate::report::words::{self, Naming};
use crate::units::{Charset, Exactness, Form, Metric, MetricGroup, Note, Side, Unit};

/// What all lines of one page share.
pub(super) struct PageContext<'a> {
    pub(super) report: &'a Report,
    pub(super) naming: Naming,
    pub(super) causes: Causes<'a>,
    pub(super) reach: BarReach,
    pub(super) threshold: f64,
    /// What has a column beside the time.
    pub(super) groups: Vec<MetricGroup>,
}

/// The line, and what it opens.
pub(super) fn row(frame: &PageContext<'_>, place: usize, comparison: &Comparison) -> Markup {
    let name = frame.naming.name(&comparison.key);
    let verdict = comparison.verdict.name();
    let notable = if words::is_notable(comparison) {
        "notable"
    } else {
        ""
    };
    let change = comparison.estimate();
    let time = |side| comparison.value(Metric::TIME, side);
    html! {
        details class={ "row " (verdict) " " (notable) } data-name=(name) data-verdict=(verdict) data-place=(place)
            data-change=[change.map(|c| c.ratio.as_change())]
            data-time=[time(Side::Head).or(time(Side::Base))]
            data-bytes=[more_bytes(comparison)]
        {
            summary {
                span.verdict { (words::symbol(comparison.verdict, Charset::Unicode)) " " (verdict) }
                span.name { (name) (frame.causes.in_short(comparison)) }
                span.number.of-base { (median(comparison, Side::Base)) }
                span.number.of-head { (median(comparison, Side::Head)) }
                span.number.change { @if let Some(change) = change { (change.ratio) } }
                span.bar-cell title=[change.map(|c| format!("{} … {}", c.lower, c.upper))] {
                    @if let Some(change) = change { (plot::interval_bar(change, frame.reach, frame.threshold)) }
                }
                @for group in &frame.groups { span.allocations { (in_short(comparison, *group)) } }
            }
            div.inside { (inside(frame, comparison)) }
        }
    }
}

fn more_bytes(comparison: &Comparison) -> Option<f64> {
    let values = comparison.values(Metric::BYTES)?;
    Some(values.head - values.base)
}

fn median(comparison: &Comparison, side: Side) -> String {
    let median = comparison.value(Metric::TIME, side);
    median
        .map(|median| Metric::TIME.unit.show(median))
        .unwrap_or_default()
}

fn in_short(comparison: &Comparison, group: MetricGroup) -> Markup {
    if !metrics::was_asked(comparison, group) {
        return html! {};
    }
    let class = match comparison.direction(group) {
        Some(Direction::More) => "more",
        Some(Direction::Fewer) => "fewer",
        _ => "soft",
    };
    let short = |side| metrics::in_short(comparison, group, side);
    let beside = metrics::beside(comparison, group);
    html! {
        span class=(class) {
            @match (short(Side::Base), short(Side::Head)) {
                (Some(base), Some(head)) if base != head || !beside.is_empty() => { (base) " → " (head) (beside) },
                (_, Some(one)) | (Some(one), None) => (one),
                (None, None) => "not counted",
            }
        }
    }
}

fn inside(frame: &PageContext<'_>, comparison: &Comparison) -> Markup {
    html! {
        p { (words::summary(comparison)) "." }
        @if let Some(pairing) = comparison.pairing {
            p.soft { "Base and head alternated " (match pairing { Pairing::Sample => "sample by sample", Pairing::Benchmark => "benchmark by benchmark" }) "." }
        }
        (notes(comparison, None))
        (frame.causes.link(comparison))
        @if let Some(failure) = &comparison.failure {
            @if !failure.stderr_tail.is_empty() { pre { (lines(&failure.stderr_tail)) } }
        }
        @if let Some(time) = comparison.time() { (times(frame, comparison, time)) }
        @for group in MetricGroup::BESIDE_TIME {
            @if metrics::was_asked(comparison, group) { (details(frame.report, comparison, group)) }
        }
    }
}

fn notes(comparison: &Comparison, about: Option<MetricGroup>) -> Markup {
    let about = |note: &&Note| note.about == about;
    let notes: Vec<&Note> = comparison.notes.iter().filter(about).collect();
    html! {
        @if !notes.is_empty() { ul { @for note in notes { li { (visible(&note.text)) } } } }
    }
}

/// Several lines, each harmless.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n")
}

fn times(frame: &PageContext<'_>, comparison: &Comparison, time: &Change) -> Markup {
    let change = time.estimate.as_ref();
    // Identical numbers for a thousand unchanged benchmarks would slow the page down for nothing: a
    // benchmark that did not change shows its rounds, where drift would be seen, and no second
    // plot.
    let distributions = (comparison.verdict != Verdict::Unchanged)
        .then(|| plot::distributions(time))
        .flatten();
    let levels = (comparison.verdict != Verdict::Unchanged)
        .then(|| plot::levels(time))
        .flatten();
    html! {
        h3 { (MetricGroup::Time.title()) }
        div.scroll { (numbers(comparison, time)) }
        p.soft { (percentiles::sentence(time)) }
        @if let Some(change) = change {
            p.soft {
                (words::p_equals(change.p_value)) " for no difference at all; "
                (words::plural(change.rounds, "round", "rounds")) "; changes from " (words::share(change.detectable)) " could be seen."
            }
        }
        @if let Some(picture) = distributions {
            h3 { "Samples" }
            p.soft { "Wide bar: the middle half. Thin bar: from the 5th to the 95th percentile. Mark: the median." }
            div.scroll { (picture) }
        }
        @if let (Some(picture), Some(change)) = (plot::rounds(time, frame.threshold), change) {
            h3 { "Rounds over time" }
            p.soft { (plot::legend(change, frame.threshold)) }
            div.scroll { (picture) }
        }
        @if let Some(picture) = levels {
            p.soft { "Bars: the middle half of each round's samples, " span.base { "base" } " and " span.head { "head" } "; dots: their medians. Where both wander together, the machine did." }
            div.scroll { (picture) }
        }
    }
}

fn numbers(comparison: &Comparison, time: &Change) -> Markup {
    let comparable = percentiles::are_comparable(time);
    let observed = |side: &Side| time.sides.get(*side).is_some();
    let sides: Vec<Side> = Side::BOTH.into_iter().filter(observed).collect();
    let samples = |side| time.samples(side).map(|samples| samples.count);
    html! {
        table {
            thead { tr { th {} @for metric in MetricGroup::Time.metrics() { th scope="col" { (metric) } } th scope="col" { "samples" } } }
            tbody {
                @for side in sides.iter().copied() {
                    tr { th scope="row" { (side) } @for metric in MetricGroup::Time.metrics() { td { (shown(comparison, metric, side)) } } td { @if let Some(n) = samples(side) { (n) } } }
                }
                @if sides.len() == 2 {
                    tr { th scope="row" { "head / base" } @for metric in MetricGroup::Time.metrics() { td { @if metric.form == Form::Sum || comparable { (quotient(comparison, metric)) } @else { "–" } } } td {} }
                }
            }
        }
    }
}

fn shown(comparison: &Comparison, metric: Metric, side: Side) -> String {
    let value = comparison.value(metric, side);
    value.map_or_else(|| "–".to_owned(), |value| metric.unit.show(value))
}

fn quotient(comparison: &Comparison, metric: Metric) -> String {
    let quotient = comparison.values(metric).map(|both| both.head / both.base);
    let finite = quotient.filter(|quotient| quotient.is_finite());
    finite.map_or_else(|| "–".to_owned(), |quotient| format!("{quotient:.3}"))
}

/// Every metric of a group other than time.
fn details(report: &Report, comparison: &Comparison, group: MetricGroup) -> Markup {
    let ways = metrics::ways(comparison, group);
    let observed = |side: &Side| metrics::in_short(comparison, group, *side).is_some();
    let sides: Vec<Side> = Side::BOTH.into_iter().filter(observed).collect();
    html! {
        h3 { (group.title()) }
        @if ways.len() > 1 { p { (ways.join(", ")) "." } }
        @if sides.is_empty() { p { "Not counted." } } @else {
            div.scroll { table {
                thead { tr { th {} @for metric in group.metrics() { th scope="col" { (metric) } } th scope="col" { "exact" } } }
                tbody {
                    @for side in sides {
                        tr { th scope="row" { (side) } @for metric in group.metrics() { td { (shown(comparison, metric, side)) } } td { (if is_exact(comparison, group, side) { "yes" } else { "no" }) } }
                    }
                }
            } }
        }
        (notes(comparison, Some(group)))
        @if group == MetricGroup::Allocations && !comparison.sites.is_empty() { (sites(&comparison.sites)) }
        @if group == MetricGroup::Queries && !comparison.statements.is_empty() { (statements(&comparison.statements)) }
        @for hunk in places::hunks(&places::of(report, comparison, group), HUNKS) { (piece(hunk, true)) }
    }
}

fn is_exact(comparison: &Comparison, group: MetricGroup, side: Side) -> bool {
    let mut all = comparison
        .metrics
        .of(group)
        .filter_map(|(_, change)| change.sides.get(side).as_ref());
    all.all(|observed| observed.exactness == Exactness::Exact)
}

/// Pieces of source that are shown.
const HUNKS: usize = 3;

/// Further places are in the JSON report only.
const SITES: usize = 12;

fn sites(sites: &[AllocationSite]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "place" } th scope="col" { "allocations" } th scope="col" { "bytes" } } }
            tbody {
                @for site in sites.iter().take(SITES) {
                    tr {
                        td title=(visible(&site.stack.join(" → "))) {
                            code { (visible(&site.function)) }
                            @if let Some(location) = &site.location { " " span.soft { (visible(location)) } }
                        }
                        td { (Unit::Count.show(site.count.base)) " → " (Unit::Count.show(site.count.head)) }
                        td { (Unit::Bytes.show(site.bytes.base)) " → " (Unit::Bytes.show(site.bytes.head)) }
                    }
                }
            }
        } }
        @if sites.len() > SITES { p.soft { (sites.len() - SITES) " more places are in the JSON report." } }
    }
}

fn statements(statements: &[StatementChange]) -> Markup {
    html! {
        ul {
            @for one in statements.iter().take(SITES) {
                li title=(visible(&one.stack.join(" → "))) { (places::statement(one)) }
            }
        }
        @if statements.len() > SITES { p.soft { (statements.len() - SITES) " more statements are in the JSON report." } }
    }
}
