//! The iterations of a benchmark of libtest. They follow from the time of its single iteration, and the clock seam
//! decides which time it sees.

use std::time::Duration;

use crate::harness::{iterations_after, iterations_of_all, single_for};
use crate::seam::{LastPlace, SampleRecord, WarmUp};
use crate::units::Paired;

use super::super::enough::{Ends, Whole};
use super::super::reported::SideReport;
use super::{LeftAlone, PlanKind, Planned, REGION_PER_CLOCK, Shown, Wanted};

impl Shown {
    /// From a process whose samples are known, and its log. A call ends where its single iteration ends.
    pub(in crate::measure) fn of_libtest(
        report: &SideReport,
        log: &[SampleRecord],
        calls: usize,
        place: Option<LastPlace>,
    ) -> Result<Shown, LeftAlone> {
        let place = place.ok_or(LeftAlone::NoLastRead)?;
        let reported = log.len().saturating_sub(report.times.len());
        let each = log[reported..].iter().zip(&report.iterations);
        // Any of them may have lost the processor.
        let quickest = |of: fn(&SampleRecord) -> u64| {
            let times = each
                .clone()
                .map(|(sample, count)| of(sample) as f64 / count);
            times.fold(f64::INFINITY, f64::min).max(f64::MIN_POSITIVE)
        };
        Ok(Shown {
            config: report.config.clone(),
            method: report.method,
            samples: report.times.len(),
            whole_ns: quickest(|it| it.end_ns.saturating_sub(it.start_ns)),
            timed_ns: quickest(|it| it.timed_ns),
            regions: 1.0,
            place,
            plan: PlanKind::Single { calls },
        })
    }
}

/// libtest takes 50 samples of n and 50 of 5n iterations, and reports the latter.
pub(super) fn plan_single(shown: Paired<&Shown>, calls: usize, wanted: Wanted) -> Planned {
    let (base, head) = (shown.base, shown.head);
    let both = |of: fn(&Shown) -> f64| (of(base) * of(head)).sqrt();
    let whole_ns = both(|shown| shown.whole_ns);
    let reported = wanted.measurement.mul_f64(wanted.stretch);
    let clock = wanted.clock.as_nanos() as f64;
    let each = (reported.as_nanos() as f64 / whole_ns / head.samples as f64)
        .max(REGION_PER_CLOCK * clock / both(|shown| shown.timed_ns));
    let single = single_for((each / 5.0).max(1.0));
    let samples = iterations_of_all(iterations_after(single));
    let of_one = samples.iter().take_while(|count| **count == 1.0).count() as u64;
    let all = samples.iter().sum::<f64>();
    let whole = Whole {
        iteration: Duration::from_nanos(whole_ns as u64),
        samples: all,
        iterations: all,
        wanted: reported,
        set_up: wanted.set_up,
    };
    // If a benchmark is timed more than once, its earlier calls are not among its samples.
    let enough = whole
        .enough()
        .filter(|enough| calls == 1 && *enough <= of_one);
    let measured = 1.0 + enough.map_or(all, |count| count as f64);
    let round = calls as f64 * measured * (base.whole_ns + head.whole_ns) / 1e9;
    Planned {
        warm_up: shown.map(|shown| WarmUp {
            calls: 1,
            least: Duration::ZERO,
            told: Duration::from_nanos(single),
            place: Some(shown.place),
        }),
        ends: enough.map(|samples| Ends {
            samples,
            measurement: head.config.measurement_time,
        }),
        last: (calls == 1).then_some(samples.len() as u64),
        round: Duration::try_from_secs_f64(round).unwrap_or(Duration::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;
    use crate::harness::{BenchmarkConfig, SamplingMethod};
    use crate::measure::threads::Threads;

    const WANTED: Wanted = Wanted {
        warm_up: Duration::ZERO,
        measurement: Duration::from_millis(50),
        clock: Duration::from_nanos(20),
        stretch: 1.0,
        set_up: Duration::ZERO,
    };

    /// What a process shows if an iteration takes this long, and disturbed ones ten times as long.
    fn shown(iteration: Duration, calls: usize) -> Shown {
        let iteration = u64::try_from(iteration.as_nanos()).unwrap();
        let sample = |count: u64, disturbed: bool| SampleRecord {
            start_ns: 1,
            end_ns: 1 + count * iteration * if disturbed { 10 } else { 1 },
            timed_ns: count * iteration * if disturbed { 10 } else { 1 },
            regions: 1,
            preempted_ns: 0,
        };
        let log: Vec<_> = (0..101).map(|at| sample(5, at % 3 > 0)).collect();
        let report = SideReport {
            id: "a".into(),
            iterations: vec![5.0; 50],
            times: vec![1.0; 50],
            config: BenchmarkConfig {
                measurement_time: WANTED.measurement.into(),
                sample_size: 10,
                warm_up_time: Duration::ZERO.into(),
            },
            method: SamplingMethod::Flat,
            summary: None,
            threads: Threads::One,
            unit: None,
            ended: false,
        };
        Shown::of_libtest(&report, &log, calls, Some(LastPlace::at(1))).unwrap()
    }

    fn planned(iteration: Duration, calls: usize) -> Planned {
        let shown = shown(iteration, calls);
        plan(Paired::new(&shown, &shown), WANTED)
    }

    #[test]
    fn a_round_has_as_many_iterations_as_fill_the_wanted_time() {
        let planned = planned(Duration::from_micros(1), 1);
        // 50 ms are 50 samples of 1,000 iterations: n is 200, a millisecond has as many of 5 µs.
        assert_eq!(planned.warm_up.head.told, Duration::from_micros(5));
        assert_eq!(planned.warm_up.base, planned.warm_up.head);
        assert_eq!((planned.ends, planned.last), (None, Some(100)));
        assert_eq!(planned.round, Duration::from_micros(2 * (1 + 300 * 200)));
    }

    #[test]
    fn a_region_is_never_so_short_that_the_clock_is_timed() {
        // 200 times 20 ns are 4 µs, or 4,000 iterations of a nanosecond, of which a sample has five times n.
        let shown = shown(Duration::from_nanos(1), 1);
        let planned = plan(
            Paired::new(&shown, &shown),
            Wanted {
                measurement: Duration::from_nanos(1),
                ..WANTED
            },
        );
        let iterations = iterations_after(planned.warm_up.head.told.as_nanos() as u64);
        assert_eq!(iterations, 800);
    }

    #[test]
    fn a_process_of_a_slow_benchmark_is_ended_where_its_samples_are_known() {
        let slow = Duration::from_millis(100);
        assert_eq!(planned(slow, 1).ends.map(|ends| ends.samples), Some(10));
        assert_eq!(planned(slow, 2).ends, None);
        assert_eq!(planned(slow, 2).last, None);
    }
}
