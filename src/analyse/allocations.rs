//! From counted allocations to what changed.
//!
//! Each figure counts for itself (`allocation_figures.rs`); the processes are the sample.

use std::collections::HashMap;

use super::allocation_figures::{AllocationFigures, permitted_error, processes_to_believe};
use super::sites;
use super::{AllocationComparison, AllocationSummary, AllocationVerdict, Comparison, Verdict};
use crate::measure::{Counted, CountedSample, peak};
use crate::plan::Thresholds;
use crate::units::{BenchmarkKey, Paired, Side};

/// Writes into each comparison what was counted of its benchmark, and what changed; `family` benchmarks share
/// the error of the report.
pub fn add_allocations(
    comparisons: &mut [Comparison],
    counted: &[Counted],
    thresholds: &Thresholds,
    family: usize,
) {
    let counted: HashMap<&BenchmarkKey, &Counted> =
        counted.iter().map(|each| (&each.key, each)).collect();
    let belief = Belief {
        alpha: permitted_error(thresholds, family),
        processes: processes_to_believe(thresholds, family),
        family,
    };
    for comparison in comparisons {
        // What failed while it was timed has said so already.
        if comparison.verdict != Verdict::Failed
            && let Some(counted) = counted.get(&comparison.key)
        {
            comparison.allocations = Some(compare(counted, belief));
        }
    }
}

/// What it takes for a difference to be believed.
#[derive(Debug, Clone, Copy)]
struct Belief {
    /// The error that is permitted for each figure.
    alpha: f64,
    /// In how many processes a side it has to be seen.
    processes: usize,
    /// How many benchmarks share the error of the report.
    family: usize,
}

fn compare(counted: &Counted, belief: Belief) -> AllocationComparison {
    let sides = Paired::from_fn(|side| Counts::of(counted, side));
    let mut notes = counted.notes.clone();
    let figures = match (&sides.base, &sides.head) {
        (Some(base), Some(head)) => {
            let figures = AllocationFigures::of(counted, belief.alpha);
            notes.extend(doubt(counted, [base, head], figures.overall(), belief));
            notes.extend(failures(base, head));
            Some(figures)
        }
        _ => None,
    };
    notes.extend(sites::notes(counted));
    let summaries = sides.map(|counts| counts.map(|counts| counts.summary));
    AllocationComparison {
        verdict: figures.and_then(|figures| figures.overall()),
        figures,
        notes,
        sites: sites::of(counted, &summaries),
        base: summaries.base,
        head: summaries.head,
    }
}

/// What was counted on one side.
struct Counts {
    /// Requests that were refused, per iteration.
    failures: f64,
    summary: AllocationSummary,
}

impl Counts {
    fn of(counted: &Counted, side: Side) -> Option<Counts> {
        let processes = counted.processes.get(side).iter();
        let samples: Vec<&CountedSample> = processes.flat_map(|process| &process.samples).collect();
        let exact = counted.exact(side);
        let iterations: u64 = samples.iter().map(|sample| sample.iterations).sum();
        if iterations == 0 {
            return None;
        }
        let each = |sum: &dyn Fn(&CountedSample) -> f64| {
            samples.iter().map(|sample| sum(sample)).sum::<f64>() / iterations as f64
        };
        let summary = AllocationSummary {
            count: each(&|s| s.record.allocations as f64),
            reallocations: each(&|s| s.record.reallocations as f64),
            frees: match exact {
                Some(exact) => exact.frees as f64,
                None => each(&|s| s.record.frees as f64),
            },
            bytes: each(&|s| s.record.bytes as f64),
            peak_bytes: peak(&samples).shown,
            leaked_bytes: each(&|s| s.record.retained_bytes as f64),
            largest_bytes: samples.iter().map(|s| s.record.largest_bytes).max()?,
            histogram: histogram(&samples, iterations),
            exact: exact.is_some(),
        };
        Some(Counts {
            failures: each(&|s| s.record.failures as f64),
            summary,
        })
    }
}

/// Requests per iteration by size, from bucket [1, 2) on; those of size zero count as of size one.
fn histogram(samples: &[&CountedSample], iterations: u64) -> Vec<f64> {
    let bucket = |b: usize| samples.iter().map(|s| s.record.histogram[b]).sum::<u64>();
    let buckets = samples.first().map_or(0, |s| s.record.histogram.len());
    let mut counts: Vec<u64> = (1..buckets).map(bucket).collect();
    if let Some(first) = counts.first_mut() {
        *first += bucket(0);
    }
    let used = counts
        .iter()
        .rposition(|count| *count > 0)
        .map_or(0, |last| last + 1);
    counts[..used]
        .iter()
        .map(|count| *count as f64 / iterations as f64)
        .collect()
}

/// What the reader should know where the processes do not say all the same.
fn doubt(
    counted: &Counted,
    sides: [&Counts; 2],
    verdict: Option<AllocationVerdict>,
    belief: Belief,
) -> Option<String> {
    let both = counted.processes.as_ref().map(Vec::len);
    let processes = both.base.min(both.head);
    if sides.iter().any(|side| !side.summary.exact) {
        let found = match verdict {
            Some(AllocationVerdict::Same) => return None,
            Some(_) => "the difference is certain all the same",
            None => "no difference between the sides is certain",
        };
        return Some(format!(
            "counts vary from sample to sample; {found} (Student's t over {processes} processes a side)"
        ));
    }
    (verdict.is_none() && processes < belief.processes).then(|| {
        format!(
            "the sides differ, but {processes} processes a side may do so by chance; in a report of {} benchmarks \
             it takes {}, and each takes too long",
            belief.family, belief.processes
        )
    })
}

fn failures(base: &Counts, head: &Counts) -> Option<String> {
    (base.failures > 0.0 || head.failures > 0.0).then(|| {
        format!(
            "{} requests an iteration are refused on the base side, {} on the head side",
            base.failures, head.failures
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::CountedProcess;
    use crate::seam::{AllocationRecord, HISTOGRAM_BUCKETS, SampleRecord};

    fn sample(iterations: u64, each: [u64; 4]) -> CountedSample {
        let [allocations, reallocations, frees, bytes] = each.map(|count| count * iterations);
        CountedSample {
            iterations,
            record: AllocationRecord {
                sample: SampleRecord {
                    start_ns: 0,
                    end_ns: 1,
                    timed_ns: 1,
                    regions: 1,
                    preempted_ns: 0,
                },
                allocations,
                reallocations,
                frees,
                bytes,
                peak_bytes: each[3],
                growth_bytes: 0,
                retained_bytes: 0,
                largest_bytes: 8,
                failures: 0,
                histogram: [0; HISTOGRAM_BUCKETS],
            },
        }
    }

    fn processes(samples: &[Vec<CountedSample>]) -> Vec<CountedProcess> {
        let process = |samples: &Vec<CountedSample>| CountedProcess {
            samples: samples.clone(),
        };
        samples.iter().map(process).collect()
    }

    fn counted(base: &[Vec<CountedSample>], head: &[Vec<CountedSample>]) -> Counted {
        Counted {
            key: BenchmarkKey {
                package: "shop".to_owned(),
                target: "prices".to_owned(),
                id: "sum".to_owned(),
            },
            processes: Paired::new(processes(base), processes(head)),
            traced: Paired::new(None, None),
            notes: Vec::new(),
        }
    }

    /// As many processes as one benchmark needs.
    fn exactly(each: [u64; 4]) -> Vec<Vec<CountedSample>> {
        vec![vec![sample(1, each), sample(7, each)]; belief().processes]
    }

    fn belief() -> Belief {
        Belief {
            alpha: 0.05 / 5.0,
            processes: 4,
            family: 1,
        }
    }

    fn verdict(base: [u64; 4], head: [u64; 4]) -> Option<AllocationVerdict> {
        compare(&counted(&exactly(base), &exactly(head)), belief()).verdict
    }

    #[test]
    fn one_more_allocation_is_one_more_however_many_there_were() {
        let base = [1_000_000, 0, 1_000_000, 8_000_000];
        let head = [1_000_001, 0, 1_000_001, 8_000_001];
        assert_eq!(verdict(base, head), Some(AllocationVerdict::More));
        assert_eq!(verdict(head, base), Some(AllocationVerdict::Fewer));
        assert_eq!(verdict(base, base), Some(AllocationVerdict::Same));
    }

    #[test]
    fn no_figure_hides_another() {
        // 64 MiB once where there were twice 50 bytes.
        let (base, head) = ([2, 0, 2, 100], [1, 0, 1, 1 << 26]);
        let found = compare(&counted(&exactly(base), &exactly(head)), belief());
        let (more, fewer) = (AllocationVerdict::More, AllocationVerdict::Fewer);
        assert_eq!(found.verdict, Some(more));
        let figures = found.figures.unwrap();
        assert_eq!(figures.allocations, Some(fewer));
        assert_eq!(figures.reallocations, Some(AllocationVerdict::Same));
        assert_eq!((figures.bytes, figures.peak), (Some(more), Some(more)));
        // The other way round there are more allocations, however much smaller they are.
        assert_eq!(verdict(head, base), Some(more));
        // Fewer of some and more of none.
        assert_eq!(verdict([3, 0, 3, 100], [2, 0, 2, 100]), Some(fewer));
    }

    #[test]
    fn a_difference_in_too_few_processes_is_not_believed_and_said_to_be_in_doubt() {
        let few = |each| vec![vec![sample(1, each), sample(7, each)]; 2];
        let (one, two) = ([1, 0, 1, 8], [2, 0, 2, 16]);
        let found = compare(&counted(&few(one), &few(two)), belief());
        assert_eq!(found.verdict, None);
        assert!(found.notes[0].starts_with("the sides differ, but 2 processes"));
        let found = compare(&counted(&few(one), &few(one)), belief());
        assert_eq!(
            (found.verdict, found.notes.len()),
            (Some(AllocationVerdict::Same), 0)
        );
    }

    #[test]
    fn what_differs_from_process_to_process_is_tested_and_not_compared_as_integers() {
        let varying = |shift: u64| -> Vec<Vec<CountedSample>> {
            let counts = [10, 12, 11, 13, 10, 12].map(|count| count + shift);
            counts
                .iter()
                .map(|&count| vec![sample(3, [count, 0, count, 8 * count])])
                .collect()
        };
        let same = compare(&counted(&varying(0), &varying(0)), belief());
        assert_eq!(same.verdict, None);
        assert!(same.notes[0].contains("no difference"), "{:?}", same.notes);
        let more = compare(&counted(&varying(0), &varying(4)), belief());
        assert_eq!(more.verdict, Some(AllocationVerdict::More));
        assert!(!more.head.unwrap().exact);
    }

    #[test]
    fn the_peak_does_not_depend_on_how_many_iterations_leave_something_behind() {
        let leaking = |iterations: u64| {
            let mut sample = sample(iterations, [1, 0, 0, 100]);
            sample.record.peak_bytes = 100 * iterations;
            sample.record.growth_bytes = 100 * iterations as i64;
            sample.record.retained_bytes = 100 * iterations as i64;
            sample
        };
        let found = compare(
            &counted(
                &[vec![leaking(3), leaking(9)]],
                &[vec![leaking(50), leaking(7)]],
            ),
            belief(),
        );
        assert_eq!(found.verdict, Some(AllocationVerdict::Same));
        assert_eq!(found.base.unwrap().peak_bytes, 100);
        assert!((found.head.unwrap().leaked_bytes - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_vector_of_a_batch_is_freed_by_criterion_and_not_by_the_routine() {
        let mut batched = sample(25, [2, 0, 2, 16]);
        batched.record.sample.regions = 9;
        batched.record.frees += 9;
        assert_eq!(batched.exact().unwrap().frees, 2);
    }
}
