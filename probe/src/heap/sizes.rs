//! The requested size of each live block, and the stack that asked for it: `free` gives neither, and allocators round
//! requests differently.
//!
//! A table by address, without locks: an address is in it at most once, since it is taken out before
//! the block is freed and put in before the program learns of it. A block may lie in a few
//! neighbouring slots; one that finds none free counts with size zero, and as lost.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use super::counts;
use super::trace::{self, StackNumber};
use crate::sys;

/// Slots: enough for a million live blocks. Untouched ones take no memory.
const SLOTS: usize = 1 << 21;
/// The number of neighbouring slots in which a block may lie.
const REACH: usize = 64;

/// Never used.
const EMPTY: usize = 0;
/// Used before. No block lies there.
const FREED: usize = 1;

struct Slot {
    address: AtomicUsize,
    /// The size in the lower [`SIZE_BITS`], the stack's number above.
    block: AtomicU64,
}

/// More than any address space has.
const SIZE_BITS: u32 = 48;

static TABLE: AtomicPtr<Slot> = AtomicPtr::new(null_mut());
static LOST: AtomicU64 = AtomicU64::new(0);

/// Makes the table, unless it is there; `false` where there is no memory for it. Programs may allocate
/// before any constructor of ours has run, but not from two threads.
pub(super) fn start() -> bool {
    if !TABLE.load(Ordering::Acquire).is_null() {
        return true;
    }
    const NORESERVE: i32 = 0x4000;
    // SAFETY: a new anonymous mapping, checked before it is used. Zeroed memory is a table of empty slots.
    let at = unsafe {
        sys::mmap(
            null_mut(),
            SLOTS * size_of::<Slot>(),
            sys::PROT_READ | sys::PROT_WRITE,
            sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | NORESERVE,
            -1,
            0,
        )
    };
    let made = at != sys::MAP_FAILED;
    if made {
        TABLE.store(at.cast(), Ordering::Release);
    }
    made
}

/// How many blocks found no slot, or were freed without being known.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// The slots in which a block may lie.
fn slots(block: usize) -> impl Iterator<Item = &'static Slot> {
    let table = TABLE.load(Ordering::Acquire);
    let count = if table.is_null() { 0 } else { REACH };
    // Fibonacci hashing (Knuth, TAOCP 3, 6.4); blocks are aligned to 16 bytes.
    let first = (block >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - 21);
    // SAFETY: within the table, which is never unmapped.
    (0..count).map(move |next| unsafe { &*table.add((first + next) % SLOTS) })
}

/// A block of `size` bytes, from `stack`, is now live.
pub(super) fn put(block: usize, size: usize, stack: StackNumber) {
    let packed = u64::from(stack.bits()) << SIZE_BITS | size as u64;
    for slot in slots(block) {
        let found = slot.address.load(Ordering::Relaxed);
        let free = found == EMPTY || found == FREED;
        let swap = |wanted| {
            slot.address
                .compare_exchange(found, wanted, Ordering::AcqRel, Ordering::Relaxed)
        };
        if free && swap(block).is_ok() {
            slot.block.store(packed, Ordering::Release);
            return;
        }
    }
    LOST.fetch_add(1, Ordering::Relaxed);
}

/// The block, which was not counted, is now live.
pub(super) fn put_early(block: usize, size: usize) {
    if start() {
        // If one function of the allocator calls another, both arrive here.
        let _ = take(block);
        put(block, size, StackNumber::NONE);
    }
}

/// The block, whose size nobody asks for, no longer exists.
pub(super) fn forget(block: usize) {
    let _ = take(block);
}

/// The block is about to be freed: returns its size. An unknown block has size zero, and is counted as
/// lost if that matters.
pub(super) fn take_known(block: usize) -> usize {
    take(block).unwrap_or_else(|| {
        if counts::is_attentive() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        0
    })
}

/// The block is about to be freed: returns its size, if known.
fn take(block: usize) -> Option<usize> {
    for slot in slots(block) {
        match slot.address.load(Ordering::Acquire) {
            EMPTY => return None,
            found if found == block => {
                let packed = slot.block.load(Ordering::Acquire);
                slot.address.store(FREED, Ordering::Release);
                let size = (packed & ((1 << SIZE_BITS) - 1)) as usize;
                trace::gone(StackNumber::from_bits((packed >> SIZE_BITS) as u16), size);
                return Some(size);
            }
            _ => {}
        }
    }
    None
}
