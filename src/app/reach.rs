//! What the report says of what the change can reach.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::build::Build;
use crate::discover::{Changes, Discovery, Presence, Reached};
use crate::measure::{Reach, find_reach};
use crate::plan::{Extent, Sampling};
use crate::process::Interrupted;
use crate::report::ReachSummary;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired};

use super::coverage::{FunctionCoverage, TouchedCode};

/// What is to be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Which benchmarks execute what differs.
    Reach,
    /// That, and which changed functions no benchmark executes. The latter is unknown if benchmarks are left out.
    ReachAndCoverage,
}

impl Asked {
    /// What a run of this extent can find out, if rules have left out the benchmarks in `skipped`. The benchmarks
    /// of a target that failed are unknown.
    pub(super) fn of(extent: Extent, skipped: &[String], discovery: &Discovery) -> Asked {
        let all = skipped.is_empty() && discovery.is_whole();
        match extent {
            Extent::Whole | Extent::Shard if all => Asked::ReachAndCoverage,
            _ => Asked::Reach,
        }
    }
}

/// What was found out.
pub(super) struct FoundReach {
    pub(super) summary: ReachSummary,
    pub(super) coverage: FunctionCoverage,
    /// What ended the search before it was done.
    pub(super) ended: Option<Interrupted>,
}

/// Finds out what the change can reach, and enters it in `discovery`.
pub(super) fn find(
    sampling: &Sampling,
    asked: Asked,
    builds: &Paired<Build>,
    discovery: &mut Discovery,
    end: Option<Instant>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> FoundReach {
    let changes = Changes::between(builds);
    let touched = TouchedCode::of(builds, discovery);
    let watched = match asked {
        Asked::Reach => BTreeMap::new(),
        Asked::ReachAndCoverage => touched.watched(),
    };
    let reach = find_reach(
        sampling, &changes, &watched, discovery, end, scratch, events,
    );
    let coverage = match asked {
        Asked::Reach => FunctionCoverage::default(),
        Asked::ReachAndCoverage => touched.coverage(&reach),
    };
    let summary = summary(&reach, discovery, &touched, &coverage);
    events(Event::Reached {
        reached: summary.reached,
        benchmarks: summary.benchmarks,
    });
    FoundReach {
        summary,
        coverage,
        ended: reach.ended,
    }
}

/// The summary, with the changed functions that no benchmark executes, if these are known.
fn summary(
    reach: &Reach,
    discovery: &Discovery,
    touched: &TouchedCode,
    coverage: &FunctionCoverage,
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
    let elsewhere = reach.elsewhere.iter().map(|target| {
        format!(
            "{target}: starts or loads other code of the build, and what that executes is not known"
        )
    });
    let elsewhere: Vec<String> = elsewhere.collect();
    ReachSummary {
        benchmarks: total,
        reached,
        unknown,
        changed_functions: reach.changed,
        uncovered: Vec::new(),
        skeletons: touched.skeletons(&coverage.uncovered),
        notes: [&reach.unknown[..], &elsewhere, touched.unknown.as_slice()].concat(),
    }
}
