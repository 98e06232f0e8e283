//! The library that `cargo perfcheck` preloads into benchmark processes.
//!
//! It answers `clock_gettime`. Every harness reads the clock around the code it times, so whoever
//! answers the clock knows when a timed region begins and ends, in an unmodified binary:
//!
//! - [`chain`] tells from the stack which read this is,
//! - [`sample`] follows a sample through its reads and keeps the log,
//! - [`turn`] makes a sample wait until the other revision has run its own,
//! - [`attach`] decides, once, whether this process is a benchmark of a run at all,
//! - [`heap`], in a build of its own that is never used while timing, counts allocations in timed
//!   regions.
//!
//! Rules: whenever something is unexpected, answer the clock and do nothing else. Nothing here
//! allocates or locks; there is no I/O but the hand-over of the turn, before a sample's first
//! read. Without the standard library, the compiler watches over the first.

#![no_std]

mod attach;
mod chain;
mod clock;
#[cfg(feature = "alloc")]
mod heap;
#[cfg(not(feature = "alloc"))]
#[path = "no_heap.rs"]
mod heap;
#[allow(dead_code, reason = "some constants are for the host alone")]
mod layout;
mod sample;
mod shared;
mod sys;
mod turn;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { sys::abort() }
}
