//! The simulations behind the choice of estimators: `cargo bench --bench estimators`.
//!
//! Prints the tables that `docs/statistics.md` quotes. Everything is seeded, so that everyone gets
//! the same numbers.

#![expect(clippy::print_stdout, reason = "a table for a person")]

use cargo_perfcheck::stats::{
    Estimate, TimedSamples, Weighted, paired_log_ratio, robust_location, unpaired_log_ratio,
    weighted_median,
};
use statrs::distribution::{ContinuousCDF, StudentsT};

#[path = "../src/stats/simulation/noise.rs"]
mod noise;

use noise::{Disturbance, Noise, Shape, SimulatedSide, Turns};

fn main() {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` runs benches to see whether they work; this one takes long there.
        println!("nothing done: start it with `cargo bench --bench estimators`");
        return;
    }
    within_rounds();
    over_rounds();
}

/// A function of a round's numbers, and its name in the tables.
type Named = (&'static str, fn(&[f64]) -> f64);

/// Locations of a round's comparisons, by name.
const LOCATIONS: [Named; 5] = [
    ("mean", mean),
    ("median", |v| weighted_median(&equal(v)).unwrap_or(f64::NAN)),
    ("trimmed 25 %", |v| trimmed(v, v.len() / 4)),
    ("Hodges-Lehmann", hodges_lehmann),
    ("biweight", |v| {
        robust_location(&equal(v)).unwrap_or(f64::NAN)
    }),
];

/// 95th percentile of the error of one round of 100 ms per side, in per cent.
fn within_rounds() {
    const TRIALS: usize = 2000;
    println!("error of one round, 95th percentile in %: identical code, 100 ms a side\n");
    print!("| disturbance |");
    for (name, _) in LOCATIONS {
        print!(" {name} |");
    }
    println!(" library | library, whole runs |\n|---|---|---|---|---|---|---|---|");
    for disturbance in Disturbance::ALL {
        let mut noise = Noise::seeded(1);
        let mut errors = vec![Vec::new(); LOCATIONS.len() + 2];
        for _ in 0..TRIALS {
            let (base, head) = noise.samples(disturbance, Turns::Blocks, 100, 0.0);
            let comparisons = neighbours(&base, &head);
            for (i, (_, location)) in LOCATIONS.iter().enumerate() {
                errors[i].push(location(&comparisons).abs());
            }
            let ours = paired_log_ratio(timed(&base), timed(&head));
            errors[LOCATIONS.len()].push(ours.map_or(f64::NAN, |r| r.ln_ratio.abs()));
            let (base, head) = noise.samples(disturbance, Turns::WholeRuns, 100, 0.0);
            let ours = unpaired_log_ratio(timed(&base), timed(&head));
            errors[LOCATIONS.len() + 1].push(ours.map_or(f64::NAN, |r| r.ln_ratio.abs()));
        }
        print!("| {disturbance:?} |");
        for mut column in errors {
            column.sort_by(f64::total_cmp);
            print!(" {:.3} |", 100.0 * column[TRIALS * 95 / 100]);
        }
        println!();
    }
    println!();
}

/// Interval methods by name: the two-sided p-value of zero.
const METHODS: [Named; 4] = [
    ("t", |v| Estimate::of(v).map_or(1.0, |e| unguarded(&e))),
    ("t, guarded", |v| {
        Estimate::of(v).map_or(1.0, |e| e.p_zero())
    }),
    ("t, trimmed 10 %", trimmed_t),
    ("signed rank", signed_rank),
];

/// False alarms at three levels, and power, by shape and number of rounds.
fn over_rounds() {
    const TRIALS: usize = 40_000;
    for (title, change) in [
        ("false alarms", 0.0),
        ("power at a change of 1.5 spreads", 1.5),
    ] {
        println!("{title}, in %, at the levels 1 % and 0.1 %\n");
        print!("| shape | rounds |");
        for (name, _) in METHODS {
            print!(" {name} |");
        }
        println!("\n|---|---|---|---|---|---|");
        for shape in Shape::ALL {
            for n in [4, 6, 9, 13, 20, 30] {
                let mut noise = Noise::seeded(2);
                let mut hits = [[0usize; 2]; METHODS.len()];
                for _ in 0..TRIALS {
                    let rounds = noise.rounds(shape, n, change, 1.0);
                    for (i, (_, p_value)) in METHODS.iter().enumerate() {
                        let p = p_value(&rounds);
                        hits[i][0] += usize::from(p <= 0.01);
                        hits[i][1] += usize::from(p <= 0.001);
                    }
                }
                print!("| {shape:?} | {n} |");
                for [one, tenth] in hits {
                    let share = |count: usize| 100.0 * count as f64 / TRIALS as f64;
                    print!(" {:.2} / {:.3} |", share(one), share(tenth));
                }
                println!();
            }
        }
        println!();
    }
}

fn equal(values: &[f64]) -> Vec<Weighted> {
    values
        .iter()
        .map(|&value| Weighted { value, weight: 1.0 })
        .collect()
}

fn timed(side: &SimulatedSide) -> TimedSamples<'_> {
    TimedSamples {
        iterations: &side.iterations,
        times: &side.times,
        starts: &side.starts,
        preempted: &side.preempted,
    }
}

/// Every block (two samples) against the mean of its neighbours.
fn neighbours(base: &SimulatedSide, head: &SimulatedSide) -> Vec<f64> {
    let level =
        |side: &SimulatedSide, i: usize| ((side.times[2 * i] + side.times[2 * i + 1]) / 2.0).ln();
    let blocks = base.times.len() / 2;
    let line: Vec<f64> = (0..blocks)
        .flat_map(|i| [level(base, i), level(head, i)])
        .collect();
    line.windows(3)
        .enumerate()
        .map(|(i, w)| {
            let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
            sign * (w[1] - (w[0] + w[2]) / 2.0)
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn trimmed(values: &[f64], cut: usize) -> f64 {
    let sorted = sorted(values);
    mean(&sorted[cut..sorted.len() - cut])
}

fn hodges_lehmann(values: &[f64]) -> f64 {
    let mut walsh = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (i, a) in values.iter().enumerate() {
        walsh.extend(values[i..].iter().map(|b| (a + b) / 2.0));
    }
    let middle = walsh.len() / 2;
    *walsh.select_nth_unstable_by(middle, f64::total_cmp).1
}

fn unguarded(e: &Estimate) -> f64 {
    StudentsT::new(0.0, 1.0, e.freedom)
        .map_or(1.0, |t| 2.0 * t.sf((e.ln_ratio / e.std_error).abs()))
}

/// Tukey and McLaughlin's one-sample t with a tenth trimmed at either end.
fn trimmed_t(values: &[f64]) -> f64 {
    let n = values.len();
    let cut = n / 10;
    let sorted = sorted(values);
    let winsorised: Vec<f64> = sorted
        .iter()
        .map(|v| v.clamp(sorted[cut], sorted[n - 1 - cut]))
        .collect();
    let centre = mean(&winsorised);
    let squares: f64 = winsorised.iter().map(|v| (v - centre).powi(2)).sum();
    let kept = (n - 2 * cut) as f64;
    let error = (squares / (kept - 1.0) / kept).sqrt();
    StudentsT::new(0.0, 1.0, kept - 1.0)
        .map_or(1.0, |t| 2.0 * t.sf((trimmed(values, cut) / error).abs()))
}

/// Wilcoxon's signed rank test, exact.
fn signed_rank(values: &[f64]) -> f64 {
    let n = values.len();
    let mut ranked = values.to_vec();
    ranked.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let positive: usize = ranked
        .iter()
        .enumerate()
        .filter(|(_, v)| **v > 0.0)
        .map(|(i, _)| i + 1)
        .sum();
    let total = n * (n + 1) / 2;
    let extreme = positive.min(total - positive);
    // How many of the 2^n choices of signs give each sum.
    let mut ways = vec![0.0f64; total + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=total).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let below: f64 = ways[..=extreme].iter().sum();
    (2.0 * below / 2f64.powi(n as i32)).min(1.0)
}
