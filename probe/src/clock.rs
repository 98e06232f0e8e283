//! `clock_gettime`, interposed.

use core::arch::naked_asm;
use core::ffi::c_int;
use core::mem::transmute;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::heap;
use crate::sample::State;
use crate::sys::{self, Timespec};

type ClockGettime = unsafe extern "C" fn(c_int, *mut Timespec) -> c_int;

/// The C library's function, 0 until `start` has run.
static REAL: AtomicUsize = AtomicUsize::new(0);
/// The state, null unless attached. Written once, by the main thread, before `main`.
static STATE: AtomicPtr<State> = AtomicPtr::new(core::ptr::null_mut());

/// Finds the C library's clock.
pub(crate) fn start() {
    // SAFETY: a NUL-terminated name.
    let real = unsafe { sys::dlsym(sys::RTLD_NEXT, c"clock_gettime".as_ptr()) };
    REAL.store(real as usize, Ordering::Release);
}

/// From now on reads are recognised.
///
/// # Safety
/// `state` stays valid as long as the process lives, and nobody else uses it.
pub(crate) unsafe fn attach(state: *mut State) {
    STATE.store(state, Ordering::Release);
}

// Passes on the stack pointer and the return address, which only the very first instruction knows.

/// The interposed function.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: c_int, into: *mut Timespec) -> c_int {
    naked_asm!("mov rdx, rsp", "mov rcx, [rsp]", "jmp {answer}", answer = sym answer)
}

/// The interposed function.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: c_int, into: *mut Timespec) -> c_int {
    naked_asm!("mov x2, sp", "mov x3, x30", "b {answer}", answer = sym answer)
}

/// What is counted in timed regions is what happens between two of these.
unsafe extern "C" fn answer(clock: c_int, into: *mut Timespec, sp: usize, ra: usize) -> c_int {
    heap::suspend(sp);
    // SAFETY: the caller's arguments, passed on.
    let status = unsafe { recognise(clock, into, sp, ra) };
    heap::resume(sp);
    status
}

/// The time is read before anything else, so that a closing read does not time our own work.
#[inline(always)]
unsafe fn recognise(clock: c_int, into: *mut Timespec, sp: usize, ra: usize) -> c_int {
    // SAFETY: the caller's arguments, passed on.
    let status = unsafe { read(clock, into) };
    if clock != sys::CLOCK_MONOTONIC || status != 0 {
        return status;
    }
    let state = STATE.load(Ordering::Acquire);
    if state.is_null() {
        return status;
    }
    // SAFETY: the state outlives the process and only the main thread uses it: whether `sp` lies on
    // the main stack is asked through fields that never change after `attach`.
    unsafe {
        if (*state).attached == 0 || !(*state).process.holds(sp) || (*state).is_busy() {
            return status;
        }
        if let Some(other) = (*state).answer(*into, &monotonic, sp, ra) {
            *into = heap::told(other);
        }
    }
    status
}

fn monotonic() -> Timespec {
    let mut now = Timespec {
        seconds: 0,
        nanos: 0,
    };
    // SAFETY: a valid place for the answer. This clock cannot fail.
    unsafe { read(sys::CLOCK_MONOTONIC, &raw mut now) };
    now
}

/// # Safety
/// As `clock_gettime` of the C library.
unsafe fn read(clock: c_int, into: *mut Timespec) -> c_int {
    match REAL.load(Ordering::Relaxed) {
        // Another library's constructor came before ours.
        // SAFETY: the arguments of the system call, as its caller vouches.
        0 => unsafe { sys::syscall(sys::SYS_CLOCK_GETTIME, clock, into) as c_int },
        // SAFETY: the address of the C library's `clock_gettime`, of this very type.
        real => unsafe { transmute::<usize, ClockGettime>(real)(clock, into) },
    }
}
