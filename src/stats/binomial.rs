//! Confidence bounds for a count of successes.

use statrs::distribution::{Beta, ContinuousCDF};

/// Bounds for the true probability when `hits` of `of` trials succeeded. Each bound by itself is
/// wrong with a probability of at most `alpha`, whatever the true probability is.
///
/// Hypothesis: the trials are independent and alike. `hits` ≤ `of`; without trials the bounds are (0, 1).
///
/// Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
/// Binomial" (Biometrika 26, 1934).
#[must_use]
pub fn binomial_bounds(hits: usize, of: usize, alpha: f64) -> (f64, f64) {
    let quantile = |a: usize, b: usize, p: f64| {
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(p))
    };
    let misses = of.saturating_sub(hits);
    let lower = match hits {
        0 => 0.0,
        hits => quantile(hits, misses + 1, alpha),
    };
    let upper = match misses {
        0 => 1.0,
        misses => quantile(hits + 1, misses, 1.0 - alpha),
    };
    (lower, upper)
}

/// How common a mode of slower processes may be although none of `rounds` processes has shown it: 1 − 0.05^(1/n).
///
/// A more common mode shows in at least one process in 95 runs of 100. This is the upper bound of
/// [`binomial_bounds`] for no success.
#[must_use]
pub fn unseen_mode(rounds: usize) -> f64 {
    match rounds {
        0 => 1.0,
        rounds => 1.0 - 0.05f64.powf(1.0 / rounds as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_process_has_shown_is_bounded_as_any_share_is() {
        for rounds in [0, 1, 6, 13, 29] {
            let (_, upper) = binomial_bounds(0, rounds, 0.05);
            assert!((unseen_mode(rounds) - upper).abs() < 1e-9, "{rounds}");
        }
    }

    #[test]
    fn the_bounds_agree_with_scipy() {
        // scipy.stats.beta.ppf(0.05, k, n - k + 1), scipy.stats.beta.ppf(0.95, k + 1, n - k)
        for (hits, of, lower, upper) in [
            (0, 299, 0.0, 0.009969146792899284),
            (100, 100, 0.97048695039296, 1.0),
            (95, 100, 0.8977466223567254, 0.9800944363378281),
            (1, 20, 0.0025613787765302798, 0.2161061642068471),
            (0, 0, 0.0, 1.0),
        ] {
            let (low, high) = binomial_bounds(hits, of, 0.05);
            assert!((low - lower).abs() < 1e-6, "{hits} of {of}: {low}");
            assert!((high - upper).abs() < 1e-6, "{hits} of {of}: {high}");
        }
    }
}
