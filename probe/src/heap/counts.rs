//! The counters. Atomic, so that any thread and any signal handler may count.

use core::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};

use super::trace::{self, StackNumber};
use crate::layout;
use crate::shared::Shared;

/// How much is counted at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Attention {
    /// Nothing: no sample is under way.
    None,
    /// Only the change of live bytes: within a sample, outside its timed regions.
    Level,
    /// Everything: within a timed region.
    Full,
}

static ATTENTION: AtomicU8 = AtomicU8::new(Attention::None as u8);

/// The sums over the sample's regions.
struct Counts {
    allocations: AtomicU64,
    reallocations: AtomicU64,
    frees: AtomicU64,
    bytes: AtomicU64,
    largest: AtomicU64,
    failures: AtomicU64,
    /// Live bytes above the beginning of the region.
    live: AtomicI64,
    peak: AtomicI64,
    /// Sum of `live` over the regions that have ended.
    growth: AtomicI64,
    /// Live bytes above the beginning of the sample.
    retained: AtomicI64,
    histogram: [AtomicU64; layout::HISTOGRAM_WORDS],
}

static COUNTS: Counts = Counts {
    allocations: AtomicU64::new(0),
    reallocations: AtomicU64::new(0),
    frees: AtomicU64::new(0),
    bytes: AtomicU64::new(0),
    largest: AtomicU64::new(0),
    failures: AtomicU64::new(0),
    live: AtomicI64::new(0),
    peak: AtomicI64::new(0),
    growth: AtomicI64::new(0),
    retained: AtomicI64::new(0),
    histogram: [const { AtomicU64::new(0) }; layout::HISTOGRAM_WORDS],
};

/// How much is counted at the moment.
fn attention() -> Attention {
    match ATTENTION.load(Relaxed) {
        0 => Attention::None,
        1 => Attention::Level,
        _ => Attention::Full,
    }
}

/// Whether anything is counted at the moment.
pub(super) fn is_attentive() -> bool {
    attention() != Attention::None
}

fn attend(attention: Attention) {
    ATTENTION.store(attention as u8, Relaxed);
}

/// A block of `asked` bytes was allocated, from the stack that is the result.
pub(super) fn allocated(asked: usize) -> StackNumber {
    let attention = attention();
    let mut stack = StackNumber::NONE;
    if attention == Attention::Full {
        COUNTS.allocations.fetch_add(1, Relaxed);
        stack = request(asked);
    }
    grow(attention, asked as i64);
    stack
}

/// A block was resized to `asked` bytes, `growth` more than before, from the stack that is the result.
pub(super) fn reallocated(asked: usize, growth: i64) -> StackNumber {
    let attention = attention();
    let mut stack = StackNumber::NONE;
    if attention == Attention::Full {
        COUNTS.reallocations.fetch_add(1, Relaxed);
        stack = request(asked);
    }
    grow(attention, growth);
    stack
}

/// A block of `size` bytes was freed.
pub(super) fn freed(size: usize) {
    let attention = attention();
    if attention == Attention::Full {
        COUNTS.frees.fetch_add(1, Relaxed);
    }
    grow(attention, -(size as i64));
}

/// A request was refused.
pub(super) fn failed() {
    if attention() == Attention::Full {
        COUNTS.failures.fetch_add(1, Relaxed);
    }
}

fn request(asked: usize) -> StackNumber {
    COUNTS.bytes.fetch_add(asked as u64, Relaxed);
    COUNTS.largest.fetch_max(asked as u64, Relaxed);
    let bucket = usize::BITS - asked.leading_zeros();
    COUNTS.histogram[bucket as usize].fetch_add(1, Relaxed);
    trace::request(asked)
}

fn grow(attention: Attention, by: i64) {
    if attention == Attention::None {
        return;
    }
    COUNTS.retained.fetch_add(by, Relaxed);
    if attention == Attention::Level {
        return;
    }
    let live = COUNTS.live.fetch_add(by, Relaxed).wrapping_add(by);
    COUNTS.peak.fetch_max(live, Relaxed);
}

/// A sample begins.
pub(super) fn begin_sample() {
    let all = [
        &COUNTS.allocations,
        &COUNTS.reallocations,
        &COUNTS.frees,
        &COUNTS.bytes,
        &COUNTS.largest,
        &COUNTS.failures,
    ];
    for count in all.into_iter().chain(&COUNTS.histogram) {
        count.store(0, Relaxed);
    }
    for level in [&COUNTS.live, &COUNTS.peak, &COUNTS.growth, &COUNTS.retained] {
        level.store(0, Relaxed);
    }
    attend(Attention::Level);
}

/// A timed region begins.
pub(crate) fn open() {
    COUNTS.live.store(0, Relaxed);
    attend(Attention::Full);
}

/// A timed region has ended.
pub(crate) fn close() {
    let live = COUNTS.live.load(Relaxed);
    COUNTS.growth.fetch_add(live, Relaxed);
    attend(Attention::Level);
}

/// Records how much more is live than when the sample began; the last read of a sample decides.
pub(super) fn record_retained(shared: &Shared, index: u64) {
    let retained = COUNTS.retained.load(Relaxed) as u64;
    shared.set_in_record(index, layout::RECORD_RETAINED, retained);
}

/// Records the sums over the sample's regions.
pub(crate) fn record(shared: &Shared, index: u64) {
    let put = |word, value| shared.set_in_record(index, word, value);
    put(layout::RECORD_ALLOCATIONS, COUNTS.allocations.load(Relaxed));
    put(
        layout::RECORD_REALLOCATIONS,
        COUNTS.reallocations.load(Relaxed),
    );
    put(layout::RECORD_FREES, COUNTS.frees.load(Relaxed));
    put(layout::RECORD_BYTES, COUNTS.bytes.load(Relaxed));
    put(layout::RECORD_PEAK, COUNTS.peak.load(Relaxed) as u64);
    put(layout::RECORD_GROWTH, COUNTS.growth.load(Relaxed) as u64);
    put(layout::RECORD_LARGEST, COUNTS.largest.load(Relaxed));
    put(layout::RECORD_FAILURES, COUNTS.failures.load(Relaxed));
    for (bucket, count) in COUNTS.histogram.iter().enumerate() {
        put(layout::RECORD_HISTOGRAM + bucket, count.load(Relaxed));
    }
}
