//! The library that `cargo perfcheck` preloads into benchmark processes to take CPU profiles.
//!
//! It recognises timed regions like the first library, with the same sources (`../../src`), and
//! lets [`pprof`] take a sample of the stack at each tick of a timer that falls into one. It needs
//! the standard library, so it is a crate of its own, and it is never preloaded while timing.
//!
//! - [`sampler`] owns the timer and decides which ticks become samples,
//! - [`dump`] writes the samples of a benchmark to a separate file,
//! - [`heap`] is where the seam reports timed regions (the other library counts allocations there),
//! - [`exact`] makes pprof distinguish samples by instruction instead of by function.

#[path = "../../src/attach.rs"]
mod attach;
#[path = "../../src/chain.rs"]
mod chain;
#[path = "../../src/clock.rs"]
mod clock;
mod dump;
mod exact;
#[path = "hooks.rs"]
mod heap;
#[allow(dead_code, reason = "some constants are for the host alone")]
#[path = "../../src/layout.rs"]
mod layout;
#[path = "../../src/libtest.rs"]
mod libtest;
#[allow(dead_code, reason = "half of it is replaced by the hooks")]
#[path = "../../src/no_heap.rs"]
mod no_heap;
#[path = "../../src/timing.rs"]
mod pass;
#[path = "../../src/peer.rs"]
mod peer;
#[path = "../../src/preempted.rs"]
mod preempted;
#[path = "../../src/sample.rs"]
mod sample;
mod sampler;
#[path = "../../src/shared.rs"]
mod shared;
#[path = "../../src/sys.rs"]
mod sys;
#[path = "../../src/turn.rs"]
mod turn;
#[path = "../../src/warm_up.rs"]
mod warm_up;
