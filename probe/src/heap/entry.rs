//! The entry points of Rust's global allocator, redirected at run time.
//!
//! The first instructions of `__rust_alloc` and its three relatives make way for a jump to a
//! function here; they are moved to a page near the executable (a jump reaches two gigabytes, and
//! libraries lie further away), and a jump back behind them. Which instructions can be moved, the
//! host has found out.

use core::ffi::c_void;
use core::mem::transmute;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::counts::{self, Attention};
use super::depth;
use crate::layout;
use crate::shared::Shared;
use crate::sys;

/// Where the moved beginnings of the entry points are: alloc, dealloc, realloc, alloc_zeroed.
static LED_TO: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

const PAGE: usize = 4096;
/// `jmp rel32`, and its length.
const JUMP: u8 = 0xe9;
const JUMP_BYTES: usize = 5;
/// On the page, for each entry point: `mov rax, imm64; jmp rax` to our function,
const STEP_BYTES: usize = 64;
/// and from here on the moved beginning.
const MOVED: usize = 16;

/// An entry point as the host has described it.
#[derive(Clone, Copy, Default)]
struct Entry {
    address: usize,
    length: usize,
    distances: [u8; 8],
    code: [u8; layout::SHIM_CODE_BYTES],
}

impl Entry {
    fn read(shared: &Shared, index: usize, bias: usize) -> Option<Entry> {
        let first = layout::SHIMS + index * layout::SHIM_WORDS;
        let address = shared.get(first + layout::SHIM_ADDRESS) as usize;
        let mut code = [0; layout::SHIM_CODE_BYTES];
        for (word, bytes) in code.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&shared.get(first + layout::SHIM_CODE + word).to_ne_bytes());
        }
        (address != 0).then(|| Entry {
            address: address.wrapping_add(bias),
            length: shared.get(first + layout::SHIM_LENGTH) as usize,
            distances: shared.get(first + layout::SHIM_DISTANCES).to_ne_bytes(),
            code,
        })
    }

    /// Whether what is in memory is what the host has seen in the file, and can be moved.
    ///
    /// # Safety
    /// The address is that of code of the executable.
    unsafe fn is_as_described(&self) -> bool {
        // SAFETY: the host has read as many bytes of the same section.
        let found = unsafe { &*(self.address as *const [u8; layout::SHIM_CODE_BYTES]) };
        (JUMP_BYTES..=layout::SHIM_CODE_BYTES).contains(&self.length) && *found == self.code
    }
}

/// What became of the entry points: a `SHIM_` constant.
pub(super) fn redirect(shared: &Shared, bias: usize) -> u64 {
    let mut entries = [Entry::default(); 4];
    for (index, entry) in entries.iter_mut().enumerate() {
        match Entry::read(shared, index, bias) {
            Some(found) => *entry = found,
            None => return layout::SHIM_NONE,
        }
    }
    if !cfg!(target_arch = "x86_64") {
        return layout::SHIM_UNKNOWN;
    }
    // SAFETY: the host has found the entry points in this executable's symbol table; code is
    // replaced only if it is what the host has seen, while there is one thread.
    unsafe {
        if !entries.iter().all(|entry| entry.is_as_described()) {
            return layout::SHIM_UNKNOWN;
        }
        let Some(page) = page_near(entries[0].address) else {
            return layout::SHIM_REFUSED;
        };
        if !fill(page, &entries) {
            return layout::SHIM_REFUSED;
        }
        for (index, entry) in entries.iter().enumerate() {
            if !turn(entry, page + index * STEP_BYTES) {
                return layout::SHIM_REFUSED;
            }
        }
        layout::SHIM_HOOKED
    }
}

/// A new page, writable, within reach of the jumps of the executable.
fn page_near(near: usize) -> Option<usize> {
    const REACH: usize = 1 << 30;
    const STRIDE: usize = 1 << 20;
    let page = near & !(PAGE - 1);
    let below = (1..REACH / STRIDE).filter_map(|n| page.checked_sub(n * STRIDE));
    let above = (1..REACH / STRIDE).filter_map(|n| page.checked_add(n * STRIDE));
    below.chain(above).find(|&hint| {
        // SAFETY: a new page, where nothing is mapped; older kernels take the address as a hint.
        unsafe {
            let at = sys::mmap(
                hint as *mut c_void,
                PAGE,
                sys::PROT_READ | sys::PROT_WRITE,
                sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_FIXED_NOREPLACE,
                -1,
                0,
            );
            if at != sys::MAP_FAILED && at as usize != hint {
                sys::munmap(at, PAGE);
            }
            at as usize == hint
        }
    })
}

/// Writes the jumps to our functions and the moved beginnings, and makes the page executable.
///
/// # Safety
/// `page` is a writable page of ours, and the entries are as described.
unsafe fn fill(page: usize, entries: &[Entry; 4]) -> bool {
    let functions = [
        rust_alloc as *const () as usize,
        rust_dealloc as *const () as usize,
        rust_realloc as *const () as usize,
        rust_alloc_zeroed as *const () as usize,
    ];
    for (index, (entry, function)) in entries.iter().zip(functions).enumerate() {
        let step = page + index * STEP_BYTES;
        let moved = step + MOVED;
        // SAFETY: all within the step's 64 bytes of the page: 12, then 16 + 5 from 16 on.
        let corrected = unsafe {
            (step as *mut [u8; 2]).write([0x48, 0xb8]);
            ((step + 2) as *mut usize).write_unaligned(function);
            ((step + 10) as *mut [u8; 2]).write([0xff, 0xe0]);
            (moved as *mut [u8; layout::SHIM_CODE_BYTES]).write(entry.code);
            correct_distances(entry, moved)
                && jump(moved + entry.length, entry.address + entry.length)
        };
        if !corrected {
            return false;
        }
        LED_TO[index].store(moved, Ordering::Release);
    }
    let executable = sys::PROT_READ | sys::PROT_EXEC;
    // SAFETY: our own page.
    unsafe { sys::mprotect(page as *mut c_void, PAGE, executable) == 0 }
}

/// # Safety
/// At `moved` there is a copy of the entry's code, writable.
unsafe fn correct_distances(entry: &Entry, moved: usize) -> bool {
    let by = entry.address.wrapping_sub(moved) as i64;
    for offset in entry.distances.into_iter().take_while(|&at| at != 0) {
        let at = (moved + offset as usize - 1) as *mut i32;
        // SAFETY: the four bytes of a distance, within the copy.
        let distance = i64::from(unsafe { at.read_unaligned() }) + by;
        let Ok(distance) = i32::try_from(distance) else {
            return false;
        };
        // SAFETY: as above.
        unsafe { at.write_unaligned(distance) };
    }
    true
}

/// Writes a jump; `false` if it does not reach.
///
/// # Safety
/// Five bytes at `from` can be written.
unsafe fn jump(from: usize, to: usize) -> bool {
    let distance = to.wrapping_sub(from + JUMP_BYTES) as isize;
    let Ok(distance) = i32::try_from(distance) else {
        return false;
    };
    // SAFETY: as our caller vouches.
    unsafe {
        (from as *mut u8).write(JUMP);
        ((from + 1) as *mut i32).write_unaligned(distance);
    }
    true
}

/// Puts a jump to `step` at the entry point.
///
/// # Safety
/// The entry is as described, its beginning has been moved, and there is one thread.
unsafe fn turn(entry: &Entry, step: usize) -> bool {
    let page = entry.address & !(PAGE - 1);
    let length = entry.address + JUMP_BYTES - page;
    // SAFETY: the pages of the jump, writable for this moment; none of our own code is there.
    unsafe {
        let at = page as *mut c_void;
        if sys::mprotect(at, length, sys::PROT_READ | sys::PROT_WRITE) != 0 {
            return false;
        }
        let turned = jump(entry.address, step);
        if sys::mprotect(at, length, sys::PROT_READ | sys::PROT_EXEC) != 0 {
            sys::abort();
        }
        turned
    }
}

fn led_to(index: usize) -> usize {
    LED_TO[index].load(Ordering::Relaxed)
}

/// Counts what `next` allocates, if it is the outermost.
fn counted(size: usize, next: impl FnOnce() -> *mut u8) -> *mut u8 {
    let attention = counts::attention();
    if attention == Attention::None {
        return next();
    }
    let outermost = depth::enter();
    let block = next();
    if outermost.is_some() {
        if block.is_null() {
            counts::failed(attention);
        } else {
            counts::allocated(attention, size, size);
        }
    }
    block
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
    let attention = counts::attention();
    let outermost = match attention {
        Attention::None => None,
        Attention::Level | Attention::Full => depth::enter(),
    };
    if outermost.is_some() {
        counts::freed(attention, size);
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
    // SAFETY: see above.
    let next = || unsafe { transmute::<usize, Realloc>(led_to(2))(block, size, align, new_size) };
    let attention = counts::attention();
    if attention == Attention::None {
        return next();
    }
    let outermost = depth::enter();
    let moved = next();
    if outermost.is_some() {
        if moved.is_null() {
            counts::failed(attention);
        } else {
            counts::reallocated(attention, new_size, new_size as i64 - size as i64);
        }
    }
    moved
}
