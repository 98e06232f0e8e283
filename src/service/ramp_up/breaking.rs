//! When a side has broken. Pure: it sees what came of a step.

use crate::load_generator::{LoadOutcome, NotUsable, Percentile};
use crate::plan::RampUpSettings;

use super::{BreakReason, RampUpStep};

/// As many requests may be missing from what is achieved before any share of it counts: those under way.
const UNDER_WAY: f64 = 2.0;

/// A generator that itself used more than this share of a processor may be what broke.
const MOST_OF_PROCESSOR: f64 = 0.6;

/// What a step at `rate`, judged by a percentile of its latency, shows, or why it shows nothing of the server.
///
/// # Errors
/// The server seems to have broken, but it may have been the generator.
pub(super) fn step(
    outcome: &LoadOutcome,
    rate: f64,
    percentile: Percentile,
    settings: &RampUpSettings,
) -> Result<RampUpStep, NotUsable> {
    let offered = rate * outcome.seconds;
    let completed = outcome.completed as f64;
    let counted = outcome.counted();
    let errors = outcome.failed() as f64 / counted.max(1) as f64;
    let latency = outcome.latency.map(|all| all.at(percentile));
    let mut broken = Vec::new();
    if errors > settings.errors.as_fraction() {
        broken.push(BreakReason::Errors);
    }
    if completed + UNDER_WAY < settings.achieved.as_fraction() * offered {
        broken.push(BreakReason::Behind);
    }
    // No answer at all is an error, or behind.
    if latency.is_some_and(|latency| latency > settings.p99.as_nanos() as f64) {
        broken.push(BreakReason::Slow);
    }
    match outcome.not_usable {
        // What holds in spite of the generator holds.
        Some(not_usable @ NotUsable::Saturated { .. }) if !broken.is_empty() => {
            // It mostly waited for a processor, so the generator alone did not use them all.
            if outcome.generator.processor_seconds > MOST_OF_PROCESSOR * outcome.seconds {
                return Err(not_usable);
            }
            broken.push(BreakReason::Processors);
        }
        // Lag makes latencies longer, and keeps nobody from answering.
        Some(not_usable @ NotUsable::Lagged { .. }) if broken == [BreakReason::Slow] => {
            return Err(not_usable);
        }
        _ => {}
    }
    Ok(RampUpStep {
        rate,
        achieved: completed / outcome.seconds,
        percentile,
        latency_ns: latency,
        errors,
        broken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_generator::{Distribution, GeneratorUse, RequestError, RequestErrorKind};
    use crate::service::tests::turn;

    /// A second in which requests took so many milliseconds.
    fn outcome(answered: u64, completed: u64, millis: f64) -> LoadOutcome {
        let time = millis * 1e6;
        LoadOutcome {
            answered,
            completed,
            latency: (answered > 0).then_some(Distribution {
                count: answered,
                mean: time,
                p50: time / 10.0,
                p90: time / 4.0,
                p95: time / 2.0,
                p99: time,
                p999: time,
                max: time,
            }),
            ..turn(answered)
        }
    }

    fn broken(outcome: &LoadOutcome, rate: f64) -> Vec<BreakReason> {
        broken_by(Percentile::P99, outcome, rate)
    }

    fn broken_by(percentile: Percentile, outcome: &LoadOutcome, rate: f64) -> Vec<BreakReason> {
        let settings = RampUpSettings::default();
        step(outcome, rate, percentile, &settings).unwrap().broken
    }

    #[test]
    fn a_side_breaks_by_latency_by_errors_and_by_falling_behind() {
        assert_eq!(broken(&outcome(2000, 1990, 50.0), 2000.0), []);
        assert_eq!(
            broken(&outcome(2000, 1990, 101.0), 2000.0),
            [BreakReason::Slow]
        );
        assert_eq!(
            broken(&outcome(2000, 1890, 50.0), 2000.0),
            [BreakReason::Behind]
        );
        let mut failing = outcome(1960, 1960, 50.0);
        failing.errors.push(RequestError {
            kind: RequestErrorKind::Status,
            count: 40,
            example: "GET /: status 503 instead of 200".to_owned(),
        });
        assert_eq!(broken(&failing, 2000.0), [BreakReason::Errors]);
        assert_eq!(broken(&outcome(0, 0, 0.0), 2000.0), [BreakReason::Behind]);
    }

    #[test]
    fn the_percentile_that_was_chosen_decides_and_one_request_under_way_is_not_behind() {
        // The 99th percentile takes twice as long as the 95th.
        let slow = outcome(2000, 2000, 150.0);
        assert_eq!(broken_by(Percentile::P95, &slow, 2000.0), []);
        let slower = outcome(2000, 2000, 250.0);
        let p95 = broken_by(Percentile::P95, &slower, 2000.0);
        assert_eq!(p95, [BreakReason::Slow]);
        assert_eq!(broken(&outcome(10, 9, 50.0), 10.0), []);
    }

    #[test]
    fn what_may_be_the_generator_is_not_held_against_the_server() {
        let saturated = |outcome: LoadOutcome, processor_seconds| LoadOutcome {
            not_usable: Some(NotUsable::Saturated { share: 0.95 }),
            generator: GeneratorUse {
                processor_seconds,
                lag: None,
            },
            ..outcome
        };
        let lagged = |outcome| LoadOutcome {
            not_usable: Some(NotUsable::Lagged { p99_ns: 1e8 }),
            ..outcome
        };
        let settings = RampUpSettings::default();
        let step =
            |outcome| step(&outcome, 2000.0, Percentile::P99, &settings).map(|step| step.broken);
        assert!(step(saturated(outcome(2000, 1500, 50.0), 0.9)).is_err());
        assert!(step(lagged(outcome(2000, 2000, 150.0))).is_err());
        assert_eq!(step(saturated(outcome(2000, 2000, 50.0), 0.9)), Ok(vec![]));
        let shared = step(saturated(outcome(2000, 1500, 50.0), 0.2));
        assert_eq!(
            shared,
            Ok(vec![BreakReason::Behind, BreakReason::Processors])
        );
        let behind = step(lagged(outcome(2000, 1500, 150.0)));
        assert_eq!(behind, Ok(vec![BreakReason::Behind, BreakReason::Slow]));
    }
}
