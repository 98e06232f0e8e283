//! What the rounds of one benchmark say together: of the typical iteration, and of the mean.

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

/// How the ratio of the means stands to the threshold.
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
    /// `None` where fewer than two rounds say anything.
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

    /// What is known of the mean where an error of `alpha` is permitted.
    ///
    /// It is within the threshold if it is without what the kernel took; but not where it certainly is beyond
    /// it as measured: then what the kernel took is more on one side, and may be that side's own doing.
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
