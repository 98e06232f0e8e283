//! By which percentile every step is judged, and how long steps take. Pure.

use std::time::Duration;

use crate::load_generator::Percentile;
use crate::units::Paired;

/// A step at a low rate takes up to so many times as long as it was asked for.
const LONGEST: f64 = 10.0;

/// How the steps of both sides are judged in all rounds: by one percentile, whatever their rate.
///
/// Were it chosen step by step, a service with a long tail would seem to break where steps begin to have enough requests for
/// its 99th percentile, on both sides alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StepPlan {
    /// By which percentile of the latency.
    pub(super) percentile: Percentile,
    step: Duration,
}

impl StepPlan {
    /// For ramps that begin at these rates: the highest percentile that a step supports on both sides.
    pub(super) fn of(beginnings: Paired<f64>, step: Duration) -> StepPlan {
        let requests = beginnings.base.min(beginnings.head) * step.as_secs_f64();
        StepPlan {
            percentile: Percentile::supported(requests as u64),
            step,
        }
    }

    /// How long requests are counted at a rate, so that there are enough for the percentile; `None` where that takes too
    /// long.
    pub(super) fn length(&self, rate: f64) -> Option<Duration> {
        let enough = self.percentile.fewest_requests() / rate;
        let step = self.step.as_secs_f64();
        (enough <= LONGEST * step).then(|| Duration::from_secs_f64(enough.max(step)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::breaking;
    use super::super::climb::Climb;
    use super::super::search::RateSearch;
    use super::super::{BreakReason, RampUpEnd};
    use super::*;
    use crate::load_generator::{Distribution, LoadOutcome};
    use crate::plan::RampUpSettings;
    use crate::service::tests::turn;
    use crate::stats::simulation::Noise;

    /// A side of which 3 % of the requests take `tail` milliseconds at every rate, and which serves no more than `most`.
    fn load(most: f64, tail: f64, rate: f64, lasting: Duration) -> LoadOutcome {
        let offered = rate * lasting.as_secs_f64();
        LoadOutcome {
            answered: offered as u64,
            completed: (offered * (most / rate).min(1.0)) as u64,
            sent: offered as u64,
            seconds: lasting.as_secs_f64(),
            latency: Some(Distribution {
                count: offered as u64,
                mean: 6e6,
                p50: 5e6,
                p90: 6e6,
                p95: 7e6,
                p99: tail * 1e6,
                p999: tail * 1e6,
                max: tail * 1e6,
            }),
            ..turn(0)
        }
    }

    fn ramp(plan: StepPlan, begins: f64, most: f64, tail: f64, noise: &mut Noise) -> RampUpEnd {
        let settings = RampUpSettings::default();
        let mut climb = Climb::by(RateSearch::near(begins, noise.uniform()));
        while let Some(rate) = climb.next_rate(plan) {
            let lasting = plan.length(rate).unwrap();
            let outcome = load(most, tail, rate, lasting);
            let step = breaking::step(&outcome, rate, plan.percentile, &settings).unwrap();
            match step.broken.is_empty() {
                true => climb.search.held(rate),
                false => climb.search.broke(rate, false),
            }
            climb.steps.push(step);
        }
        climb.end(plan, None)
    }

    #[test]
    fn a_long_tail_breaks_no_side_where_steps_begin_to_have_a_thousand_requests() {
        let mut noise = Noise::seeded(5);
        let second = Duration::from_secs(1);
        for _ in 0..20 {
            let begins = Paired::new(1400.0, 700.0);
            let plan = StepPlan::of(begins, second);
            assert_eq!(plan.percentile, Percentile::P95);
            let mut point = |begins, most| {
                let end = ramp(plan, begins, most, 150.0, &mut noise);
                assert!(
                    matches!(&end, RampUpEnd::Broke { because, .. } if *because == [BreakReason::Behind]),
                    "{end:?}"
                );
                end.point().unwrap()
            };
            let ratio = point(begins.base, 2000.0) / point(begins.head, 1500.0);
            // Less than 95 % is answered in time from the same share beyond what each serves.
            assert!((ratio * 1500.0 / 2000.0).ln().abs() < 0.062, "{ratio}");
        }
    }

    #[test]
    fn steps_at_low_rates_take_longer_so_that_the_percentile_stays_the_same() {
        let plan = StepPlan::of(Paired::new(4000.0, 1100.0), Duration::from_secs(1));
        assert_eq!(plan.percentile, Percentile::P99);
        assert_eq!(plan.length(4000.0), Some(Duration::from_secs(1)));
        assert_eq!(plan.length(250.0), Some(Duration::from_secs(4)));
        assert_eq!(plan.length(100.0), Some(Duration::from_secs(10)));
        assert_eq!(plan.length(99.0), None);
        let few = StepPlan::of(Paired::new(10.0, 10.0), Duration::from_secs(1));
        assert_eq!(few.percentile, Percentile::P50);
        assert_eq!(few.length(10.0), Some(Duration::from_secs(2)));
        // Every rate is too slow by its 99th percentile, also those below 1000 requests per second.
        let end = ramp(plan, 1100.0, 4000.0, 150.0, &mut Noise::seeded(5));
        assert!(
            matches!(end, RampUpEnd::TooSlow { rate } if rate < 100.0),
            "{end:?}"
        );
    }
}
