//! Whether the program's own allocator passes each request on to the C library, as wrappers that count
//! or log do: then the counts there are the program's own requests.
//!
//! The compiler inlines most calls of such an allocator, but not those in Rust's precompiled standard
//! library: at its entry points, every call that was not inlined is compared with the C library's
//! calls that it led to. Anything other than one call for the same size reveals an allocator that
//! manages its own blocks.

use core::mem::transmute;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::depth::Key;
use super::patch::{self, Entry};
use crate::layout;
use crate::shared::Shared;

static LED_TO: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
/// What a thread's call of an entry point is expected to lead to.
static EXPECTED: Key = Key::new();

/// Requests that reached the C library.
static REACHED: AtomicU64 = AtomicU64::new(0);
/// Calls of entry points that led to one call for the same size,
static PASSED_ON: AtomicU64 = AtomicU64::new(0);
/// and to anything else.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// A call of an entry point that is in progress.
struct Expectation {
    size: usize,
    calls: u32,
    alike: u32,
}

/// The C library was asked for `size` bytes, or, with 0, to free some.
pub(super) fn passed_on(size: usize) {
    REACHED.fetch_add(1, Ordering::Relaxed);
    let expected = EXPECTED.get().cast::<Expectation>();
    if !expected.is_null() {
        // SAFETY: it lies in a frame below, of this thread, that resets the pointer before it ends.
        unsafe {
            (*expected).calls += 1;
            (*expected).alike += u32::from((*expected).size == size);
        }
    }
}

/// Records what has been seen so far.
pub(super) fn record(shared: &Shared) {
    shared.set(layout::REACHED, REACHED.load(Ordering::Relaxed));
    shared.set(layout::PASSED_ON, PASSED_ON.load(Ordering::Relaxed));
    shared.set(layout::KEPT, KEPT.load(Ordering::Relaxed));
}

/// The outcome for the entry points: a `SHIM_` constant.
///
/// # Safety
/// There is one thread.
pub(super) unsafe fn redirect(shared: &Shared, bias: usize) -> u64 {
    if !EXPECTED.start() {
        return layout::SHIM_REFUSED;
    }
    let Some(entries) = Entry::rust(shared, bias) else {
        return layout::SHIM_NONE;
    };
    let functions = [
        rust_alloc as *const (),
        rust_dealloc as *const (),
        rust_realloc as *const (),
        rust_alloc_zeroed as *const (),
    ];
    // SAFETY: as our caller vouches.
    unsafe {
        patch::redirect(&entries, &functions, |index, moved| {
            LED_TO[index].store(moved, Ordering::Release);
        })
    }
}

fn led_to(index: usize) -> usize {
    LED_TO[index].load(Ordering::Relaxed)
}

/// Compares what `next` leads to with one call for `size` bytes.
fn compared<T>(size: usize, next: impl FnOnce() -> T) -> T {
    let mut expected = Expectation {
        size,
        calls: 0,
        alike: 0,
    };
    EXPECTED.set((&raw mut expected).cast());
    let result = next();
    EXPECTED.set(core::ptr::null());
    // It was written through the pointer.
    let seen = core::hint::black_box(&expected);
    let counter = if seen.calls == 1 && seen.alike == 1 {
        &PASSED_ON
    } else {
        &KEPT
    };
    counter.fetch_add(1, Ordering::Relaxed);
    result
}

// SAFETY of all functions below: they take the arguments of the entry point they stand for and pass
// them on to where that led.

type Alloc = unsafe extern "C" fn(usize, usize) -> *mut u8;

unsafe extern "C" fn rust_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: see above.
    compared(size, || unsafe {
        transmute::<usize, Alloc>(led_to(0))(size, align)
    })
}

unsafe extern "C" fn rust_alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: see above.
    compared(size, || unsafe {
        transmute::<usize, Alloc>(led_to(3))(size, align)
    })
}

unsafe extern "C" fn rust_dealloc(block: *mut u8, size: usize, align: usize) {
    type Dealloc = unsafe extern "C" fn(*mut u8, usize, usize);
    // SAFETY: see above.
    compared(0, || unsafe {
        transmute::<usize, Dealloc>(led_to(1))(block, size, align);
    });
}

/// Not compared: an implementation that allocates anew, copies and frees is equally valid.
unsafe extern "C" fn rust_realloc(
    block: *mut u8,
    size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    type Realloc = unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8;
    // SAFETY: see above.
    unsafe { transmute::<usize, Realloc>(led_to(2))(block, size, align, new_size) }
}
