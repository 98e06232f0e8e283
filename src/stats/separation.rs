//! What processes can show that are too few for an interval: complete separation, where all values of
//! one side lie above or below all of the other's.

use std::cmp::Ordering;

/// How two groups lie when they do not overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Separation {
    /// Whether the second group is above or below the first.
    pub ordering: Ordering,
    /// The gap between them, as the larger value next to it divided by the smaller one.
    pub gap: f64,
}

/// How `first` and `second` are separated; `None` where they overlap or one is empty. Values are
/// positive.
#[must_use]
pub fn separation(first: &[f64], second: &[f64]) -> Option<Separation> {
    let least = |values: &[f64]| values.iter().copied().reduce(f64::min);
    let most = |values: &[f64]| values.iter().copied().reduce(f64::max);
    let (low, high) = (
        (least(first)?, least(second)?),
        (most(first)?, most(second)?),
    );
    let found = |ordering, below: f64, above: f64| Separation {
        ordering,
        gap: above / below,
    };
    if high.0 < low.1 {
        Some(found(Ordering::Greater, high.0, low.1))
    } else if high.1 < low.0 {
        Some(found(Ordering::Less, high.1, low.0))
    } else {
        None
    }
}

/// The two-sided p-value of complete separation of `n` values from `n` others.
///
/// Hypothesis: all 2n values are exchangeable. Then each choice of n of them is as likely to be the
/// first group, and two of the choices are separated: the smallest value of the Mann–Whitney statistic
/// (Lehmann, *Nonparametrics*, 1975, section 1.2). No assumption on the distribution is made; ties, and
/// levels that drift from pair to pair, only make separation rarer. Valid for any n; 1 for none.
#[must_use]
pub fn p_separated(n: usize) -> f64 {
    // C(2n, n) as a product, which stays exact enough and never overflows.
    let choices = (1..=n).fold(1.0, |product, i| product * (n + i) as f64 / i as f64);
    (2.0 / choices).min(1.0)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn p_values_are_those_of_the_exact_rank_sum_test() {
        // R: wilcox.test(1:4, 5:8, exact = TRUE)$p.value and so on.
        for (n, p) in [
            (1, 1.0),
            (2, 0.333_333),
            (3, 0.1),
            (4, 0.028_571),
            (5, 0.007_937),
        ] {
            assert!((p_separated(n) - p).abs() < 1e-6, "{n}: {}", p_separated(n));
        }
        assert!((p_separated(0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn groups_are_separated_only_without_any_overlap() {
        let found = separation(&[9.0, 10.0], &[1.0, 2.0]).unwrap();
        assert_eq!(found.ordering, Ordering::Less);
        assert!((found.gap - 4.5).abs() < 1e-12);
        assert_eq!(
            separation(&[1.0], &[2.0]).unwrap().ordering,
            Ordering::Greater
        );
        assert_eq!(separation(&[1.0, 3.0], &[2.0, 4.0]), None);
        assert_eq!(separation(&[1.0], &[1.0]), None);
        assert_eq!(separation(&[], &[1.0]), None);
    }

    /// Identical code, whatever its processes are like, is called different at most as often as the
    /// p-value says. The worst case are modes far apart, which would break any assumption about
    /// factors.
    #[test]
    fn identical_code_is_not_separated_more_often_than_the_p_value_says() {
        let mut random = ChaCha8Rng::seed_from_u64(15);
        let modes = |random: &mut ChaCha8Rng, share: f64| match random.random_bool(share) {
            true => 400.0,
            false => 1.0,
        };
        type Process = fn(&mut ChaCha8Rng, f64) -> f64;
        let kinds: [(&str, Process); 4] = [
            ("continuous", |r, _| r.random_range(0.5..2.0)),
            ("half in each mode", |r, _| r.random_range(0.9..1.1)),
            ("heavy tail", |r, _| 1.0 / r.random_range(1e-6..1.0_f64)),
            ("drift", |r, round| {
                1.5_f64.powf(round) * r.random_range(0.9..1.1)
            }),
        ];
        const RUNS: usize = 20_000;
        for n in [3, 4, 5] {
            for (kind, process) in kinds {
                let mut wrong = 0;
                for _ in 0..RUNS {
                    let mut side = || -> Vec<f64> {
                        let rounds = 0..n;
                        rounds
                            .map(|round| {
                                let mode = match kind {
                                    "half in each mode" => modes(&mut random, 0.5),
                                    _ => 1.0,
                                };
                                mode * process(&mut random, round as f64)
                            })
                            .collect()
                    };
                    let (base, head) = (side(), side());
                    wrong += usize::from(separation(&base, &head).is_some());
                }
                let rate = wrong as f64 / RUNS as f64;
                let p = p_separated(n);
                // Three standard errors of the simulation itself.
                let most = p + 3.0 * (p * (1.0 - p) / RUNS as f64).sqrt();
                assert!(rate <= most, "{kind}, {n} rounds: {rate} > {most}");
            }
        }
    }
}
