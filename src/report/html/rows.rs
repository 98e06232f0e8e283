//! One benchmark: a line that opens.

use maud::{Markup, html};

use super::causes::Causes;
use super::plot::{self, BarReach};
use crate::analyse::{
    AllocationComparison, AllocationSite, AllocationSummary, AllocationVerdict, Comparison,
    TimeComparison, TimeSummary, Verdict,
};
use crate::measure::Pairing;
use crate::report::escape::visible;
use crate::report::figures;
use crate::report::percentiles;
use crate::report::words::{self, Naming};
use crate::units::{Charset, Nanos, Side};

/// A column's heading and what stands in it.
type HtmlColumn<T, V> = (&'static str, fn(&T) -> V);

/// What all lines of one page share.
pub(super) struct PageContext<'a> {
    pub(super) naming: Naming,
    pub(super) causes: Causes<'a>,
    pub(super) reach: BarReach,
    pub(super) threshold: f64,
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
    let change = comparison.time.as_ref().and_then(|t| t.change.as_ref());
    let head = comparison.time.as_ref().and_then(|t| t.head.or(t.base));
    html! {
        details class={ "row " (verdict) " " (notable) } data-name=(name) data-verdict=(verdict) data-place=(place)
            data-change=[change.map(|c| c.ratio.as_change())]
            data-time=[head.map(|s| s.median_ns.as_nanos())]
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
                span.allocations { (allocations_in_short(comparison)) }
            }
            div.inside { (inside(frame, comparison)) }
        }
    }
}

fn more_bytes(comparison: &Comparison) -> Option<f64> {
    let allocations = comparison.allocations.as_ref()?;
    Some(allocations.head.as_ref()?.bytes - allocations.base.as_ref()?.bytes)
}

fn median(comparison: &Comparison, side: Side) -> String {
    let summary = comparison
        .time
        .as_ref()
        .and_then(|time| of_side(time, side));
    summary.map(|s| s.median_ns.to_string()).unwrap_or_default()
}

fn of_side(time: &TimeComparison, side: Side) -> Option<TimeSummary> {
    match side {
        Side::Base => time.base,
        Side::Head => time.head,
    }
}

fn allocations_in_short(comparison: &Comparison) -> Markup {
    let Some(allocations) = &comparison.allocations else {
        return html! {};
    };
    let class = match allocations.verdict {
        Some(AllocationVerdict::More) => "more",
        Some(AllocationVerdict::Fewer) => "fewer",
        _ => "soft",
    };
    let short = |summary: &Option<AllocationSummary>| summary.as_ref().map(words::in_short);
    let (base, head) = (short(&allocations.base), short(&allocations.head));
    let beside = figures::beside(allocations);
    html! {
        span class=(class) {
            @match (base, head) {
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
        @if !comparison.notes.is_empty() {
            ul { @for note in &comparison.notes { li { (visible(note)) } } }
        }
        (frame.causes.link(comparison))
        @if let Some(failure) = &comparison.failure {
            @if !failure.stderr_tail.is_empty() { pre { (lines(&failure.stderr_tail)) } }
        }
        @if let Some(time) = &comparison.time { (times(frame, comparison, time)) }
        @if let Some(allocations) = &comparison.allocations { (counts(allocations)) }
    }
}

/// Several lines, each harmless.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n")
}

fn times(frame: &PageContext<'_>, comparison: &Comparison, time: &TimeComparison) -> Markup {
    let change = time.change.as_ref();
    // Identical numbers for a thousand unchanged benchmarks would slow the page down for nothing:
    // what did not move shows its rounds, where drift would be seen, and no second plot.
    let distributions = (comparison.verdict != Verdict::Unchanged)
        .then(|| plot::distributions(time))
        .flatten();
    let levels = (comparison.verdict != Verdict::Unchanged)
        .then(|| plot::levels(time))
        .flatten();
    html! {
        h3 { "Time per iteration" }
        div.scroll { (numbers(time)) }
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

fn numbers(time: &TimeComparison) -> Markup {
    let columns: [HtmlColumn<TimeSummary, Nanos>; 5] = [
        ("mean", |s| s.mean_ns),
        ("p50", |s| s.median_ns),
        ("p95", |s| s.p95_ns),
        ("p99", |s| s.p99_ns),
        ("standard deviation", |s| s.std_dev_ns),
    ];
    let sides: Vec<(Side, TimeSummary)> = Side::BOTH
        .into_iter()
        .filter_map(|side| Some((side, of_side(time, side)?)))
        .collect();
    html! {
        table {
            thead { tr { th {} @for (heading, _) in columns { th scope="col" { (heading) } } th scope="col" { "samples" } } }
            tbody {
                @for (side, summary) in &sides {
                    tr { th scope="row" { (side) } @for (_, of) in columns { td { (of(summary)) } } td { (summary.samples) } }
                }
                @if let [(_, base), (_, head)] = &sides[..] {
                    @let comparable = percentiles::are_comparable(*base, *head);
                    tr { th scope="row" { "head / base" } @for (heading, of) in columns { td { @if heading == "mean" || comparable { (quotient(of(base), of(head))) } @else { "–" } } } td {} }
                }
            }
        }
    }
}

fn quotient(base: Nanos, head: Nanos) -> String {
    let quotient = head.as_nanos() / base.as_nanos();
    if quotient.is_finite() {
        format!("{quotient:.3}")
    } else {
        "–".to_owned()
    }
}

fn counts(allocations: &AllocationComparison) -> Markup {
    let columns: [HtmlColumn<AllocationSummary, String>; 7] = [
        ("allocations", |s| words::per_iteration(s.count)),
        ("reallocations", |s| words::per_iteration(s.reallocations)),
        ("frees", |s| words::per_iteration(s.frees)),
        ("bytes", |s| words::bytes(s.bytes)),
        ("peak", |s| words::bytes(s.peak_bytes as f64)),
        ("leaked", |s| words::bytes(s.leaked_bytes)),
        ("largest", |s| words::bytes(s.largest_bytes as f64)),
    ];
    let sides = [("base", &allocations.base), ("head", &allocations.head)];
    let any = allocations.base.is_some() || allocations.head.is_some();
    html! {
        h3 { "Allocations per iteration" }
        @let ways = figures::changed(allocations);
        @if ways.len() > 1 { p { (ways.join(", ")) "." } }
        @if any {
            div.scroll { table {
                thead { tr { th {} @for (heading, _) in columns { th scope="col" { (heading) } } th scope="col" { "exact" } } }
                tbody {
                    @for (side, summary) in sides {
                        @if let Some(summary) = summary {
                            tr { th scope="row" { (side) } @for (_, of) in columns { td { (of(summary)) } } td { (if summary.exact { "yes" } else { "no" }) } }
                        }
                    }
                }
            } }
        } @else { p { "Not counted." } }
        @if !allocations.notes.is_empty() {
            ul { @for note in &allocations.notes { li { (visible(note)) } } }
        }
        @if !allocations.sites.is_empty() { (sites(&allocations.sites)) }
    }
}

/// More places than this are in the JSON alone.
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
                        td { (words::per_iteration(site.count.base)) " → " (words::per_iteration(site.count.head)) }
                        td { (words::bytes(site.bytes.base)) " → " (words::bytes(site.bytes.head)) }
                    }
                }
            }
        } }
        @if sites.len() > SITES { p.soft { (sites.len() - SITES) " more places are in the JSON report." } }
    }
}
