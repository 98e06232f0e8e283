//! From several comparisons of a revision with itself to what can and cannot be seen on this machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Comparison, Direction, RatioEstimate, Verdict};
use crate::measure::{Pairing, Remark};
use crate::plan::{Sampling, Thresholds};
use crate::stats::{binomial_bounds, percentile};
use crate::units::{BenchmarkKey, Ratio};

/// What a calibration found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// How often the revision was compared with itself.
    pub repetitions: usize,
    /// The share by which the head side was lengthened on purpose; `None` if it was not.
    pub injected: Option<f64>,
    /// Benchmark by benchmark, in the order of the comparisons.
    pub benchmarks: Vec<CalibratedBenchmark>,
    /// Benchmarks that failed, or never had enough rounds for an interval.
    #[serde(default)]
    pub without_interval: Vec<BenchmarkKey>,
    /// What to do about it, as lower-case fragments, the most useful first.
    pub advice: Vec<String>,
}

/// What a calibration found about one benchmark. Shares are relative to the base's time: 0.01 is
/// one per cent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibratedBenchmark {
    /// Package, target and id.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// How base and head were interleaved, in the weakest case.
    pub pairing: Option<Pairing>,
    /// How many of the comparisons gave an interval.
    pub comparisons: usize,
    /// How far the estimates lay from the truth: 95th percentile over the comparisons.
    pub noise_floor: f64,
    /// How far the ratio moved from round to round: the root mean square of the rounds around their
    /// comparison's mean, with its degrees of freedom. The process is the unit here.
    pub round_spread: f64,
    /// Comparisons that called identical code slower or faster; or, if a change was injected,
    /// called it in the wrong direction.
    pub false_alarms: usize,
    /// Comparisons that found a difference in the injected direction. `None` if nothing was injected,
    /// or not into this benchmark: without pairing by sample, perfcheck does not control its clock.
    pub found: Option<usize>,
    /// Comparisons that used up their budget and were still inconclusive.
    #[serde(default)]
    pub inconclusive: usize,
    /// The smallest change that would be detected with a power of 80 % after [`Self::rounds`] (median over the
    /// comparisons). Benchmarks that were decided before their budget was spent would have been measured further,
    /// had they changed.
    pub detectable: f64,
    /// Rounds a comparison (median).
    pub rounds: usize,
}

impl Calibration {
    /// Summarises `runs`: each holds all comparisons of one repetition. The true ratio is 1, or
    /// what `sampling` injected.
    ///
    /// Benchmarks that gave no interval in any repetition are listed separately.
    #[must_use]
    pub fn of(
        runs: &[Vec<Comparison>],
        thresholds: &Thresholds,
        sampling: &Sampling,
    ) -> Calibration {
        let mut by_key: BTreeMap<&BenchmarkKey, Vec<&Comparison>> = BTreeMap::new();
        let mut order = Vec::new();
        for comparison in runs.iter().flatten().filter(|c| c.estimate().is_some()) {
            let seen = by_key.entry(&comparison.key).or_insert_with(|| {
                order.push(&comparison.key);
                Vec::new()
            });
            seen.push(comparison);
        }
        let benchmarks: Vec<CalibratedBenchmark> = order
            .into_iter()
            .filter_map(|key| benchmark(key, by_key.get(key)?, sampling.inject))
            .collect();
        let mut without_interval: Vec<BenchmarkKey> = Vec::new();
        for comparison in runs.iter().flatten() {
            let key = &comparison.key;
            if benchmarks.iter().all(|b| b.key != *key) && !without_interval.contains(key) {
                without_interval.push(key.clone());
            }
        }
        Calibration {
            repetitions: runs.len(),
            injected: sampling.inject.map(Ratio::as_change),
            advice: advice(&benchmarks, thresholds, sampling),
            benchmarks,
            without_interval,
        }
    }

    /// The comparisons that raised a false alarm, and all of them, over all benchmarks.
    #[must_use]
    pub fn false_alarms(&self) -> (usize, usize) {
        let all = self.benchmarks.iter().map(|b| b.comparisons).sum();
        let wrong = self.benchmarks.iter().map(|b| b.false_alarms).sum();
        (wrong, all)
    }

    /// The share of comparisons that raise a false alarm, at most: wrong with a probability of 5 %.
    #[must_use]
    pub fn most_false_alarms(&self) -> f64 {
        let (wrong, all) = self.false_alarms();
        binomial_bounds(wrong, all, 0.05).1
    }
}

/// Whether the probe could lengthen its samples in all rounds. If only some rounds were paired, there
/// is no single truth to compare with.
fn lengthened(comparison: &Comparison) -> Option<bool> {
    let mut remarks = comparison.remarks.iter();
    if !remarks.any(|remark| matches!(remark, Remark::Unpaired { .. })) {
        return Some(true);
    }
    let rounds = comparison.time().into_iter().flat_map(|time| &time.rounds);
    let mut pairings = rounds.map(|round| round.pairing);
    pairings
        .all(|pairing| pairing == Pairing::Benchmark)
        .then_some(false)
}

fn benchmark(
    key: &BenchmarkKey,
    comparisons: &[&Comparison],
    injected: Option<Ratio>,
) -> Option<CalibratedBenchmark> {
    // If something was injected into only some of the comparisons, the others have another true ratio.
    let into = |wanted: bool| -> Vec<&Comparison> {
        let those = comparisons.iter().copied();
        those.filter(|c| lengthened(c) == Some(wanted)).collect()
    };
    let (comparisons, injected) = match injected {
        None => (comparisons.to_vec(), None),
        Some(_) if into(true).is_empty() => (into(false), None),
        Some(share) => (into(true), Some(share)),
    };
    let changes: Vec<&RatioEstimate> = comparisons.iter().filter_map(|c| c.estimate()).collect();
    if changes.is_empty() {
        return None;
    }
    let truth = injected.unwrap_or(Ratio::from_quotient(1.0));
    let errors = changes
        .iter()
        .map(|c| (c.ratio.ln() - truth.ln()).abs())
        .collect();
    let wanted = match truth.ln() {
        t if t > 0.0 => Some(Direction::More),
        t if t < 0.0 => Some(Direction::Fewer),
        _ => None,
    };
    let directions = || {
        let times = comparisons.iter().filter_map(|c| c.time());
        times.map(|time| time.direction)
    };
    let claims = directions().filter(Option::is_some);
    Some(CalibratedBenchmark {
        key: key.clone(),
        pairing: comparisons.iter().filter_map(|c| c.pairing).max(),
        comparisons: changes.len(),
        noise_floor: quantile(errors, 0.95).exp_m1(),
        round_spread: round_spread(&comparisons),
        false_alarms: claims.filter(|claimed| *claimed != wanted).count(),
        found: injected.map(|_| directions().filter(|found| *found == wanted).count()),
        inconclusive: comparisons
            .iter()
            .filter(|c| c.verdict == Verdict::Inconclusive)
            .count(),
        detectable: quantile(changes.iter().map(|c| c.detectable).collect(), 0.5),
        rounds: quantile(changes.iter().map(|c| c.rounds as f64).collect(), 0.5).round() as usize,
    })
}

fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, p)
}

fn round_spread(comparisons: &[&Comparison]) -> f64 {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for time in comparisons.iter().filter_map(|c| c.time()) {
        let logs: Vec<f64> = time.rounds.iter().map(|r| r.ratio.ln()).collect();
        let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
        squares += logs.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        freedom += logs.len().saturating_sub(1) as f64;
    }
    if freedom > 0.0 {
        (squares / freedom).sqrt()
    } else {
        0.0
    }
}

/// Budgets beyond this many times the present one are not worth advising: a round's spread is then so
/// large that the threshold is the better thing to change.
const LARGEST_BUDGET_FACTOR: f64 = 10.0;

fn advice(
    benchmarks: &[CalibratedBenchmark],
    thresholds: &Thresholds,
    sampling: &Sampling,
) -> Vec<String> {
    if benchmarks.is_empty() {
        return vec!["no benchmark gave an interval: give it more `--rounds`".to_owned()];
    }
    let general = thresholds.practical.as_change();
    let mut advice = vec![budget_advice(benchmarks, general, sampling)];
    advice.extend(pairing_advice(benchmarks));
    advice.extend(injection_advice(benchmarks, sampling));
    advice.extend(disturbance_advice(benchmarks, general));
    advice
}

/// Whether a change as large as the threshold would be seen.
fn budget_advice(benchmarks: &[CalibratedBenchmark], general: f64, sampling: &Sampling) -> String {
    let rules = |b: &CalibratedBenchmark| {
        let key = &b.key;
        sampling.rules.of(key)
    };
    let threshold = |b: &CalibratedBenchmark| rules(b).threshold.map_or(general, Ratio::as_change);
    let excess = |b: &CalibratedBenchmark| b.detectable / threshold(b);
    // Benchmarks that were decided early would have been measured further, had they changed.
    let spent = |b: &&CalibratedBenchmark| 2 * b.inconclusive > b.comparisons;
    let blind = benchmarks.iter().filter(spent).filter(|b| excess(b) > 1.0);
    let count = blind.clone().count();
    let Some(worst) = blind.max_by(|a, b| excess(a).total_cmp(&excess(b))) else {
        return format!(
            "the budget suffices: every benchmark has a verdict, or tells {} from no change",
            percent(general)
        );
    };
    // The standard error shrinks with the root of the number of rounds.
    let factor = excess(worst).powi(2);
    let remedy = if factor <= LARGEST_BUDGET_FACTOR {
        let time = rules(worst).time.unwrap_or(sampling.time);
        format!(
            "`--time-per-benchmark {:.0}s --rounds {:.0}` would see it",
            (time.as_secs_f64() * factor).ceil(),
            (sampling.rounds as f64 * factor).ceil()
        )
    } else {
        format!(
            "set `--threshold {}` for it",
            percent(worst.detectable).replace(' ', "")
        )
    };
    format!(
        "{count} of {} benchmarks cannot tell {} from no change at this budget; the worst is {} ({}): {remedy}",
        benchmarks.len(),
        percent(threshold(worst)),
        worst.key,
        percent(worst.detectable),
    )
}

fn injection_advice(benchmarks: &[CalibratedBenchmark], sampling: &Sampling) -> Option<String> {
    sampling.inject?;
    let count = benchmarks.iter().filter(|b| b.found.is_none()).count();
    (count > 0).then(|| {
        format!(
            "nothing could be injected into {count} of {} benchmarks, since perfcheck does not control the clock \
             that times them: they were compared with themselves as they are",
            benchmarks.len()
        )
    })
}

fn pairing_advice(benchmarks: &[CalibratedBenchmark]) -> Option<String> {
    let by_benchmark = benchmarks
        .iter()
        .filter(|b| b.pairing == Some(Pairing::Benchmark))
        .count();
    (by_benchmark > 0).then(|| {
        format!(
            "{by_benchmark} of {} benchmarks were not paired sample by sample and see the machine's drift",
            benchmarks.len()
        )
    })
}

fn disturbance_advice(benchmarks: &[CalibratedBenchmark], threshold: f64) -> Option<String> {
    let restless: Vec<&CalibratedBenchmark> = benchmarks
        .iter()
        .filter(|b| b.round_spread > 3.0 * threshold)
        .collect();
    let worst = restless
        .iter()
        .max_by(|a, b| a.round_spread.total_cmp(&b.round_spread))?;
    Some(if restless.len() * 2 > benchmarks.len() {
        "most benchmarks vary a lot from process to process: something disturbs the machine, see \
         `cargo perfcheck doctor`"
            .to_owned()
    } else {
        format!(
            "{} varies by {} from process to process while others do not: the layout of its memory or code \
             is a matter of chance, so only more rounds help",
            worst.key,
            percent(worst.round_spread)
        )
    })
}

/// A share as per cent with the digits that matter: `0.32 %`, `2.5 %`, `13 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = match percent {
        p if p < 1.0 => 2,
        p if p < 10.0 => 1,
        _ => 0,
    };
    let text = format!("{percent:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} %")
}
