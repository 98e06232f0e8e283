//! From several comparisons of a revision with itself to what this machine can and cannot see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Comparison, Difference, TimeChange};
use crate::discover::BenchmarkKey;
use crate::measure::Pairing;
use crate::plan::{Sampling, Thresholds};
use crate::stats::percentile;
use crate::units::Ratio;

/// What a calibration found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// How often the revision was compared with itself.
    pub repetitions: usize,
    /// The share by which the head side was lengthened on purpose; none where it was not.
    pub injected: Option<f64>,
    /// Benchmark by benchmark, in the order of the comparisons.
    pub benchmarks: Vec<CalibratedBenchmark>,
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
    /// How base and head were interleaved, at the weakest.
    pub pairing: Option<Pairing>,
    /// How many of the comparisons gave an interval.
    pub comparisons: usize,
    /// How far the estimates lay from the truth: 95th percentile over the comparisons.
    pub noise_floor: f64,
    /// How far the ratio moved from round to round: the root mean square of the rounds around their
    /// comparison's mean, with its degrees of freedom. The process is the unit here.
    pub round_spread: f64,
    /// Comparisons that called identical code slower or faster. Where a change was injected: that
    /// called it the wrong way round.
    pub false_alarms: usize,
    /// Comparisons that found a difference in the injected direction; none where nothing was injected.
    pub found: Option<usize>,
    /// The smallest change that would be told from none with a power of 80 % (median over the
    /// comparisons).
    pub detectable: f64,
    /// Rounds a comparison (median).
    pub rounds: usize,
}

impl Calibration {
    /// Summarises `runs`: each holds all comparisons of one repetition. The true ratio is 1, or
    /// what `sampling` injected.
    ///
    /// Benchmarks that gave no interval in any repetition are left out.
    #[must_use]
    pub fn of(
        runs: &[Vec<Comparison>],
        thresholds: &Thresholds,
        sampling: &Sampling,
    ) -> Calibration {
        let mut by_key: BTreeMap<&BenchmarkKey, Vec<&Comparison>> = BTreeMap::new();
        let mut order = Vec::new();
        for comparison in runs.iter().flatten().filter(|c| change(c).is_some()) {
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
        Calibration {
            repetitions: runs.len(),
            injected: sampling.inject.map(Ratio::as_change),
            advice: advice(&benchmarks, thresholds, sampling),
            benchmarks,
        }
    }

    /// The share of comparisons that raised a false alarm, over all benchmarks.
    #[must_use]
    pub fn false_alarm_rate(&self) -> f64 {
        let all: usize = self.benchmarks.iter().map(|b| b.comparisons).sum();
        let wrong: usize = self.benchmarks.iter().map(|b| b.false_alarms).sum();
        wrong as f64 / all.max(1) as f64
    }
}

fn change(comparison: &Comparison) -> Option<&TimeChange> {
    comparison.time.as_ref()?.change.as_ref()
}

fn benchmark(
    key: &BenchmarkKey,
    comparisons: &[&Comparison],
    injected: Option<Ratio>,
) -> Option<CalibratedBenchmark> {
    let changes: Vec<&TimeChange> = comparisons.iter().filter_map(|c| change(c)).collect();
    if changes.is_empty() {
        return None;
    }
    let truth = injected.unwrap_or(Ratio::from_quotient(1.0));
    let errors = changes
        .iter()
        .map(|c| (c.ratio.ln() - truth.ln()).abs())
        .collect();
    let wanted = match truth.ln() {
        t if t > 0.0 => Difference::Slower,
        t if t < 0.0 => Difference::Faster,
        _ => Difference::None,
    };
    let claims = changes.iter().filter(|c| c.difference != Difference::None);
    Some(CalibratedBenchmark {
        key: key.clone(),
        pairing: comparisons.iter().filter_map(|c| c.pairing).max(),
        comparisons: changes.len(),
        noise_floor: quantile(errors, 0.95).exp_m1(),
        round_spread: round_spread(comparisons),
        false_alarms: claims.filter(|c| c.difference != wanted).count(),
        found: injected.map(|_| changes.iter().filter(|c| c.difference == wanted).count()),
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
    for time in comparisons.iter().filter_map(|c| c.time.as_ref()) {
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
    let threshold = thresholds.practical.as_change();
    let worst = benchmarks
        .iter()
        .max_by(|a, b| a.detectable.total_cmp(&b.detectable));
    let blind: Vec<&CalibratedBenchmark> = benchmarks
        .iter()
        .filter(|b| b.detectable > threshold)
        .collect();
    let mut advice = Vec::new();
    match worst {
        Some(worst) if blind.is_empty() => advice.push(format!(
            "the budget suffices: every benchmark tells {} from no change (the worst is {}, {})",
            percent(threshold),
            worst.key,
            percent(worst.detectable)
        )),
        Some(worst) => {
            // The standard error shrinks with the root of the number of rounds.
            let factor = (worst.detectable / threshold).powi(2);
            let budget = if factor <= LARGEST_BUDGET_FACTOR {
                format!(
                    "`--time-per-benchmark {:.0}s --rounds {:.0}` would see it",
                    (sampling.time.as_secs_f64() * factor).ceil(),
                    (sampling.rounds as f64 * factor).ceil()
                )
            } else {
                format!(
                    "set `--threshold {}` for it",
                    percent(worst.detectable).replace(' ', "")
                )
            };
            advice.push(format!(
                "{} of {} benchmarks cannot tell {} from no change at this budget; the worst is {} ({}): {budget}",
                blind.len(),
                benchmarks.len(),
                percent(threshold),
                worst.key,
                percent(worst.detectable),
            ));
        }
        None => {}
    }
    advice.extend(pairing_advice(benchmarks));
    advice.extend(disturbance_advice(benchmarks, threshold));
    advice
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
        "most benchmarks move much from process to process: something disturbs the machine, see \
         `cargo perfcheck doctor`"
            .to_owned()
    } else {
        format!(
            "{} moves by {} from process to process while others do not: its memory or code \
             placement is luck, so that only more rounds help it",
            worst.key,
            percent(worst.round_spread)
        )
    })
}

/// A share as per cent with as many digits as tell something: `0.32 %`, `2.5 %`, `13 %`.
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
