//! The verdict of one benchmark, taking all of them into account.

use super::evidence::{Mean, VerdictEvidence};
use super::settle::Settling;
use super::{Direction, RatioEstimate, Verdict};
use crate::stats::{Estimate, believable, step_up};
use crate::units::Ratio;

/// The power at which [`RatioEstimate::detectable`] is stated.
const POWER: f64 = 0.8;

/// What follows from all benchmarks together.
pub(super) struct Joint {
    /// How many benchmarks share the error.
    pub(super) family: usize,
    /// How many are slower or faster.
    accused: usize,
    /// How many certainly changed, by any amount.
    different: usize,
}

impl Joint {
    pub(super) fn decide(
        evidence: &[(VerdictEvidence, Settling)],
        settling: &Settling,
        family: usize,
    ) -> Joint {
        let rejected = |p_value: &dyn Fn(&Estimate, &Settling) -> f64| {
            let p_values: Vec<f64> = evidence
                .iter()
                .map(|(e, own)| p_value(&e.typical, own) / own.final_share(e))
                .collect();
            step_up(&p_values, family, settling.alpha())
        };
        Joint {
            family: family.max(1),
            accused: rejected(&|e, own| e.p_beyond(own.margin())),
            different: rejected(&|e, _| e.p_zero()),
        }
    }

    /// The permitted error of one benchmark when `rejected` of them share it.
    fn level(&self, settling: &Settling, rejected: usize) -> f64 {
        settling.alpha() * rejected.min(self.family) as f64 / self.family as f64
    }

    /// Whether so few rounds could never have accused a benchmark, whatever their values.
    pub(super) fn is_mute(&self, settling: &Settling, evidence: &VerdictEvidence) -> bool {
        let share = settling.final_share(evidence);
        believable(evidence.typical.rounds) / share > self.level(settling, self.accused + 1)
    }
}

/// A verdict, and its interval at the level of that verdict.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Of the typical iteration.
    pub(super) change: RatioEstimate,
    /// Whether there is any difference at all: a change may be certain and yet too small to matter, or about
    /// as large as the threshold.
    pub(super) direction: Option<Direction>,
    /// The change of the mean: unlike `change`, it fully counts rare slow iterations.
    pub(super) mean_change: RatioEstimate,
    typical: Typical,
    mean: Mean,
}

/// Whether the typical iteration is certainly within the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typical {
    Within,
    Elsewhere,
}

/// Judges one benchmark.
pub(super) fn judge(evidence: &VerdictEvidence, settling: &Settling, joint: &Joint) -> Judged {
    let estimate = &evidence.typical;
    let share = settling.final_share(evidence);
    let plain = settling.alpha() * share;
    let mean = evidence.mean(settling.margin(), plain);
    let typical = if estimate.p_within(settling.margin()) <= plain {
        Typical::Within
    } else {
        Typical::Elsewhere
    };
    let accusing = joint.level(settling, joint.accused);
    let (verdict, alpha) = if estimate.p_beyond(settling.margin()) / share <= accusing {
        let verdict = if estimate.ln_ratio > 0.0 {
            Verdict::Slower
        } else {
            Verdict::Faster
        };
        (verdict, accusing)
    } else if typical == Typical::Within && matches!(mean, Mean::Within(_)) {
        (Verdict::Unchanged, settling.alpha())
    } else {
        // The level at which one more accusation would have been believed: at it, none of those that
        // are not accused lies beyond the threshold.
        let level = joint.level(settling, joint.accused + 1);
        (Verdict::Inconclusive, level)
    };
    let change = change(estimate, alpha, share, settling, joint);
    Judged {
        verdict,
        direction: direction(&change, joint.level(settling, joint.different)),
        change,
        mean_change: mean_change(mean.estimate(), share, settling),
        typical,
        mean,
    }
}

/// The change of the typical iteration with its interval at `alpha`, of which the look may use `share`.
fn change(
    estimate: &Estimate,
    alpha: f64,
    share: f64,
    settling: &Settling,
    joint: &Joint,
) -> RatioEstimate {
    let alpha = alpha.max(believable(estimate.rounds) / share).min(1.0);
    let interval = estimate.interval(alpha * share);
    let p_value = (estimate.p_zero() / share).min(1.0);
    let different = p_value <= joint.level(settling, joint.different);
    // The level at which one more benchmark would count as changed.
    let seen = joint.level(settling, joint.different + usize::from(!different)) * share;
    RatioEstimate {
        ratio: Ratio::from_ln(estimate.ln_ratio),
        lower: Ratio::from_ln(interval.lower),
        upper: Ratio::from_ln(interval.upper),
        p_value,
        confidence: 1.0 - alpha,
        rounds: estimate.rounds,
        detectable: Ratio::from_ln(estimate.detectable(seen, POWER)).as_change(),
    }
}

/// A reader must never see a difference whose interval holds "no change".
fn direction(change: &RatioEstimate, level: f64) -> Option<Direction> {
    let different = change.p_value <= level;
    match () {
        () if different && change.lower.ln() > 0.0 => Some(Direction::More),
        () if different && change.upper.ln() < 0.0 => Some(Direction::Fewer),
        () => None,
    }
}

/// The change of the mean, of which the look may use `share`.
fn mean_change(estimate: &Estimate, share: f64, settling: &Settling) -> RatioEstimate {
    let alpha = settling.alpha() * share;
    let interval = estimate.interval(alpha);
    RatioEstimate {
        ratio: Ratio::from_ln(estimate.ln_ratio),
        lower: Ratio::from_ln(interval.lower),
        upper: Ratio::from_ln(interval.upper),
        p_value: (estimate.p_zero() / share).min(1.0),
        confidence: 1.0 - settling.alpha(),
        rounds: estimate.rounds,
        detectable: Ratio::from_ln(estimate.detectable(alpha, POWER)).as_change(),
    }
}

impl Judged {
    /// What the reader has to know about the mean, if it does not agree with the typical iteration.
    pub(super) fn mean_note(&self, margin: f64) -> Option<String> {
        let RatioEstimate {
            ratio,
            lower,
            upper,
            ..
        } = self.mean_change;
        let slower = ratio.ln() > 0.0;
        let goes_along = match (self.verdict, self.typical) {
            (Verdict::Slower, _) => slower,
            (Verdict::Faster, _) => !slower,
            (Verdict::Inconclusive, Typical::Within) => false,
            _ => true,
        };
        let (moved, comparative) = if slower {
            ("rose", "slower")
        } else {
            ("fell", "faster")
        };
        match self.mean {
            Mean::Beyond(_) if !goes_along => Some(format!(
                "the mean {moved} by {} ({lower} to {upper}): some iterations are {comparative}",
                ratio.to_string().trim_start_matches(['+', '-'])
            )),
            Mean::Open(_) if self.verdict == Verdict::Inconclusive && !goes_along => Some(format!(
                "the typical iteration is unchanged, but whether the mean is as well, within {} %, is \
                     open ({lower} to {upper}): some iterations may be slower",
                per_cent(margin)
            )),
            _ => None,
        }
    }
}

/// A threshold in per cent, to three decimals, as a reader would type it: `1`, `0.5`.
pub(super) fn per_cent(margin: f64) -> f64 {
    (Ratio::from_ln(margin).as_change() * 100_000.0).round() / 1_000.0
}
