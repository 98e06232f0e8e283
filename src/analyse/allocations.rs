//! From counted allocations to what changed.
//!
//! Each metric is compared on its own: none hides another. The processes are the sample.

use std::collections::HashMap;

use super::sites;
use super::{Change, Comparison, Direction, Observed, Verdict};
use crate::measure::{Counted, CountedSample, Figure, Figures, peak};
use crate::plan::Thresholds;
use crate::stats::{Estimate, believable};
use crate::units::{BenchmarkKey, Metric, MetricGroup, Note, Paired, Side, plural};

/// What one process shows of one metric.
type FigureOf = fn(&Figures) -> Figure;

/// How a metric is derived from the counts.
struct CountedMetric {
    metric: Metric,
    /// The number to show of one side.
    shown: fn(&SideCounts<'_>) -> f64,
    /// What one process shows, if that is compared.
    figure: Option<FigureOf>,
}

const COUNTED: [CountedMetric; 7] = [
    CountedMetric {
        metric: Metric::ALLOCATIONS,
        shown: |side| side.each(|s| s.record.allocations as f64),
        figure: Some(|figures| figures.allocations),
    },
    CountedMetric {
        metric: Metric::REALLOCATIONS,
        shown: |side| side.each(|s| s.record.reallocations as f64),
        figure: Some(|figures| figures.reallocations),
    },
    CountedMetric {
        metric: Metric::FREES,
        shown: |side| side.frees(),
        figure: None,
    },
    CountedMetric {
        metric: Metric::BYTES,
        shown: |side| side.each(|s| s.record.bytes as f64),
        figure: Some(|figures| figures.bytes),
    },
    CountedMetric {
        metric: Metric::PEAK,
        shown: |side| peak(&side.samples).shown as f64,
        figure: Some(|figures| figures.peak),
    },
    CountedMetric {
        metric: Metric::LEFT_BEHIND,
        shown: |side| side.each(|s| s.record.retained_bytes as f64),
        figure: Some(|figures| figures.retained),
    },
    CountedMetric {
        metric: Metric::LARGEST,
        shown: |side| side.largest(),
        figure: None,
    },
];

/// Adds to each comparison its benchmark's counts and what changed; `family` benchmarks share the error rate of the
/// report.
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
        // A benchmark that failed during timing has already been reported.
        if comparison.verdict != Verdict::Failed
            && let Some(counted) = counted.get(&comparison.key)
        {
            compare(comparison, counted, belief);
        }
    }
}

/// What it takes for a difference to be believed.
#[derive(Debug, Clone, Copy)]
struct Belief {
    /// The error that is permitted for each metric.
    alpha: f64,
    /// In how many processes per side it has to be seen.
    processes: usize,
    /// How many benchmarks share the error rate of the report.
    family: usize,
}

/// The error that one metric of one benchmark may have, so that in a report of `family` benchmarks nothing is
/// wrongly called more or fewer with the confidence of the report (Bonferroni's inequality).
fn permitted_error(thresholds: &Thresholds, family: usize) -> f64 {
    let compared = COUNTED.iter().filter(|counted| counted.figure.is_some());
    (1.0 - thresholds.confidence) / (compared.count() * family.max(1)) as f64
}

/// In how many processes per side a difference has to be seen in a report of `family` benchmarks: if that many
/// agree within each side and differ between the sides, chance no longer explains it.
///
/// Where processes fall into modes at random, the sides of identical code differ alike in all of n pairs of
/// processes with a probability of up to 2·(1/4)ⁿ ([`believable`]): with two, in one benchmark of eight.
#[must_use]
pub fn processes_to_believe(thresholds: &Thresholds, family: usize) -> usize {
    let permitted = permitted_error(thresholds, family);
    // Far more than any report's confidence asks for.
    let most = 40;
    (2..most)
        .find(|n| believable(*n) <= permitted)
        .unwrap_or(most)
}

fn compare(comparison: &mut Comparison, counted: &Counted, belief: Belief) {
    let sides = Paired::from_fn(|side| SideCounts::of(counted, side));
    let figures = Paired::from_fn(|side| -> Vec<Figures> {
        let processes = counted.processes.get(side).iter();
        processes.map(|process| process.figures()).collect()
    });
    let changes = COUNTED.iter().map(|each| {
        let sides = Paired::from_fn(|side| {
            let counts = sides.get(side).as_ref()?;
            Some(counts.observed(each, figures.get(side)))
        });
        let compared = each
            .figure
            .filter(|_| sides.base.is_some() && sides.head.is_some());
        let direction = compared.and_then(|figure| {
            let of = |side: Side| {
                figures
                    .get(side)
                    .iter()
                    .map(figure)
                    .collect::<Vec<Figure>>()
            };
            direction(&of(Side::Base), &of(Side::Head), belief.alpha)
        });
        let change = Change {
            sides,
            direction,
            ..Change::default()
        };
        (each.metric, change)
    });
    let changes: Vec<(Metric, Change)> = match (&sides.base, &sides.head) {
        (None, None) => Vec::new(),
        _ => changes.collect(),
    };
    comparison.metrics.extend(changes);
    let mut notes = counted.notes.clone();
    if let (Some(base), Some(head)) = (&sides.base, &sides.head) {
        let overall = comparison.direction(MetricGroup::Allocations);
        notes.extend(doubt(counted, [base, head], overall, belief));
        notes.extend(failures(base, head));
    }
    notes.extend(sites::notes(counted));
    let about = |text| Note::about(MetricGroup::Allocations, text);
    comparison.notes.extend(notes.into_iter().map(about));
    comparison.sites = sites::of(counted, comparison);
    comparison.request_sizes = (sides.base.is_some() || sides.head.is_some())
        .then(|| sides.map(|side| side.map_or_else(Vec::new, |side| side.histogram())));
}

/// What was counted on one side.
struct SideCounts<'a> {
    samples: Vec<&'a CountedSample>,
    /// Of all samples; above zero.
    iterations: u64,
    /// The frees of an iteration, if every sample gave the same integers.
    exact_frees: Option<u64>,
}

impl<'a> SideCounts<'a> {
    fn of(counted: &'a Counted, side: Side) -> Option<SideCounts<'a>> {
        let processes = counted.processes.get(side).iter();
        let samples: Vec<&CountedSample> = processes.flat_map(|process| &process.samples).collect();
        let iterations = samples.iter().map(|sample| sample.iterations).sum();
        (iterations > 0).then(|| SideCounts {
            samples,
            iterations,
            exact_frees: counted.exact(side).map(|exact| exact.frees),
        })
    }

    /// What was counted, in processes with these figures.
    fn observed(&self, counted: &CountedMetric, processes: &[Figures]) -> Observed {
        let shown = (counted.shown)(self);
        let Some(figure) = counted.figure else {
            return match self.exact_frees {
                Some(_) => Observed::exactly(shown),
                None => Observed::sampled(shown),
            };
        };
        let figures = processes.iter().map(figure);
        if figures.clone().all(|figure| figure == Figure::Exact(shown)) {
            return Observed::exactly(shown);
        }
        let known: Option<Vec<f64>> = figures
            .map(|figure| match figure {
                Figure::Exact(amount) | Figure::Mean(amount) => Some(amount),
                Figure::Unknown => None,
            })
            .collect();
        Observed {
            least: known.and_then(|known| known.into_iter().min_by(f64::total_cmp)),
            ..Observed::sampled(shown)
        }
    }

    /// Per iteration.
    fn each(&self, sum: fn(&CountedSample) -> f64) -> f64 {
        self.samples.iter().map(|s| sum(s)).sum::<f64>() / self.iterations as f64
    }

    fn frees(&self) -> f64 {
        let counted = || self.each(|s| s.record.frees as f64);
        self.exact_frees.map_or_else(counted, |frees| frees as f64)
    }

    fn largest(&self) -> f64 {
        let all = self.samples.iter().map(|s| s.record.largest_bytes);
        all.max().unwrap_or_default() as f64
    }

    /// Requests that were refused, per iteration.
    fn failures(&self) -> f64 {
        self.each(|s| s.record.failures as f64)
    }

    /// Requests per iteration by size, from bucket [1, 2) on; those of size zero count as of size one.
    fn histogram(&self) -> Vec<f64> {
        let samples = &self.samples;
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
            .map(|count| *count as f64 / self.iterations as f64)
            .collect()
    }
}

/// What the processes show for one metric, if an error of `alpha` is permitted.
///
/// Hypothesis: processes are independent and alike; the first of base and the first of head make a
/// pair, and so on. Student's t over the differences, with the bound on what few processes can show.
pub(super) fn direction(base: &[Figure], head: &[Figure], alpha: f64) -> Option<Direction> {
    let mut all = base.iter().chain(head);
    if let (Some(first @ Figure::Exact(_)), false) = (base.first(), head.is_empty())
        && all.all(|figure| figure == first)
    {
        return Some(Direction::Same);
    }
    let value = |figure: &Figure| match figure {
        Figure::Exact(value) | Figure::Mean(value) => Some(*value),
        Figure::Unknown => None,
    };
    let differences: Option<Vec<f64>> = base
        .iter()
        .zip(head)
        .map(|(base, head)| Some(value(head)? - value(base)?))
        .collect();
    let estimate = Estimate::of(&differences?)?;
    (estimate.p_zero() <= alpha).then_some(if estimate.ln_ratio > 0.0 {
        Direction::More
    } else {
        Direction::Fewer
    })
}

/// What the reader should know if the processes do not all agree.
fn doubt(
    counted: &Counted,
    sides: [&SideCounts<'_>; 2],
    overall: Option<Direction>,
    belief: Belief,
) -> Option<String> {
    let both = counted.processes.as_ref().map(Vec::len);
    let processes = both.base.min(both.head);
    if sides.iter().any(|side| side.exact_frees.is_none()) {
        let found = match overall {
            Some(Direction::Same) => return None,
            Some(_) => "the difference is certain all the same",
            None => "no difference between the sides is certain",
        };
        return Some(format!(
            "counts vary from sample to sample; {found} (Student's t over {} per side)",
            plural(processes, "process", "processes")
        ));
    }
    (overall.is_none() && processes < belief.processes).then(|| {
        format!(
            "the sides differ, but {} per side may differ by chance; a report of {} needs {}, and each takes too long",
            plural(processes, "process", "processes"),
            plural(belief.family, "benchmark", "benchmarks"),
            belief.processes
        )
    })
}

fn failures(base: &SideCounts<'_>, head: &SideCounts<'_>) -> Option<String> {
    let (base, head) = (base.failures(), head.failures());
    (base > 0.0 || head > 0.0).then(|| {
        format!("{base} requests per iteration fail on the base side, {head} on the head side")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::CountedProcess;
    use crate::seam::{AllocationRecord, HISTOGRAM_BUCKETS, SampleRecord};
    use crate::units::Exactness;

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
            key: BenchmarkKey::new("shop", "prices", "sum"),
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

    fn compared(base: &[Vec<CountedSample>], head: &[Vec<CountedSample>]) -> Comparison {
        let counted = counted(base, head);
        let mut comparison = Comparison::unobserved(counted.key.clone(), Verdict::Unchanged);
        compare(&mut comparison, &counted, belief());
        comparison
    }

    fn overall(comparison: &Comparison) -> Option<Direction> {
        comparison.direction(MetricGroup::Allocations)
    }

    fn verdict(base: [u64; 4], head: [u64; 4]) -> Option<Direction> {
        overall(&compared(&exactly(base), &exactly(head)))
    }

    #[test]
    fn one_more_allocation_is_one_more_however_many_there_were() {
        let base = [1_000_000, 0, 1_000_000, 8_000_000];
        let head = [1_000_001, 0, 1_000_001, 8_000_001];
        assert_eq!(verdict(base, head), Some(Direction::More));
        assert_eq!(verdict(head, base), Some(Direction::Fewer));
        assert_eq!(verdict(base, base), Some(Direction::Same));
    }

    #[test]
    fn no_figure_hides_another() {
        // 64 MiB once where there were twice 50 bytes.
        let (base, head) = ([2, 0, 2, 100], [1, 0, 1, 1 << 26]);
        let found = compared(&exactly(base), &exactly(head));
        let (more, fewer) = (Direction::More, Direction::Fewer);
        assert_eq!(overall(&found), Some(more));
        let of = |metric| found.metrics.get(metric).unwrap().direction;
        assert_eq!(of(Metric::ALLOCATIONS), Some(fewer));
        assert_eq!(of(Metric::REALLOCATIONS), Some(Direction::Same));
        assert_eq!(
            (of(Metric::BYTES), of(Metric::PEAK)),
            (Some(more), Some(more))
        );
        // The other way round there are more allocations, however much smaller they are.
        assert_eq!(verdict(head, base), Some(more));
        // Fewer of some and more of none.
        assert_eq!(verdict([3, 0, 3, 100], [2, 0, 2, 100]), Some(fewer));
    }

    #[test]
    fn a_difference_in_too_few_processes_is_not_believed_and_said_to_be_in_doubt() {
        let few = |each| vec![vec![sample(1, each), sample(7, each)]; 2];
        let (one, two) = ([1, 0, 1, 8], [2, 0, 2, 16]);
        let found = compared(&few(one), &few(two));
        assert_eq!(overall(&found), None);
        assert!(
            found.notes[0]
                .text
                .starts_with("the sides differ, but 2 processes")
        );
        let found = compared(&few(one), &few(one));
        assert_eq!(
            (overall(&found), found.notes.len()),
            (Some(Direction::Same), 0)
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
        let same = compared(&varying(0), &varying(0));
        assert_eq!(overall(&same), None);
        let text = &same.notes[0].text;
        assert!(text.contains("no difference"), "{text}");
        let more = compared(&varying(0), &varying(4));
        assert_eq!(overall(&more), Some(Direction::More));
        let bytes = more.metrics.get(Metric::BYTES).unwrap();
        let head = bytes.sides.head.as_ref().unwrap();
        assert_eq!(head.exactness, Exactness::Sampled);
        assert_eq!(head.least, Some(8.0 * 14.0));
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
        let found = compared(
            &[vec![leaking(3), leaking(9)]],
            &[vec![leaking(50), leaking(7)]],
        );
        assert_eq!(overall(&found), Some(Direction::Same));
        assert_eq!(found.value(Metric::PEAK, Side::Base), Some(100.0));
        let left = found.value(Metric::LEFT_BEHIND, Side::Head).unwrap();
        assert!((left - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_vector_of_a_batch_is_freed_by_criterion_and_not_by_the_routine() {
        let mut batched = sample(25, [2, 0, 2, 16]);
        batched.record.sample.regions = 9;
        batched.record.frees += 9;
        assert_eq!(batched.exact().unwrap().frees, 2);
    }
}
