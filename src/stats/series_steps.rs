//! Where the level of a series of absolute numbers changes.

use std::ops::Range;

use statrs::distribution::{ContinuousCDF, Normal};

use super::percentile;

/// A change of the level of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesStep {
    /// The place of the first number at the new level.
    pub at: usize,
    /// The median from the change before to this one.
    pub before: f64,
    /// The median from this change to the next one.
    pub after: f64,
}

/// Found changes are sought again with the others fixed at most so often.
const SWEEPS: usize = 4;

/// The places where the level changes, found with an error rate of `alpha` for the whole series.
///
/// Hypothesis: without a change, the numbers are exchangeable: independent and alike, of any distribution. Each place
/// between two changes is tested by the rank sum of what comes before it (Wilcoxon's test, normal approximation with the
/// correction for ties and for continuity). The best place wins, and pays for the search: its p-value must be at most
/// `alpha` ÷ places (Bonferroni). The parts on its sides are searched likewise. About 16 numbers are the fewest
/// that show a change at `alpha` = 5 %. Numbers that drift or depend on those before them, as those of a warm or a shared
/// machine do, look like changes: the test cannot tell the machine from the code.
///
/// Sources: Wilcoxon, "Individual Comparisons by Ranking Methods" (Biometrics Bulletin 1, 1945); Lehmann,
/// *Nonparametrics* (1975), chapter 1, for ties; Vostrikova, "Detecting Disorder in Multidimensional Random Processes"
/// (Soviet Mathematics Doklady 24, 1981), for the parts.
#[must_use]
pub fn series_steps(values: &[f64], alpha: f64) -> Vec<SeriesStep> {
    if values.is_empty() {
        return Vec::new();
    }
    let places = values.len() - 1;
    let limit = alpha / places.max(1) as f64;
    let mut found = Vec::new();
    let (start, end) = (0, values.len());
    let mut open = vec![Range { start, end }];
    while let Some(part) = open.pop() {
        if let Some(at) = best_split(values, part.clone(), limit) {
            found.push(at);
            open.extend([part.start..at, at..part.end]);
        }
    }
    found.sort_unstable();
    settle(&mut found, values, limit);
    steps_at(&found, values)
}

/// Seeks every change again between its neighbours, and drops what is none any more.
fn settle(found: &mut Vec<usize>, values: &[f64], limit: f64) {
    for _ in 0..SWEEPS {
        let before = found.clone();
        let mut nth = 0;
        while nth < found.len() {
            let start = nth.checked_sub(1).map_or(0, |previous| found[previous]);
            let end = found.get(nth + 1).copied().unwrap_or(values.len());
            match best_split(values, start..end, limit) {
                Some(at) => {
                    found[nth] = at;
                    nth += 1;
                }
                None => {
                    found.remove(nth);
                }
            }
        }
        if *found == before {
            return;
        }
    }
}

fn steps_at(found: &[usize], values: &[f64]) -> Vec<SeriesStep> {
    let ends: Vec<usize> = [0]
        .into_iter()
        .chain(found.iter().copied())
        .chain([values.len()])
        .collect();
    let medians: Vec<f64> = ends
        .windows(2)
        .map(|part| median(&values[part[0]..part[1]]))
        .collect();
    let steps = found.iter().zip(medians.windows(2));
    let steps = steps.map(|(at, level)| SeriesStep {
        at: *at,
        before: level[0],
        after: level[1],
    });
    steps.collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, 0.5)
}

/// The place within `part` before and after which the ranks differ most, if by more than chance.
fn best_split(values: &[f64], part: Range<usize>, limit: f64) -> Option<usize> {
    let ranked = Ranked::of(&values[part.clone()]);
    let mut sum = 0.0;
    let mut best: Option<(f64, usize)> = None;
    for (before, rank) in (1..ranked.ranks.len()).zip(&ranked.ranks) {
        sum += rank;
        let z = ranked.z(sum, before);
        if best.is_none_or(|(most, _)| z > most) {
            best = Some((z, part.start + before));
        }
    }
    let (z, at) = best?;
    (p_value(z) <= limit).then_some(at)
}

fn p_value(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z)).min(1.0)
}

/// Numbers by their ranks.
struct Ranked {
    /// From 1 on; equal numbers share the mean of theirs.
    ranks: Vec<f64>,
    /// What equal numbers take from the variance.
    ties: f64,
}

impl Ranked {
    fn of(values: &[f64]) -> Ranked {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let mut ranked = Ranked {
            ranks: vec![0.0; values.len()],
            ties: 0.0,
        };
        let mut first = 0;
        for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
            let count = equal.len() as f64;
            for at in equal {
                ranked.ranks[*at] = first as f64 + (count + 1.0) / 2.0;
            }
            ranked.ties += count.powi(3) - count;
            first += equal.len();
        }
        ranked
    }

    /// By how many standard deviations the rank sum of the first numbers is off, its sign apart.
    fn z(&self, sum: f64, before: usize) -> f64 {
        let (all, before) = (self.ranks.len() as f64, before as f64);
        let ties = self.ties / (all * (all - 1.0));
        let variance = before * (all - before) / 12.0 * (all + 1.0 - ties);
        let off = (sum - before * (all + 1.0) / 2.0).abs() - 0.5;
        match variance > 0.0 {
            true => off.max(0.0) / variance.sqrt(),
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::simulation::{Noise, Shape};

    #[test]
    fn the_test_of_a_place_agrees_with_scipy() {
        // scipy.stats.mannwhitneyu(x[:5], x[5:], method="asymptotic").pvalue
        let cases = [
            (
                [1.2, 1.1, 1.3, 1.2, 1.4, 1.9, 2.0, 1.8, 1.3, 2.2, 2.1],
                0.017_110_390_417,
            ),
            (
                [3.0, 3.0, 3.0, 4.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0, 5.0],
                0.055_172_931_792,
            ),
        ];
        for (values, expected) in cases {
            let ranked = Ranked::of(&values);
            let p = p_value(ranked.z(ranked.ranks[..5].iter().sum(), 5));
            assert!((p - expected).abs() < 1e-9, "{p}");
        }
    }

    fn steps_of(noise: &mut Noise, shape: Shape, levels: &[f64]) -> Vec<usize> {
        let values: Vec<f64> = levels
            .iter()
            .map(|level| (level + noise.level(shape)).exp())
            .collect();
        series_steps(&values, 0.05)
            .iter()
            .map(|step| step.at)
            .collect()
    }

    #[test]
    fn a_series_without_a_change_seldom_shows_one() {
        for shape in Shape::ALL {
            let noise = &mut Noise::seeded(7);
            let wrong = (0..600).filter(|_| !steps_of(noise, shape, &[0.0; 80]).is_empty());
            // An error rate of 5 % shows 43 or more with a probability of 1 %.
            assert!(wrong.count() < 43, "{shape:?}");
        }
    }

    #[test]
    fn changes_are_found_where_they_are() {
        let mut levels = vec![0.0; 120];
        levels[40..].iter_mut().for_each(|level| *level += 3.0);
        levels[90..].iter_mut().for_each(|level| *level -= 4.0);
        for shape in [Shape::Gaussian, Shape::HeavyTailed, Shape::Skewed] {
            let noise = &mut Noise::seeded(11);
            let near = |found: &[usize]| {
                found.len() == 2 && found[0].abs_diff(40) <= 2 && found[1].abs_diff(90) <= 2
            };
            let right = (0..200).filter(|_| near(&steps_of(noise, shape, &levels)));
            let right = right.count();
            assert!(right >= 180, "{shape:?}: {right}");
        }
    }

    #[test]
    fn a_step_has_the_medians_of_both_sides_and_few_numbers_show_none() {
        let level = |at: usize| if at < 10 { 100.0 } else { 110.0 };
        let values: Vec<f64> = (0..20).map(|at| level(at) + (at % 3) as f64).collect();
        let steps = series_steps(&values, 0.05);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert_eq!(
            (steps[0].at, steps[0].before, steps[0].after),
            (10, 101.0, 111.0)
        );
        assert_eq!(series_steps(&values[5..15], 0.05), []);
        assert_eq!(series_steps(&[], 0.05), []);
        assert_eq!(series_steps(&[1.0], 0.05), []);
        assert_eq!(series_steps(&[2.0; 50], 0.05), []);
    }

    proptest! {
        #[test]
        fn steps_stay_where_they_are_when_all_numbers_grow(
            values in proptest::collection::vec(1.0f64..100.0, 0..60),
            scale in 0.1f64..10.0,
        ) {
            let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
            let places = |values: &[f64]| -> Vec<usize> {
                series_steps(values, 0.05).iter().map(|step| step.at).collect()
            };
            prop_assert_eq!(places(&values), places(&scaled));
        }
    }
}
