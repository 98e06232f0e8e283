//! From counts of samples to nanoseconds, with their uncertainty.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::analyse::{Change, RatioEstimate};
use crate::units::Paired;

use super::model::NanosEstimate;

/// The normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// The measured change of the time of an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeDifference {
    /// Nanoseconds an iteration on each side.
    pub(super) time: Paired<f64>,
    /// The standard error of the logarithm of head ÷ base.
    ln_error: f64,
}

/// How many of how many samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) hits: u64,
    pub(super) of: u64,
}

impl Count {
    pub(super) fn share(self) -> f64 {
        if self.of == 0 {
            return 0.0;
        }
        self.hits as f64 / self.of as f64
    }

    /// The variance of the share. One hit and one miss are added (Laplace's rule of succession), so
    /// that zero hits do not count as certainty.
    fn variance(self) -> f64 {
        let of = self.of as f64 + 2.0;
        let share = (self.hits as f64 + 1.0) / of;
        share * (1.0 - share) / of
    }
}

impl TimeDifference {
    /// The typical time of the base side, and the head side's by the estimated ratio; `None` where
    /// not both sides were timed.
    pub(super) fn of(time: &Change) -> Option<TimeDifference> {
        let change = time.estimate?;
        let base = time.sides.base.as_ref()?.value;
        Some(TimeDifference {
            time: Paired::new(base, base * change.ratio.ln().exp()),
            ln_error: ln_error(&change)?,
        })
    }

    /// The change of the whole iteration.
    pub(super) fn total(&self) -> NanosEstimate {
        estimate(
            self.time.head - self.time.base,
            (self.time.head * self.ln_error).powi(2),
        )
    }

    /// The change of a part with these counts of samples. Counts are multinomial, and independent of
    /// each other and of the times: the profile is a process of its own. What differs from process
    /// to process (the placement of memory) is not in the interval.
    pub(super) fn part(&self, counts: Paired<Count>) -> NanosEstimate {
        let Paired { base, head } = self.time;
        let shares = counts.map(Count::share);
        let variance = base * base * counts.base.variance()
            + head * head * counts.head.variance()
            + (shares.head * head * self.ln_error).powi(2);
        estimate(shares.head * head - shares.base * base, variance)
    }
}

/// The standard error behind an interval, which is one of Student's t over rounds.
fn ln_error(change: &RatioEstimate) -> Option<f64> {
    let freedom = change.rounds.saturating_sub(1).max(1) as f64;
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let quantile = t.inverse_cdf(0.5 + change.confidence / 2.0);
    let error = (change.upper.ln() - change.lower.ln()) / (2.0 * quantile);
    error.is_finite().then_some(error)
}

fn estimate(ns: f64, variance: f64) -> NanosEstimate {
    let half = Z_95 * variance.sqrt();
    NanosEstimate {
        ns,
        lower_ns: ns - half,
        upper_ns: ns + half,
    }
}
