//! Whether a thread is inside an allocation function already: what that calls is its own business.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::sys;

/// Values of the first keys lie in the thread's own block: setting them never allocates.
const FIRST_BLOCK: u32 = 32;
const NO_KEY: u32 = u32::MAX;

static KEY: AtomicU32 = AtomicU32::new(NO_KEY);

/// Makes ready; without it nothing is ever counted.
pub(super) fn start() -> bool {
    let mut key = NO_KEY;
    // SAFETY: a place for the key; it has no destructor.
    let made = unsafe { sys::pthread_key_create(&raw mut key, None) } == 0 && key < FIRST_BLOCK;
    if made {
        KEY.store(key, Ordering::Release);
    }
    made
}

/// While this lives, allocations of this thread belong to the one that is under way.
pub(crate) struct Outermost {
    key: u32,
}

/// `None` inside another allocation.
pub(super) fn enter() -> Option<Outermost> {
    let key = KEY.load(Ordering::Acquire);
    if key == NO_KEY {
        return None;
    }
    // SAFETY: a key that was created and is never deleted; any non-null value marks it.
    unsafe {
        if !sys::pthread_getspecific(key).is_null() {
            return None;
        }
        sys::pthread_setspecific(key, (&raw const KEY).cast::<c_void>());
    }
    Some(Outermost { key })
}

impl Drop for Outermost {
    fn drop(&mut self) {
        // SAFETY: as in `enter`.
        unsafe { sys::pthread_setspecific(self.key, core::ptr::null()) };
    }
}
