//! Whole reports with known truth: what the analysis promises of many benchmarks together.

use super::tests::{discovery, measured, round_of, sampling, thresholds};
use super::*;
use crate::discover::{Identity, Presence};
use crate::measure::Round;
use crate::stats::simulation::{Noise, Shape};

/// Measures one benchmark as the scheduler does: round by round until it is settled.
fn measure(
    noise: &mut Noise,
    rule: &Settling,
    id: &str,
    draw: impl Fn(&mut Noise) -> f64,
) -> crate::measure::Measured {
    let mut rounds: Vec<Round> = Vec::new();
    loop {
        let change = draw(noise).exp() - 1.0;
        rounds.push(round_of(rounds.len(), change));
        let so_far = measured(id, rounds.clone());
        if rule.settle(&so_far).is_some() {
            return so_far;
        }
    }
}

/// A report over benchmarks whose true log ratios are `changes` and whose rounds have spread
/// `spread`.
fn report(noise: &mut Noise, shape: Shape, changes: &[f64], spread: f64) -> Vec<Comparison> {
    let (thresholds, mut sampling) = (thresholds(), sampling());
    sampling.rounds = 20;
    let names: Vec<String> = (0..changes.len()).map(|i| format!("b{i}")).collect();
    let presence: Vec<(&str, Presence)> = names
        .iter()
        .map(|n| (n.as_str(), Presence::Common))
        .collect();
    let found = discovery(Identity::Different(String::new()), &presence);
    let rule = Settling::plan(&thresholds, &sampling, changes.len());
    let all = names
        .iter()
        .zip(changes)
        .map(|(name, change)| {
            measure(noise, &rule, name, |noise| {
                noise.round(shape, *change, spread)
            })
        })
        .collect();
    compare(&found, all, &thresholds, &sampling)
}

fn accused(report: &[Comparison]) -> impl Iterator<Item = usize> + '_ {
    report
        .iter()
        .enumerate()
        .filter(|(_, c)| matches!(c.verdict, Verdict::Slower | Verdict::Faster))
        .map(|(i, _)| i)
}

#[test]
fn a_report_about_unchanged_code_accuses_nothing_more_often_than_it_says() {
    let trials = 120;
    for shape in Shape::ALL {
        // From quiet benchmarks to such that move by ten thresholds from round to round.
        for spread in [0.003, 0.02, 0.1] {
            let mut noise = Noise::seeded(51);
            let alarms = (0..trials)
                .filter(|_| {
                    let report = report(&mut noise, shape, &[0.0; 12], spread);
                    accused(&report).next().is_some()
                })
                .count();
            // 5 % of 120 reports are 6; 4 standard deviations more are 15.
            assert!(alarms <= 15, "{shape:?} {spread}: {alarms} of {trials}");
        }
    }
}

#[test]
fn accusations_are_true_and_planted_changes_are_found() {
    let mut changes = [0.0; 20];
    (changes[3], changes[11], changes[17]) = (0.05, -0.08, 0.02);
    let trials = 60;
    for shape in Shape::ALL {
        let mut noise = Noise::seeded(52);
        let (mut wrong, mut all, mut hits) = (0.0, 0, 0);
        for _ in 0..trials {
            let report = report(&mut noise, shape, &changes, 0.003);
            let named: Vec<usize> = accused(&report).collect();
            let false_ones = named.iter().filter(|i| changes[**i] == 0.0).count();
            wrong += false_ones as f64 / named.len().max(1) as f64;
            all += named.len();
            hits += named.len() - false_ones;
        }
        let rate = wrong / f64::from(trials);
        assert!(rate <= 0.08, "{shape:?}: {rate}");
        assert!(
            hits >= 3 * trials as usize * 9 / 10,
            "{shape:?}: {hits} of {all}"
        );
    }
}

#[test]
fn intervals_of_the_accused_cover_their_truth() {
    let mut changes = [0.0; 20];
    changes[..6].copy_from_slice(&[0.03, 0.03, 0.03, -0.03, 0.04, 0.05]);
    let mut noise = Noise::seeded(53);
    let (mut missed, mut all) = (0, 0);
    for _ in 0..60 {
        for (comparison, truth) in report(&mut noise, Shape::Gaussian, &changes, 0.006)
            .iter()
            .zip(changes)
            .filter(|(c, _)| matches!(c.verdict, Verdict::Slower | Verdict::Faster))
        {
            let change = comparison.time.as_ref().unwrap().change.unwrap();
            all += 1;
            missed += usize::from(!(change.lower.ln()..=change.upper.ln()).contains(&truth));
        }
    }
    assert!(all > 200, "{all}");
    assert!(missed as f64 <= 0.07 * all as f64, "{missed} of {all}");
}

#[test]
fn quiet_benchmarks_settle_long_before_the_last_round() {
    let mut noise = Noise::seeded(54);
    let report = report(&mut noise, Shape::Gaussian, &[0.0; 40], 0.002);
    let rounds: usize = report
        .iter()
        .map(|c| c.time.as_ref().unwrap().rounds.len())
        .sum();
    assert!(rounds <= 40 * 9, "{rounds}");
    assert!(report.iter().all(|c| c.verdict == Verdict::Unchanged));
}

#[test]
fn calibration_measures_the_noise_that_is_there() {
    let mut noise = Noise::seeded(55);
    let mut runs: Vec<Vec<Comparison>> = (0..40)
        .map(|_| report(&mut noise, Shape::Gaussian, &[0.0; 2], 0.004))
        .collect();
    let calm = Calibration::of(&runs, &thresholds(), &sampling());
    assert_eq!((calm.repetitions, calm.benchmarks.len()), (40, 2));
    assert!(calm.false_alarm_rate() <= 0.08);
    for b in &calm.benchmarks {
        assert!((0.0035..0.0045).contains(&b.round_spread), "{b:?}");
        assert!(b.noise_floor < 0.006 && b.detectable < 0.02, "{b:?}");
        assert_eq!((b.comparisons, b.found), (40, None));
    }

    runs = (0..20)
        .map(|_| report(&mut noise, Shape::Gaussian, &[0.02; 2], 0.004))
        .collect();
    let mut injecting = sampling();
    injecting.inject = Some(Ratio::from_ln(0.02));
    let power = Calibration::of(&runs, &thresholds(), &injecting);
    assert!(
        power.benchmarks.iter().all(|b| b.found >= Some(19)),
        "{power:?}"
    );
    assert!(power.benchmarks.iter().all(|b| b.noise_floor < 0.006));
}

#[test]
fn calibration_advises_a_budget_or_a_threshold() {
    let mut noise = Noise::seeded(56);
    let quiet = [report(&mut noise, Shape::Gaussian, &[0.0], 0.001)];
    let advice = Calibration::of(&quiet, &thresholds(), &sampling()).advice;
    assert!(advice[0].starts_with("the budget suffices"), "{advice:?}");
    let loud = [report(&mut noise, Shape::Gaussian, &[0.0], 0.012)];
    let advice = Calibration::of(&loud, &thresholds(), &sampling()).advice;
    assert!(advice[0].contains("`--time-per-benchmark "), "{advice:?}");
    let hopeless = [report(&mut noise, Shape::Gaussian, &[0.0], 0.2)];
    let advice = Calibration::of(&hopeless, &thresholds(), &sampling()).advice;
    assert!(advice[0].contains("`--threshold "), "{advice:?}");
    let none = Calibration::of(&[], &thresholds(), &sampling());
    assert_eq!(none.advice.len(), 1);
}
