//! Whether a benchmark needs more rounds.

use super::Verdict;
use super::evidence::{Mean, VerdictEvidence};
use super::round::figures;
use crate::measure::Measured;
use crate::plan::config::Rules;
use crate::plan::{Sampling, Thresholds};
use crate::stats::{Interval, Looks, Standing, believable};
use crate::units::BenchmarkKey;

/// The rule by which benchmarks are stopped early, fixed before the first round.
#[derive(Debug, Clone, PartialEq)]
pub struct Settling {
    looks: Looks,
    margin: f64,
    alpha: f64,
    family: usize,
    /// `unchanged` is not said earlier.
    unchanged_after: usize,
    rules: Rules,
}

/// A benchmark whose change is about as large as the threshold would be measured forever. Once an
/// interval around the threshold is this many times narrower than the threshold, more rounds do not
/// help.
const NARROW: f64 = 4.0;

/// The power at which [`Settling::needed`] is stated.
const POWER: f64 = 0.8;

impl Settling {
    /// The rule for a run that will compare `family` benchmarks.
    #[must_use]
    pub fn plan(thresholds: &Thresholds, sampling: &Sampling, family: usize) -> Settling {
        Settling {
            looks: Looks::through(sampling.unchanged_after, sampling.rounds),
            margin: thresholds.practical.ln().abs(),
            alpha: 1.0 - thresholds.confidence,
            family: family.max(1),
            unchanged_after: sampling.unchanged_after.min(sampling.rounds),
            rules: sampling.rules.clone(),
        }
    }

    /// With fewer rounds than this, no change of a benchmark could be believed, however large. So a
    /// time budget has to leave at least this many. The number grows with the number of benchmarks that
    /// share the error rate.
    #[must_use]
    pub fn fewest_rounds(&self) -> usize {
        let level = self.alpha / self.family as f64;
        let supported = |n: &usize| believable(*n) <= level * self.looks.share(*n, Standing::Last);
        let first = self.looks.planned().first().copied().unwrap_or(1);
        (first..).find(supported).unwrap_or(usize::MAX)
    }

    /// The fewest rounds before any change can be called, however large, as a multiple of the rounds of the first
    /// interim analysis. It grows with the number of benchmarks that share the error rate.
    #[must_use]
    pub fn rounds_to_believe(&self) -> f64 {
        let level = self.level_of_one();
        let planned = self.looks.planned();
        let supported = |n: &&usize| {
            let standing = self.looks.at(**n).unwrap_or(Standing::Last);
            believable(**n) <= level * self.looks.share(**n, standing)
        };
        let first = planned.iter().find(supported).or(planned.last());
        first.map_or(1.0, |first| *first as f64 / self.first_look() as f64)
    }

    /// The rule for one benchmark, which may have a threshold of its own.
    pub(super) fn of(&self, key: &BenchmarkKey) -> Settling {
        let own = self.rules.of(key).threshold;
        Settling {
            margin: own.map_or(self.margin, |own| own.ln().abs()),
            looks: self.looks.clone(),
            rules: Rules::default(),
            ..*self
        }
    }

    /// The verdict of a benchmark that needs no more rounds; `None` where more are needed or this is not
    /// one of the planned looks.
    ///
    /// Ask after every round. `slower` and `faster` are called at Bonferroni's level over all
    /// benchmarks: what is certain there stays certain in the final, less strict correction, however the
    /// other benchmarks turn out. The answer after the last round is preliminary: that correction may
    /// still turn `inconclusive` into something certain.
    #[must_use]
    pub fn settle(&self, measured: &Measured) -> Option<Verdict> {
        // Most calls return here, before any arithmetic.
        self.looks.at(measured.rounds.len())?;
        let own = self.of(&measured.key);
        let rounds = figures(&measured.rounds);
        let standing = self.looks.at(rounds.len())?;
        let verdict = VerdictEvidence::of(&rounds)
            .and_then(|evidence| own.verdict(&evidence, self.looks.share(rounds.len(), standing)));
        match standing {
            Standing::Interim => verdict,
            Standing::Last => verdict.or(Some(Verdict::Inconclusive)),
        }
    }

    /// About how many rounds in all a benchmark needs to detect a change as large as its threshold
    /// (power 80 %); known at the planned interim analyses. It follows from the spread of the rounds
    /// only and not from the ratio, so time can be shared out by it without selecting results.
    #[must_use]
    pub fn needed(&self, measured: &Measured) -> Option<usize> {
        self.looks.at(measured.rounds.len())?;
        let own = self.of(&measured.key);
        let estimate = VerdictEvidence::of(&figures(&measured.rounds))?.typical;
        let visible = estimate.detectable(own.alpha / own.family as f64, POWER);
        // The standard error shrinks with the root of the number of rounds.
        let factor = (visible / own.margin).powi(2);
        let rounds = (estimate.rounds as f64 * factor).ceil();
        Some((rounds as usize).max(estimate.rounds + 1))
    }

    fn verdict(&self, evidence: &VerdictEvidence, share: f64) -> Option<Verdict> {
        let alpha = self.alpha * share;
        let estimate = &evidence.typical;
        if estimate.p_beyond(self.margin) <= alpha / self.family as f64 {
            Some(if estimate.ln_ratio > 0.0 {
                Verdict::Slower
            } else {
                Verdict::Faster
            })
        } else if estimate.p_within(self.margin) <= alpha {
            self.unless_the_mean_moved(evidence, alpha)
                .filter(|verdict| self.may_end_with(*verdict, estimate.rounds))
        } else if self.is_at_threshold(estimate.interval(alpha)) {
            Some(Verdict::Inconclusive)
        } else {
            None
        }
    }

    fn may_end_with(&self, verdict: Verdict, rounds: usize) -> bool {
        verdict != Verdict::Unchanged || rounds >= self.unchanged_after
    }

    /// The verdict where the typical iteration is unchanged.
    fn unless_the_mean_moved(&self, evidence: &VerdictEvidence, alpha: f64) -> Option<Verdict> {
        let mean = evidence.mean(self.margin, alpha);
        let certainly = evidence.mean(self.margin, alpha / self.family as f64);
        match (mean, certainly) {
            (Mean::Within(_), _) => Some(Verdict::Unchanged),
            (_, Mean::Beyond(_)) => Some(Verdict::Inconclusive),
            (Mean::Open(mean), _) if self.is_at_threshold(mean.interval(alpha)) => {
                Some(Verdict::Inconclusive)
            }
            _ => None,
        }
    }

    /// Whether the change is known to be about as large as the threshold. A change beyond it, but not yet at the
    /// level that all benchmarks together require, is not one of those: a few more rounds decide it.
    fn is_at_threshold(&self, interval: Interval) -> bool {
        let beyond = interval.lower > self.margin || interval.upper < -self.margin;
        interval.half_width() < self.margin / NARROW && !beyond
    }

    /// The share of the error that this benchmark's final data may use: that of its look, if this
    /// rule stopped it early; else all that earlier looks left.
    pub(super) fn final_share(&self, evidence: &VerdictEvidence) -> f64 {
        let rounds = evidence.typical.rounds;
        let interim = self.looks.share(rounds, Standing::Interim);
        match self.looks.at(rounds) {
            Some(Standing::Interim) if self.verdict(evidence, interim).is_some() => interim,
            _ => self.looks.share(rounds, Standing::Last),
        }
    }

    /// The error that one of `sharing` metrics of one benchmark may have after so many rounds, whichever look the
    /// benchmark was stopped at.
    pub(super) fn share_of(&self, rounds: usize, sharing: usize) -> f64 {
        let standing = self.looks.at(rounds).unwrap_or(Standing::Interim);
        let share = self.looks.share(rounds, standing);
        self.level_of_one() * share / sharing.max(1) as f64
    }

    /// How many rounds the first planned look has.
    pub(super) fn first_look(&self) -> usize {
        self.looks.planned().first().copied().unwrap_or(usize::MAX)
    }

    /// The error that one benchmark of the report may have by itself (Bonferroni's inequality).
    pub(super) fn level_of_one(&self) -> f64 {
        self.alpha / self.family as f64
    }

    pub(super) fn margin(&self) -> f64 {
        self.margin
    }

    pub(super) fn alpha(&self) -> f64 {
        self.alpha
    }
}
