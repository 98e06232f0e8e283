//! The functions of an allocator that is linked into the executable (mimalloc, jemalloc, or one that
//! calls its functions `malloc` and so on), redirected at run time.
//!
//! Recent compilers inline the entry points of Rust's allocator, so that a program calls such functions
//! directly. They are C functions in a separate library, so calls to them are not inlined.

use core::mem::transmute;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::counts;
use super::depth;
use super::patch::{self, Entry};
use super::sizes;
use super::trace::StackNumber;
use crate::layout;
use crate::shared::Shared;

/// What one of these functions does, a `NATIVE_` constant.
static KINDS: [AtomicU64; layout::NATIVE_MOST] = [const { AtomicU64::new(0) }; layout::NATIVE_MOST];
/// Where its moved beginning is.
static LED_TO: [AtomicUsize; layout::NATIVE_MOST] =
    [const { AtomicUsize::new(0) }; layout::NATIVE_MOST];

/// None of these functions takes more arguments than four integers or pointers. Passing on more than it
/// takes does no harm: they are in registers.
type Function = unsafe extern "C" fn(usize, usize, usize, usize) -> usize;

/// The outcome for the functions that the host has named: a `SHIM_` constant.
///
/// # Safety
/// There is one thread.
pub(super) unsafe fn redirect(shared: &Shared, bias: usize) -> u64 {
    let count = shared.get(layout::NATIVE_COUNT) as usize;
    let mut entries = [Entry::default(); layout::NATIVE_MOST];
    if count == 0 || count > entries.len() {
        return layout::SHIM_NONE;
    }
    for (index, entry) in entries[..count].iter_mut().enumerate() {
        let first = layout::NATIVE + index * layout::NATIVE_WORDS;
        let Some(found) = Entry::read(shared, first + layout::NATIVE_SHIM, bias) else {
            return layout::SHIM_NONE;
        };
        *entry = found;
        KINDS[index].store(shared.get(first + layout::NATIVE_KIND), Ordering::Release);
    }
    // SAFETY: as our caller vouches; the functions take what those that they stand for take.
    unsafe {
        patch::redirect(&entries[..count], &FUNCTIONS[..count], |index, moved| {
            LED_TO[index].store(moved, Ordering::Release);
        })
    }
}

const FUNCTIONS: [Function; layout::NATIVE_MOST] = [
    stand_in::<0>,
    stand_in::<1>,
    stand_in::<2>,
    stand_in::<3>,
    stand_in::<4>,
    stand_in::<5>,
    stand_in::<6>,
    stand_in::<7>,
    stand_in::<8>,
    stand_in::<9>,
    stand_in::<10>,
    stand_in::<11>,
    stand_in::<12>,
    stand_in::<13>,
    stand_in::<14>,
    stand_in::<15>,
];

/// Replaces the function with this number.
unsafe extern "C" fn stand_in<const INDEX: usize>(a: usize, b: usize, c: usize, d: usize) -> usize {
    // SAFETY: the function's own arguments, as its caller vouches; it takes no more than these.
    let next = || unsafe {
        transmute::<usize, Function>(LED_TO[INDEX].load(Ordering::Relaxed))(a, b, c, d)
    };
    let Some(_outermost) = depth::enter() else {
        return next();
    };
    match KINDS[INDEX].load(Ordering::Relaxed) {
        layout::NATIVE_ALLOCATE => allocated(a, next()),
        layout::NATIVE_ALLOCATE_SECOND => allocated(b, next()),
        layout::NATIVE_ALLOCATE_MANY => allocated(a.wrapping_mul(b), next()),
        layout::NATIVE_ALLOCATE_INTO => {
            let status = next();
            let block = match status {
                // SAFETY: the function has written the block's address where its first argument points.
                0 => unsafe { *(a as *const usize) },
                _ => 0,
            };
            allocated(c, block);
            status
        }
        layout::NATIVE_REALLOCATE if a == 0 => allocated(b, next()),
        layout::NATIVE_REALLOCATE => reallocated(a, b, next),
        layout::NATIVE_FREE => {
            if a != 0 {
                counts::freed(sizes::take_known(a));
            }
            next()
        }
        _ => next(),
    }
}

fn allocated(asked: usize, block: usize) -> usize {
    if block == 0 {
        counts::failed();
    } else {
        sizes::put(block, asked, counts::allocated(asked));
    }
    block
}

fn reallocated(block: usize, asked: usize, next: impl FnOnce() -> usize) -> usize {
    let before = sizes::take_known(block);
    let moved = next();
    match (moved, asked) {
        (0, 0) => counts::freed(before),
        (0, _) => {
            sizes::put(block, before, StackNumber::NONE);
            counts::failed();
        }
        (moved, _) => {
            let stack = counts::reallocated(asked, asked as i64 - before as i64);
            sizes::put(moved, asked, stack);
        }
    }
    moved
}
