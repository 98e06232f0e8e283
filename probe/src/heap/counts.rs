//! The counters. Atomic, so that any thread and any signal handler may count.

use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::layout;
use crate::shared::Shared;

/// Whether a timed region is under way.
static COUNTING: AtomicBool = AtomicBool::new(false);

/// What the sample's regions have added up to.
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
    histogram: [const { AtomicU64::new(0) }; layout::HISTOGRAM_WORDS],
};

/// Whether a timed region is under way.
pub(super) fn counting() -> bool {
    COUNTING.load(Relaxed)
}

/// `asked` bytes were asked for; they take `live` bytes of the heap.
pub(super) fn allocated(asked: usize, live: usize) {
    COUNTS.allocations.fetch_add(1, Relaxed);
    request(asked);
    grow(live as i64);
}

/// A block was made `asked` bytes long; that changed the heap by `growth`.
pub(super) fn reallocated(asked: usize, growth: i64) {
    COUNTS.reallocations.fetch_add(1, Relaxed);
    request(asked);
    grow(growth);
}

/// A block that took `live` bytes was freed.
pub(super) fn freed(live: usize) {
    COUNTS.frees.fetch_add(1, Relaxed);
    grow(-(live as i64));
}

/// A request was refused.
pub(super) fn failed() {
    COUNTS.failures.fetch_add(1, Relaxed);
}

fn request(asked: usize) {
    COUNTS.bytes.fetch_add(asked as u64, Relaxed);
    COUNTS.largest.fetch_max(asked as u64, Relaxed);
    let bucket = usize::BITS - asked.leading_zeros();
    COUNTS.histogram[bucket as usize].fetch_add(1, Relaxed);
}

fn grow(by: i64) {
    let live = COUNTS.live.fetch_add(by, Relaxed).wrapping_add(by);
    COUNTS.peak.fetch_max(live, Relaxed);
}

/// A sample begins.
pub(crate) fn begin_sample() {
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
    for level in [&COUNTS.live, &COUNTS.peak, &COUNTS.growth] {
        level.store(0, Relaxed);
    }
}

/// A timed region begins.
pub(crate) fn open() {
    COUNTS.live.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Stops counting for a moment: what the probe itself does is nobody's allocation. Whether it was
/// counting.
pub(crate) fn pause() -> bool {
    COUNTING.swap(false, Relaxed)
}

/// Ends a pause.
pub(crate) fn resume(counting: bool) {
    COUNTING.store(counting, Relaxed);
}

/// A timed region has ended; `pause` has stopped the counting.
pub(crate) fn close() {
    let live = COUNTS.live.load(Relaxed);
    COUNTS.growth.fetch_add(live, Relaxed);
}

/// Writes what the sample's regions have added up to.
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
