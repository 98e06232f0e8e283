//! The steps of a pair of processes: one benchmark each, in the order in which they were requested.

use std::time::Duration;

use crate::seam::{Enough, Seam};
use crate::units::{Event, EventSink, Paired, Side};

use super::Request;
use super::adaptive_settings::Learnt;
use super::batches::Gate;
use super::benchmark_pairing::{Attempt, Step, alternate};
use super::enough::SLOW_CALL;
use super::iterations::{self, Wanted};
use super::observed::observe;
use super::player::Player;
use super::sample_pairing::{check_attached, weave};

/// Runs both processes to their ends.
pub(super) fn play(
    players: &mut Paired<Option<Player>>,
    seam: Option<&mut Seam>,
    gate: Gate,
    attempt: &mut Attempt,
    begin: &mut dyn FnMut(usize) -> Step,
) {
    let result = match seam {
        Some(seam) if gate == Gate::Seam => weave(players, seam, attempt, begin),
        Some(seam) => {
            check_attached(players, seam).and_then(|()| Ok(observe(players, seam, attempt, begin)?))
        }
        None => {
            alternate(players, attempt, 0.., begin);
            Ok(())
        }
    };
    attempt.seam_failure = result.err().map(|error| error.to_string());
}

/// Says that a step begins.
pub(super) fn announce(events: EventSink<'_>, request: Option<&Request>) {
    if let Some(request) = request {
        (events)(Event::Measuring {
            benchmark: request.key.to_string(),
            round: request.round + 1,
        });
    }
}

/// The step that is about to run. After the last request it is unknown.
pub(super) fn step_of(
    request: Option<(&Request, Wanted)>,
    gate: Gate,
    learnt: &Learnt,
    first_warm_up: Duration,
) -> Step {
    let Some((request, wanted)) = request else {
        return Step {
            id: None,
            first: Side::Base,
            gate,
            warm_up: None,
            enough: None,
            measurement: None,
        };
    };
    let planned = match gate {
        Gate::Seam => learnt.plan(&request.key, wanted),
        _ => None,
    };
    let ends = planned.and_then(|planned| planned.ends);
    Step {
        id: Some(request.key.id.clone()),
        first: request.first,
        gate,
        warm_up: match gate {
            Gate::Glance | Gate::First => {
                Some(Paired::from_fn(|_| iterations::first(first_warm_up)))
            }
            _ => planned.map(|planned| planned.warm_up),
        },
        enough: match gate {
            Gate::Glance => Some(Enough::SlowCall(SLOW_CALL)),
            _ => ends.map(|ends| Enough::Samples(ends.samples)),
        },
        measurement: ends.map(|ends| ends.measurement),
    }
}
