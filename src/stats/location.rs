//! Where the bulk of weighted values lies.

/// A value and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The value.
    pub value: f64,
    /// Its weight; above zero.
    pub weight: f64,
}

/// The weighted median: half of the weight lies on either side; halfway between two values where
/// the weight splits evenly between them.
///
/// Valid for n ≥ 1; `None` where no weight is above zero. Equal weights give the usual median.
#[must_use]
pub fn weighted_median(values: &[Weighted]) -> Option<f64> {
    let mut sorted: Vec<Weighted> = usable(values).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let half = sorted.iter().map(|v| v.weight).sum::<f64>() / 2.0;
    let mut before = 0.0;
    for (i, v) in sorted.iter().enumerate() {
        before += v.weight;
        if (before - half).abs() <= half * 1e-12 && i + 1 < sorted.len() {
            return Some((v.value + sorted[i + 1].value) / 2.0);
        }
        if before > half {
            return Some(v.value);
        }
    }
    sorted.last().map(|v| v.value)
}

/// Tukey's biweight: an average in which a value counts less the farther it lies from the bulk, and
/// not at all beyond [`CUTOFF`] robust standard deviations.
///
/// Estimates the centre of a symmetric distribution, in the unit of the values; with skewed values,
/// the centre of their bulk. 95 % as efficient as the mean on Gaussian values, and unmoved by fewer
/// than half of the weight placed anywhere. Valid for n ≥ 1 (n ≤ 2 give the weighted mean);
/// `None` where no weight is above zero. Where more than half of the weight is on one value, that
/// value.
///
/// Source: Beaton and Tukey, "The Fitting of Power Series, Meaning Polynomials, Illustrated on
/// Band-Spectroscopic Data" (Technometrics 16, 1974); Maronna, Martin and Yohai, *Robust Statistics*
/// (2006), §2.2.
#[must_use]
pub fn robust_location(values: &[Weighted]) -> Option<f64> {
    let usable: Vec<Weighted> = usable(values).collect();
    if usable.len() <= 2 {
        return weighted_mean(&usable, |_| 1.0);
    }
    let start = weighted_median(&usable)?;
    let distances: Vec<Weighted> = usable
        .iter()
        .map(|v| Weighted {
            value: (v.value - start).abs(),
            ..*v
        })
        .collect();
    // 1.4826 makes the median distance the standard deviation of Gaussian values.
    let scale = 1.4826 * weighted_median(&distances)?;
    if scale <= 0.0 {
        return Some(start);
    }
    let mut centre = start;
    for _ in 0..STEPS {
        let next = weighted_mean(&usable, |v| {
            let u = (v - centre) / (CUTOFF * scale);
            if u.abs() < 1.0 {
                (1.0 - u * u).powi(2)
            } else {
                0.0
            }
        })?;
        let moved = (next - centre).abs();
        centre = next;
        if moved <= scale * 1e-9 {
            break;
        }
    }
    Some(centre)
}

/// Robust standard deviations beyond which a value does not count: 95 % efficiency on Gaussian
/// values.
const CUTOFF: f64 = 4.685;

/// Each iteration shrinks the step about tenfold; this many exhaust double precision.
const STEPS: usize = 30;

fn usable(values: &[Weighted]) -> impl Iterator<Item = Weighted> + '_ {
    values
        .iter()
        .copied()
        .filter(|v| v.value.is_finite() && v.weight.is_finite() && v.weight > 0.0)
}

fn weighted_mean(values: &[Weighted], factor: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for v in values {
        let weight = v.weight * factor(v.value);
        sum += weight * v.value;
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn equal(values: &[f64]) -> Vec<Weighted> {
        values
            .iter()
            .map(|&value| Weighted { value, weight: 1.0 })
            .collect()
    }

    #[test]
    fn the_median_of_equal_weights_is_the_usual_median() {
        assert_eq!(weighted_median(&equal(&[3.0, 1.0, 2.0])), Some(2.0));
        assert_eq!(weighted_median(&equal(&[4.0, 1.0, 2.0, 3.0])), Some(2.5));
        assert_eq!(weighted_median(&[]), None);
    }

    #[test]
    fn a_weight_of_two_counts_like_the_value_twice() {
        let mut values = equal(&[1.0, 2.0, 5.0, 9.0]);
        values[3].weight = 2.0;
        assert_eq!(
            weighted_median(&values),
            weighted_median(&equal(&[1.0, 2.0, 5.0, 9.0, 9.0]))
        );
    }

    #[test]
    fn far_values_do_not_move_the_location() {
        let bulk = [10.1, 9.9, 10.0, 10.2, 9.8, 10.05, 9.95];
        let mut values = equal(&bulk);
        let clean = robust_location(&values).unwrap();
        values.extend(equal(&[50.0, 80.0, 1000.0]));
        let dirty = robust_location(&values).unwrap();
        assert!((clean - 10.0).abs() < 1e-6, "{clean}");
        assert!((dirty - clean).abs() < 0.05, "{dirty}");
    }

    proptest! {
        #[test]
        fn location_follows_shift_and_scale_and_sign(
            values in prop::collection::vec((-100.0..100.0f64, 0.1..10.0f64), 1..40),
            shift in -50.0..50.0f64,
            scale in 0.01..50.0f64,
        ) {
            let plain: Vec<Weighted> =
                values.iter().map(|&(value, weight)| Weighted { value, weight }).collect();
            let moved: Vec<Weighted> = plain
                .iter()
                .map(|v| Weighted { value: v.value * scale + shift, ..*v })
                .collect();
            let negated: Vec<Weighted> =
                plain.iter().map(|v| Weighted { value: -v.value, ..*v }).collect();
            let at = robust_location(&plain).unwrap();
            prop_assert!((robust_location(&moved).unwrap() - (at * scale + shift)).abs() < 1e-5 * scale.max(1.0));
            prop_assert!((robust_location(&negated).unwrap() + at).abs() < 1e-6);
        }
    }
}
