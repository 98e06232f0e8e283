//! A process that is counted as a whole: from before `main` until its exit handlers have run. It then stands still, so that
//! the host can ask about it, and ends it.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::{counts, depth, queries, trace};
use crate::layout;
use crate::shared::Shared;
use crate::sys;

/// The mapping of the shared file, or null.
static SHARED: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());
/// A word that is 1 in this process and that the kernel wipes in a forked child.
static ATTACHED: AtomicPtr<u64> = AtomicPtr::new(null_mut());

#[used]
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = destructor;

/// From now on everything counts, as one sample of one region.
pub(super) fn begin(shared: &Shared, attached: *mut u64) {
    SHARED.store(shared.address().cast_mut(), Ordering::Release);
    ATTACHED.store(attached, Ordering::Release);
    trace::take_all_stacks();
    super::forget(shared);
    super::begin_sample(shared);
    queries::begin(shared);
    counts::open();
}

extern "C" fn destructor() {
    let (mapping, attached) = (
        SHARED.load(Ordering::Acquire),
        ATTACHED.load(Ordering::Acquire),
    );
    // SAFETY: both are null or valid for as long as the process lives, as `begin` was promised.
    unsafe {
        if mapping.is_null() || attached.is_null() || attached.read_volatile() != 1 {
            return;
        }
        let shared = Shared::new(mapping);
        let _uncounted = depth::enter();
        counts::close();
        queries::finish(&shared);
        for word in 0..shared.get(layout::RECORD_WORDS) as usize {
            shared.set_in_record(0, word, 0);
        }
        shared.set_in_record(0, layout::RECORD_REGIONS, 1);
        counts::record(&shared, 0);
        super::record_retained(&shared, 0);
        shared.set(layout::LOG_COUNT, 1);
        shared.set(layout::PHASE, layout::PHASE_ENOUGH);
        loop {
            sys::pause();
        }
    }
}
