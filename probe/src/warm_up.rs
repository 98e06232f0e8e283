//! The time that Criterion is told for its warm-up.
//!
//! Criterion calls the benchmark with 1, 2, 4, 8 … iterations until the calls have taken the warm-up time, and
//! plans all samples from the time of an iteration in them. It learns the time of a call from the call's last read
//! of the clock, which it uses for nothing else: the times that it reports come from earlier reads. So that read
//! may get another answer without changing any reported time.
//!
//! The read itself does not show that it is the last of its call. It counts as the last once untouched calls have
//! ended with a read from the same place, and none has ever continued after one.

use crate::layout;
use crate::shared::Shared;

/// The warm-up of the current benchmark.
pub(crate) struct WarmUp {
    /// When its first call began.
    began: Option<u64>,
    /// When its second call began: the first one may have prepared something, and its time does not count.
    prepared: Option<u64>,
    /// The time of its calls, as Criterion has been told.
    told: u64,
    /// Whether the previous read got another answer than the true time.
    answered: bool,
    over: bool,
}

impl WarmUp {
    pub(crate) const NEW: WarmUp = WarmUp {
        began: None,
        prepared: None,
        told: 0,
        answered: false,
        over: false,
    };

    /// A call begins.
    pub(crate) fn call_began(&mut self, now: u64) {
        self.answered = false;
        match self.began {
            None => self.began = Some(now),
            Some(_) => _ = self.prepared.get_or_insert(now),
        }
    }

    /// Whether the calls after the first one have lasted as long as a warm-up should.
    pub(crate) fn lasted(&self, shared: &Shared, now: u64) -> bool {
        let took = self.prepared.map_or(0, |since| now.wrapping_sub(since));
        took >= shared.get(layout::WARM_UP_LEAST_NS)
    }

    /// A call has ended, and Criterion was told that it took `told`.
    pub(crate) fn call_ended(&mut self, told: u64) {
        self.told = self.told.saturating_add(told);
    }

    /// Another read follows in the same call.
    pub(crate) fn another_read(&mut self, shared: &Shared) {
        if core::mem::take(&mut self.answered) {
            shared.set(layout::WARM_UP_DOUBTED, 1);
        }
    }

    /// Whether the warm-up is still open, so that Criterion gets another answer than the true time.
    pub(crate) fn is_open(&self, shared: &Shared) -> bool {
        !self.over && shared.get(layout::WARM_UP_CALLS) > 0
    }

    /// The answer that tells Criterion the time of call number `call` (from 1), at its last read.
    pub(crate) fn answer(&mut self, shared: &Shared, call: u64, now: u64) -> Option<u64> {
        self.answered = true;
        let took = now.wrapping_sub(self.began?);
        let wanted = shared.get(layout::WARM_UP_CALLS);
        if call < wanted || !self.lasted(shared, now) {
            return Some(0);
        }
        self.over = true;
        shared.set(layout::WARM_UP_ENDED, call);
        shared.set(layout::WARM_UP_TOOK_NS, took);
        let whole = shared.get(layout::WARM_UP_TOLD_NS);
        Some(whole.saturating_sub(self.told))
    }
}
