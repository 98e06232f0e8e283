//! Many benchmarks, one error rate.

/// How many of `p_values` are rejected when the expected share of false rejections is limited to
/// `rate`: the largest R such that R of them are at most R·`rate`/m.
///
/// The rejected ones are those at most R·`rate`/m. Hypothesis: each p-value is valid on its own, and they
/// are independent or positively dependent in the sense of Benjamini and Yekutieli (a disturbance
/// that hits several benchmarks alike is of that kind). Where every null hypothesis is true, `rate` is the
/// chance of any rejection at all. `p_values` may hold fewer than `family` values (the rest could not
/// be tested; they count as 1). Intervals of the rejected at level 1 − R·`rate`/m miss their truth in
/// an expected share of at most `rate`.
///
/// Sources: Benjamini and Hochberg, "Controlling the False Discovery Rate" (JRSS B 57, 1995);
/// Benjamini and Yekutieli, "False Discovery Rate–Adjusted Multiple Confidence Intervals for
/// Selected Parameters" (JASA 100, 2005).
#[must_use]
pub fn step_up(p_values: &[f64], family: usize, rate: f64) -> usize {
    let mut sorted: Vec<f64> = p_values.iter().copied().filter(|p| !p.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let m = family.max(p_values.len()).max(1) as f64;
    sorted
        .iter()
        .enumerate()
        .rev()
        .find(|(i, p)| **p <= (i + 1) as f64 * rate / m)
        .map_or(0, |(i, _)| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_step_up_agrees_with_scipy() {
        // The example of Benjamini and Hochberg (1995), §4.1:
        // sum(scipy.stats.false_discovery_control(p) <= 0.05)
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        assert_eq!(step_up(&p, p.len(), 0.05), 4);
    }

    #[test]
    fn a_later_p_value_can_carry_an_earlier_one() {
        assert_eq!(step_up(&[0.04, 0.03], 2, 0.05), 2);
        assert_eq!(step_up(&[0.04, 0.06], 2, 0.05), 0);
        assert_eq!(step_up(&[], 0, 0.05), 0);
    }

    #[test]
    fn benchmarks_without_a_result_count_in_the_family() {
        assert_eq!(step_up(&[0.01], 1, 0.05), 1);
        assert_eq!(step_up(&[0.01], 10, 0.05), 0);
    }

    proptest! {
        #[test]
        fn rejections_lie_between_those_of_bonferroni_and_of_no_correction(
            p in prop::collection::vec(0.0..1.0f64, 1..40),
            rate in 0.001..0.2f64,
        ) {
            let rejected = step_up(&p, p.len(), rate);
            let below = |level: f64| p.iter().filter(|p| **p <= level).count();
            prop_assert!(rejected >= below(rate / p.len() as f64));
            prop_assert!(rejected <= below(rate));
            prop_assert_eq!(rejected, below(rejected as f64 * rate / p.len() as f64));
        }
    }
}
