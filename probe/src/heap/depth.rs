//! Whether a thread is already inside an allocation function: nested calls do not count.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::sys;

/// Values of the first keys lie in the thread's own block: setting them never allocates.
const FIRST_BLOCK: u32 = 32;
const NO_KEY: u32 = u32::MAX;

/// A thread-local pointer; null at first. It works in every thread at any time, also while a thread
/// ends.
pub(super) struct Key(AtomicU32);

impl Key {
    pub(super) const fn new() -> Key {
        Key(AtomicU32::new(NO_KEY))
    }

    /// Prepares the key; without it there are no pointers.
    pub(super) fn start(&self) -> bool {
        let mut key = NO_KEY;
        // SAFETY: a place for the key; it has no destructor.
        let made = unsafe { sys::pthread_key_create(&raw mut key, None) } == 0 && key < FIRST_BLOCK;
        if made {
            self.0.store(key, Ordering::Release);
        }
        made
    }

    pub(super) fn get(&self) -> *mut c_void {
        match self.0.load(Ordering::Acquire) {
            NO_KEY => core::ptr::null_mut(),
            // SAFETY: a key that was created and is never deleted.
            key => unsafe { sys::pthread_getspecific(key) },
        }
    }

    pub(super) fn set(&self, value: *const c_void) {
        let key = self.0.load(Ordering::Acquire);
        if key != NO_KEY {
            // SAFETY: a key that was created and is never deleted.
            unsafe { sys::pthread_setspecific(key, value) };
        }
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) != NO_KEY
    }
}

static KEY: Key = Key::new();

/// Prepares the key; without it nothing is ever counted.
pub(super) fn start() -> bool {
    KEY.start()
}

/// While this lives, further allocations of this thread belong to the current one.
pub(crate) struct Outermost(());

/// Whether [`start`] is still to come.
pub(super) fn is_early() -> bool {
    !KEY.is_ready()
}

/// `None` inside another allocation.
pub(super) fn enter() -> Option<Outermost> {
    if !KEY.is_ready() || !KEY.get().is_null() {
        return None;
    }
    // Any value but null marks it.
    KEY.set((&raw const KEY).cast());
    Some(Outermost(()))
}

impl Drop for Outermost {
    fn drop(&mut self) {
        KEY.set(core::ptr::null());
    }
}
