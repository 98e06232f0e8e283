//! Whole reports with known truth: what the analysis promises for many benchmarks together.

mod allocations;
mod calibration;
mod means;
mod recorded;
mod slow_processes;

use super::tests::{discovery, measured, sampling, thresholds};
use super::*;
use crate::discover::{Identity, Presence};
use crate::measure::{Measured, Pairing, Round, Samples};
use crate::stats::simulation::{Disturbed, Noise, Order, Shape, Turns, at_most};
use crate::stats::unseen_mode;
use crate::units::{Metric, MetricGroup, Paired, Ratio, Side};

/// A round of one sample a side, whose log ratio is `ln_ratio`. `stats::simulation` simulates how
/// samples make a log ratio; here many reports are needed.
fn round_of(index: usize, ln_ratio: f64) -> Round {
    let sample = |ln_time: f64, start| Samples {
        iterations: vec![1],
        times: vec![1e6 * ln_time.exp()],
        starts: vec![start],
        preempted: Vec::new(),
    };
    Round {
        index,
        first: Side::Base,
        pairing: Pairing::Sample,
        samples: Paired::new(sample(0.0, 0), sample(ln_ratio, 1_000_000)),
    }
}

/// Measures one benchmark as the scheduler does: round by round until it is settled.
fn measure(
    noise: &mut Noise,
    rule: &Settling,
    id: &str,
    mut draw: impl FnMut(&mut Noise) -> f64,
) -> Measured {
    let mut so_far = measured(id, Vec::new());
    loop {
        let round = round_of(so_far.rounds.len(), draw(noise));
        so_far.rounds.push(round);
        if rule.settle(&so_far).is_some() {
            return so_far;
        }
    }
}

/// A report over this many benchmarks; `start` returns a function that draws the log ratios of the i-th.
fn report_of<D: FnMut(&mut Noise) -> f64>(
    noise: &mut Noise,
    benchmarks: usize,
    start: impl Fn(usize) -> D,
) -> Vec<Comparison> {
    let (thresholds, mut sampling) = (thresholds(), sampling());
    sampling.rounds = 20;
    let names: Vec<String> = (0..benchmarks).map(|i| format!("b{i}")).collect();
    let presence: Vec<(&str, Presence)> = names
        .iter()
        .map(|n| (n.as_str(), Presence::Common))
        .collect();
    let found = discovery(Identity::Different(String::new()), &presence);
    let rule = Settling::plan(&thresholds, &sampling, benchmarks);
    let all = names
        .iter()
        .enumerate()
        .map(|(i, name)| measure(noise, &rule, name, start(i)))
        .collect();
    compare(&found, all, &thresholds, &sampling)
}

/// A report over benchmarks whose true log ratios are `changes` and whose rounds have spread
/// `spread`.
fn report(noise: &mut Noise, shape: Shape, changes: &[f64], spread: f64) -> Vec<Comparison> {
    report_of(noise, changes.len(), |i| {
        move |noise: &mut Noise| noise.round(shape, changes[i], spread)
    })
}

/// Something that a report says about a benchmark.
struct Claim {
    benchmark: usize,
    says: Option<Direction>,
}

impl Claim {
    fn is_true(&self, changes: &[f64]) -> bool {
        let change = changes[self.benchmark];
        match self.says {
            Some(Direction::More) => change > 0.0,
            Some(Direction::Fewer) => change < 0.0,
            Some(Direction::Same) | None => true,
        }
    }
}

/// The benchmarks that are called slower or faster.
fn accused(report: &[Comparison]) -> Vec<Claim> {
    claims(report, |comparison| match comparison.verdict {
        Verdict::Slower => Some(Direction::More),
        Verdict::Faster => Some(Direction::Fewer),
        _ => None,
    })
}

/// The benchmarks that the report calls different, by any amount.
fn different(report: &[Comparison]) -> Vec<Claim> {
    claims(report, |comparison| {
        comparison.time().and_then(|time| time.direction)
    })
}

fn claims(report: &[Comparison], says: impl Fn(&Comparison) -> Option<Direction>) -> Vec<Claim> {
    report
        .iter()
        .map(says)
        .enumerate()
        .map(|(benchmark, says)| Claim { benchmark, says })
        .filter(|claim| claim.says.is_some())
        .collect()
}

fn share(part: usize, all: usize) -> f64 {
    part as f64 / all.max(1) as f64
}

/// The highest plausible mean of `values` if their expectation is `promised`: four standard errors above it.
fn at_most_on_average(values: &[f64], promised: f64) -> f64 {
    let n = values.len() as f64;
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    promised + 4.0 * (squares / (n - 1.0) / n).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The error rate that the reports promise if nothing changed, as in [`thresholds`].
const ERROR: f64 = 0.05;

#[test]
fn a_report_about_unchanged_code_accuses_nothing_more_often_than_it_says() {
    let trials = 40;
    for shape in Shape::ALL {
        // From quiet benchmarks, through those that are found unchanged only at the last look, to those that vary
        // by ten thresholds from round to round.
        for spread in [0.003, 0.012, 0.1] {
            let mut noise = Noise::seeded(51);
            let (mut alarms, mut differences) = (0, 0);
            for _ in 0..trials {
                let report = report(&mut noise, shape, &[0.0; 40], spread);
                alarms += usize::from(!accused(&report).is_empty());
                differences += usize::from(!different(&report).is_empty());
            }
            let limit = at_most(trials, ERROR);
            assert!(
                alarms <= limit && differences <= limit,
                "{shape:?} {spread}: {alarms} accused, {differences} differ, of {trials}"
            );
        }
    }
}

/// Twelve benchmarks, as many as there are disturbances and ways to take turns.
fn report_on_disturbed_machine(
    noise: &mut Noise,
    changes: &[f64],
    (shape, spread): (Shape, f64),
) -> Vec<Comparison> {
    report_of(noise, changes.len(), |i| {
        let mut rounds = Disturbed::all()[i].rounds(Order::Drawn);
        move |noise: &mut Noise| rounds.draw(noise, shape, changes[i], spread)
    })
}

#[test]
fn a_report_about_a_disturbed_machine_accuses_nothing_more_often_than_it_says() {
    let trials = 100;
    for level in [(Shape::Gaussian, 0.0025), (Shape::Skewed, 0.028)] {
        let mut noise = Noise::seeded(57);
        let (mut alarms, mut differences) = (0, 0);
        for _ in 0..trials {
            let report = report_on_disturbed_machine(&mut noise, &[0.0; 12], level);
            alarms += usize::from(!accused(&report).is_empty());
            differences += usize::from(!different(&report).is_empty());
        }
        let limit = at_most(trials, ERROR);
        assert!(
            alarms <= limit && differences <= limit,
            "{level:?}: {alarms} accused, {differences} differ, of {trials}"
        );
    }
}

#[test]
fn a_report_about_a_disturbed_machine_finds_what_was_planted() {
    let trials = 40;
    // On one in three of those that take turns, and on none of those that do not.
    let planted = |i: usize| Disturbed::all()[i].turns == Turns::Blocks && i.is_multiple_of(3);
    let changes: Vec<f64> = (0..12)
        .map(|i| if planted(i) { 0.03 } else { 0.0 })
        .collect();
    let mut noise = Noise::seeded(58);
    let (mut wrong, mut hits) = (Vec::new(), 0);
    for _ in 0..trials {
        let report = report_on_disturbed_machine(&mut noise, &changes, (Shape::Gaussian, 0.0025));
        let named = accused(&report);
        let right = named.iter().filter(|c| c.is_true(&changes)).count();
        wrong.push(share(named.len() - right, named.len()));
        hits += right;
    }
    assert!(mean(&wrong) <= at_most_on_average(&wrong, ERROR));
    let all = trials * (0..12).filter(|i| planted(*i)).count();
    assert!(hits * 100 >= all * 98, "{hits} of {all}");
}

#[test]
fn accusations_are_true_and_planted_changes_are_found() {
    let mut changes = [0.0; 30];
    (changes[3], changes[11], changes[17]) = (0.05, -0.08, 0.02);
    // Twenty-seven chances to be wrong and three to be right, with noise in which a single test at 95 % would be
    // wrong about one of them in nearly every report.
    let mut large = [0.0; 30];
    (large[3], large[11], large[17]) = (0.5, -0.6, 0.3);
    let trials = 50;
    for shape in Shape::ALL {
        for (changes, spread) in [(&changes, 0.003), (&large, 0.05), (&large, 0.1)] {
            let mut noise = Noise::seeded(52);
            let mut wrong: [Vec<f64>; 2] = Default::default();
            let mut hits = 0;
            for _ in 0..trials {
                let report = report(&mut noise, shape, changes, spread);
                for (claims, wrong) in [accused(&report), different(&report)]
                    .iter()
                    .zip(&mut wrong)
                {
                    let right = claims.iter().filter(|c| c.is_true(changes)).count();
                    wrong.push(share(claims.len() - right, claims.len()));
                }
                hits += accused(&report)
                    .iter()
                    .filter(|c| c.is_true(changes))
                    .count();
            }
            for wrong in &wrong {
                let rate = mean(wrong);
                let limit = at_most_on_average(wrong, ERROR);
                assert!(rate <= limit, "{shape:?} {spread}: {rate} > {limit}");
            }
            assert!(hits * 10 >= 3 * trials * 9, "{shape:?} {spread}: {hits}");
        }
    }
}

#[test]
fn intervals_of_the_accused_cover_their_truth() {
    // So small compared with the noise that few are accused, and those by chance: at the level of a
    // single benchmark, about half of their intervals would lie wholly beyond the truth.
    let mut changes = [0.024; 20];
    changes[10..].fill(-0.024);
    let mut missed_by_all = Vec::new();
    let mut found = 0;
    for shape in Shape::ALL {
        let mut noise = Noise::seeded(53);
        let mut missed = Vec::new();
        for _ in 0..120 {
            let report = report(&mut noise, shape, &changes, 0.05);
            let accused = accused(&report);
            let misses = accused
                .iter()
                .filter(|claim| {
                    let change = report[claim.benchmark].estimate().unwrap();
                    let truth = changes[claim.benchmark];
                    !(change.lower.ln()..=change.upper.ln()).contains(&truth)
                })
                .count();
            missed.push(share(misses, accused.len()));
            found += accused.len();
        }
        let rate = mean(&missed);
        let limit = at_most_on_average(&missed, ERROR);
        assert!(rate <= limit, "{shape:?}: {rate} > {limit}");
        missed_by_all.extend(missed);
    }
    assert!(found > 200, "{found}");
    let rate = mean(&missed_by_all);
    let limit = at_most_on_average(&missed_by_all, ERROR);
    assert!(rate <= limit, "{rate} > {limit}");
}

#[test]
fn quiet_benchmarks_settle_long_before_the_last_round() {
    let mut noise = Noise::seeded(54);
    let report = report(&mut noise, Shape::Gaussian, &[0.0; 40], 0.002);
    let rounds: usize = report.iter().map(|c| c.time().unwrap().rounds.len()).sum();
    assert!(rounds <= 40 * 9, "{rounds}");
    assert!(report.iter().all(|c| c.verdict == Verdict::Unchanged));
}
