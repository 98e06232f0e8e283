//! Ending Criterion's warm-up: the time that it is told decides how many iterations it plans
//! (`probe/src/warm_up.rs`).

use std::time::Duration;

use fs_err::File;

use super::channel::word_of;
use super::{Seam, SeamError, layout};
use crate::harness::{iterations_after, iterations_of_all};
use crate::units::Side;

/// How a warm-up is to end. Criterion calls the benchmark with 1, 2, 4, 8 … iterations; for it, all calls but the
/// last one seem instantaneous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// After this many calls, at least one,
    pub calls: u64,
    /// and not before it has lasted this long after its first call, which may have prepared something.
    pub least: Duration,
    /// The time that Criterion is told for all calls together; longer than the benchmark's warm-up time.
    pub told: Duration,
    /// The place at which calls end, if an earlier process has shown it.
    pub place: Option<LastPlace>,
}

/// A place in the executable where every call of one benchmark was seen to end, and none to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPlace(u64);

#[cfg(test)]
impl LastPlace {
    pub(crate) fn at(mark: u64) -> LastPlace {
        LastPlace(mark)
    }
}

/// When a process has run enough of a benchmark. It then waits to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// After this many samples behind a warm-up that was ended by [`Seam::end_warm_up`]; never, if it was not.
    Samples(u64),
    /// After the first call, if its timed part took at least this long.
    SlowCall(Duration),
    /// After this many calls, including the warm-up, once they have lasted as long as [`WarmUp::least`].
    Calls(u64),
    /// At the first call that begins after the benchmark was timed for this long, including its warm-up.
    Timed(Duration),
}

/// How a warm-up was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmedUp {
    /// After so many calls.
    pub calls: u64,
    /// Whether a read of the clock that seemed to be the last one of its call was followed by another.
    pub doubted: bool,
}

/// Translates the announced time of a measurement into the real one while the process runs, and knows when the
/// process has run enough of the benchmark.
#[derive(Debug)]
pub struct Pace {
    shared: File,
    ends_slow: bool,
    ends_calls: bool,
    ends_samples: bool,
    ends_timed: bool,
}

impl Seam {
    /// Ends the warm-up of the benchmark that begins. [`Seam::begin`] or [`Seam::observe`] came before, and the
    /// process is still held. If the last read of a call cannot be recognised, nothing is done.
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn end_warm_up(&self, side: Side, warm_up: WarmUp) -> Result<(), SeamError> {
        let channel = self.channels.get(side);
        channel.set(layout::WARM_UP_LEAST_NS, nanos(warm_up.least))?;
        channel.set(layout::WARM_UP_TOLD_NS, nanos(warm_up.told))?;
        let place = warm_up.place.map_or(0, |LastPlace(mark)| mark);
        channel.set(layout::WARM_UP_PLACE, place)?;
        Ok(channel.set(layout::WARM_UP_CALLS, warm_up.calls.max(1))?)
    }

    /// Makes the process of `side` wait once it has run enough of the benchmark that begins. Call it
    /// after [`Seam::end_warm_up`], in the same state.
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn stop_after(&self, side: Side, enough: Enough) -> Result<(), SeamError> {
        let channel = self.channels.get(side);
        let (field, bound) = match enough {
            Enough::Samples(count) => (layout::ENOUGH_SAMPLES, count),
            Enough::SlowCall(least) => (layout::ENOUGH_SLOW_NS, nanos(least)),
            Enough::Calls(count) => (layout::ENOUGH_CALLS, count),
            Enough::Timed(least) => (layout::ENOUGH_TIMED_NS, nanos(least)),
        };
        Ok(channel.set(field, bound)?)
    }

    /// [`Seam::end_warm_up`], and [`Seam::stop_after`] if a bound is given; returns how to follow the benchmark's
    /// progress.
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn bound(
        &self,
        side: Side,
        warm_up: WarmUp,
        enough: Option<Enough>,
    ) -> Result<Pace, SeamError> {
        self.end_warm_up(side, warm_up)?;
        if let Some(enough) = enough {
            self.stop_after(side, enough)?;
        }
        self.pace(side)
    }

    /// The times of the samples after the warm-up, of a process that waits because it has run enough; empty if it
    /// is uncertain which they are.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn cut_times(&self, side: Side) -> Result<Vec<f64>, SeamError> {
        let log = self.take_log(side)?;
        let warm_up = self.warmed_up(side)?.filter(|ended| !ended.doubted);
        let warm_up = warm_up.and_then(|ended| usize::try_from(ended.calls).ok());
        let samples = warm_up.and_then(|calls| log.get(calls..));
        let samples = samples.unwrap_or_default().iter();
        Ok(samples.map(|sample| sample.timed_ns as f64).collect())
    }

    /// How the warm-up was ended; `None` if Criterion ended it by itself.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn warmed_up(&self, side: Side) -> Result<Option<WarmedUp>, SeamError> {
        let channel = self.channels.get(side);
        let calls = channel.get(layout::WARM_UP_ENDED)?;
        let doubted = channel.get(layout::WARM_UP_DOUBTED)? > 0;
        Ok((calls > 0).then_some(WarmedUp { calls, doubted }))
    }

    /// Where all calls of the benchmark so far have ended, if known.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn last_place(&self, side: Side) -> Result<Option<LastPlace>, SeamError> {
        let mark = self.channels.get(side).get(layout::SHOWN_PLACE)?;
        Ok((mark > 0).then_some(LastPlace(mark)))
    }

    /// A handle to follow the process of `side` while it runs.
    ///
    /// # Errors
    /// If the shared file cannot be opened once more.
    pub fn pace(&self, side: Side) -> Result<Pace, SeamError> {
        let channel = self.channels.get(side);
        let is_set = |field| channel.get(field).map(|bound| bound > 0);
        Ok(Pace {
            shared: channel.share()?,
            ends_slow: is_set(layout::ENOUGH_SLOW_NS)?,
            ends_calls: is_set(layout::ENOUGH_CALLS)?,
            ends_samples: is_set(layout::ENOUGH_SAMPLES)?,
            ends_timed: is_set(layout::ENOUGH_TIMED_NS)?,
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Pace {
    /// How long a measurement really takes, from its announced time.
    #[must_use]
    pub fn real(&self, announced: Duration) -> Duration {
        let word = |field| word_of(&self.shared, field).unwrap_or(0);
        let (told, took) = (word(layout::WARM_UP_TOLD_NS), word(layout::WARM_UP_TOOK_NS));
        if word(layout::WARM_UP_ENDED) == 0 || told == 0 {
            return announced;
        }
        let real = announced.as_secs_f64() * (took as f64 / told as f64);
        Duration::try_from_secs_f64(real).unwrap_or(Duration::MAX)
    }

    /// The iterations of all samples after a warm-up that was ended, if the harness plans them from that alone.
    #[must_use]
    pub fn planned_iterations(&self) -> Option<Vec<f64>> {
        let word = |field| word_of(&self.shared, field).unwrap_or(0);
        let planned = word(layout::CLOCK_READS) == layout::CLOCK_READS_OF_LIBTEST
            && word(layout::WARM_UP_ENDED) > 0;
        planned.then(|| iterations_of_all(iterations_after(word(layout::WARM_UP_TOLD_NS))))
    }

    /// Whether the process may be ended in the middle of the benchmark.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.ends_slow || self.ends_calls || self.ends_samples || self.ends_timed
    }

    /// Whether a benchmark that is measuring now is certain to run no more calls than wanted, apart from slow ones.
    #[must_use]
    pub fn is_certain_to_end(&self) -> bool {
        let any = |field| word_of(&self.shared, field).is_ok_and(|word| word > 0);
        ((self.ends_calls || self.ends_timed) && any(layout::LOG_COUNT))
            || (self.ends_samples && any(layout::WARM_UP_ENDED))
    }

    /// Whether a slow benchmark is ended after its first call.
    #[must_use]
    pub fn ends_slow(&self) -> bool {
        self.ends_slow
    }

    /// Whether the process waits because it has run enough.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        word_of(&self.shared, layout::PHASE).is_ok_and(|phase| phase == layout::PHASE_ENOUGH)
    }
}
