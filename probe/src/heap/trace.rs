//! Call stacks of allocations: a table of distinct stacks in the shared file, with how often each was
//! seen and how many bytes it asked for.
//!
//! Recorded only while the host asks for it: unwinding costs microseconds per frame. The host says
//! how many requests of a sample are considered, and which fraction of them is recorded. The gaps
//! between recorded requests are random: a fixed gap could keep step with a loop of the benchmark,
//! and always hit the same allocation.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

use crate::chain::Process;
use crate::layout;
use crate::shared::Shared;
use crate::sys;

/// What is needed to record stacks. Written once, before there is a second thread.
struct Place {
    known: UnsafeCell<MaybeUninit<Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    shared: Shared,
    process: Process,
}

// SAFETY: written before `ATTACHED` is set, never after.
unsafe impl Sync for Place {}

static PLACE: Place = Place {
    known: UnsafeCell::new(MaybeUninit::uninit()),
};
/// A word that is 1 while attached and that the kernel wipes in a forked child, which must not
/// write to the file.
static ATTACHED: AtomicPtr<u64> = AtomicPtr::new(core::ptr::null_mut());

/// How many requests of this sample may be considered in all; 0 while no stacks are wanted.
static LIMIT: AtomicU64 = AtomicU64::new(0);
static STRIDE: AtomicU64 = AtomicU64::new(1);
/// How many more statements may have their stack recorded.
static STATEMENTS: AtomicU64 = AtomicU64::new(0);
/// Requests of this sample.
static SEEN: AtomicU64 = AtomicU64::new(0);
/// The number of the next request to be recorded.
static NEXT: AtomicU64 = AtomicU64::new(0);
static RANDOM: AtomicU64 = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
/// Held while the table is written. A signal handler cannot come here while its own thread holds it,
/// since that thread is inside an allocation.
static LOCK: AtomicBool = AtomicBool::new(false);

/// Whether stacks count wherever they come from, since the whole process is of interest.
static IS_WHOLE: AtomicBool = AtomicBool::new(false);

/// The whole process is of interest.
pub(super) fn take_all_stacks() {
    IS_WHOLE.store(true, Ordering::Relaxed);
}

/// # Safety
/// Called once, while there is one thread. `attached` stays valid.
pub(super) unsafe fn attach(shared: &Shared, process: &Process, attached: *mut u64) {
    let known = Known {
        shared: *shared,
        process: *process,
    };
    // SAFETY: one thread, and nobody reads before `ATTACHED` is set.
    unsafe { (*PLACE.known.get()).write(known) };
    ATTACHED.store(attached, Ordering::Release);
}

/// The shared file, in the process that is attached; `None` in a forked child.
pub(super) fn shared() -> Option<Shared> {
    known().map(|known| known.shared)
}

fn known() -> Option<Known> {
    let attached = ATTACHED.load(Ordering::Acquire);
    // SAFETY: null or valid, as `attach` was promised; the place was written before.
    unsafe {
        (!attached.is_null() && attached.read_volatile() == 1)
            .then(|| (*PLACE.known.get()).assume_init())
    }
}

/// A benchmark begins: forgets the stacks of the previous one.
pub(crate) fn forget(shared: &Shared) {
    LIMIT.store(0, Ordering::Relaxed);
    let traces_statements = shared.get(layout::TRACE_STATEMENTS) == 1;
    let most = if traces_statements {
        layout::TRACE_MOST_STATEMENTS
    } else {
        0
    };
    STATEMENTS.store(most, Ordering::Relaxed);
    if shared.get(layout::TRACE_LIMIT) == 0 && !traces_statements {
        return;
    }
    let words = shared.get(layout::TRACE_CAPACITY) as usize * layout::TRACE_WORDS;
    for word in 0..words {
        shared.set_in_table(word, 0);
    }
    shared.set(layout::TRACE_LOST, 0);
}

/// A sample begins.
pub(super) fn begin_sample(shared: &Shared) {
    SEEN.store(0, Ordering::Relaxed);
    STRIDE.store(shared.get(layout::TRACE_STRIDE).max(1), Ordering::Relaxed);
    NEXT.store(gap() - 1, Ordering::Relaxed);
    LIMIT.store(shared.get(layout::TRACE_LIMIT), Ordering::Relaxed);
}

/// A random gap, from 1 to twice the stride minus one.
fn gap() -> u64 {
    let stride = STRIDE.load(Ordering::Relaxed);
    if stride == 1 {
        return 1;
    }
    // Marsaglia, "Xorshift RNGs" (2003): a full period without zero.
    let mut random = RANDOM.load(Ordering::Relaxed);
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    RANDOM.store(random, Ordering::Relaxed);
    1 + random % (2 * stride - 1)
}

/// A stack of the table, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StackNumber(u16);

impl StackNumber {
    /// That of a block whose stack was not recorded.
    pub(super) const NONE: StackNumber = StackNumber(0);

    fn of(place: usize) -> StackNumber {
        StackNumber(u16::try_from(place + 1).unwrap_or(0))
    }

    /// As [`Self::bits`] has given it.
    pub(super) fn from_bits(bits: u16) -> StackNumber {
        StackNumber(bits)
    }

    pub(super) fn bits(self) -> u16 {
        self.0
    }
}

/// A block of `size` bytes from this stack exists no longer. The thread is marked as inside an allocation.
pub(super) fn gone(stack: StackNumber, size: usize) {
    let Some(place) = usize::from(stack.0).checked_sub(1) else {
        return;
    };
    let Some(known) = known() else {
        return;
    };
    lock();
    let word = place * layout::TRACE_WORDS + layout::TRACE_LEFT;
    let left = known.shared.get_in_table(word);
    known
        .shared
        .set_in_table(word, left.wrapping_sub(size as u64));
    LOCK.store(false, Ordering::Release);
}

fn lock() {
    while LOCK.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
}

/// `asked` bytes were requested within a timed region. The thread is marked as inside an allocation. The result is the
/// stack that is now responsible for them.
pub(super) fn request(asked: usize) -> StackNumber {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit == 0 {
        return StackNumber::NONE;
    }
    let number = SEEN.fetch_add(1, Ordering::Relaxed);
    if number >= limit || number < NEXT.load(Ordering::Relaxed) {
        return StackNumber::NONE;
    }
    let Some(known) = known() else {
        return StackNumber::NONE;
    };
    let mut found = StackNumber::NONE;
    lock();
    // Another thread may have taken this one's turn meanwhile.
    if number >= NEXT.load(Ordering::Relaxed) {
        NEXT.store(number + gap(), Ordering::Relaxed);
        let stack = Stack::here(known);
        if stack.is_of_benchmark() {
            found = stack.write_down(asked as u64, 0);
        }
    }
    LOCK.store(false, Ordering::Release);
    found
}

/// The statement of this number begins. The thread is marked as inside an allocation.
pub(super) fn statement(number: u64) {
    let one_less = |left: u64| left.checked_sub(1);
    let Some(known) = known() else {
        return;
    };
    if STATEMENTS
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_err()
    {
        return;
    }
    lock();
    Stack::here(known).write_down(0, number + 1);
    LOCK.store(false, Ordering::Release);
}

/// A call stack, the innermost return address first.
struct Stack {
    known: Known,
    /// Whether the function that times the benchmark was met.
    timed: bool,
    length: usize,
    addresses: [usize; layout::TRACE_DEPTH],
}

impl Stack {
    fn here(known: Known) -> Stack {
        let mut stack = Stack {
            known,
            timed: false,
            length: 0,
            addresses: [0; layout::TRACE_DEPTH],
        };
        // SAFETY: the callback gets the pointer it expects, and does not keep it.
        unsafe { sys::_Unwind_Backtrace(frame, (&raw mut stack).cast()) };
        stack
    }

    /// Adds a frame; `false` at the function that times the benchmark, or when full: frames further
    /// out belong to Criterion.
    fn take(&mut self, ip: usize) -> bool {
        self.addresses[self.length] = ip;
        self.length += 1;
        let address = ip.wrapping_sub(self.known.process.bias).wrapping_sub(1);
        self.timed = self.known.shared.range_of(address as u64).is_some();
        self.length < layout::TRACE_DEPTH && !self.timed
    }

    /// After the last read of a sample, which cannot be told from one that opens a region, Criterion itself
    /// allocates. Its stacks are those of the main thread that do not come from the timed function.
    fn is_of_benchmark(&self) -> bool {
        let here = (&raw const *self).addr();
        let is_known = self.timed || self.length == layout::TRACE_DEPTH;
        is_known || IS_WHOLE.load(Ordering::Relaxed) || !self.known.process.holds(here)
    }

    /// Raises the counts of this stack in the table, which is locked.
    fn write_down(&self, asked: u64, statement: u64) -> StackNumber {
        let shared = self.known.shared;
        let capacity = shared.get(layout::TRACE_CAPACITY) as usize;
        let addresses = &self.addresses[..self.length];
        let hash = hash(addresses, statement);
        for probe in 0..capacity {
            let place = (hash as usize).wrapping_add(probe) % capacity;
            let first = place * layout::TRACE_WORDS;
            let at = |word| shared.get_in_table(first + word);
            let put = |word, value| shared.set_in_table(first + word, value);
            let requests = at(layout::TRACE_REQUESTS);
            if requests == 0 {
                put(layout::TRACE_HASH, hash);
                put(layout::TRACE_STATEMENT, statement);
                put(layout::TRACE_LENGTH, self.length as u64);
                for (index, address) in addresses.iter().enumerate() {
                    put(layout::TRACE_ADDRESSES + index, *address as u64);
                }
            }
            // 64 bits distinguish all stacks that fit into the table.
            if requests == 0 || at(layout::TRACE_HASH) == hash {
                put(layout::TRACE_REQUESTS, requests + 1);
                put(
                    layout::TRACE_BYTES,
                    at(layout::TRACE_BYTES).wrapping_add(asked),
                );
                if !IS_WHOLE.load(Ordering::Relaxed) {
                    return StackNumber::NONE;
                }
                let left = at(layout::TRACE_LEFT).wrapping_add(asked);
                put(layout::TRACE_LEFT, left);
                return StackNumber::of(place);
            }
        }
        shared.add(layout::TRACE_LOST, 1);
        StackNumber::NONE
    }
}

/// FNV-1a over words, its high bits mixed down.
fn hash(addresses: &[usize], statement: u64) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325 ^ statement;
    for address in addresses {
        hash = (hash ^ *address as u64).wrapping_mul(0x0000_0100_0000_01b3);
        hash ^= hash >> 29;
    }
    hash
}

extern "C" fn frame(context: *mut c_void, stack: *mut c_void) -> c_int {
    // SAFETY: `Stack::here` passes a stack that nothing else uses meanwhile, and the unwinder a
    // context that is valid during the call.
    let (stack, ip) = unsafe { (&mut *stack.cast::<Stack>(), sys::_Unwind_GetIP(context)) };
    if stack.take(ip) {
        sys::URC_NO_REASON
    } else {
        sys::URC_NORMAL_STOP
    }
}
