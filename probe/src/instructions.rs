//! Instructions in timed regions, counted by callgrind, a tool of Valgrind, which runs this process.
//!
//! Valgrind recognises a *client request*: a few rotations that leave every register as it was, and an instruction
//! that does nothing. On a processor they have no effect. A region begins with the request to forget all counts, and
//! ends with the request to write them into a file of their own, which says by its description whose they are
//! (`<generation>.<call>.<region>`). Both are the last and the first thing that is done in a read of the clock, so that what
//! the probe does itself is not counted.
//!
//! Only the warm-up is counted: Criterion calls the benchmark with 1, 2, 4, 8 … iterations, so a few calls are all it
//! takes. The probe answers Criterion's reads of the clock as if these calls took next to no time, and once there are
//! enough of them, as if one had taken ages: Criterion then plans as few iterations as it can for what is left. The random numbers of the system, which seed hash maps, are the same in every process.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::chain::Process;
use crate::layout;
pub(crate) use crate::no_heap::{pause, record_retained};
use crate::shared::Shared;
use crate::sys::{self, Timespec};

/// The requests that callgrind has, as in its `callgrind.h`.
const ZERO_STATS: usize = 0x4354_0001;
const DUMP_STATS_AT: usize = 0x4354_0003;
const START_INSTRUMENTATION: usize = 0x4354_0004;
const STOP_INSTRUMENTATION: usize = 0x4354_0005;

/// How much time seems to pass between two reads while calls are counted, and afterwards.
const NEXT_TO_NOTHING_NS: u64 = 1;
const AGES_NS: u64 = 1_000_000_000_000;

/// For how many times as long as [`layout::COUNT_FOR_NS`] a benchmark may run, before or after its last counted call, so
/// that the process goes on with the next one; and its first call, so that there is a second one.
const PATIENCE: u64 = 2;
const PATIENCE_WITH_THE_FIRST: u64 = 8;

/// The description of a dump: three numbers of up to 20 digits, two dots, a NUL.
const DESCRIPTION: usize = 63;

/// The main thread's stack; empty until attached.
static STACK_LOW: AtomicUsize = AtomicUsize::new(0);
static STACK_HIGH: AtomicUsize = AtomicUsize::new(0);
/// Whether a timed region is open.
static OPEN: AtomicBool = AtomicBool::new(false);
/// The current benchmark, the number of its call (from 1; 0 before the first), and of the region in it.
static GENERATION: AtomicU64 = AtomicU64::new(0);
static CALL: AtomicU64 = AtomicU64::new(0);
static REGION: AtomicU64 = AtomicU64::new(0);
/// When the first call began and when the last counted one ended, by the clock; 0 before.
static BEGAN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
/// Whether the call under way is the last one that is counted.
static IS_LAST: AtomicBool = AtomicBool::new(false);
/// The last answer to a read of the clock; 0 before the first read.
static TOLD: AtomicU64 = AtomicU64::new(0);
/// Whose the counts are of the region that is open.
static DESCRIBED: [AtomicU8; DESCRIPTION] = [const { AtomicU8::new(0) }; DESCRIPTION];
/// The state of the random numbers.
static RANDOM: AtomicU64 = AtomicU64::new(0);

pub(crate) fn start() {}

/// # Safety
/// There is one thread.
pub(crate) unsafe fn attach(_: &Shared, process: &Process, _: *mut u64) {
    STACK_LOW.store(process.stack_low, Relaxed);
    STACK_HIGH.store(process.stack_high, Relaxed);
}

/// Whether `sp` lies on the main thread's stack; never before this process is attached.
fn is_main(sp: usize) -> bool {
    (STACK_LOW.load(Relaxed)..STACK_HIGH.load(Relaxed)).contains(&sp)
}

/// The clock is being read with the stack at `sp`, and nothing else has been done: what ran until now is written.
#[inline(always)]
pub(crate) fn suspend(sp: usize) {
    if OPEN.load(Relaxed) && is_main(sp) {
        request(DUMP_STATS_AT, DESCRIBED.as_ptr() as usize);
    }
}

/// Nothing is left to be done but to return: counting begins where a region is open.
#[inline(always)]
pub(crate) fn resume(sp: usize) {
    if OPEN.load(Relaxed) && is_main(sp) {
        request(ZERO_STATS, 0);
    }
}

/// Another benchmark begins.
pub(crate) fn forget(shared: &Shared) {
    GENERATION.store(shared.get(layout::GENERATION), Relaxed);
    OPEN.store(false, Relaxed);
    IS_LAST.store(false, Relaxed);
    for word in [&CALL, &BEGAN, &ENDED] {
        word.store(0, Relaxed);
    }
}

/// A call begins.
pub(crate) fn begin_sample(shared: &Shared) {
    OPEN.store(false, Relaxed);
    REGION.store(0, Relaxed);
    if ENDED.load(Relaxed) > 0 {
        return;
    }
    let now = now();
    if IS_LAST.load(Relaxed) {
        ENDED.store(now, Relaxed);
        shared.set(layout::COUNTED_CALLS, CALL.load(Relaxed));
        request(STOP_INSTRUMENTATION, 0);
        return;
    }
    let call = CALL.load(Relaxed) + 1;
    CALL.store(call, Relaxed);
    if call == 1 {
        BEGAN.store(now, Relaxed);
        request(START_INSTRUMENTATION, 0);
    }
    let took = now.wrapping_sub(BEGAN.load(Relaxed));
    let is_slow = call > 1 && took >= shared.get(layout::COUNT_FOR_NS);
    IS_LAST.store(is_slow || call >= shared.get(layout::COUNT_CALLS), Relaxed);
}

/// A timed region begins.
pub(crate) fn open() {
    if ENDED.load(Relaxed) == 0 {
        describe();
        OPEN.store(true, Relaxed);
    }
}

/// A timed region has ended.
pub(crate) fn close() {
    OPEN.store(false, Relaxed);
    REGION.fetch_add(1, Relaxed);
}

/// A region of a call has been written down: tells the host how the time that Criterion goes by compares with the real one.
pub(crate) fn record(shared: &Shared, _: u64) {
    if IS_LAST.load(Relaxed) && ENDED.load(Relaxed) == 0 && REGION.load(Relaxed) > 0 {
        let took = now().wrapping_sub(BEGAN.load(Relaxed));
        shared.set(layout::WARM_UP_TOOK_NS, took);
        shared.set(layout::WARM_UP_TOLD_NS, AGES_NS);
        shared.set(layout::WARM_UP_ENDED, CALL.load(Relaxed));
    }
}

/// Whether what the process still runs of the benchmark takes longer than another process would.
pub(crate) fn has_enough(shared: &Shared) -> bool {
    // The entry that ends the last counted call comes before `begin_sample` learns of it.
    let (call, ended) = (CALL.load(Relaxed), ENDED.load(Relaxed));
    let patience = match (IS_LAST.load(Relaxed), call) {
        (true, _) => PATIENCE,
        (false, 1) => PATIENCE_WITH_THE_FIRST,
        (false, _) => return false,
    };
    let since = match ended {
        0 => BEGAN.load(Relaxed),
        ended => ended,
    };
    let longest = shared.get(layout::COUNT_FOR_NS).saturating_mul(patience);
    let enough = now().wrapping_sub(since) >= longest;
    if enough && ended == 0 {
        shared.set(layout::COUNTED_CALLS, call);
    }
    enough
}

pub(crate) fn enough() {}

/// The answer to a read of the clock at `now`.
pub(crate) fn told(now: Timespec) -> Timespec {
    let before = match TOLD.load(Relaxed) {
        0 => now.as_nanos(),
        told => told,
    };
    let step = match IS_LAST.load(Relaxed) {
        true => AGES_NS,
        false => NEXT_TO_NOTHING_NS,
    };
    TOLD.store(before + step, Relaxed);
    Timespec::from_nanos(before + step)
}

/// Writes down whose the counts of the region are that begins.
fn describe() {
    let mut text = [0_u8; DESCRIPTION];
    let mut length = 0;
    for (place, word) in [&GENERATION, &CALL, &REGION].into_iter().enumerate() {
        if place > 0 {
            text[length] = b'.';
            length += 1;
        }
        length += write_decimal(word.load(Relaxed), &mut text[length..]);
    }
    for (place, byte) in DESCRIBED.iter().zip(text) {
        place.store(byte, Relaxed);
    }
}

/// Writes a number; how many digits it has.
fn write_decimal(number: u64, into: &mut [u8]) -> usize {
    let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut left = number;
    for place in into[..digits].iter_mut().rev() {
        *place = b'0' + (left % 10) as u8;
        left /= 10;
    }
    digits
}

/// Asks Valgrind for something; does nothing where there is no Valgrind.
#[inline(always)]
fn request(what: usize, argument: usize) {
    let arguments = [what, argument, 0, 0, 0, 0];
    // SAFETY: the rotations add up to whole turns, and the last instruction exchanges a register with itself or is its
    // own result; Valgrind reads the six words, and writes to the register that is declared as changed.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_usize => _,
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        core::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            inout("x3") 0_usize => _,
            in("x4") arguments.as_ptr(),
        );
    }
}

/// The real time.
fn now() -> u64 {
    let mut now = Timespec {
        seconds: 0,
        nanos: 0,
    };
    // SAFETY: the arguments of the system call.
    unsafe { sys::syscall(sys::SYS_CLOCK_GETTIME, sys::CLOCK_MONOTONIC, &raw mut now) };
    now.as_nanos()
}

/// The system's random numbers, interposed: in an attached process always the same ones.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(into: *mut c_void, count: usize, flags: u32) -> isize {
    if STACK_HIGH.load(Relaxed) == 0 {
        // SAFETY: the caller's arguments, passed on.
        return unsafe { sys::syscall(sys::SYS_GETRANDOM, into, count, flags) as isize };
    }
    for at in 0..count {
        // SAFETY: the caller vouches for so many bytes.
        unsafe { into.cast::<u8>().add(at).write(next_random()) };
    }
    count as isize
}

/// SplitMix64, a byte at a time.
fn next_random() -> u8 {
    let state = RANDOM.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as u8
}
