//! By how much something grows, from its level at the ends of blocks.

/// The growth of each block per unit of work, from the level at the beginning and at the end of every block (one more than
/// there are blocks) and the work of each.
///
/// Levels of one process are a time series: memory is allocated in chunks, and what is kept for later stays. A regression
/// over single samples would take them as independent, and find a slope in every random walk. So the series is cut into few
/// long blocks, and the mean of their growth is tested with Student's t over blocks ([`Estimate`](super::Estimate)), of one
/// side, or of the differences of both sides block by block, which removes what both share.
///
/// Hypothesis: the growth of blocks is not far from Gaussian, or symmetric about the true one (which the difference of two
/// sides with the same code is), and blocks are long against the memory of the series; their spreads may differ. Where the
/// level is stationary around a line, neighbouring blocks share an end, and the test is conservative. Valid from 2 blocks
/// on; at levels up to 8 %.
///
/// Source: Ibragimov and Müller, "t-Statistic Based Correlation and Heterogeneity Robust Inference" (Journal of Business &
/// Economic Statistics 28, 2010).
#[must_use]
pub fn block_growth(levels: &[f64], work: &[f64]) -> Vec<f64> {
    let steps = levels.windows(2).zip(work);
    let worked = steps.filter(|(_, work)| **work > 0.0);
    worked
        .map(|(ends, work)| (ends[1] - ends[0]) / work)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;
    use crate::stats::simulation::{Noise, at_most};

    const BLOCKS: usize = 12;
    const STEPS: usize = 50;
    const TRIALS: usize = 4000;

    /// A series of levels at the ends of blocks, each of many steps.
    fn levels(mut level: impl FnMut() -> f64) -> Vec<f64> {
        let mut ends = vec![level()];
        for _ in 0..BLOCKS {
            let steps: Vec<f64> = (0..STEPS).map(|_| level()).collect();
            ends.push(steps[STEPS - 1]);
        }
        ends
    }

    /// The ways in which a level moves that has no trend of its own.
    fn series(kind: usize, noise: &mut Noise) -> Vec<f64> {
        let mut level = 0.0;
        let mut memory = 0.0;
        match kind {
            // Stationary, without and with memory.
            0 => levels(|| noise.gaussian()),
            1 => levels(|| {
                level = 0.95 * level + noise.gaussian();
                level
            }),
            // A random walk, and one whose steps resemble those before them.
            2 => levels(|| {
                level += noise.gaussian();
                level
            }),
            3 => levels(|| {
                memory = 0.8 * memory + noise.gaussian();
                level += memory;
                level
            }),
            // Rare large steps upwards, as of tables that double.
            _ => levels(|| {
                level += if noise.uniform() < 0.005 { 100.0 } else { 0.0 };
                level
            }),
        }
    }

    fn difference(base: &[f64], head: &[f64]) -> Estimate {
        let work = [STEPS as f64; BLOCKS];
        let (base, head) = (block_growth(base, &work), block_growth(head, &work));
        let differences: Vec<f64> = head
            .iter()
            .zip(&base)
            .map(|(head, base)| head - base)
            .collect();
        Estimate::of(&differences).unwrap()
    }

    #[test]
    fn growth_is_per_unit_of_work_and_blocks_without_any_do_not_count() {
        let growth = block_growth(&[100.0, 300.0, 300.0, 200.0], &[100.0, 0.0, 50.0]);
        assert_eq!(growth, [2.0, -2.0]);
        assert!(block_growth(&[5.0], &[]).is_empty());
    }

    #[test]
    fn equal_sides_are_seldom_told_apart_however_their_memory_moves() {
        for kind in 0..5 {
            let mut noise = Noise::seeded(11 + kind as u64);
            let alarms = (0..TRIALS)
                .filter(|_| {
                    let (base, head) = (series(kind, &mut noise), series(kind, &mut noise));
                    difference(&base, &head).p_zero() <= 0.05
                })
                .count();
            // Steps that resemble those before them for a tenth of a block cost a little.
            let permitted = if kind == 3 { 0.065 } else { 0.05 };
            assert!(alarms <= at_most(TRIALS, permitted), "{kind} {alarms}");
        }
    }

    #[test]
    fn a_regression_over_single_samples_would_find_a_slope_in_a_random_walk() {
        let mut noise = Noise::seeded(5);
        let alarms = (0..500)
            .filter(|_| {
                let mut level = 0.0;
                let samples: Vec<f64> = (0..200)
                    .map(|_| {
                        level += noise.gaussian();
                        level
                    })
                    .collect();
                slope_over_error(&samples).abs() > 1.97
            })
            .count();
        assert!(alarms > 350, "{alarms}");
    }

    /// The t statistic of ordinary least squares against time.
    fn slope_over_error(samples: &[f64]) -> f64 {
        let n = samples.len() as f64;
        let (mid, mean) = ((n - 1.0) / 2.0, samples.iter().sum::<f64>() / n);
        let times = (0..samples.len()).map(|at| at as f64 - mid);
        let spread: f64 = times.clone().map(|time| time * time).sum();
        let slope = times
            .clone()
            .zip(samples)
            .map(|(time, y)| time * y)
            .sum::<f64>()
            / spread;
        let rest: f64 = times
            .zip(samples)
            .map(|(time, y)| (y - mean - slope * time).powi(2))
            .sum();
        slope / (rest / (n - 2.0) / spread).sqrt()
    }

    #[test]
    fn a_leak_is_found_in_a_walk_and_its_interval_covers_it() {
        let mut noise = Noise::seeded(9);
        let (mut found, mut covered) = (0, 0);
        for _ in 0..1000 {
            let base = series(2, &mut noise);
            let mut head = series(2, &mut noise);
            for (at, level) in head.iter_mut().enumerate() {
                *level += 0.5 * (at * STEPS) as f64;
            }
            let estimate = difference(&base, &head);
            found += usize::from(estimate.p_zero() <= 0.05 && estimate.ln_ratio > 0.0);
            let interval = estimate.interval(0.05);
            covered += usize::from((interval.lower..=interval.upper).contains(&0.5));
        }
        assert!(found > 990, "{found}");
        assert!(covered > 930, "{covered}");
    }
}
