//! How long Criterion is told that its warm-up took, and so how many iterations it plans (`probe/src/warm_up.rs`).

use std::time::Duration;

use fs_err::File;

use super::channel::word_of;
use super::{Seam, SeamError, layout};
use crate::units::Side;

/// How a warm-up is to end. Criterion calls the benchmark with 1, 2, 4, 8 … iterations; it takes all calls but the
/// last one for instantaneous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// After so many calls, at least one,
    pub calls: u64,
    /// and not before it has lasted so long.
    pub least: Duration,
    /// What Criterion is told that all calls took together; longer than the benchmark's warm-up time.
    pub told: Duration,
    /// What an earlier process has shown of the place that calls end at.
    pub place: Option<LastPlace>,
}

/// A place in the executable where every call of one benchmark was seen to end, and none to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPlace(u64);

#[cfg(test)]
impl LastPlace {
    pub(crate) fn at(mark: u64) -> LastPlace {
        LastPlace(mark)
    }
}

/// How a warm-up was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmedUp {
    /// After so many calls.
    pub calls: u64,
    /// Whether a read of the clock that was taken for the last of its call was followed by another one.
    pub doubted: bool,
}

/// What tells the announced time of a measurement from the real one, as long as the process runs.
#[derive(Debug)]
pub struct Pace(File);

impl Seam {
    /// Ends the warm-up of the benchmark that begins. [`Seam::begin`] or [`Seam::observe`] came before, and the
    /// process is still held. Where the last read of a call cannot be told, nothing is done.
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn end_warm_up(&self, side: Side, warm_up: WarmUp) -> Result<(), SeamError> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let channel = self.channels.get(side);
        channel.set(layout::WARM_UP_LEAST_NS, nanos(warm_up.least))?;
        channel.set(layout::WARM_UP_TOLD_NS, nanos(warm_up.told))?;
        let place = warm_up.place.map_or(0, |LastPlace(mark)| mark);
        channel.set(layout::WARM_UP_PLACE, place)?;
        Ok(channel.set(layout::WARM_UP_CALLS, warm_up.calls.max(1))?)
    }

    /// How the warm-up was ended; `None` where Criterion ended it by itself.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn warmed_up(&self, side: Side) -> Result<Option<WarmedUp>, SeamError> {
        let channel = self.channels.get(side);
        let calls = channel.get(layout::WARM_UP_ENDED)?;
        let doubted = channel.get(layout::WARM_UP_DOUBTED)? > 0;
        Ok((calls > 0).then_some(WarmedUp { calls, doubted }))
    }

    /// Where all calls of the benchmark so far have ended, as far as that is shown.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn last_place(&self, side: Side) -> Result<Option<LastPlace>, SeamError> {
        let mark = self.channels.get(side).get(layout::SHOWN_PLACE)?;
        Ok((mark > 0).then_some(LastPlace(mark)))
    }

    /// To be asked while the process of `side` runs.
    ///
    /// # Errors
    /// If the shared file cannot be opened once more.
    pub fn pace(&self, side: Side) -> Result<Pace, SeamError> {
        Ok(Pace(self.channels.get(side).share()?))
    }
}

impl Pace {
    /// How long a measurement takes that was announced to take so long.
    #[must_use]
    pub fn real(&self, announced: Duration) -> Duration {
        let word = |field| word_of(&self.0, field).unwrap_or(0);
        let (told, took) = (word(layout::WARM_UP_TOLD_NS), word(layout::WARM_UP_TOOK_NS));
        if word(layout::WARM_UP_ENDED) == 0 || told == 0 {
            return announced;
        }
        let real = announced.as_secs_f64() * (took as f64 / told as f64);
        Duration::try_from_secs_f64(real).unwrap_or(Duration::MAX)
    }
}
