//! Whether the benchmark starts processes of its own: their allocations are not counted.
//!
//! The kernel adds up what ended children have used, however they were started.

use core::sync::atomic::{AtomicI64, Ordering};

use crate::layout;
use crate::shared::Shared;
use crate::sys;

static AT_START: AtomicI64 = AtomicI64::new(0);

/// A sample begins.
pub(super) fn begin_sample() {
    AT_START.store(used(), Ordering::Relaxed);
}

/// Records whether a child has ended since the sample began.
pub(super) fn record(shared: &Shared) {
    if used() != AT_START.load(Ordering::Relaxed) {
        shared.set(layout::CHILDREN, 1);
    }
}

/// The resources that children which have been waited for have used: this only grows.
fn used() -> i64 {
    let mut usage: sys::Rusage = [0; 18];
    // SAFETY: a place for the answer.
    unsafe { sys::getrusage(sys::RUSAGE_CHILDREN, &raw mut usage) };
    usage[sys::RUSAGE_MINOR_FAULTS]
}
