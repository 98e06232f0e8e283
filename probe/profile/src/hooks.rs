//! What the seam tells of: samples and timed regions. Whatever else it tells the heap is lost, as in
//! the timing library; what is defined here takes precedence over that.

use crate::chain::Process;
pub(crate) use crate::no_heap::*;
use crate::sampler;
use crate::shared::Shared;

/// The process has just begun; its environment still says who we are.
pub(crate) fn start() {
    sampler::remember_name();
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn attach(shared: &Shared, _: &Process, _: *mut u64) {
    sampler::attach(*shared);
}

pub(crate) fn begin_sample(_: &Shared) {
    sampler::follow();
}

pub(crate) fn open() {
    sampler::open();
}

/// The process is to be ended before it ends by itself.
pub(crate) fn enough() {
    sampler::at_exit();
}

pub(crate) fn close() {
    sampler::close();
}
