//! How long the main thread was kept from its processor during a sample although it was ready to run.

use core::ffi::c_int;

use crate::sys::{self, Timespec};

/// What the kernel knew about the thread at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Nanoseconds on a processor.
    ran: u64,
    /// How often it waited of its own accord.
    waits: i64,
}

impl Usage {
    /// The usage of the calling thread; two system calls. `None` if the kernel does not say.
    pub(crate) fn now() -> Option<Usage> {
        let mut usage: sys::Rusage = [0; 18];
        let mut ran = Timespec {
            seconds: 0,
            nanos: 0,
        };
        let clock: c_int = sys::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: valid places for both answers. Our own `clock_gettime` is not called.
        let known = unsafe {
            sys::getrusage(sys::RUSAGE_THREAD, &raw mut usage) == 0
                && sys::syscall(sys::SYS_CLOCK_GETTIME, clock, &raw mut ran) == 0
        };
        known.then(|| Usage {
            ran: ran.as_nanos(),
            waits: usage[sys::RUSAGE_VOLUNTARY_SWITCHES],
        })
    }

    /// For how much of the `span` nanoseconds since `self` the thread was kept from its processor. Zero if it
    /// waited of its own accord: how long that took cannot be separated from the rest.
    pub(crate) fn preempted(self, span: u64) -> u64 {
        match Usage::now() {
            Some(now) if now.waits == self.waits => {
                span.saturating_sub(now.ran.wrapping_sub(self.ran))
            }
            _ => 0,
        }
    }
}
