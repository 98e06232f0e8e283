//! From measured rounds to the numbers that the statistics take.

use super::{IterationsPerSample, Quartiles, RoundSummary};
use crate::measure::{Pairing, Round, Samples};
use crate::stats::{
    MeanRatios, SummaryErrors, TimedSamples, paired_log_ratio, percentile, unpaired_log_ratio,
};
use crate::units::{Paired, Ratio, Side};

/// Times per iteration of one side over all rounds, nanoseconds.
pub(super) fn per_iteration(rounds: &[Round], side: Side) -> Vec<f64> {
    rounds
        .iter()
        .flat_map(|round| times(round.samples.get(side)))
        .collect()
}

/// How many iterations the samples of one side have, over all rounds.
pub(super) fn iterations_per_sample(rounds: &[Round], side: Side) -> Option<IterationsPerSample> {
    let all = rounds.iter().flat_map(|round| {
        let samples = round.samples.get(side);
        let timed = samples.iterations.iter().zip(&samples.times);
        timed.filter(|(n, t)| is_timed(**n, **t)).map(|(n, _)| *n)
    });
    let fewest = all.clone().min()?;
    let most = all.max()?;
    Some(IterationsPerSample { fewest, most })
}

/// How certain the head side's figures are by themselves.
pub(super) fn head_errors(rounds: &[Round], seed: u64) -> Option<SummaryErrors> {
    let of_round = |round: &Round| times(&round.samples.head).collect();
    let rounds: Vec<Vec<f64>> = rounds.iter().map(of_round).collect();
    SummaryErrors::of_rounds(&rounds, seed)
}

/// How many equal steps describe a distribution.
const STEPS: u32 = 20;

/// The minimum, every fifth percentile, and the maximum; empty for no values.
pub(super) fn quantiles(times: &[f64]) -> Vec<f64> {
    if times.is_empty() {
        return Vec::new();
    }
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    (0..=STEPS)
        .map(|step| percentile(&times, f64::from(step) / f64::from(STEPS)))
        .collect()
}

/// What one round says.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundFigures {
    /// What the report shows of it.
    pub(super) summary: RoundSummary,
    /// The ratios of the means.
    pub(super) means: MeanRatios,
}

/// The rounds in which both sides were timed, in their order.
pub(super) fn figures(rounds: &[Round]) -> Vec<RoundFigures> {
    rounds.iter().filter_map(figures_of).collect()
}

/// The weakest pairing of the rounds.
pub(super) fn weakest_pairing(rounds: &[RoundSummary]) -> Option<Pairing> {
    rounds.iter().map(|round| round.pairing).max()
}

fn figures_of(round: &Round) -> Option<RoundFigures> {
    let sides = Paired::from_fn(|side| timed(round.samples.get(side)));
    let by_sample = match round.pairing {
        Pairing::Sample => paired_log_ratio(sides.base, sides.head),
        Pairing::Benchmark => None,
    };
    // A round by sample without usable starts still has two runs, one per side.
    let pairing = match by_sample {
        Some(_) => Pairing::Sample,
        None => Pairing::Benchmark,
    };
    let estimate = by_sample.or_else(|| unpaired_log_ratio(sides.base, sides.head))?;
    let sorted = Paired::from_fn(|side| sorted(round.samples.get(side)));
    if sorted.base.is_empty() || sorted.head.is_empty() {
        return None;
    }
    let levels = sorted.as_ref();
    let at = |sorted: &Vec<f64>, p| percentile(sorted, p);
    let summary = RoundSummary {
        ratio: Ratio::from_ln(estimate.ln_ratio),
        value: levels.map(|sorted| at(sorted, 0.5)),
        pairing,
        quartiles: Some(levels.map(|sorted| Quartiles {
            lower: at(sorted, 0.25),
            upper: at(sorted, 0.75),
        })),
    };
    Some(RoundFigures {
        summary,
        means: estimate.means,
    })
}

fn timed(samples: &Samples) -> TimedSamples<'_> {
    TimedSamples {
        iterations: &samples.iterations,
        times: &samples.times,
        starts: &samples.starts,
        preempted: &samples.preempted,
    }
}

fn times(samples: &Samples) -> impl Iterator<Item = f64> + '_ {
    samples
        .iterations
        .iter()
        .zip(&samples.times)
        .filter(|(n, t)| is_timed(**n, **t))
        .map(|(n, t)| t / *n as f64)
}

fn is_timed(iterations: u64, time: f64) -> bool {
    iterations > 0 && time.is_finite()
}

fn sorted(samples: &Samples) -> Vec<f64> {
    let mut sorted: Vec<f64> = times(samples).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_samples_are_those_of_the_samples_that_count() {
        let samples = |iterations: &[u64], times: &[f64]| Samples {
            iterations: iterations.to_vec(),
            times: times.to_vec(),
            starts: Vec::new(),
            preempted: Vec::new(),
        };
        let round = |base, head| Round {
            index: 0,
            first: Side::Base,
            pairing: Pairing::Sample,
            samples: Paired::new(base, head),
        };
        let rounds = [
            round(
                samples(&[5, 100], &[1.0, 2.0]),
                samples(&[1, 1], &[1.0, 2.0]),
            ),
            round(samples(&[0, 1], &[1.0, f64::NAN]), samples(&[1], &[1.0])),
        ];
        let of = |side| iterations_per_sample(&rounds, side).map(|s| (s.fewest, s.most));
        assert_eq!(of(Side::Base), Some((5, 100)));
        assert_eq!(of(Side::Head), Some((1, 1)));
        assert_eq!(iterations_per_sample(&[], Side::Base), None);
    }
}
