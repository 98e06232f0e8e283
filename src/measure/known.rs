//! What timing has shown about benchmarks, for later passes: these run processes with other settings, and only as
//! long as they need.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::discover::Target;
use crate::harness::Timing;
use crate::plan::Sampling;
use crate::seam::{Enough, WarmUp};
use crate::units::{Paired, Side};

use super::BenchmarkKey;
use super::batches::fit;
use super::iterations::{self, Shown, Together, Wanted};
use super::set_ups::SetUps;

/// What the first processes of benchmarks have shown, for those whose iterations can be chosen.
#[derive(Debug, Default)]
pub struct Known {
    shown: BTreeMap<BenchmarkKey, Paired<Shown>>,
    several_threads: BTreeSet<BenchmarkKey>,
    set_ups: SetUps,
}

impl Known {
    pub(super) fn of(
        shown: BTreeMap<BenchmarkKey, Paired<Shown>>,
        several_threads: BTreeSet<BenchmarkKey>,
        set_ups: SetUps,
    ) -> Known {
        Known {
            shown,
            several_threads,
            set_ups,
        }
    }

    /// Whether several threads were seen at work in it.
    pub(super) fn has_several_threads(&self, key: &BenchmarkKey) -> bool {
        self.several_threads.contains(key)
    }

    /// How long each of its processes runs outside of any benchmark.
    pub(super) fn set_up(&self, key: &BenchmarkKey) -> Duration {
        self.set_ups.longest(key)
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
        let shown = self.asked_for(key, sampling, target, now)?;
        let now = fit(now, target);
        let planned = iterations::plan(shown.as_ref(), self.wanted(key, now));
        // What is to be seen of a process is seen while it stands still.
        let ends = planned.ends.map(|ends| ends.samples).or(planned.last);
        let enough = ends.map(Enough::Samples);
        Some((*planned.warm_up.get(side), enough))
    }

    /// The same for a pass that also uses the warm-up: both together take the measurement time.
    pub(super) fn sampled(
        &self,
        key: &BenchmarkKey,
        sampling: &Sampling,
        target: &Target,
        now: Timing,
    ) -> Option<Together> {
        let shown = self.asked_for(key, sampling, target, now)?;
        let all = fit(now, target).measurement;
        Some(iterations::plan_together(shown.as_ref(), all))
    }

    fn asked_for(
        &self,
        key: &BenchmarkKey,
        sampling: &Sampling,
        target: &Target,
        now: Timing,
    ) -> Option<Paired<Shown>> {
        let (before, now) = (fit(asked(sampling), target), fit(now, target));
        let shown = self.shown.get(key)?.as_ref();
        Some(shown.map(|shown| shown.asked_for(before, now)))
    }

    fn wanted(&self, key: &BenchmarkKey, now: Timing) -> Wanted {
        Wanted {
            warm_up: now.warm_up,
            measurement: now.measurement,
            // Nothing is timed.
            clock: Duration::ZERO,
            stretch: 1.0,
            set_up: self.set_ups.longest(key),
        }
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
