//! The C library's allocation functions, interposed.
//!
//! This covers C code, Rust code with the system's allocator, and Rust code whose own allocator passes
//! each request on.

use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::trace::StackNumber;
use super::{counts, depth, sizes, wrapper};
use crate::sys;

/// A function of the next library that has it: the C library, or an allocator preloaded by others.
struct Next {
    name: *const c_char,
    address: AtomicUsize,
}

// SAFETY: the name is a constant.
unsafe impl Sync for Next {}

impl Next {
    const fn new(name: &'static core::ffi::CStr) -> Next {
        Next {
            name: name.as_ptr(),
            address: AtomicUsize::new(0),
        }
    }

    /// 0 if no library has it, or while it is being looked up.
    fn find(&self) -> usize {
        match self.address.load(Ordering::Acquire) {
            0 => self.look_up(),
            address => address,
        }
    }

    #[cold]
    fn look_up(&self) -> usize {
        // The look-up itself may allocate: that request arrives here again, and the arena serves it.
        if LOOKING_UP.swap(true, Ordering::AcqRel) {
            return 0;
        }
        // SAFETY: a NUL-terminated name.
        let address = unsafe { sys::dlsym(sys::RTLD_NEXT, self.name) } as usize;
        self.address.store(address, Ordering::Release);
        LOOKING_UP.store(false, Ordering::Release);
        address
    }
}

/// Other threads cannot look up at the same time: the first allocation of each kind that matters
/// happens before `main`; see `resolve`.
static LOOKING_UP: AtomicBool = AtomicBool::new(false);

static MALLOC: Next = Next::new(c"malloc");
static CALLOC: Next = Next::new(c"calloc");
static REALLOC: Next = Next::new(c"realloc");
static FREE: Next = Next::new(c"free");
static ALIGNED_ALLOC: Next = Next::new(c"aligned_alloc");
static POSIX_MEMALIGN: Next = Next::new(c"posix_memalign");
static MEMALIGN: Next = Next::new(c"memalign");
static VALLOC: Next = Next::new(c"valloc");
static PVALLOC: Next = Next::new(c"pvalloc");

/// Looks up all functions, before there is a second thread.
pub(super) fn resolve() {
    for next in [
        &MALLOC,
        &CALLOC,
        &REALLOC,
        &FREE,
        &ALIGNED_ALLOC,
        &POSIX_MEMALIGN,
        &MEMALIGN,
        &VALLOC,
        &PVALLOC,
    ] {
        next.find();
    }
}

type OneSize = unsafe extern "C" fn(usize) -> *mut c_void;
type TwoSizes = unsafe extern "C" fn(usize, usize) -> *mut c_void;

/// Serves the few requests that come while `malloc` itself is being looked up. Never freed.
mod arena {
    use core::cell::UnsafeCell;
    use core::ffi::c_void;
    use core::sync::atomic::{AtomicUsize, Ordering};

    const BYTES: usize = 1 << 16;

    #[repr(align(16))]
    struct Arena(UnsafeCell<[u8; BYTES]>);

    // SAFETY: every byte is handed out once.
    unsafe impl Sync for Arena {}

    static ARENA: Arena = Arena(UnsafeCell::new([0; BYTES]));
    static USED: AtomicUsize = AtomicUsize::new(0);

    /// Zeroed memory, or null when the arena is used up.
    pub(super) fn allocate(size: usize) -> *mut c_void {
        let Some(rounded) = size.max(1).checked_next_multiple_of(16) else {
            return core::ptr::null_mut();
        };
        let start = USED.fetch_add(rounded, Ordering::AcqRel);
        match start.checked_add(rounded) {
            // SAFETY: within the arena.
            Some(end) if end <= BYTES => unsafe { ARENA.0.get().byte_add(start).cast() },
            _ => core::ptr::null_mut(),
        }
    }

    pub(super) fn holds(block: *mut c_void) -> bool {
        let start = ARENA.0.get() as usize;
        (start..start + BYTES).contains(&(block as usize))
    }

    /// At least the block's size, and never beyond the arena.
    pub(super) fn rest(block: *mut c_void) -> usize {
        ARENA.0.get() as usize + BYTES - block as usize
    }
}

/// Allocates by `next`, and counts it if it is the outermost.
fn counted(asked: usize, next: impl FnOnce() -> *mut c_void) -> *mut c_void {
    let outermost = depth::enter();
    let block = next();
    if outermost.is_some() {
        wrapper::passed_on(asked);
        if block.is_null() {
            counts::failed();
        } else {
            sizes::put(block as usize, asked, counts::allocated(asked));
        }
    } else if depth::is_early() && !block.is_null() {
        sizes::put_early(block as usize, asked);
    }
    block
}

// SAFETY of all functions below: their contract is that of the C library's function of the same
// name, whose arguments they pass on unchanged; the addresses have the types of those functions.

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    counted(size, || match MALLOC.find() {
        0 => arena::allocate(size),
        // SAFETY: see above.
        next => unsafe { transmute::<usize, OneSize>(next)(size) },
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    counted(count.wrapping_mul(size), || match CALLOC.find() {
        0 => match count.checked_mul(size) {
            Some(bytes) => arena::allocate(bytes),
            None => null_mut(),
        },
        // SAFETY: see above.
        next => unsafe { transmute::<usize, TwoSizes>(next)(count, size) },
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    counted(size, || by_two(&ALIGNED_ALLOC, align, size))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    counted(size, || by_two(&MEMALIGN, align, size))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    counted(size, || by_one(&VALLOC, size))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    counted(size, || by_one(&PVALLOC, size))
}

fn by_one(next: &Next, size: usize) -> *mut c_void {
    match next.find() {
        0 => null_mut(),
        // SAFETY: see above.
        next => unsafe { transmute::<usize, OneSize>(next)(size) },
    }
}

fn by_two(next: &Next, first: usize, second: usize) -> *mut c_void {
    match next.find() {
        0 => null_mut(),
        // SAFETY: see above.
        next => unsafe { transmute::<usize, TwoSizes>(next)(first, second) },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(into: *mut *mut c_void, align: usize, size: usize) -> c_int {
    const ENOMEM: c_int = 12;
    type Function = unsafe extern "C" fn(*mut *mut c_void, usize, usize) -> c_int;
    let mut status = ENOMEM;
    counted(size, || match POSIX_MEMALIGN.find() {
        0 => null_mut(),
        // SAFETY: see above; `into` is written on success.
        next => unsafe {
            status = transmute::<usize, Function>(next)(into, align, size);
            if status == 0 { *into } else { null_mut() }
        },
    });
    status
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: see above.
    unsafe {
        if block.is_null() {
            return malloc(size);
        }
        if arena::holds(block) {
            return move_out_of_arena(block, size);
        }
        let Some(_outermost) = depth::enter() else {
            let moved = next_realloc(block, size);
            if depth::is_early() && !moved.is_null() {
                sizes::forget(block as usize);
                sizes::put_early(moved as usize, size);
            }
            return moved;
        };
        wrapper::passed_on(size);
        let before = sizes::take_known(block as usize);
        let moved = next_realloc(block, size);
        match (moved.is_null(), size) {
            (true, 0) => counts::freed(before),
            (true, _) => {
                sizes::put(block as usize, before, StackNumber::NONE);
                counts::failed();
            }
            (false, _) => {
                let stack = counts::reallocated(size, size as i64 - before as i64);
                sizes::put(moved as usize, size, stack);
            }
        }
        moved
    }
}

/// # Safety
/// As `realloc`.
unsafe fn next_realloc(block: *mut c_void, size: usize) -> *mut c_void {
    type Function = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    match REALLOC.find() {
        0 => null_mut(),
        // SAFETY: as our caller vouches.
        next => unsafe { transmute::<usize, Function>(next)(block, size) },
    }
}

/// # Safety
/// `block` is a block of the arena.
unsafe fn move_out_of_arena(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: both blocks are at least as long as what is copied.
    unsafe {
        let moved = malloc(size);
        if !moved.is_null() {
            let length = size.min(arena::rest(block));
            core::ptr::copy(block.cast::<u8>(), moved.cast::<u8>(), length);
        }
        moved
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: see above.
        Some(bytes) => unsafe { realloc(block, bytes) },
        // Larger than any heap: the C library refuses it, and sets `errno`. SAFETY: see above.
        None => unsafe { realloc(block, usize::MAX) },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    if block.is_null() || arena::holds(block) {
        return;
    }
    let outermost = depth::enter();
    if outermost.is_some() {
        wrapper::passed_on(0);
        counts::freed(sizes::take_known(block as usize));
    } else if depth::is_early() {
        sizes::forget(block as usize);
    }
    match FREE.find() {
        // This never happens: `malloc` was found when this block was made. A leak does the least harm.
        0 => {}
        // SAFETY: see above.
        next => unsafe { transmute::<usize, unsafe extern "C" fn(*mut c_void)>(next)(block) },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free_sized(block: *mut c_void, _: usize) {
    // SAFETY: see above.
    unsafe { free(block) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free_aligned_sized(block: *mut c_void, _: usize, _: usize) {
    // SAFETY: see above.
    unsafe { free(block) };
}
