//! From counted allocations to what changed.
//!
//! Counts that are exact on both sides are compared as integers: one more allocation is one more. Where
//! they vary from process to process, the processes are the sample and Student's t decides.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::sites;
use super::{AllocationComparison, AllocationSummary, AllocationVerdict, Comparison, Verdict};
use crate::discover::BenchmarkKey;
use crate::measure::{Counted, CountedSample, Exact};
use crate::plan::Thresholds;
use crate::stats::Estimate;
use crate::units::{Paired, Side};

/// Writes into each comparison what was counted of its benchmark, and what changed.
pub fn add_allocations(
    comparisons: &mut [Comparison],
    counted: &[Counted],
    thresholds: &Thresholds,
) {
    let counted: HashMap<&BenchmarkKey, &Counted> =
        counted.iter().map(|each| (&each.key, each)).collect();
    let tests = counted.values().filter(|each| varies(each)).count();
    // Requests and bytes are tested of each.
    let alpha = (1.0 - thresholds.confidence) / (2 * tests.max(1)) as f64;
    for comparison in comparisons {
        // What failed while it was timed has said so already.
        if comparison.verdict != Verdict::Failed
            && let Some(counted) = counted.get(&comparison.key)
        {
            comparison.allocations = Some(compare(counted, alpha));
        }
    }
}

fn varies(counted: &Counted) -> bool {
    Side::BOTH
        .into_iter()
        .any(|side| !counted.processes.get(side).is_empty() && counted.exact(side).is_none())
}

fn compare(counted: &Counted, alpha: f64) -> AllocationComparison {
    let sides = Paired::from_fn(|side| Counts::of(counted, side));
    let mut notes = counted.notes.clone();
    let verdict = match (&sides.base, &sides.head) {
        (Some(base), Some(head)) => match (base.exact, head.exact) {
            (Some(_), Some(_)) => Some(by_integers(base, head)),
            _ => {
                let verdict = by_test(counted, alpha);
                notes.push(varying(counted, verdict));
                verdict
            }
        },
        _ => None,
    };
    if let (Some(base), Some(head)) = (&sides.base, &sides.head) {
        notes.extend(failures(base, head));
    }
    notes.extend(sites::notes(counted));
    let summaries = sides.map(|counts| counts.map(|counts| counts.summary));
    AllocationComparison {
        verdict,
        notes,
        sites: sites::of(counted, &summaries),
        base: summaries.base,
        head: summaries.head,
    }
}

/// What was counted on one side.
struct Counts {
    exact: Option<Exact>,
    /// The peak of one iteration, where every sample agrees on it.
    peak: Option<u64>,
    /// What one iteration leaves behind for good, where every sample agrees on it.
    left: Option<i64>,
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
        let (peak, peak_bytes) = peak(&samples);
        let summary = AllocationSummary {
            count: each(&|s| s.record.allocations as f64),
            reallocations: each(&|s| s.record.reallocations as f64),
            frees: match exact {
                Some(exact) => exact.frees as f64,
                None => each(&|s| s.record.frees as f64),
            },
            bytes: each(&|s| s.record.bytes as f64),
            peak_bytes,
            leaked_bytes: each(&|s| s.record.retained_bytes as f64),
            largest_bytes: samples.iter().map(|s| s.record.largest_bytes).max()?,
            histogram: histogram(&samples, iterations),
            exact: exact.is_some(),
        };
        Some(Counts {
            exact,
            peak,
            left: left_behind(&samples),
            failures: each(&|s| s.record.failures as f64),
            summary,
        })
    }
}

/// The peak of a single iteration: where every sample agrees on it, and what to show anyway.
///
/// What iterations leave behind adds up within a region, and how many share one follows from the
/// time they take: without taking that out, the sides could differ with no difference between them.
fn peak(samples: &[&CountedSample]) -> (Option<u64>, u64) {
    let per_region = |sample: &CountedSample| {
        sample
            .iterations
            .div_ceil(sample.record.sample.regions.max(1))
    };
    let single = |sample: &CountedSample| {
        let growth = u64::try_from(sample.record.growth_bytes).unwrap_or(0);
        let left_before = growth / sample.iterations * (per_region(sample) - 1);
        sample.record.peak_bytes.saturating_sub(left_before)
    };
    let shown = samples.iter().map(|s| single(s)).max().unwrap_or(0);
    let agreed = samples.iter().all(|sample| single(sample) == shown);
    // Outputs of a batch are kept together with a vector that Criterion frees within the region: their
    // sum is not known, and shows as a peak that grows with the batch. Equal batches would hide it.
    let tellable = |sample: &CountedSample| {
        sample.record.sample.regions == 1
            || per_region(sample) == 1
            || samples
                .iter()
                .any(|other| per_region(other) != per_region(sample))
    };
    let known = agreed && samples.iter().all(|sample| tellable(sample));
    (known.then_some(shown), shown)
}

/// What one iteration leaves behind for good, where every sample agrees on it.
fn left_behind(samples: &[&CountedSample]) -> Option<i64> {
    let single = |sample: &CountedSample| {
        let iterations = i64::try_from(sample.iterations).ok()?;
        let left = sample.record.retained_bytes;
        (left % iterations == 0).then(|| left / iterations)
    };
    let first = single(samples.first()?)?;
    samples
        .iter()
        .all(|sample| single(sample) == Some(first))
        .then_some(first)
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

/// What changed between exact counts. The first that differs decides: allocations, reallocations,
/// bytes, the peak, and what is left behind.
fn by_integers(base: &Counts, head: &Counts) -> AllocationVerdict {
    let figures = |exact: Exact| [exact.allocations, exact.reallocations, exact.bytes];
    let between = |(base, head): (i64, i64)| head.cmp(&base);
    let ordering = (head.exact.map(figures))
        .cmp(&base.exact.map(figures))
        .then_with(|| {
            let peaks = base.peak.zip(head.peak);
            peaks.map_or(Ordering::Equal, |(base, head)| head.cmp(&base))
        })
        .then_with(|| base.left.zip(head.left).map_or(Ordering::Equal, between));
    match ordering {
        Ordering::Greater => AllocationVerdict::More,
        Ordering::Less => AllocationVerdict::Fewer,
        Ordering::Equal => AllocationVerdict::Same,
    }
}

/// What changed between counts that vary: first of requests, then of bytes, at error `alpha` each.
/// `None` where no difference is certain.
///
/// Hypothesis: processes are independent and alike; the first of base and the first of head make a
/// pair, and so on. Student's t over the differences, with the bound on what few processes can show
/// ([`crate::stats::believable`]).
fn by_test(counted: &Counted, alpha: f64) -> Option<AllocationVerdict> {
    let figures: [fn(&CountedSample) -> u64; 2] = [
        |s| s.record.allocations + s.record.reallocations,
        |s| s.record.bytes,
    ];
    figures.into_iter().find_map(|figure| {
        let per_iteration = |side: Side| -> Vec<f64> {
            let mean = |samples: &[CountedSample]| {
                let sum: u64 = samples.iter().map(figure).sum();
                sum as f64 / samples.iter().map(|s| s.iterations).sum::<u64>() as f64
            };
            let processes = counted.processes.get(side).iter();
            processes.map(|process| mean(&process.samples)).collect()
        };
        let differences: Vec<f64> = per_iteration(Side::Base)
            .iter()
            .zip(per_iteration(Side::Head))
            .map(|(base, head)| head - base)
            .collect();
        let estimate = Estimate::of(&differences)?;
        (estimate.p_zero() <= alpha).then_some(if estimate.ln_ratio > 0.0 {
            AllocationVerdict::More
        } else {
            AllocationVerdict::Fewer
        })
    })
}

fn varying(counted: &Counted, verdict: Option<AllocationVerdict>) -> String {
    let processes = counted
        .processes
        .base
        .len()
        .min(counted.processes.head.len());
    let found = match verdict {
        Some(_) => "the difference is certain all the same",
        None => "no difference between the sides is certain",
    };
    format!(
        "counts vary from sample to sample; {found} (Student's t over {processes} processes a side)"
    )
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

    fn exactly(each: [u64; 4]) -> Vec<Vec<CountedSample>> {
        vec![vec![sample(1, each), sample(7, each)]; 2]
    }

    fn verdict(base: [u64; 4], head: [u64; 4]) -> Option<AllocationVerdict> {
        compare(&counted(&exactly(base), &exactly(head)), 0.05).verdict
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
    fn allocations_weigh_more_than_bytes() {
        // Reserving once instead of growing: fewer calls, more bytes.
        assert_eq!(
            verdict([1, 5, 1, 2016], [1, 0, 1, 4096]),
            Some(AllocationVerdict::Fewer)
        );
        assert_eq!(
            verdict([1, 0, 1, 100], [1, 0, 1, 101]),
            Some(AllocationVerdict::More)
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
        let same = compare(&counted(&varying(0), &varying(0)), 0.05);
        assert_eq!(same.verdict, None);
        assert!(same.notes[0].contains("no difference"), "{:?}", same.notes);
        let more = compare(&counted(&varying(0), &varying(4)), 0.05);
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
            &counted(&[vec![leaking(3), leaking(9)]], &[vec![leaking(50)]]),
            0.05,
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
