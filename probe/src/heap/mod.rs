//! Counts of what happens on the heap within timed regions, in all threads.
//!
//! Allocations are seen at two places. The C library's functions are interposed ([`family`]): that
//! is C code, and Rust code with the system allocator. The entry points of Rust's global allocator
//! are redirected ([`entry`]): that is Rust code with any allocator, with exact sizes. An allocation
//! that comes by both is counted once, by the outermost.

mod counts;
mod depth;
mod entry;
mod family;

use crate::layout;
use crate::shared::Shared;

pub(crate) use depth::Outermost;
pub(crate) use counts::{begin_sample, close, open, record, record_retained};

/// While the result lives, nothing that this thread allocates is counted: what the probe itself does is
/// nobody's allocation. Other threads are counted all the same.
pub(crate) fn pause() -> Option<Outermost> {
    depth::enter()
}

/// Finds the functions that are interposed; called once, before `main`.
pub(crate) fn start() {
    family::resolve();
}

/// Called once, before `main`, in a process that is a benchmark. `bias` is where the executable is loaded.
pub(crate) fn attach(shared: &Shared, bias: usize) {
    let state = if depth::start() {
        entry::redirect(shared, bias)
    } else {
        layout::SHIM_REFUSED
    };
    shared.set(layout::SHIM_STATE, state);
}
