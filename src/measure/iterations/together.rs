//! The iterations of a process in which the warm-up counts for as much as what follows, since nothing is timed.

use std::time::Duration;

use crate::seam::WarmUp;
use crate::units::Paired;

use super::single::plan_single;
use super::{PlanKind, Shown, Wanted, calls_for, iterations_of, kept, nearest};

/// How a process is let run whose warm-up and samples are to take so long together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::measure) struct Together {
    /// How the warm-up of each side is ended.
    pub(in crate::measure) warm_up: Paired<WarmUp>,
    /// What both take on either side, on the average. It may be more than was asked for: each sample has an iteration.
    pub(in crate::measure) takes: Duration,
}

/// The shortest warm-up behind which the rest may be planned, and the rest. The calls of a warm-up double, so that a
/// warm-up by itself is up to twice as long as it is wanted to be.
///
/// The sides agree ([`super::agree`]).
pub(in crate::measure) fn plan_together(shown: Paired<&Shown>, all: Duration) -> Together {
    let head = shown.head;
    let whole_ns = (shown.base.whole_ns * head.whole_ns).sqrt();
    if let PlanKind::Single { calls } = head.plan {
        let planned = plan_single(shown, calls, wanted(all));
        return Together {
            warm_up: planned.warm_up,
            takes: planned.round / 2,
        };
    }
    let (warm_up, measurement) = (head.warm_up(), head.measurement());
    let (samples, iterations) = (head.samples as f64, all.as_nanos() as f64 / whole_ns);
    // What is told is to the measurement time as the warm-up's iterations are to the planned ones; and longer than the
    // warm-up time.
    let most = measurement.as_secs_f64() / warm_up.as_secs_f64().max(1e-9);
    let calls = calls_for(iterations / (1.0 + most));
    let warmed_up = iterations_of(calls);
    let rest = nearest((iterations - warmed_up).max(1.0), samples).max(1.0);
    let told = measurement.mul_f64(warmed_up / rest);
    let told = told.max(warm_up + Duration::from_nanos(1));
    let takes = (warmed_up + rest.max(kept(head.method, samples))) * whole_ns / 1e9;
    Together {
        warm_up: shown.map(|shown| WarmUp {
            calls,
            least: Duration::ZERO,
            told,
            place: Some(shown.place),
        }),
        takes: Duration::try_from_secs_f64(takes).unwrap_or(Duration::MAX),
    }
}

/// Nothing is timed, so that regions may be as short as they like.
fn wanted(all: Duration) -> Wanted {
    Wanted {
        warm_up: Duration::ZERO,
        measurement: all,
        clock: Duration::ZERO,
        stretch: 1.0,
        set_up: Duration::ZERO,
    }
}
