//! Counts of what happens on the heap within timed regions, in all threads.
//!
//! Where allocations are seen depends on the allocator, which the host knows:
//!
//! - the C library's functions are interposed ([`family`]): C code, and Rust code with the
//!   system's allocator or with one that passes each request on ([`wrapper`] checks whether it
//!   does);
//! - functions of an allocator that is linked into the executable are redirected ([`native`]);
//! - so are the entry points of Rust's allocator, where the compiler has not inlined them ([`entry`]).
//!
//! An allocation that passes through several of them is counted once, by the outermost. [`trace`] records where
//! allocations come from, [`sizes`] how large each block is, and [`children`] whether other processes took part.
//! Of a whole program, [`queries`] also counts the statements that SQLite ([`sqlite`]) runs.

mod children;
mod counts;
mod depth;
mod entry;
mod family;
mod native;
mod patch;
mod prepared;
mod queries;
mod sizes;
mod sqlite;
mod trace;
mod whole;
mod wrapper;

use crate::chain::Process;
use crate::layout;
use crate::shared::Shared;

pub(crate) use counts::{close, open, record};
pub(crate) use depth::Outermost;

pub(crate) use crate::no_heap::{has_enough, resume, suspend, told};

/// While the result lives, nothing that this thread allocates is counted: what the probe itself does is
/// nobody's allocation. Other threads are counted all the same. `None` inside an allocation.
pub(crate) fn pause() -> Option<Outermost> {
    depth::enter()
}

/// Finds the functions that are interposed; called once, before `main`.
pub(crate) fn start() {
    family::resolve();
}

/// A benchmark begins: forgets what was seen of the previous one.
pub(crate) fn forget(shared: &Shared) {
    trace::forget(shared);
    shared.set(layout::CHILDREN, 0);
}

/// A sample begins.
pub(crate) fn begin_sample(shared: &Shared) {
    children::begin_sample();
    trace::begin_sample(shared);
    counts::begin_sample();
}

/// The process is to be ended before it ends by itself.
pub(crate) fn enough() {}

/// Called once, before `main`, in a process that is a benchmark. `attached` is a word that is 1 now and 0 in any child.
///
/// # Safety
/// There is one thread, and `attached` stays valid.
pub(crate) unsafe fn attach(shared: &Shared, process: &Process, attached: *mut u64) {
    // SAFETY: as our caller vouches.
    unsafe { trace::attach(shared, process, attached) };
    if !sizes::start() || !depth::start() {
        shared.set(layout::SHIM_STATE, layout::SHIM_DEAF);
        return;
    }
    // SAFETY: as our caller vouches.
    let state = unsafe {
        match shared.get(layout::HOOKS) {
            layout::HOOKS_RUST => entry::redirect(shared, process.bias),
            layout::HOOKS_NATIVE => native::redirect(shared, process.bias),
            layout::HOOKS_WRAPPER => wrapper::redirect(shared, process.bias),
            _ => layout::SHIM_NONE,
        }
    };
    shared.set(layout::SHIM_STATE, state);
    if shared.get(layout::COUNT_FROM_START) == 1 {
        // SAFETY: as our caller vouches.
        let state = unsafe { sqlite::redirect(shared, process.bias) };
        shared.set(layout::STATEMENTS_STATE, state);
        whole::begin(shared, attached);
    }
}

/// Records what a sample has left behind, and what is known about the allocator.
pub(crate) fn record_retained(shared: &Shared, index: u64) {
    counts::record_retained(shared, index);
    wrapper::record(shared);
    children::record(shared);
    shared.set(layout::SIZES_LOST, sizes::lost());
}
