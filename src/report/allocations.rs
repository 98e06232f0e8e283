//! What changed about allocations, in the words that every renderer for people shares.

use super::escape::visible;
use super::words::{self, Naming, bytes, per_iteration, signed};
use super::{Report, figures};
use crate::analyse::{
    AllocationFigures, AllocationSite, AllocationSummary, AllocationVerdict, Comparison,
};
use crate::units::{Charset, Paired};

/// One benchmark whose allocations changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AllocationChange {
    /// Its name, harmless to print.
    pub(super) subject: String,
    /// More or fewer.
    pub(super) verdict: AllocationVerdict,
    /// Whether all figures that changed go the same way.
    pub(super) way: ChangeDirection,
    /// Allocations: `1 → 2`.
    pub(super) count: String,
    /// Reallocations, likewise.
    pub(super) reallocations: String,
    /// Bytes asked for, likewise.
    pub(super) bytes: String,
    /// The peak, likewise.
    pub(super) peak: String,
    /// The places behind it, most changed first: `+1 (+32 B) in seal at src/lib.rs:12`.
    pub(super) places: Vec<String>,
}

/// Whether the figures of a change go one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeDirection {
    /// They do.
    One,
    /// Some are more and some fewer.
    Both,
}

/// Every benchmark whose allocations changed: those that allocate more first, in the report's order.
pub(super) fn changes(report: &Report, naming: Naming) -> Vec<AllocationChange> {
    let mut changes: Vec<AllocationChange> = words::ordered(report)
        .into_iter()
        .filter_map(|comparison| change(comparison, naming))
        .collect();
    changes.sort_by_key(|change| change.verdict != AllocationVerdict::More);
    changes
}

/// One figure's verdict.
type FigureOf = fn(&AllocationFigures) -> Option<AllocationVerdict>;

fn change(comparison: &Comparison, naming: Naming) -> Option<AllocationChange> {
    let allocations = comparison.allocations.as_ref()?;
    let verdict = allocations
        .verdict
        .filter(|verdict| *verdict != AllocationVerdict::Same)?;
    let sides = Paired::new(allocations.base.as_ref()?, allocations.head.as_ref()?);
    let way = match figures::changed(allocations).len() {
        0 | 1 => ChangeDirection::One,
        _ => ChangeDirection::Both,
    };
    // The words, so that every charset and no colour will do: the column's own verdict speaks of all.
    let all_figures = allocations.figures.filter(|_| way == ChangeDirection::Both);
    let both = |of: fn(&AllocationSummary) -> String, figure: FigureOf| {
        let (base, head) = (of(sides.base), of(sides.head));
        let changed = match all_figures.and_then(|figures| figure(&figures)) {
            Some(AllocationVerdict::More) => " (more)",
            Some(AllocationVerdict::Fewer) => " (fewer)",
            _ => "",
        };
        if base == head {
            format!("{head}{changed}")
        } else {
            format!("{base} → {head}{changed}")
        }
    };
    Some(AllocationChange {
        subject: naming.name(&comparison.key),
        verdict,
        way,
        count: both(|s| per_iteration(s.count), |f| f.allocations),
        reallocations: both(|s| per_iteration(s.reallocations), |f| f.reallocations),
        bytes: both(|s| bytes(s.bytes), |f| f.bytes),
        peak: both(|s| bytes(s.peak_bytes as f64), |f| f.peak),
        places: allocations.sites.iter().filter_map(place).collect(),
    })
}

/// Both sides of one benchmark in short, where both were counted: `1 → 2 (9 B → 41 B)`, or `3` where
/// nothing changed.
pub(super) fn both(comparison: &Comparison) -> Option<String> {
    let allocations = comparison.allocations.as_ref()?;
    let (base, head) = (allocations.base.as_ref()?, allocations.head.as_ref()?);
    let count = |summary: &AllocationSummary| per_iteration(summary.count);
    if !words::allocations_changed(comparison) {
        return Some(count(head));
    }
    let beside = figures::beside(allocations);
    Some(format!(
        "{} → {} ({} → {}{beside})",
        count(base),
        count(head),
        bytes(base.bytes),
        bytes(head.bytes)
    ))
}

/// A place where something changed.
fn place(site: &AllocationSite) -> Option<String> {
    let more = site.count.head - site.count.base;
    let more_bytes = site.bytes.head - site.bytes.base;
    // Shares of sampled stacks are never exactly alike.
    let noticeable = more.abs() >= 0.01 || more_bytes.abs() >= 1.0;
    noticeable.then(|| {
        let count = signed(more);
        let size = match more_bytes > 0.0 {
            true => format!("+{}", bytes(more_bytes)),
            false => bytes(more_bytes),
        };
        let function = visible(&site.function);
        match &site.location {
            Some(location) => format!("{count} ({size}) in {function} at {}", visible(location)),
            None => format!("{count} ({size}) in {function}"),
        }
    })
}

/// The benchmarks that have no row, in a line; `None` where nothing was counted at all.
pub(super) fn rest(report: &Report) -> Option<String> {
    let counted = report.benchmarks.iter().filter_map(|c| {
        let allocations = c.allocations.as_ref()?;
        Some((
            allocations,
            allocations.base.is_some() || allocations.head.is_some(),
        ))
    });
    let (mut same, mut uncertain, mut alone, mut uncounted) = (0, 0, 0, 0);
    for (allocations, any) in counted {
        match (&allocations.base, &allocations.head, allocations.verdict) {
            (Some(_), Some(_), Some(AllocationVerdict::Same)) => same += 1,
            (Some(_), Some(_), None) => uncertain += 1,
            (Some(_), Some(_), Some(_)) => {}
            _ if any && allocations.notes.is_empty() => alone += 1,
            _ => uncounted += 1,
        }
    }
    let parts: Vec<String> = [
        (same, "the same"),
        (uncertain, "varying, with no certain difference"),
        (alone, "on one side only"),
        (uncounted, "not counted"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{} {what}", words::benchmarks(n)))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The verdict as one column.
pub(super) fn symbol(verdict: AllocationVerdict, charset: Charset) -> &'static str {
    match (verdict, charset) {
        (AllocationVerdict::More, Charset::Unicode) => "▲",
        (AllocationVerdict::More, Charset::Ascii) => ">",
        (AllocationVerdict::Fewer, Charset::Unicode) => "▼",
        (AllocationVerdict::Fewer, Charset::Ascii) => "<",
        (AllocationVerdict::Same, _) => "=",
    }
}

/// The verdict as one word: of a change both ways none would be true.
pub(super) fn word(change: &AllocationChange) -> &'static str {
    match (change.way, change.verdict) {
        (ChangeDirection::Both, _) => "mixed",
        (ChangeDirection::One, verdict) => figures::more_or_fewer(verdict),
    }
}
