//! How long Criterion is told that its warm-up took.
//!
//! Criterion calls the benchmark with 1, 2, 4, 8 … iterations until the calls have taken the warm-up time, and
//! plans all samples by what an iteration took in them. What a call took it learns from the call's last read of
//! the clock, which it uses for nothing else: the times that it reports come from the reads before. So that read
//! may be answered otherwise, and no reported time changes.
//!
//! That a read is the last of its call cannot be told from the read. It counts as such once calls that were left
//! alone have ended with a read from the same place, and none has ever gone on after one.

use crate::layout;
use crate::shared::Shared;

/// The warm-up of the current benchmark.
pub(crate) struct WarmUp {
    /// When its first call began.
    began: Option<u64>,
    /// When its second call began: the first one may have prepared something, and how long that took counts for nothing.
    prepared: Option<u64>,
    /// What its calls took, as Criterion has been told.
    told: u64,
    /// Whether the read before this one was answered otherwise.
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

    /// Whether the calls behind the first one have gone on for as long as a warm-up is to last.
    pub(crate) fn lasted(&self, shared: &Shared, now: u64) -> bool {
        let took = self.prepared.map_or(0, |since| now.wrapping_sub(since));
        took >= shared.get(layout::WARM_UP_LEAST_NS)
    }

    /// A call has ended, and Criterion was told that it took so long.
    pub(crate) fn call_ended(&mut self, told: u64) {
        self.told = self.told.saturating_add(told);
    }

    /// Another read follows in the same call.
    pub(crate) fn another_read(&mut self, shared: &Shared) {
        if core::mem::take(&mut self.answered) {
            shared.set(layout::WARM_UP_DOUBTED, 1);
        }
    }

    /// Whether Criterion is to be told anything yet.
    pub(crate) fn is_open(&self, shared: &Shared) -> bool {
        !self.over && shared.get(layout::WARM_UP_CALLS) > 0
    }

    /// What Criterion is told that call number `call` (from 1) took, at its last read.
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
