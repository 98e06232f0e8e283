//! The changes of metrics other than time, in the words that every renderer for people shares.

use super::Report;
use crate::analyse::{Comparison, Direction};
use crate::units::{Better, Charset, Metric, MetricGroup, Prominence, Side};

/// The direction in which a group changed, if it did.
pub(super) fn moved(comparison: &Comparison, group: MetricGroup) -> Option<Direction> {
    let direction = comparison.direction(group);
    direction.filter(|direction| *direction != Direction::Same)
}

/// `1 → 2`, or the number that both sides share.
pub(super) fn both_sides(comparison: &Comparison, metric: Metric) -> Option<String> {
    let values = comparison.values(metric)?;
    let [base, head] = [values.base, values.head].map(|value| metric.unit.show(value));
    Some(match base == head {
        true => head,
        false => format!("{base} → {head}"),
    })
}

/// The metrics of a benchmark that stand for a group.
pub(super) fn leads(comparison: &Comparison, group: MetricGroup) -> impl Iterator<Item = Metric> {
    let observed = comparison.metrics.of(group).map(|(metric, _)| metric);
    observed.filter(|metric| metric.prominence == Prominence::Lead)
}

/// Whether any metric of a group certainly got worse.
pub(super) fn is_worse(comparison: &Comparison, group: MetricGroup) -> bool {
    let mut changes = comparison.metrics.of(group);
    changes.any(|(metric, change)| match metric.better {
        Better::Lower => change.direction == Some(Direction::More),
        Better::Higher => change.direction == Some(Direction::Fewer),
        Better::Neither => false,
    })
}

/// A summary of both sides of one benchmark, if both were observed: `1 → 2 (9 B → 41 B)`, or `3`
/// where nothing changed.
pub(super) fn both(comparison: &Comparison, group: MetricGroup) -> Option<String> {
    let mut leads = leads(comparison, group);
    let first = leads.next()?;
    let values = comparison.values(first)?;
    let [base, head] = [values.base, values.head].map(|value| first.unit.show(value));
    if moved(comparison, group).is_none() {
        return Some(head);
    }
    let others = leads.filter_map(|metric| {
        let values = comparison.values(metric)?;
        let show = |value| metric.unit.show(value);
        Some(format!("{} → {}", show(values.base), show(values.head)))
    });
    let others: Vec<String> = others.collect();
    let beside = format!("{}{}", others.join(", "), beside(comparison, group));
    Some(match beside.trim_start_matches(", ") {
        "" => format!("{base} → {head}"),
        beside => format!("{base} → {head} ({beside})"),
    })
}

/// A summary of one side: `3 / 3.0 KiB`; `None` where it was not observed.
pub(super) fn in_short(comparison: &Comparison, group: MetricGroup, side: Side) -> Option<String> {
    let shown = leads(comparison, group).filter_map(|metric| {
        let value = comparison.value(metric, side)?;
        Some(metric.unit.show(value))
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(" / "))
}

/// Which metrics are more and which are fewer, one entry each way: `more bytes and peak`, `fewer allocations`.
pub(super) fn ways(comparison: &Comparison, group: MetricGroup) -> Vec<String> {
    let told = |way: Direction| {
        let judged = comparison.metrics.of(group);
        let judged = judged.filter(|(metric, _)| metric.better != Better::Neither);
        let changed = judged.filter(|(_, change)| change.direction == Some(way));
        let names: Vec<&str> = changed.map(|(metric, _)| metric.name).collect();
        let (last, others) = names.split_last()?;
        Some(match others {
            [] => format!("{} {last}", more_or_fewer(way)),
            _ => format!("{} {} and {last}", more_or_fewer(way), others.join(", ")),
        })
    };
    let both = [Direction::More, Direction::Fewer];
    both.into_iter().filter_map(told).collect()
}

/// The changes of other metrics of a group than its lead metrics, as a suffix to those: `, peak 9 B → 64.0 MiB`.
pub(super) fn beside(comparison: &Comparison, group: MetricGroup) -> String {
    let others = comparison
        .metrics
        .of(group)
        .filter(|(metric, change)| change.has_moved() && metric.prominence != Prominence::Lead);
    let told = others.filter_map(|(metric, change)| {
        let values = change.values()?;
        let show = |value| metric.unit.show(value);
        let (base, head) = (show(values.base), show(values.head));
        Some(format!(", {} {base} → {head}", metric.name))
    });
    told.collect()
}

/// Whether a group was meant to be observed: it was, or a note says why not.
pub(super) fn was_asked(comparison: &Comparison, group: MetricGroup) -> bool {
    !comparison.metrics.is_empty(group) || comparison.notes_about(group).next().is_some()
}

/// The groups beside the time that have a place in every row: allocations, and what else was observed of any benchmark.
pub(super) fn observed_groups(report: &Report) -> Vec<MetricGroup> {
    let mut groups = MetricGroup::BESIDE_TIME.to_vec();
    groups.retain(|group| {
        let mut benchmarks = report.benchmarks.iter();
        *group == MetricGroup::Allocations || benchmarks.any(|one| was_asked(one, *group))
    });
    groups
}

/// A direction as one column.
pub(super) fn symbol(direction: Direction, charset: Charset) -> &'static str {
    match (direction, charset) {
        (Direction::More, Charset::Unicode) => "▲",
        (Direction::More, Charset::Ascii) => ">",
        (Direction::Fewer, Charset::Unicode) => "▼",
        (Direction::Fewer, Charset::Ascii) => "<",
        (Direction::Same, _) => "=",
    }
}

/// A direction as one word.
pub(super) fn more_or_fewer(direction: Direction) -> &'static str {
    match direction {
        Direction::More => "more",
        Direction::Fewer => "fewer",
        Direction::Same => "same",
    }
}
