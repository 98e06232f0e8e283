//! What one tenant suffers from the heavy load of another.

use super::{TestSection, TestTable, middle, rate};
use crate::report::words::{self, Naming, plural};
use crate::service::{NeighbourCourse, NeighbourResult};
use crate::units::{Side, Unit};

pub(super) fn section(result: &NeighbourResult, naming: Naming) -> TestSection {
    let suffers = Side::BOTH.map(|side| {
        let slowdown = typical(result, side, NeighbourCourse::slowdown);
        let throughput = typical(result, side, NeighbourCourse::throughput);
        let is_above = slowdown.is_some_and(|slowdown| slowdown > 1.0 + result.limit)
            || throughput.is_some_and(|throughput| throughput < 1.0 - result.limit);
        let limit = words::share(result.limit);
        is_above.then(|| format!("{side}: the tenant suffers more than {limit}"))
    });
    TestSection {
        subject: naming.name(&result.key),
        what: format!(
            "a tenant at {} alone and beside a noisy neighbour, in {}",
            rate(result.rate),
            plural(result.rounds.len(), "round", "rounds")
        ),
        table: TestTable {
            headings: vec![
                "",
                "alone",
                "beside",
                "times as long",
                "answered in time",
                "the neighbour",
                "its failures",
            ],
            rows: Side::BOTH.map(|side| row(result, side)).to_vec(),
        },
        remarks: suffers.into_iter().flatten().collect(),
        detail: None,
        plot: None,
    }
}

/// The median over rounds.
fn typical(
    result: &NeighbourResult,
    side: Side,
    of: impl Fn(&NeighbourCourse) -> Option<f64>,
) -> Option<f64> {
    let rounds = result.rounds.iter();
    let mut values: Vec<f64> = rounds.filter_map(|round| of(round.get(side))).collect();
    values.sort_by(f64::total_cmp);
    middle(&values)
}

fn row(result: &NeighbourResult, side: Side) -> Vec<String> {
    let show = |of: fn(&NeighbourCourse) -> Option<f64>, words: &dyn Fn(f64) -> String| {
        typical(result, side, of).map_or_else(|| "not known".to_owned(), words)
    };
    let time = |nanos: f64| format!("{} {}", result.percentile, Unit::Nanoseconds.show(nanos));
    let share = |share: f64| words::share((share * 1e3).round() / 1e3);
    vec![
        side.name().to_owned(),
        show(|one| one.alone.latency_ns, &time),
        show(|one| one.beside.latency_ns, &time),
        show(NeighbourCourse::slowdown, &|times| format!("{times:.2}")),
        show(NeighbourCourse::throughput, &share),
        show(|one| Some(one.neighbour_rate), &rate),
        show(|one| Some(one.neighbour_refused), &share),
    ]
}
