//! What a calibration reports for known noise.

use super::*;

#[test]
fn calibration_measures_the_noise_that_is_there() {
    let mut noise = Noise::seeded(55);
    let mut runs: Vec<Vec<Comparison>> = (0..40)
        .map(|_| report(&mut noise, Shape::Gaussian, &[0.0; 2], 0.004))
        .collect();
    let calm = Calibration::of(&runs, &thresholds(), &sampling());
    assert_eq!((calm.repetitions, calm.benchmarks.len()), (40, 2));
    let (wrong, all) = calm.false_alarms();
    assert!(all == 80 && wrong <= 6, "{wrong} of {all}");
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
    let loud = [report(&mut noise, Shape::Gaussian, &[0.0], 0.03)];
    let advice = Calibration::of(&loud, &thresholds(), &sampling()).advice;
    assert!(advice[0].contains("`--time-per-benchmark "), "{advice:?}");
    let hopeless = [report(&mut noise, Shape::Gaussian, &[0.0], 0.2)];
    let advice = Calibration::of(&hopeless, &thresholds(), &sampling()).advice;
    assert!(advice[0].contains("`--threshold "), "{advice:?}");
    let none = Calibration::of(&[], &thresholds(), &sampling());
    assert_eq!(none.advice.len(), 1);
}
