//! What the report says of what the change can reach.

use crate::discover::{Discovery, Presence, Reached};
use crate::measure::Reach;
use crate::report::ReachSummary;

use super::coverage::{Coverage, TouchedCode};

/// The summary. Which changed functions no benchmark executes is entered where that is known.
pub(super) fn summary(
    reach: &Reach,
    discovery: &Discovery,
    touched: &TouchedCode,
    coverage: &Coverage,
) -> ReachSummary {
    let benchmarks = discovery.targets.iter().flat_map(|target| {
        let common = target.benchmarks.iter();
        common
            .filter(|benchmark| benchmark.presence == Presence::Common)
            .map(move |benchmark| (target, benchmark))
    });
    let (mut reached, mut total, mut unknown) = (0, 0, 0);
    for (target, benchmark) in benchmarks {
        total += 1;
        if target.may_differ(benchmark) {
            reached += 1;
            unknown += usize::from(benchmark.reached == Reached::Unknown);
        }
    }
    ReachSummary {
        benchmarks: total,
        reached,
        unknown,
        changed_functions: reach.changed,
        uncovered: Vec::new(),
        skeletons: touched.skeletons(&coverage.uncovered),
        notes: [&reach.unknown[..], touched.unknown.as_slice()].concat(),
    }
}
