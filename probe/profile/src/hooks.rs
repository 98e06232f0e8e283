//! The events of the seam: samples and timed regions. Other calls that it makes for the heap do
//! nothing, as in the timing library; the definitions here take precedence.

use crate::chain::Process;
pub(crate) use crate::no_heap::*;
use crate::sampler;
use crate::shared::Shared;

/// The process has just begun; its environment still has our variable.
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
