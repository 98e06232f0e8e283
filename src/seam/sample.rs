//! What the probe records about a sample.

use super::layout;

/// What the probe saw of one sample (one call of `Bencher::iter` or a relative).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleRecord {
    /// When it began, after its turn had come: in nanoseconds of the monotonic clock, which both
    /// sides share.
    pub start_ns: u64,
    /// When its last timed region ended, on the same clock.
    pub end_ns: u64,
    /// The sum of its timed regions, in nanoseconds: what Criterion reports as the sample's time.
    pub timed_ns: u64,
    /// How many timed regions it had: 1 with `iter`, one per batch with `iter_batched`.
    pub regions: u64,
    /// How long, in nanoseconds, the main thread was ready to run while the kernel ran something
    /// else; 0 if unknown. Measured for paired samples only.
    pub preempted_ns: u64,
}

impl SampleRecord {
    pub(super) fn of(words: &[u64]) -> SampleRecord {
        SampleRecord {
            start_ns: words[layout::RECORD_START],
            end_ns: words[layout::RECORD_END],
            timed_ns: words[layout::RECORD_TIMED],
            regions: words[layout::RECORD_REGIONS],
            preempted_ns: words[layout::RECORD_PREEMPTED],
        }
    }

    /// For how much of [`SampleRecord::timed_ns`] the main thread was kept from its processor. With several regions
    /// it is unknown which one was hit, so the time is shared out in proportion between the regions and the time
    /// between them.
    #[must_use]
    pub fn preempted_while_timed(&self) -> u64 {
        let span = self.end_ns.saturating_sub(self.start_ns).max(1);
        let share = (self.timed_ns as f64 / span as f64).min(1.0);
        let preempted = match self.regions {
            0 | 1 => self.preempted_ns,
            _ => (self.preempted_ns as f64 * share) as u64,
        };
        preempted.min(self.timed_ns)
    }
}
