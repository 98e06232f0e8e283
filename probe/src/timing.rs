//! What the timing probe (and the one that counts allocations, which is built on it) does once it
//! is attached.

use core::ffi::c_int;
use core::ptr::null_mut;

use crate::attach::Path;
use crate::chain::Process;
use crate::clock;
use crate::heap;
use crate::sample::State;
use crate::shared::Shared;
use crate::sys;
use crate::turn::Turns;

/// The largest distance from its top at which the main thread's stack is searched for.
const STACK_MAX: u64 = 1 << 30;

/// Called at the very beginning, whether attached or not.
pub(crate) fn start() {
    clock::start();
    heap::start();
}

/// From now on this process is a benchmark of `side`, loaded at `bias`. `None` if something is not as
/// expected.
///
/// # Safety
/// The process has one thread.
pub(crate) unsafe fn attach(shared: Shared, side: &[u8], bias: usize) -> Option<()> {
    let own = open_fifo(&[side])?;
    let peer = open_fifo(&opposite(side)?)?;
    let process = this_process(bias)?;
    let state = wiped_on_fork()?;
    // SAFETY: the state is written once, in a page of its own, which is never unmapped.
    unsafe {
        state.write(State::new(shared, process, Turns::new(own, peer)));
        heap::attach(&shared, &process, &raw mut (*state).attached);
        clock::attach(state);
    }
    Some(())
}

/// The other side's name in place of ours.
fn opposite(own: &[u8]) -> Option<[&[u8]; 2]> {
    let (folder, side) = own.split_at(own.len().checked_sub(4)?);
    match side {
        b"base" => Some([folder, b"head"]),
        b"head" => Some([folder, b"base"]),
        _ => None,
    }
}

/// Opened for reading and writing: this never blocks, and never reads an end of file.
fn open_fifo(parts: &[&[u8]]) -> Option<c_int> {
    let mut all: [&[u8]; 3] = [b""; 3];
    all.get_mut(..parts.len())?.copy_from_slice(parts);
    all[2] = b".turn";
    let path = Path::of(&all)?;
    // SAFETY: a NUL-terminated path.
    let fd = unsafe { sys::open(path.as_ptr(), sys::O_RDWR | sys::O_CLOEXEC) };
    (fd >= 0).then_some(fd)
}

fn this_process(bias: usize) -> Option<Process> {
    let mut limit = sys::Rlimit {
        current: 0,
        maximum: 0,
    };
    // SAFETY: a place for the answer.
    if unsafe { sys::getrlimit(sys::RLIMIT_STACK, &raw mut limit) } != 0 {
        return None;
    }
    // SAFETY: set by the loader before any constructor.
    let top = unsafe { sys::__libc_stack_end } as usize & !7;
    Some(Process {
        stack_low: top.saturating_sub(limit.current.min(STACK_MAX) as usize),
        stack_high: top,
        bias,
    })
}

/// Memory that is all zeros in a forked child, so that a child is not attached.
fn wiped_on_fork() -> Option<*mut State> {
    let bytes = size_of::<State>();
    // SAFETY: a new anonymous mapping; its address is checked before it is used.
    unsafe {
        let at = sys::mmap(
            null_mut(),
            bytes,
            sys::PROT_READ | sys::PROT_WRITE,
            sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_POPULATE,
            -1,
            0,
        );
        let wiped = at != sys::MAP_FAILED && sys::madvise(at, bytes, sys::MADV_WIPEONFORK) == 0;
        wiped.then_some(at.cast())
    }
}
