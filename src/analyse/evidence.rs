//! What the rounds of one benchmark show together about the typical iteration and about the mean.

use super::round::RoundFigures;
use crate::stats::{Estimate, MeanRatios};

/// Everything that a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerdictEvidence {
    /// The ratio of typical iterations: what the report shows.
    pub(super) typical: Estimate,
    /// The ratio of the means, as measured.
    measured: Estimate,
    /// The same without what the kernel is known to have taken from the samples.
    undisturbed: Estimate,
}

/// How the ratio of the means compares with the threshold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mean {
    /// Certainly within it, by this estimate.
    Within(Estimate),
    /// Certainly beyond it, by this estimate.
    Beyond(Estimate),
    /// Neither; the better known estimate.
    Open(Estimate),
}

impl Mean {
    /// The estimate that says so.
    pub(super) fn estimate(&self) -> &Estimate {
        match self {
            Mean::Within(estimate) | Mean::Beyond(estimate) | Mean::Open(estimate) => estimate,
        }
    }
}

impl VerdictEvidence {
    /// `None` if fewer than two rounds have a ratio.
    pub(super) fn of(rounds: &[RoundFigures]) -> Option<VerdictEvidence> {
        let over = |of: &dyn Fn(&RoundFigures) -> f64| {
            let values: Vec<f64> = rounds.iter().map(of).collect();
            Estimate::of(&values)
        };
        let mean = |of: fn(&MeanRatios) -> f64| over(&|round| of(&round.means));
        Some(VerdictEvidence {
            typical: over(&|round| round.summary.ratio.ln())?,
            measured: mean(|means| means.measured)?,
            undisturbed: mean(|means| means.undisturbed)?,
        })
    }

    /// What is known about the mean, if an error of `alpha` is permitted.
    ///
    /// The mean is within the threshold if it is so without the time that the kernel took. But not if the mean as
    /// measured is certainly beyond it: then the kernel took more from one side, and that side itself may be the
    /// cause.
    pub(super) fn mean(&self, margin: f64, alpha: f64) -> Mean {
        let beyond = |estimate: &&Estimate| estimate.p_beyond(margin) <= alpha;
        let both = [&self.undisturbed, &self.measured];
        if let Some(estimate) = both.into_iter().find(beyond) {
            Mean::Beyond(*estimate)
        } else if self.undisturbed.p_within(margin) <= alpha {
            Mean::Within(self.undisturbed)
        } else {
            Mean::Open(self.undisturbed)
        }
    }
}
