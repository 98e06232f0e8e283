//! The library that `cargo perfcheck` preloads into benchmark processes.
//!
//! It answers `clock_gettime`. Every harness reads the clock around the code that it times, so
//! whoever answers the clock knows when a timed region begins and ends, in an unmodified binary:
//!
//! - [`chain`] tells from the stack which read this is,
//! - [`sample`] follows a sample through its reads and keeps the log,
//! - [`libtest`] follows the benchmarks of Rust's built-in harness, which reads the clock in another order,
//! - [`warm_up`] decides how long Criterion is told that its warm-up took,
//! - [`turn`] makes a sample wait until the other revision has run its own,
//! - [`peer`] stops the other revision's process meanwhile, if it has more than one thread,
//! - [`preempted`] asks the kernel how long a sample was kept from its processor,
//! - [`attach`] decides, once, whether this process is a benchmark of a run at all, and hands it to
//!   [`pass`],
//! - [`heap`], in a separate build that is never used while timing, counts allocations in timed
//!   regions,
//! - `instructions.rs`, in another build of its own, has Valgrind count instructions in timed regions,
//! - `marks.rs`, in one more build that has nothing of the above, tells which of certain functions are
//!   executed.
//!
//! Rules: whenever something is unexpected, answer the clock and do nothing else. Nothing here allocates or locks
//! (unwinding does, with a C library before glibc 2.35 or frames that a compiler within the process has registered,
//! but only until a read has been seen once); there is no I/O except passing on the turn, before a sample's first
//! read. Since there is no standard library, the compiler enforces that nothing allocates.

#![no_std]

mod attach;
#[cfg(not(feature = "marks"))]
mod chain;
#[cfg(not(feature = "marks"))]
mod clock;
#[cfg(all(feature = "alloc", not(feature = "marks")))]
mod heap;
#[cfg(feature = "instructions")]
#[path = "instructions.rs"]
mod heap;
#[cfg(not(any(feature = "alloc", feature = "marks", feature = "instructions")))]
#[path = "no_heap.rs"]
mod heap;
#[allow(dead_code, reason = "some constants are for the host alone")]
mod layout;
#[cfg(not(feature = "marks"))]
mod libtest;
#[cfg(any(feature = "alloc", feature = "instructions"))]
#[allow(dead_code, reason = "half of it is replaced")]
mod no_heap;
#[cfg(feature = "marks")]
#[path = "marks.rs"]
mod pass;
#[cfg(not(feature = "marks"))]
#[path = "timing.rs"]
mod pass;
#[cfg(not(feature = "marks"))]
mod peer;
#[cfg(not(feature = "marks"))]
mod preempted;
#[cfg(not(feature = "marks"))]
mod sample;
mod shared;
#[cfg(all(feature = "alloc", not(feature = "marks")))]
mod statement;
#[cfg_attr(
    feature = "marks",
    allow(dead_code, reason = "most are for the other builds")
)]
mod sys;
#[cfg(not(feature = "marks"))]
mod turn;
#[cfg(not(feature = "marks"))]
mod warm_up;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { sys::abort() }
}
