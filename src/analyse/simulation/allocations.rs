//! Processes that fall into modes at random, counted by the rule of the pass: the report does not say that
//! identical code allocates more, and finds code that does.

use super::*;
use crate::measure::{Counted, CountedProcess, CountedSample};
use crate::seam::{AllocationRecord, HISTOGRAM_BUCKETS, SampleRecord};

/// A process in which every iteration makes this many allocations.
fn process(allocations: u64) -> CountedProcess {
    let sample = |iterations: u64| CountedSample {
        iterations,
        record: AllocationRecord {
            sample: SampleRecord {
                start_ns: 0,
                end_ns: 1,
                timed_ns: 1,
                regions: 1,
                preempted_ns: 0,
            },
            allocations: allocations * iterations,
            reallocations: 0,
            frees: allocations * iterations,
            bytes: 8 * allocations * iterations,
            peak_bytes: 8 * allocations,
            growth_bytes: 0,
            retained_bytes: 0,
            largest_bytes: 8,
            failures: 0,
            histogram: [0; HISTOGRAM_BUCKETS],
        },
    };
    CountedProcess {
        samples: vec![sample(1), sample(7)],
    }
}

/// A report over `family` benchmarks; `allocations` draws what a process of that side does.
fn report(
    noise: &mut Noise,
    family: usize,
    allocations: impl Fn(&mut Noise, Side) -> u64,
) -> Vec<Comparison> {
    let enough = processes_to_believe(&thresholds(), family);
    let names: Vec<String> = (0..family).map(|i| format!("b{i}")).collect();
    let presence: Vec<(&str, Presence)> = names
        .iter()
        .map(|n| (n.as_str(), Presence::Common))
        .collect();
    let found = discovery(Identity::Identical, &presence);
    let mut comparisons = compare(&found, Vec::new(), &thresholds(), &sampling());
    let counted: Vec<Counted> = comparisons
        .iter()
        .map(|comparison| {
            let mut counted = Counted {
                key: comparison.key.clone(),
                processes: Paired::new(Vec::new(), Vec::new()),
                traced: Paired::new(None, None),
                notes: Vec::new(),
            };
            while counted.needs_more(enough) {
                for side in Side::BOTH {
                    let drawn = process(allocations(noise, side));
                    counted.processes.get_mut(side).push(drawn);
                }
            }
            counted
        })
        .collect();
    add_allocations(&mut comparisons, &counted, &thresholds(), family);
    comparisons
}

fn verdicts(report: &[Comparison]) -> impl Iterator<Item = Option<Direction>> {
    report
        .iter()
        .map(|comparison| comparison.direction(MetricGroup::Allocations))
}

#[test]
fn identical_code_in_two_modes_is_said_to_allocate_otherwise_in_no_more_reports_than_promised() {
    for (family, trials) in [(1, 1500), (30, 100)] {
        for common in [0.5, 0.8] {
            let mut noise = Noise::seeded(96);
            let wrong = (0..trials).filter(|_| {
                let modes = |noise: &mut Noise, _| if noise.uniform() < common { 2 } else { 3 };
                let report = report(&mut noise, family, modes);
                let changed = |v| v == Some(Direction::More) || v == Some(Direction::Fewer);
                verdicts(&report).any(changed)
            });
            let wrong = wrong.count();
            assert!(
                wrong <= at_most(trials, ERROR),
                "{family} {common}: {wrong} of {trials}"
            );
        }
    }
}

#[test]
fn one_allocation_more_is_found_in_every_benchmark_whose_counts_do_not_vary() {
    let mut noise = Noise::seeded(97);
    for family in [1, 30] {
        let more = |_: &mut Noise, side| if side == Side::Head { 3 } else { 2 };
        let report = report(&mut noise, family, more);
        assert!(verdicts(&report).all(|v| v == Some(Direction::More)));
    }
}

#[test]
fn what_agrees_needs_two_processes_a_side_and_what_differs_as_many_as_the_report_asks_for() {
    let of = |base: &[u64], head: &[u64]| Counted {
        key: measured("b", Vec::new()).key,
        processes: Paired::new(base, head).map(|all| all.iter().map(|n| process(*n)).collect()),
        traced: Paired::new(None, None),
        notes: Vec::new(),
    };
    assert!(of(&[2], &[2]).needs_more(4));
    assert!(!of(&[2, 2], &[2, 2]).needs_more(4));
    assert!(of(&[2, 2, 2], &[3, 3, 3]).needs_more(4));
    assert!(!of(&[2; 4], &[3; 4]).needs_more(4));
    assert_eq!(
        [1, 30, 1000].map(|n| processes_to_believe(&thresholds(), n)),
        [4, 7, 9]
    );
}
