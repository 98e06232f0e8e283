//! The entry points of Rust's global allocator, redirected: this covers Rust code with any allocator,
//! with exact sizes, as long as the compiler has not inlined the calls.

use core::mem::transmute;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::patch::{self, Entry};
use super::trace::StackNumber;
use super::{counts, depth, sizes};
use crate::layout;
use crate::shared::Shared;

/// The addresses of the moved beginnings of the entry points: alloc, dealloc, realloc, alloc_zeroed.
static LED_TO: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// The outcome for the entry points: a `SHIM_` constant.
///
/// # Safety
/// There is one thread.
pub(super) unsafe fn redirect(shared: &Shared, bias: usize) -> u64 {
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

/// Counts what `next` allocates, if it is the outermost.
fn counted(size: usize, next: impl FnOnce() -> *mut u8) -> *mut u8 {
    let outermost = depth::enter();
    let block = next();
    if outermost.is_some() {
        if block.is_null() {
            counts::failed();
        } else {
            follow(block, size, counts::allocated(size));
        }
    }
    block
}

/// Records which stack allocated a block of `size` bytes. Does nothing for an unknown stack: the size then comes from
/// the call that frees the block.
fn follow(block: *mut u8, size: usize, stack: StackNumber) {
    if stack != StackNumber::NONE {
        sizes::put(block as usize, size, stack);
    }
}

// SAFETY of all functions below: they take the arguments of the entry point they stand for and pass
// them on to where that led. For integers and pointers, Rust's calling convention is C's.

type Alloc = unsafe extern "C" fn(usize, usize) -> *mut u8;

unsafe extern "C" fn rust_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: see above.
    counted(size, || unsafe {
        transmute::<usize, Alloc>(led_to(0))(size, align)
    })
}

unsafe extern "C" fn rust_alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: see above.
    counted(size, || unsafe {
        transmute::<usize, Alloc>(led_to(3))(size, align)
    })
}

unsafe extern "C" fn rust_dealloc(block: *mut u8, size: usize, align: usize) {
    type Dealloc = unsafe extern "C" fn(*mut u8, usize, usize);
    let outermost = depth::enter();
    if outermost.is_some() {
        counts::freed(size);
        sizes::forget(block as usize);
    }
    // SAFETY: see above.
    unsafe { transmute::<usize, Dealloc>(led_to(1))(block, size, align) }
}

unsafe extern "C" fn rust_realloc(
    block: *mut u8,
    size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    type Realloc = unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8;
    let outermost = depth::enter();
    if outermost.is_some() {
        sizes::forget(block as usize);
    }
    // SAFETY: see above.
    let moved = unsafe { transmute::<usize, Realloc>(led_to(2))(block, size, align, new_size) };
    if outermost.is_some() {
        if moved.is_null() {
            counts::failed();
        } else {
            let growth = new_size as i64 - size as i64;
            follow(moved, new_size, counts::reallocated(new_size, growth));
        }
    }
    moved
}
