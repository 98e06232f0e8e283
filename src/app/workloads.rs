//! Whole programs among the passes over benchmarks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ready::Ready;
use crate::analyse::{Comparison, Settling, Verdict, add_queries, rounds_to_see_resources};
use crate::discover::{Benchmark, DiscoverError, Discovery, Target};
use crate::measure::{
    self, AllocationRun, Bounds, Counting, InstructionRun, Measured, ProfileRun, Settled, Sources,
};
use crate::plan::{BenchmarkNeed, Plan, Sampling};
use crate::process::Valgrind;
use crate::scratch::Scratch;
use crate::units::{BenchmarkKey, EventSink, Paired};
use crate::workload::{self, WorkloadClock, WorkloadRun, Workloads};

/// Complains where a filter leaves nothing to compare.
///
/// # Errors
/// No benchmark and no workload is left.
pub(super) fn something_is_left(
    plan: &Plan,
    discovery: &Discovery,
    workloads: &Workloads,
) -> Result<(), DiscoverError> {
    let nothing = discovery.targets.is_empty() && workloads.is_empty();
    let example = plan.workloads.first().map(|workload| &workload.name);
    match (&plan.filter, example) {
        (Some(filter), Some(example))
            if nothing && plan.selection.benchmarks != BenchmarkNeed::Required =>
        {
            Err(DiscoverError::NothingMatches {
                filter: filter.clone(),
                example: example.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// How many benchmarks and workloads are measured on both sides.
pub(super) fn family(
    discovery: &Discovery,
    workloads: &Workloads,
    counts: impl Fn(&Target, &Benchmark) -> bool,
) -> usize {
    discovery.common(&counts) + workloads.common(&counts) + discovery.elsewhere
}

/// When workloads have to be done, so that benchmarks get their share of the time.
pub(super) fn share(ready: &Ready, end: Option<Instant>) -> Option<Instant> {
    let end = end?;
    let workloads = ready.workloads.keys().count();
    let benchmarks = ready.discovery.common(Target::may_differ);
    let share = workloads as f64 / (workloads + benchmarks).max(1) as f64;
    let now = Instant::now();
    Some(now + end.saturating_duration_since(now).mul_f64(share))
}

/// Counts the allocations of workloads that did not fail, and adds to their comparisons what they ran of a database.
pub(super) fn count(
    plan: &Plan,
    ready: &Ready,
    (comparisons, counting): (&mut [Comparison], &Counting<'_>),
    sources: Paired<Sources<'_>>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> AllocationRun {
    let runs = |key: &BenchmarkKey| did_not_fail(comparisons, key);
    let clock = clock(&plan.sampling, ready, counting.end, scratch);
    let counts = workload::count_allocations(
        &ready.workloads,
        clock,
        runs,
        counting.enough,
        sources,
        events,
    );
    add_queries(comparisons, &counts.queries, &plan.thresholds, ready.family);
    counts.allocations
}

/// Counts the instructions of benchmarks, and of workloads that did not fail.
pub(super) fn count_instructions(
    sampling: &Sampling,
    ready: &Ready,
    comparisons: &[Comparison],
    (valgrind, end): (&Valgrind, Option<Instant>),
    scratch: &Scratch,
    events: EventSink<'_>,
) -> InstructionRun {
    let runs = |key: &BenchmarkKey| did_not_fail(comparisons, key);
    let clock = clock(sampling, ready, end, scratch);
    let mut run = workload::count_instructions(&ready.workloads, clock, valgrind, runs, events);
    let discovery = &ready.discovery;
    let others = measure::count_instructions(sampling, valgrind, end, discovery, scratch, events);
    run.counted.extend(others.counted);
    run.wanted += others.wanted;
    run.ended = run.ended.or(others.ended);
    run
}

fn did_not_fail(comparisons: &[Comparison], key: &BenchmarkKey) -> bool {
    let mut all = comparisons.iter();
    all.any(|one| one.key == *key && one.verdict != Verdict::Failed)
}

/// Those of the `wanted` that are no workloads.
pub(super) fn others(
    ready: &Ready,
    wanted: &BTreeMap<BenchmarkKey, Duration>,
) -> BTreeMap<BenchmarkKey, Duration> {
    let is_own = |key: &BenchmarkKey| ready.workloads.keys().any(|own| own == key);
    let others = wanted.iter().filter(|(key, _)| !is_own(key));
    others.map(|(key, time)| (key.clone(), *time)).collect()
}

/// Profiles those of the `wanted` that are workloads.
pub(super) fn profile(
    sampling: &Sampling,
    ready: &Ready,
    wanted: &BTreeMap<BenchmarkKey, Duration>,
    end: Option<Instant>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> ProfileRun {
    let clock = clock(sampling, ready, end, scratch);
    workload::profile(&ready.workloads, clock, wanted, events)
}

/// What passes over workloads take that are not timed.
pub(super) fn clock<'a>(
    sampling: &'a Sampling,
    ready: &'a Ready,
    end: Option<Instant>,
    scratch: &'a Scratch,
) -> WorkloadClock<'a> {
    WorkloadClock {
        bounds: Bounds {
            end,
            ..Bounds::default()
        },
        sampling,
        launcher: &ready.launcher,
        scratch,
    }
}

/// Runs the workloads of both sides until each verdict is certain, and what they take beside time can be seen.
pub(super) fn time(
    sampling: &Sampling,
    ready: &Ready,
    bounds: Bounds,
    (settling, settle): (&Settling, &mut dyn FnMut(&Measured) -> Settled),
    scratch: &Scratch,
    events: EventSink<'_>,
) -> WorkloadRun {
    let fewest = rounds_to_see_resources(settling, ready.workloads.most_printed());
    let mut settle = |measured: &Measured| match measured.rounds.len() < fewest {
        true => Settled::Continue,
        false => settle(measured),
    };
    let clock = WorkloadClock {
        bounds,
        sampling,
        launcher: &ready.launcher,
        scratch,
    };
    workload::run(&ready.workloads, clock, &mut settle, events)
}
