//! When to end a process in the middle of a benchmark: once it has run enough of it.
//!
//! Criterion takes as many samples as the benchmark's code asks for, each of at least one iteration. A hundred
//! samples of a second take two minutes in each process, but a round needs only a few of them. So the process waits
//! after its last wanted sample, the same on both sides, and is ended; the benchmarks after this one run in the
//! next process. Criterion then reports nothing, and the seam's log is used. A whole process of the same benchmark
//! on each side has shown before, to the nanosecond, that the log is what Criterion would report.
//!
//! If a whole process would take that long, it runs in Criterion's own quick mode (`--quick`, since 0.4): it runs
//! one and two iterations, reports both samples, and ends.

use std::time::Duration;

use crate::harness::{SamplingMethod, WallSpan};

/// A benchmark whose first iteration takes this long is first run in quick mode.
pub(super) const SLOW_CALL: Duration = Duration::from_millis(100);

/// So is one that announces this much time, with iterations of at least [`SLOW_ITERATION`].
const LONG: Duration = Duration::from_secs(1);

/// Benchmarks with shorter iterations are measured to the end: many samples of them cost little.
const SLOW_ITERATION: Duration = Duration::from_millis(10);

/// Samples that a process has at most before it is ended, unless it was asked for more time; so many that they share
/// [`LONGEST`] are enough, and [`FEWEST`] have a median.
const MOST: u64 = 10;
const FEWEST: f64 = 3.0;
const LONGEST: Duration = Duration::from_secs(3);

/// The least saving for which a process is ended: the benchmarks after it need another process.
const WORTH: Duration = Duration::from_millis(500);

/// How many samples are enough whose single iteration takes so long.
pub(super) fn samples_of_slow(iteration: Duration) -> u64 {
    let fill = (LONGEST.as_secs_f64() / iteration.as_secs_f64().max(1e-9)).ceil();
    fill.clamp(FEWEST, MOST as f64) as u64
}

/// Where a process is ended, and what its report would have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// After so many samples.
    pub(super) samples: u64,
    /// The measurement time in force.
    pub(super) measurement: WallSpan,
}

/// What Criterion announces when it begins to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Announced {
    pub(super) samples: u64,
    pub(super) iterations: u64,
    /// How long they take together.
    pub(super) takes: Duration,
}

impl Announced {
    /// Whether the benchmark is too slow for a whole first process.
    pub(super) fn is_slow(&self) -> bool {
        self.takes >= LONG
            && self.takes.as_secs_f64() >= self.iterations as f64 * SLOW_ITERATION.as_secs_f64()
    }

    /// The iterations of each sample, if they are the fewest that Criterion plans; otherwise they are unknown.
    pub(super) fn fewest_iterations(&self) -> Option<(SamplingMethod, Vec<f64>)> {
        let count = self.samples;
        if self.iterations == count {
            Some((SamplingMethod::Flat, (0..count).map(|_| 1.0).collect()))
        } else if self.iterations == count.checked_mul(count + 1)? / 2 {
            let growing = (1..=count).map(|iterations| iterations as f64);
            Some((SamplingMethod::Linear, growing.collect()))
        } else {
            None
        }
    }
}

/// What a process of a benchmark would run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole {
    /// What an iteration takes.
    pub(super) iteration: Duration,
    pub(super) samples: f64,
    /// Of all samples together.
    pub(super) iterations: f64,
    /// How long all samples should take together.
    pub(super) wanted: Duration,
    /// What another process costs before it reaches its benchmarks.
    pub(super) set_up: Duration,
}

impl Whole {
    /// After how many samples it is ended; `None` if it runs to its end.
    pub(super) fn enough(&self) -> Option<u64> {
        if self.iteration < SLOW_ITERATION {
            return None;
        }
        let wanted = (self.wanted.as_secs_f64() / self.iteration.as_secs_f64()).ceil();
        let enough = (samples_of_slow(self.iteration) as f64).max(wanted);
        // Where they grow from sample to sample, the first ones have the fewest.
        let kept = enough * self.iterations / self.samples;
        let saved = (self.iterations - kept).max(0.0) * self.iteration.as_secs_f64();
        let worth = WORTH.max(self.set_up * 2).as_secs_f64();
        (enough < self.samples && saved >= worth).then_some(enough as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// After how many of a hundred samples a process is ended, if an iteration takes this long.
    fn enough(iteration: Duration, set_up: Duration) -> Option<u64> {
        let whole = Whole {
            iteration,
            samples: 100.0,
            iterations: 100.0,
            wanted: SECOND / 10,
            set_up,
        };
        whole.enough()
    }

    #[test]
    fn a_few_samples_of_a_slow_benchmark_are_enough() {
        let none = Duration::ZERO;
        assert_eq!(enough(SECOND / 1000, none), None);
        assert_eq!(enough(SECOND / 50, none), Some(10));
        assert_eq!(enough(SECOND / 2, none), Some(6));
        assert_eq!(enough(SECOND, none), Some(3));
        assert_eq!(enough(SECOND * 60, none), Some(3));
    }

    #[test]
    fn a_process_is_not_ended_where_the_next_one_costs_more() {
        assert_eq!(enough(SECOND / 50, SECOND / 2), Some(10));
        assert_eq!(enough(SECOND / 50, SECOND), None);
        assert_eq!(enough(SECOND, SECOND), Some(3));
    }

    #[test]
    fn the_wanted_time_is_filled() {
        let whole = |wanted| Whole {
            iteration: SECOND / 50,
            samples: 100.0,
            iterations: 100.0,
            wanted,
            set_up: Duration::ZERO,
        };
        assert_eq!(whole(SECOND).enough(), Some(50));
        assert_eq!(whole(SECOND * 2).enough(), None);
    }

    #[test]
    fn the_fewest_iterations_are_known_by_their_sum() {
        let announced = |iterations| Announced {
            samples: 10,
            iterations,
            takes: SECOND,
        };
        let of = |iterations| announced(iterations).fewest_iterations();
        assert_eq!(of(10), Some((SamplingMethod::Flat, vec![1.0; 10])));
        let (method, growing) = of(55).unwrap();
        assert_eq!((method, growing[9]), (SamplingMethod::Linear, 10.0));
        assert_eq!(of(20), None);
        assert_eq!(of(110), None);
        assert!(announced(100).is_slow());
        assert!(!announced(101).is_slow());
    }
}
