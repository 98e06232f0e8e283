//! What a side did at a limit. Pure: it sees what came of its requests.

use crate::load_generator::{LoadOutcome, Percentile, RequestErrorKind};

use super::LimitOutcome;

/// A smaller share of requests that fail in one way is none.
const NOTICEABLE: f64 = 0.01;

/// It is slow where its latency is so many times what it is with all that it needs.
const SLOW: f64 = 2.0;

/// It falls behind where it answers less than this share of what it answers in time with all that it needs.
const IN_TIME: f64 = 0.95;

/// So many requests may be under way at the end.
const UNDER_WAY: f64 = 2.0;

/// What a side that goes on did. Usually it answers `achieved` requests per second in time, and its median takes so many
/// nanoseconds.
pub(super) fn of(outcome: &LoadOutcome, achieved: f64, usual: Option<f64>) -> LimitOutcome {
    let counted = outcome.counted();
    let share = |kinds: &[RequestErrorKind]| {
        let failed = outcome.errors.iter();
        let failed = failed.filter(|error| kinds.contains(&error.kind));
        let failed: u64 = failed.map(|error| error.count).sum();
        failed as f64 / counted.max(1) as f64
    };
    let wrong = share(&[
        RequestErrorKind::Status,
        RequestErrorKind::Body,
        RequestErrorKind::Protocol,
    ]);
    let dropped = share(&[RequestErrorKind::Closed]);
    let refused = share(&[RequestErrorKind::Refused, RequestErrorKind::Connect]);
    let late = share(&[RequestErrorKind::Timeout]);
    if outcome.answered == 0 && outcome.sent > 0 && wrong + dropped + refused == 0.0 {
        return LimitOutcome::Hung;
    }
    if wrong > NOTICEABLE {
        return LimitOutcome::Wrong;
    }
    if dropped > NOTICEABLE {
        return LimitOutcome::Dropped;
    }
    if refused > NOTICEABLE {
        return LimitOutcome::Refused;
    }
    let in_time = outcome.completed as f64 + UNDER_WAY >= IN_TIME * achieved * outcome.seconds;
    let is_slow = latency(outcome)
        .zip(usual)
        .is_some_and(|(latency, usual)| latency > SLOW * usual);
    // Where the load generator itself was late, its numbers are not the side's.
    let is_generator = outcome.not_usable.is_some();
    match late > NOTICEABLE || !is_generator && (is_slow || !in_time) {
        true => LimitOutcome::Slowed,
        false => LimitOutcome::Served,
    }
}

/// Whether a side that was loaded by one connection alone serves again. An answer that comes after the end of a short load is
/// not counted, and is one all the same; what never comes is counted as a failure.
pub(super) fn serves(outcome: &LoadOutcome) -> bool {
    outcome.sent > 0 && outcome.failed() as f64 <= NOTICEABLE * outcome.counted() as f64
}

/// The median of the latency.
pub(super) fn latency(outcome: &LoadOutcome) -> Option<f64> {
    outcome.latency_at(Percentile::P50)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_generator::{NotUsable, RequestError};
    use crate::service::tests::turn;

    /// A second in which so many requests were answered, and others failed in these ways.
    fn outcome(answered: u64, failed: &[(RequestErrorKind, u64)]) -> LoadOutcome {
        LoadOutcome {
            sent: 1000,
            errors: failed
                .iter()
                .map(|(kind, count)| RequestError {
                    kind: *kind,
                    count: *count,
                    example: String::new(),
                })
                .collect(),
            ..turn(answered)
        }
    }

    #[test]
    fn every_way_to_fail_is_told_from_the_others_and_a_few_failures_are_none() {
        use RequestErrorKind::{Body, Closed, Connect, Refused, Status, Timeout};
        let of = |answered, failed: &[_]| of(&outcome(answered, failed), 1000.0, Some(1e6));
        assert_eq!(of(1000, &[]), LimitOutcome::Served);
        assert_eq!(of(991, &[(Status, 9)]), LimitOutcome::Served);
        assert_eq!(of(900, &[(Refused, 100)]), LimitOutcome::Refused);
        assert_eq!(of(0, &[(Connect, 1000)]), LimitOutcome::Refused);
        assert_eq!(
            of(900, &[(Closed, 50), (Refused, 50)]),
            LimitOutcome::Dropped
        );
        assert_eq!(of(900, &[(Body, 20), (Closed, 80)]), LimitOutcome::Wrong);
        assert_eq!(of(980, &[(Timeout, 20)]), LimitOutcome::Slowed);
        assert_eq!(of(0, &[(Timeout, 4)]), LimitOutcome::Hung);
        assert_eq!(of(0, &[]), LimitOutcome::Hung);
    }

    #[test]
    fn twice_the_latency_or_answers_that_come_late_are_slow_unless_the_generator_was() {
        let fast = outcome(1000, &[]);
        assert_eq!(of(&fast, 1000.0, Some(0.4e6)), LimitOutcome::Slowed);
        assert_eq!(of(&fast, 1000.0, None), LimitOutcome::Served);
        assert_eq!(of(&fast, 1100.0, None), LimitOutcome::Slowed);
        let late = LoadOutcome {
            not_usable: Some(NotUsable::Saturated { share: 1.0 }),
            ..fast
        };
        assert_eq!(of(&late, 1100.0, Some(0.4e6)), LimitOutcome::Served);
    }

    #[test]
    fn a_side_serves_again_if_it_answers_nearly_everything() {
        assert!(serves(&outcome(200, &[(RequestErrorKind::Closed, 2)])));
        assert!(!serves(&outcome(100, &[(RequestErrorKind::Closed, 2)])));
        assert!(!serves(&outcome(0, &[(RequestErrorKind::Timeout, 1)])));
        assert!(serves(&outcome(0, &[])));
    }
}
