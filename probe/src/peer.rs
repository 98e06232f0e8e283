//! The other side's process, which is stopped while this side has the turn.
//!
//! A process whose only thread sleeps in its FIFO does nothing. One with more threads, or with children, would
//! continue to work during the other side's turns: that work would slow the other side down, and never be timed.
//! The side that takes over the turn stops the other's whole process group, waits until it has stopped, and
//! continues it before it gives the turn back. Only one side ever runs, so the two cannot stop each other.

use core::ffi::{c_int, c_void};

use crate::layout;
use crate::shared::Shared;
use crate::sys;

/// A process that has not stopped after this long will not stop. Its first thread needs a processor in order to
/// stop, and may have to wait for one.
const PATIENCE_NS: u64 = 5_000_000_000;

/// How long to sleep between two checks, in microseconds, so that the other process can have the processor.
const BETWEEN_LOOKS_US: u32 = 20;

/// The least length of a turn of a side with several threads, or with such a peer. The thread that has just been
/// woken runs first, and shares the processors with the others only after the scheduler's slice of some
/// milliseconds: in shorter turns, they would not slow it down.
const SHARED_TURN_NS: u64 = 20_000_000;

/// A turn lasts at least this many times as long as stopping took: stopping and waking dozens of threads must not
/// cost more than their work. But sides that seldom alternate are no longer close in time.
const LONGER: u64 = 10;
const LONGEST_TURN_NS: u64 = 100_000_000;

/// The links of `/proc/self/task` for a single thread: the folder's own two, and one for each thread.
const LINKS_OF_ONE: u32 = 3;

/// What this side has done to the other one.
pub(crate) struct Peer {
    stopped: bool,
    /// What stopping it took last time.
    cost: u64,
}

impl Peer {
    pub(crate) const RUNNING: Peer = Peer {
        stopped: false,
        cost: 0,
    };

    /// The least length of a turn if one of the sides has several threads.
    pub(crate) fn shortest_turn(&self) -> u64 {
        let worth_it = self.cost.saturating_mul(LONGER);
        worth_it.clamp(SHARED_TURN_NS, LONGEST_TURN_NS)
    }

    /// Whether this side has stopped the other one.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Stops the other side's process group, and returns when its process has stopped.
    pub(crate) fn stop(&mut self, shared: &Shared, clock: &impl Fn() -> u64) {
        let Some(group) = group(shared) else { return };
        let began = clock();
        self.stopped = true;
        let mut stands = signal(group, sys::SIGSTOP);
        while stands && !is_stopped(group) {
            stands = clock().wrapping_sub(began) < PATIENCE_NS;
            // SAFETY: it has no preconditions.
            unsafe { sys::usleep(BETWEEN_LOOKS_US) };
        }
        self.cost = clock().wrapping_sub(began);
        let count = if stands {
            layout::STOPS
        } else {
            layout::UNSTOPPED
        };
        shared.add(count, 1);
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self, shared: &Shared) {
        if core::mem::take(&mut self.stopped)
            && let Some(group) = group(shared)
        {
            signal(group, sys::SIGCONT);
        }
    }
}

fn group(shared: &Shared) -> Option<c_int> {
    c_int::try_from(shared.get(layout::PEER))
        .ok()
        .filter(|pid| *pid > 1)
}

fn signal(group: c_int, signal: c_int) -> bool {
    // SAFETY: it has no preconditions.
    unsafe { sys::kill(-group, signal) == 0 }
}

/// Whether this process has other threads or children. If unknown, it may have some.
pub(crate) fn works_beside_this_thread() -> bool {
    threads() != Some(1) || has_children()
}

fn threads() -> Option<u32> {
    let mut about = sys::Statx {
        mask: 0,
        block_size: 0,
        attributes: 0,
        links: 0,
        rest: [0; 59],
    };
    // SAFETY: a NUL-terminated path, and a place for the answer as large as the kernel's.
    let status = unsafe {
        sys::syscall(
            sys::SYS_STATX,
            sys::AT_FDCWD,
            c"/proc/self/task".as_ptr(),
            0,
            sys::STATX_NLINK,
            &raw mut about,
        )
    };
    (status == 0 && about.links >= LINKS_OF_ONE).then(|| about.links - LINKS_OF_ONE + 1)
}

/// Asks for children of any state, and leaves them as they are.
fn has_children() -> bool {
    let mut about = [0_u64; 16];
    let options = sys::WEXITED | sys::WNOHANG | sys::WNOWAIT;
    // SAFETY: `siginfo_t` has 128 bytes.
    let status = unsafe { sys::waitid(sys::P_ALL, 0, (&raw mut about).cast::<c_void>(), options) };
    status == 0 || sys::errno() != sys::ECHILD
}

/// Whether the process is stopped, or has ended. Its first thread is stopped only after all others were told to,
/// and these stop at the next instruction that they would execute.
fn is_stopped(pid: c_int) -> bool {
    let mut text = [0_u8; 128];
    let Some(length) = read_stat(pid, &mut text) else {
        return false;
    };
    // The name is in parentheses and may itself contain some; after it come a letter and numbers.
    let behind = text[..length].iter().rposition(|byte| *byte == b')');
    let state = behind.and_then(|at| text.get(at + 2));
    matches!(state, Some(b'T' | b't' | b'Z' | b'X'))
}

fn read_stat(pid: c_int, text: &mut [u8]) -> Option<usize> {
    let mut path = [0_u8; 32];
    let digits = digits(pid);
    let digits = digits.trim_ascii_start();
    let mut end = 0;
    for part in [b"/proc/".as_slice(), digits, b"/stat".as_slice()] {
        path.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    // SAFETY: a path that ends in NUL, since it is shorter than its buffer; then a buffer as long as said.
    let length = unsafe {
        let fd = sys::open(path.as_ptr().cast(), sys::O_RDONLY | sys::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let length = sys::pread(fd, text.as_mut_ptr().cast(), text.len(), 0);
        sys::close(fd);
        length
    };
    usize::try_from(length).ok().filter(|length| *length > 0)
}

/// The number's decimal digits, blanks before them.
fn digits(number: c_int) -> [u8; 10] {
    let mut text = [b' '; 10];
    let mut rest = number.unsigned_abs();
    for place in text.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text
}
