//! The ratio of arithmetic means within a round, in addition to the robust one.
//!
//! A robust average leaves outliers out on purpose, so it cannot show a head that is slow in rare iterations only.
//! The mean shows it, but everything else that is rare moves the mean, too. So there are two means: as measured,
//! and without the time that the kernel is known to have taken from the samples.

/// Natural logarithms of the ratios of both sides' mean time per iteration, head ÷ base, in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanRatios {
    /// As measured.
    pub measured: f64,
    /// Without the time for which the kernel kept samples from their processor; as measured if that is unknown.
    pub undisturbed: f64,
}

/// What one piece of work adds to its side's mean.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    /// −1 for base and +1 for head.
    pub(super) sign: f64,
    pub(super) measured: f64,
    pub(super) undisturbed: f64,
    pub(super) iterations: f64,
}

impl MeanRatios {
    /// Each side's time over its iterations; `None` where a side has none.
    pub(super) fn of(parts: impl Iterator<Item = Part>) -> Option<MeanRatios> {
        let mut sides = [Part::default(); 2];
        for part in parts {
            let side = &mut sides[usize::from(part.sign > 0.0)];
            side.measured += part.measured;
            side.undisturbed += part.undisturbed;
            side.iterations += part.iterations;
        }
        let [base, head] = sides;
        let ratio = |base: f64, head: f64| (head / base).ln();
        let iterations = ratio(base.iterations, head.iterations);
        (base.iterations > 0.0 && head.iterations > 0.0).then(|| MeanRatios {
            measured: ratio(base.measured, head.measured) - iterations,
            undisturbed: ratio(base.undisturbed, head.undisturbed) - iterations,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::stats::{RoundEstimate, TimedSamples, paired_log_ratio, unpaired_log_ratio};

    /// One side's samples, of one iteration each.
    #[derive(Default)]
    struct Side {
        iterations: Vec<u64>,
        times: Vec<f64>,
        starts: Vec<u64>,
        preempted: Vec<u64>,
    }

    impl Side {
        fn timed(&self) -> TimedSamples<'_> {
            TimedSamples {
                iterations: &self.iterations,
                times: &self.times,
                starts: &self.starts,
                preempted: &self.preempted,
            }
        }
    }

    /// A round of 21 samples per side, which take turns: as paired and as unpaired. `sample` gives the time of the
    /// i-th sample of both sides together, and how much of it the kernel took; base has the even ones.
    fn round(sample: impl Fn(usize) -> (f64, u64)) -> [RoundEstimate; 2] {
        let mut sides = [Side::default(), Side::default()];
        for i in 0..42 {
            let (time, preempted) = sample(i);
            let side = &mut sides[i % 2];
            side.iterations.push(1);
            side.times.push(time);
            side.starts.push(10_000_000 * i as u64);
            side.preempted.push(preempted);
        }
        let [base, head] = sides.each_ref().map(Side::timed);
        [paired_log_ratio(base, head), unpaired_log_ratio(base, head)].map(Option::unwrap)
    }

    #[test]
    fn the_mean_tells_of_rare_slow_iterations_and_the_robust_ratio_does_not() {
        // Every third iteration of head takes twice as long: 7 of 21, or of 20 where the last one is left out.
        let slow = |i: usize| i % 2 == 1 && (i / 2) % 3 == 1;
        for round in round(|i| (if slow(i) { 2e6 } else { 1e6 }, 0)) {
            assert!(round.ln_ratio.abs() < 1e-9, "{round:?}");
            let rise = round.means.measured.exp() - 1.0;
            assert!((rise - 1.0 / 3.0).abs() < 0.05, "{round:?}");
            assert_eq!(round.means.measured, round.means.undisturbed);
        }
    }

    #[test]
    fn what_the_kernel_took_is_left_out_of_the_mean_and_what_the_code_took_is_not() {
        // Head is interrupted for 4 ms in every seventh sample, and slow by itself in another.
        let sample = |i: usize| match (i % 2, (i / 2) % 7) {
            (1, 2) => (5e6, 4_000_000),
            (1, 5) => (2e6, 0),
            _ => (1e6, 300),
        };
        for round in round(sample) {
            assert!(round.means.measured.exp() > 1.6, "{round:?}");
            let rise = round.means.undisturbed.exp() - 1.0;
            assert!((rise - 1.0 / 7.0).abs() < 0.02, "{round:?}");
        }
    }

    #[test]
    fn a_drift_cancels_in_the_means_of_sides_that_take_turns() {
        let [paired, unpaired] = round(|i| (1e6 * (i as f64 / 42.0).exp(), 0));
        assert!(paired.means.measured.abs() < 1e-3, "{paired:?}");
        assert!(unpaired.means.measured.abs() > 0.01, "{unpaired:?}");
    }
}
