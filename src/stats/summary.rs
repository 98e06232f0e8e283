//! What a report shows of one side's samples.

use crate::units::Nanos;

/// Mean, percentiles and spread of a set of times per iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Arithmetic mean.
    pub mean: Nanos,
    /// 50th percentile.
    pub median: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
    /// Standard deviation with n − 1 in the denominator; zero for a single value.
    pub std_dev: Nanos,
    /// How many values.
    pub samples: usize,
}

impl Summary {
    /// Summarises `values`, nanoseconds per iteration, every value counting the same.
    ///
    /// Values that are not finite are left out. Valid for n ≥ 1; `None` when nothing is left.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Summary> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        if sorted.is_empty() {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares: f64 = sorted.iter().map(|v| (v - mean).powi(2)).sum();
        let std_dev = if sorted.len() > 1 {
            (squares / (n - 1.0)).sqrt()
        } else {
            0.0
        };
        Some(Summary {
            mean: Nanos::from_nanos(mean),
            median: Nanos::from_nanos(percentile(&sorted, 0.50)),
            p95: Nanos::from_nanos(percentile(&sorted, 0.95)),
            p99: Nanos::from_nanos(percentile(&sorted, 0.99)),
            std_dev: Nanos::from_nanos(std_dev),
            samples: sorted.len(),
        })
    }
}

/// The `p`-quantile of values in ascending order, interpolated linearly between order statistics.
///
/// Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (The American
/// Statistician 50, 1996): the default of R's `quantile` and of NumPy's `percentile`. `p` is held
/// to [0, 1].
///
/// # Panics
/// On an empty slice.
#[must_use]
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let rank = p.clamp(0.0, 1.0) * last as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (rank - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0)
    }

    #[test]
    fn a_summary_agrees_with_numpy() {
        // x = [3.1, 4.1, 5.9, 2.6, 5.3, 5.8, 9.7, 9.3]
        // numpy.mean(x), numpy.percentile(x, [50, 95, 99]), numpy.std(x, ddof=1)
        let s = Summary::of(&[3.1, 4.1, 5.9, 2.6, 5.3, 5.8, 9.7, 9.3]).unwrap();
        assert!(close(s.mean.as_nanos(), 5.725));
        assert!(close(s.median.as_nanos(), 5.55));
        assert!(close(s.p95.as_nanos(), 9.56));
        assert!(close(s.p99.as_nanos(), 9.672));
        assert!(close(s.std_dev.as_nanos(), 2.621204739373536));
        assert_eq!(s.samples, 8);
    }

    #[test]
    fn one_value_is_its_own_summary_and_none_gives_none() {
        let s = Summary::of(&[7.0]).unwrap();
        assert_eq!(
            (s.mean.as_nanos(), s.p99.as_nanos(), s.std_dev.as_nanos()),
            (7.0, 7.0, 0.0)
        );
        assert!(Summary::of(&[]).is_none());
        assert!(Summary::of(&[f64::NAN]).is_none());
    }

    proptest! {
        #[test]
        fn scaling_the_times_scales_the_summary(
            values in prop::collection::vec(1.0..1e6f64, 1..50),
            scale in 0.001..1000.0f64,
        ) {
            let scaled: Vec<f64> = values.iter().map(|v| v * scale).collect();
            let (a, b) = (Summary::of(&values).unwrap(), Summary::of(&scaled).unwrap());
            for (x, y) in [(a.mean, b.mean), (a.median, b.median), (a.p95, b.p95), (a.p99, b.p99)] {
                prop_assert!((x.as_nanos() * scale - y.as_nanos()).abs() <= 1e-9 * y.as_nanos());
            }
        }

        #[test]
        fn percentiles_are_ordered_and_within_the_data(
            values in prop::collection::vec(1.0..1e6f64, 1..50),
        ) {
            let s = Summary::of(&values).unwrap();
            let max = values.iter().copied().fold(f64::MIN, f64::max);
            prop_assert!(s.median <= s.p95 && s.p95 <= s.p99 && s.p99.as_nanos() <= max);
        }
    }
}
