//! How certain the figures of one side are by themselves, without comparing them with the other side.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::summary::percentile;

/// Standard errors of the natural logarithms of one side's figures.
///
/// Absolute figures are less certain than their ratio: what slows the whole machine down for a
/// while slows both sides, and cancels in the ratio only. They hold for the machine and the minutes
/// in which they were measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SummaryErrors {
    /// Of the arithmetic mean.
    pub mean: f64,
    /// Of the 50th percentile.
    pub median: f64,
    /// Of the 95th percentile.
    pub p95: f64,
    /// Of the 99th percentile.
    pub p99: f64,
    /// How many rounds they come from: the degrees of freedom are one fewer.
    pub rounds: usize,
}

impl SummaryErrors {
    /// From the times per iteration of each round, by drawing whole rounds again and again (bootstrap).
    ///
    /// The round (a process of its own) is the unit of replication, so rounds are drawn, not samples
    /// (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). Leaving out
    /// one round at a time (jackknife) would be cheaper, but underestimates the error of a median if
    /// processes differ more than samples do. The spread over few rounds is corrected by sqrt(n / (n −
    /// 1)).
    ///
    /// Valid for at least two rounds with values; values must be above zero. `None` otherwise.
    #[must_use]
    pub fn of_rounds(rounds: &[Vec<f64>], seed: u64) -> Option<SummaryErrors> {
        let rounds: Vec<&Vec<f64>> = rounds.iter().filter(|round| !round.is_empty()).collect();
        if rounds.len() < 2 || rounds.iter().any(|r| r.iter().any(|v| !is_time(*v))) {
            return None;
        }
        let mut sorted: Vec<RoundTime> = Vec::new();
        for (round, values) in rounds.iter().enumerate() {
            sorted.extend(values.iter().map(|time| RoundTime { time: *time, round }));
        }
        sorted.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = Vec::with_capacity(sorted.len() * 2);
        let replicates: Vec<[f64; 4]> = (0..REPLICATES)
            .map(|_| {
                let mut times_drawn = vec![0; rounds.len()];
                for _ in 0..rounds.len() {
                    times_drawn[rng.random_range(0..rounds.len())] += 1;
                }
                drawn.clear();
                for value in &sorted {
                    drawn.extend(std::iter::repeat_n(value.time, times_drawn[value.round]));
                }
                figures(&drawn)
            })
            .collect();
        let n = rounds.len() as f64;
        let [mean, median, p95, p99] = std::array::from_fn(|figure| {
            let of_figure: Vec<f64> = replicates.iter().map(|r| r[figure].ln()).collect();
            spread(&of_figure) * (n / (n - 1.0)).sqrt()
        });
        Some(SummaryErrors {
            mean,
            median,
            p95,
            p99,
            rounds: rounds.len(),
        })
    }
}

/// A time and the round that it belongs to.
struct RoundTime {
    time: f64,
    round: usize,
}

/// How often rounds are drawn: this gives the standard error to about 5 %.
const REPLICATES: usize = 200;

fn is_time(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// Mean, median, 95th and 99th percentile of values in ascending order.
fn figures(sorted: &[f64]) -> [f64; 4] {
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let at = |p| percentile(sorted, p);
    [mean, at(0.50), at(0.95), at(0.99)]
}

fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}

/// How far, as a natural logarithm, a figure with this standard error may lie from the truth on one
/// side, with an error of `alpha`: Student's t over `rounds`. Infinite below two rounds.
#[must_use]
pub fn one_sided_margin(ln_error: f64, rounds: usize, alpha: f64) -> f64 {
    let freedom = rounds.saturating_sub(1) as f64;
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) => t.inverse_cdf(1.0 - alpha.clamp(f64::MIN_POSITIVE, 0.5)) * ln_error,
        Err(_) => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Close enough to Gaussian without another dependency: the Irwin–Hall sum of twelve.
    fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    }

    fn rounds(rng: &mut ChaCha8Rng, n: usize) -> Vec<Vec<f64>> {
        let mut round = || {
            let process = 0.02 * gaussian(rng);
            let sample = |_| 100.0 * (process + 0.01 * gaussian(rng)).exp();
            (0..20).map(sample).collect()
        };
        (0..n).map(|_| round()).collect()
    }

    #[test]
    fn the_error_of_a_mean_is_the_textbook_one() {
        // Rounds of one value, nearly equal, so that the logarithm is straight. In R:
        // x <- c(100.1, 99.9, 100.2, 99.7); sd(x) / sqrt(4) / mean(x)
        let rounds = [100.1, 99.9, 100.2, 99.7].map(|v| vec![v]);
        let errors = SummaryErrors::of_rounds(&rounds, 1).unwrap();
        let textbook = 0.001_108_955_13;
        assert!((errors.mean / textbook - 1.0).abs() < 0.15, "{errors:?}");
    }

    #[test]
    fn one_round_knows_nothing_of_its_error() {
        assert_eq!(SummaryErrors::of_rounds(&[vec![1.0, 2.0]], 1), None);
        assert_eq!(SummaryErrors::of_rounds(&[vec![1.0], Vec::new()], 1), None);
        assert_eq!(SummaryErrors::of_rounds(&[vec![1.0], vec![0.0]], 1), None);
        assert_eq!(one_sided_margin(0.01, 1, 0.05), f64::INFINITY);
    }

    #[test]
    fn a_limit_at_the_true_value_is_seldom_called_exceeded() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        // The truth, from very many processes.
        let many: Vec<f64> = rounds(&mut rng, 20_000).concat();
        let truth = crate::stats::Summary::of(&many).unwrap();
        let (runs, alpha) = (400u64, 0.05);
        let mut wrong = [0; 4];
        for run in 0..runs {
            let rounds = rounds(&mut rng, 20);
            let errors = SummaryErrors::of_rounds(&rounds, run).unwrap();
            let seen = crate::stats::Summary::of(&rounds.concat()).unwrap();
            let pairs = [
                (seen.mean, truth.mean, errors.mean),
                (seen.median, truth.median, errors.median),
                (seen.p95, truth.p95, errors.p95),
                (seen.p99, truth.p99, errors.p99),
            ];
            for (count, (seen, truth, error)) in wrong.iter_mut().zip(pairs) {
                let margin = one_sided_margin(error, errors.rounds, alpha);
                *count += usize::from((seen.as_nanos() / truth.as_nanos()).ln() > margin);
            }
        }
        // Three binomial standard deviations above 5 %.
        let most =
            (runs as f64 * (alpha + 3.0 * (alpha * (1.0 - alpha) / runs as f64).sqrt())) as usize;
        assert!(wrong.iter().all(|n| *n <= most), "{wrong:?} of {runs}");
    }
}
