//! From the log ratios of the rounds to an estimate, its interval and its p-values.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// An interval of natural logarithms of head ÷ base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// Half the distance between the ends.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.upper - self.lower) / 2.0
    }
}

/// The smallest error probability that `n` rounds can support: no p-value below it is given, and no
/// interval at a level beyond its complement.
///
/// Two processes of identical code may each land in one of two modes (heap or stack placement). Then all
/// `n` rounds differ by the same amount and in the same direction with a probability of up to
/// 2·(1/4)ⁿ, and look like a certain change, whatever a t statistic says. The bound holds for any number
/// of modes: the probability that two independent draws from one distribution differ by exactly d > 0
/// is at most 1/4, since differences of d join values into chains without triangles, and on such a graph
/// Σ pᵢpⱼ ≤ 1/4 (Motzkin and Straus, "Maxima for Graphs and a New Proof of a Theorem of Turán",
/// Canadian Journal of Mathematics 17, 1965).
#[must_use]
pub fn believable(n: usize) -> f64 {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    (2.0 * 0.25f64.powi(n)).min(1.0)
}

/// The estimate of ln(head ÷ base) from all rounds: Student's one-sample t.
///
/// Hypothesis: rounds are independent and alike (each is a fresh pair of processes, in an order drawn at random),
/// and their log ratios are not far from Gaussian, or symmetric about the true one. The latter holds exactly where
/// both sides have identical code, since then the sides could be exchanged. Valid for n ≥ 2. With symmetric heavy
/// tails it is conservative; with few modes it is anti-conservative, which [`believable`] bounds.
///
/// Source: Student, "The Probable Error of a Mean" (Biometrika 6, 1908).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// How many rounds.
    pub rounds: usize,
    /// The estimate.
    pub ln_ratio: f64,
    /// Its standard error.
    pub std_error: f64,
    /// The degrees of freedom of that standard error.
    pub freedom: f64,
}

impl Estimate {
    /// From one log ratio per round. `None` for fewer than two rounds or values that are not finite.
    #[must_use]
    pub fn of(ln_ratios: &[f64]) -> Option<Estimate> {
        if ln_ratios.len() < 2 || ln_ratios.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let n = ln_ratios.len() as f64;
        let mean = ln_ratios.iter().sum::<f64>() / n;
        let squares: f64 = ln_ratios.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Estimate {
            rounds: ln_ratios.len(),
            ln_ratio: mean,
            std_error: (squares / (n - 1.0) / n).sqrt(),
            freedom: n - 1.0,
        })
    }

    /// The two-sided interval that misses the truth with probability `alpha`.
    ///
    /// An `alpha` below [`believable`] is raised to it.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Interval {
        let alpha = alpha.clamp(believable(self.rounds), 1.0);
        let half = self.quantile(alpha / 2.0) * self.std_error;
        Interval {
            lower: self.ln_ratio - half,
            upper: self.ln_ratio + half,
        }
    }

    /// The two-sided p-value of "the log ratio is zero".
    #[must_use]
    pub fn p_zero(&self) -> f64 {
        self.p_beyond(0.0)
    }

    /// The p-value of "the log ratio lies within ±`margin`": the smallest `alpha` whose interval
    /// lies wholly beyond it, on either side.
    #[must_use]
    pub fn p_beyond(&self, margin: f64) -> f64 {
        self.guarded(2.0 * self.upper_tail(self.ln_ratio.abs() - margin.abs()))
    }

    /// The p-value of "the log ratio lies beyond ±`margin`": the smallest `alpha` whose interval lies
    /// wholly within. (The usual two one-sided tests would use half of it; this one agrees with the
    /// two-sided interval that a reader sees.)
    #[must_use]
    pub fn p_within(&self, margin: f64) -> f64 {
        self.guarded(2.0 * self.upper_tail(margin.abs() - self.ln_ratio.abs()))
    }

    /// The smallest true log ratio that an experiment of this size and noise distinguishes from
    /// zero with probability `power`, at an error of `alpha`.
    ///
    /// Source: the normal approximation of the noncentral t distribution (Abramowitz and Stegun, *Handbook of
    /// Mathematical Functions*, 26.7.10), solved for the noncentrality; the small-sample bias of the standard error
    /// is removed. Within a few per cent of the exact power from 6 rounds on.
    #[must_use]
    pub fn detectable(&self, alpha: f64, power: f64) -> f64 {
        let alpha = alpha.clamp(believable(self.rounds), 1.0);
        let critical = self.quantile(alpha / 2.0);
        let shrink = 1.0 - 1.0 / (4.0 * self.freedom);
        let wanted = Normal::standard().inverse_cdf(power.clamp(0.0, 1.0));
        let spread = (1.0 + critical * critical / (2.0 * self.freedom)).sqrt();
        (critical * shrink + wanted * spread) * self.std_error / shrink
    }

    /// P(T > distance ÷ SE); a step function if all rounds agree to the last bit.
    fn upper_tail(&self, distance: f64) -> f64 {
        if self.std_error > 0.0 {
            self.student()
                .map_or(1.0, |t| t.sf(distance / self.std_error))
        } else if distance > 0.0 {
            0.0
        } else if distance < 0.0 {
            1.0
        } else {
            0.5
        }
    }

    /// The value that T exceeds with probability `tail`.
    fn quantile(&self, tail: f64) -> f64 {
        // Through the lower tail: 1 − tail would lose the digits of a small one.
        self.student()
            .map_or(f64::INFINITY, |t| -t.inverse_cdf(tail.clamp(1e-300, 0.5)))
    }

    fn student(&self) -> Option<StudentsT> {
        StudentsT::new(0.0, 1.0, self.freedom).ok()
    }

    fn guarded(&self, p: f64) -> f64 {
        p.clamp(believable(self.rounds), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROUNDS: [f64; 8] = [0.012, 0.009, 0.015, 0.011, 0.008, 0.013, 0.010, 0.014];

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs()
    }

    #[test]
    fn the_interval_agrees_with_scipy() {
        // r = scipy.stats.ttest_1samp(y, 0)
        // r.confidence_interval(0.99); r.confidence_interval(0.9999)
        let e = Estimate::of(&ROUNDS).unwrap();
        let i = e.interval(0.01);
        assert!(close(i.lower, 0.00846935856437514), "{i:?}");
        assert!(close(i.upper, 0.01453064143562486), "{i:?}");
        let i = e.interval(0.0001);
        assert!(close(i.lower, 0.004671749730468114), "{i:?}");
        assert!(close(i.upper, 0.018328250269531887), "{i:?}");
    }

    #[test]
    fn the_p_values_agree_with_scipy() {
        let e = Estimate::of(&ROUNDS).unwrap();
        // scipy.stats.sem(y) is 0.0008660254037844385 and y.mean() 0.0115
        assert!(close(e.std_error, 0.0008660254037844385));
        // 3.2e-6 by scipy.stats.ttest_1samp(y, 0), which eight rounds cannot support
        assert_eq!(e.p_zero(), believable(8));
        // 2 * scipy.stats.t.sf((0.0115 - numpy.log(1.01)) / scipy.stats.sem(y), 7)
        assert!(close(e.p_beyond(1.01f64.ln()), 0.11667943890647402));
    }

    #[test]
    fn quantiles_keep_their_digits_in_the_far_tail() {
        // scipy.stats.t.isf(p, df)
        for (freedom, tail, expected) in [
            (1.0, 0.025, 12.706204736174705),
            (3.0, 5e-4, 12.923978636687481),
            (5.0, 5e-6, 17.89686614340988),
            (29.0, 5e-6, 5.334970094945291),
        ] {
            let e = Estimate {
                rounds: freedom as usize + 1,
                ln_ratio: 0.0,
                std_error: 1.0,
                freedom,
            };
            assert!(close(e.quantile(tail), expected), "{freedom} {tail}");
        }
        // scipy.stats.t.sf(30, 29)
        let e = Estimate {
            rounds: 30,
            ln_ratio: 0.0,
            std_error: 1.0,
            freedom: 29.0,
        };
        assert!((e.upper_tail(30.0) / 1.0988724225494022e-23 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn few_rounds_support_no_small_p_value() {
        let agreed = Estimate::of(&[0.05, 0.05, 0.05, 0.05]).unwrap();
        assert_eq!(agreed.p_zero(), 2.0 / 256.0);
        assert_eq!(agreed.interval(0.5).half_width(), 0.0);
        assert!(Estimate::of(&[0.05]).is_none());
        assert!(Estimate::of(&[0.05, f64::NAN]).is_none());
    }

    proptest! {
        #[test]
        fn swapping_the_sides_negates(values in prop::collection::vec(-0.1..0.1f64, 2..30)) {
            let negated: Vec<f64> = values.iter().map(|v| -v).collect();
            let (a, b) = (Estimate::of(&values).unwrap(), Estimate::of(&negated).unwrap());
            prop_assert!((a.ln_ratio + b.ln_ratio).abs() < 1e-12);
            prop_assert!((a.p_zero() - b.p_zero()).abs() < 1e-9);
            let (i, j) = (a.interval(0.01), b.interval(0.01));
            prop_assert!((i.lower + j.upper).abs() < 1e-9 * (1.0 + i.lower.abs()));
        }

        #[test]
        fn shift_and_scale_move_the_interval_alike(
            values in prop::collection::vec(-0.1..0.1f64, 2..30),
            shift in -1.0..1.0f64,
            scale in 0.1..10.0f64,
        ) {
            let moved: Vec<f64> = values.iter().map(|v| v * scale + shift).collect();
            let i = Estimate::of(&values).unwrap().interval(0.05);
            let j = Estimate::of(&moved).unwrap().interval(0.05);
            prop_assert!((i.lower * scale + shift - j.lower).abs() < 1e-6 * (1.0 + j.lower.abs()));
            prop_assert!((i.upper * scale + shift - j.upper).abs() < 1e-6 * (1.0 + j.upper.abs()));
        }

        #[test]
        fn p_values_are_probabilities_and_agree_with_the_interval(
            values in prop::collection::vec(-0.1..0.1f64, 2..30),
            margin in 0.0..0.05f64,
            alpha in 0.001..0.5f64,
        ) {
            let e = Estimate::of(&values).unwrap();
            let (beyond, within) = (e.p_beyond(margin), e.p_within(margin));
            prop_assert!((0.0..=1.0).contains(&beyond) && (0.0..=1.0).contains(&within));
            prop_assume!(alpha > believable(e.rounds));
            let i = e.interval(alpha);
            let lies_beyond = i.lower > margin || i.upper < -margin;
            let lies_within = i.lower > -margin && i.upper < margin;
            // Only ties of rounding may disagree.
            prop_assert!(lies_beyond == (beyond <= alpha) || (beyond - alpha).abs() < 1e-9);
            prop_assert!(lies_within == (within <= alpha) || (within - alpha).abs() < 1e-9);
        }
    }
}
