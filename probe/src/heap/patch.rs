//! Functions of the executable, redirected at run time.
//!
//! A jump to one of our functions replaces the first instructions of a function. These are moved to a page near the
//! executable (a jump reaches two gigabytes, and libraries lie further away), followed by a jump back. The host has
//! found out which instructions can be moved.

use core::ffi::c_void;

use crate::layout;
use crate::shared::Shared;
use crate::sys;

const PAGE: usize = 4096;
/// `jmp rel32`, and its length.
const JUMP: u8 = 0xe9;
const JUMP_BYTES: usize = 5;
/// The size on the page of each entry point: `mov rax, imm64; jmp rax` to our function,
const STEP_BYTES: usize = 64;
/// and from here on the moved beginning.
const MOVED: usize = 16;

/// A function as the host has described it.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    address: usize,
    length: usize,
    distances: [u8; 8],
    code: [u8; layout::SHIM_CODE_BYTES],
}

impl Entry {
    /// Reads it from the shared file, from the word `first` on; `bias` is where the executable is loaded.
    pub(super) fn read(shared: &Shared, first: usize, bias: usize) -> Option<Entry> {
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

    /// The entry points of Rust's allocator: alloc, dealloc, realloc, alloc_zeroed.
    pub(super) fn rust(shared: &Shared, bias: usize) -> Option<[Entry; 4]> {
        let mut entries = [Entry::default(); 4];
        for (index, entry) in entries.iter_mut().enumerate() {
            *entry = Entry::read(shared, layout::SHIMS + index * layout::SHIM_WORDS, bias)?;
        }
        Some(entries)
    }

    /// Where the last of the moved instructions is, if it is a short conditional branch.
    fn branch(&self) -> Option<usize> {
        let mut marks = self.distances.into_iter();
        let mark = marks.find(|at| at & layout::SHIM_BRANCH != 0)?;
        let at = usize::from(mark & !layout::SHIM_BRANCH).checked_sub(1)?;
        (at + 2 == self.length).then_some(at)
    }

    /// Whether the code in memory is the code that the host has seen in the file, and can be moved.
    ///
    /// # Safety
    /// The address is that of code of the executable.
    unsafe fn is_as_described(&self) -> bool {
        // SAFETY: the host has read as many bytes of the same section.
        let found = unsafe { &*(self.address as *const [u8; layout::SHIM_CODE_BYTES]) };
        let is_marked = self
            .distances
            .iter()
            .any(|at| at & layout::SHIM_BRANCH != 0);
        (JUMP_BYTES..=layout::SHIM_CODE_BYTES).contains(&self.length)
            && *found == self.code
            && (!is_marked || self.branch().is_some())
    }
}

/// Redirects each entry to the function of the same number. `moved` is called, before anything is
/// redirected, with the address to which each beginning has been moved. Returns the outcome: a
/// `SHIM_` constant.
///
/// # Safety
/// There is one thread. Each address is that of code of the executable, and each function takes what the
/// one that it stands for takes.
pub(super) unsafe fn redirect<F: Copy>(
    entries: &[Entry],
    functions: &[F],
    moved: impl Fn(usize, usize),
) -> u64 {
    if !cfg!(target_arch = "x86_64") || entries.len() * STEP_BYTES > PAGE {
        return layout::SHIM_UNKNOWN;
    }
    // SAFETY: the host has found the functions in this executable's symbol table; code is replaced only if
    // it is what the host has seen, while there is one thread.
    unsafe {
        if !entries.iter().all(|entry| entry.is_as_described()) {
            return layout::SHIM_UNKNOWN;
        }
        let Some(page) = page_near(entries[0].address) else {
            return layout::SHIM_REFUSED;
        };
        if !fill(page, entries, functions, moved) {
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
/// `page` is a writable page of ours, and the entries are as described; `F` is a function pointer.
unsafe fn fill<F: Copy>(
    page: usize,
    entries: &[Entry],
    functions: &[F],
    moved_to: impl Fn(usize, usize),
) -> bool {
    for (index, (entry, function)) in entries.iter().zip(functions).enumerate() {
        let step = page + index * STEP_BYTES;
        let moved = step + MOVED;
        // SAFETY: all within the step's 64 bytes of the page: 12, then 16 + 4 + 5 at most from 16 on.
        let corrected = unsafe {
            (step as *mut [u8; 2]).write([0x48, 0xb8]);
            ((step + 2) as *mut F).write_unaligned(*function);
            ((step + 10) as *mut [u8; 2]).write([0xff, 0xe0]);
            (moved as *mut [u8; layout::SHIM_CODE_BYTES]).write(entry.code);
            let end = match entry.branch() {
                Some(at) => lengthen(entry, moved, at),
                None => Some(moved + entry.length),
            };
            correct_distances(entry, moved)
                && end.is_some_and(|end| jump(end, entry.address + entry.length))
        };
        if !corrected {
            return false;
        }
        moved_to(index, moved);
    }
    let executable = sys::PROT_READ | sys::PROT_EXEC;
    // SAFETY: our own page.
    unsafe { sys::mprotect(page as *mut c_void, PAGE, executable) == 0 }
}

/// Writes the conditional branch at `at`, the last of the moved instructions, with a distance of 32 bits. The result is
/// where it ends; `None` if it does not reach.
///
/// # Safety
/// At `moved` there is a copy of the entry's code, writable, with four more bytes behind it.
unsafe fn lengthen(entry: &Entry, moved: usize, at: usize) -> Option<usize> {
    let (condition, distance) = (entry.code[at] & 0x0f, entry.code[at + 1] as i8);
    let target = (entry.address + at + 2).wrapping_add_signed(isize::from(distance));
    let end = moved + at + 6;
    let distance = i32::try_from(target.wrapping_sub(end) as isize).ok()?;
    // SAFETY: as our caller vouches.
    unsafe {
        ((moved + at) as *mut [u8; 2]).write([0x0f, 0x80 | condition]);
        ((moved + at + 2) as *mut i32).write_unaligned(distance);
    }
    Some(end)
}

/// # Safety
/// At `moved` there is a copy of the entry's code, writable.
unsafe fn correct_distances(entry: &Entry, moved: usize) -> bool {
    let by = entry.address.wrapping_sub(moved) as i64;
    let distances = entry.distances.into_iter().take_while(|&at| at != 0);
    for offset in distances.filter(|at| at & layout::SHIM_BRANCH == 0) {
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
