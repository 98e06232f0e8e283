//! The timing probe counts no allocations: what [`crate::sample`] tells the heap is lost here.

use crate::shared::Shared;

pub(crate) fn start() {}

pub(crate) fn attach(_: &Shared, _: usize) {}

pub(crate) fn begin_sample() {}

pub(crate) fn open() {}

pub(crate) fn pause() -> bool {
    false
}

pub(crate) fn resume(_: bool) {}

pub(crate) fn close() {}

pub(crate) fn record(_: &Shared, _: u64) {}
