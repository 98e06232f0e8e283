//! What timing has shown of benchmarks, for the passes behind it: they let processes run with other settings, and only
//! as long as they need.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::discover::Target;
use crate::plan::Sampling;
use crate::protocol::Timing;
use crate::seam::{Enough, WarmUp};
use crate::units::{Paired, Side};

use super::BenchmarkKey;
use super::batches::fit;
use super::iterations::{self, Shown, Wanted};
use super::set_ups::SetUps;

/// What the first processes of benchmarks have shown, of those whose iterations can be chosen.
#[derive(Debug, Default)]
pub struct Known {
    shown: BTreeMap<BenchmarkKey, Paired<Shown>>,
    set_ups: SetUps,
}

impl Known {
    pub(super) fn of(shown: BTreeMap<BenchmarkKey, Paired<Shown>>, set_ups: SetUps) -> Known {
        Known { shown, set_ups }
    }

    /// How the warm-up of a process of `side` is ended, and when it has run enough, that is asked for `now`, where rounds were asked for what
    /// `sampling` says; `None` where nothing is known. What the benchmark's code sets itself stays as it was.
    pub(super) fn run(
        &self,
        key: &BenchmarkKey,
        side: Side,
        sampling: &Sampling,
        target: &Target,
        now: Timing,
    ) -> Option<(WarmUp, Option<Enough>)> {
        let (before, now) = (fit(asked(sampling), target), fit(now, target));
        let shown = self.shown.get(key)?.as_ref();
        let shown = shown.map(|shown| shown.asked_for(before, now));
        let wanted = Wanted {
            warm_up: now.warm_up,
            measurement: now.measurement,
            // Nothing is timed.
            clock: Duration::ZERO,
            stretch: 1.0,
            set_up: self.set_ups.longest(key),
        };
        let planned = iterations::plan(shown.as_ref(), wanted);
        let enough = planned.ends.map(|ends| Enough::Samples(ends.samples));
        Some((*planned.warm_up.get(side), enough))
    }
}

/// What rounds are asked for.
pub(super) fn asked(sampling: &Sampling) -> Timing {
    Timing {
        warm_up: sampling.warm_up,
        measurement: sampling.measurement,
        sample_size: sampling.sample_size,
    }
}
