//! Tables of the changes of metrics other than time, as every renderer for people shows them.

use super::places::{self, ToldPlace};
use super::words::{self, Naming};
use super::{Report, metrics};
use crate::analyse::{Comparison, Direction};
use crate::units::{Metric, MetricGroup, Prominence};

/// The metrics of one group, over all benchmarks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupTable<'a> {
    /// Which group.
    pub(super) group: MetricGroup,
    /// What each row shows.
    pub(super) columns: Vec<Metric>,
    /// Every benchmark in which it changed: those that grew first, in the report's order.
    pub(super) rows: Vec<GroupRow<'a>>,
    /// A line about the benchmarks that have no row; `None` if nothing was observed at all.
    pub(super) rest: Option<String>,
}

/// One benchmark in which a group changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupRow<'a> {
    /// Its name, harmless to print.
    pub(super) subject: String,
    /// More or fewer.
    pub(super) direction: Direction,
    /// The direction in one word; for a change in both directions, a word of its own.
    pub(super) word: &'static str,
    /// What each column says: `1 → 2`.
    pub(super) cells: Vec<String>,
    /// The places behind it, most changed first.
    pub(super) places: Vec<ToldPlace<'a>>,
}

/// Every group other than time that was, or could have been, observed.
pub(super) fn tables(report: &Report, naming: Naming) -> Vec<GroupTable<'_>> {
    let table = |group: MetricGroup| {
        let columns = group.metrics();
        let columns = columns.filter(|metric| has_column(*metric));
        let columns: Vec<Metric> = columns.filter(|metric| is_here(report, *metric)).collect();
        let mut rows: Vec<GroupRow<'_>> = words::ordered(report)
            .into_iter()
            .filter_map(|comparison| row(report, comparison, (group, &columns), naming))
            .collect();
        rows.sort_by_key(|row| row.direction != Direction::More);
        GroupTable {
            group,
            columns,
            rows,
            rest: rest(report, group),
        }
    };
    let all = MetricGroup::BESIDE_TIME.into_iter().map(table);
    all.filter(|table| !table.rows.is_empty() || table.rest.is_some())
        .collect()
}

/// Metrics that programs print, and those of the tests of services, are those of this report; the others are the same in every
/// report.
fn is_here(report: &Report, metric: Metric) -> bool {
    let mut benchmarks = report.benchmarks.iter();
    let is_usual = !matches!(metric.group, MetricGroup::Printed | MetricGroup::Service);
    is_usual || benchmarks.any(|one| one.metrics.get(metric).is_some())
}

fn has_column(metric: Metric) -> bool {
    matches!(metric.prominence, Prominence::Lead | Prominence::Column)
}

fn row<'a>(
    report: &'a Report,
    comparison: &Comparison,
    (group, columns): (MetricGroup, &[Metric]),
    naming: Naming,
) -> Option<GroupRow<'a>> {
    let direction = metrics::moved(comparison, group)?;
    let mixed = metrics::ways(comparison, group).len() > 1;
    // In words, so that it works with every charset and without colour: the row's own direction is about all
    // metrics together.
    let cell = |metric: &Metric| {
        let direction = comparison.metrics.get(*metric).and_then(|c| c.direction);
        let changed = match direction.filter(|_| mixed) {
            Some(Direction::More) => " (more)",
            Some(Direction::Fewer) => " (fewer)",
            _ => "",
        };
        let both = metrics::both_sides(comparison, *metric).unwrap_or_default();
        format!("{both}{changed}")
    };
    Some(GroupRow {
        subject: naming.name(&comparison.key),
        direction,
        word: if mixed {
            "mixed"
        } else {
            metrics::more_or_fewer(direction)
        },
        cells: columns.iter().map(cell).collect(),
        places: places::of(report, comparison, group),
    })
}

fn rest(report: &Report, group: MetricGroup) -> Option<String> {
    let (mut same, mut uncertain, mut alone, mut uncounted) = (0, 0, 0, 0);
    let asked = report
        .benchmarks
        .iter()
        .filter(|c| metrics::was_asked(c, group));
    for comparison in asked {
        let first = metrics::leads(comparison, group).next();
        let change = first.and_then(|metric| comparison.metrics.get(metric));
        let has_both = change.is_some_and(|change| change.values().is_some());
        match (change, comparison.direction(group)) {
            (Some(_), Some(Direction::Same)) if has_both => same += 1,
            (Some(_), None) if has_both => uncertain += 1,
            (Some(_), Some(_)) if has_both => {}
            (Some(_), _) if comparison.notes_about(group).next().is_none() => alone += 1,
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
