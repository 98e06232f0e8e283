//! The timing probe counts no allocations: what [`crate::sample`] tells the heap is lost here.

use crate::shared::Shared;

pub(crate) fn start() {}

pub(crate) fn attach(_: &Shared, _: usize) {}

pub(crate) fn begin_sample() {}

pub(crate) fn open() {}

pub(crate) struct Pause;

pub(crate) fn pause() -> Pause {
    Pause
}

pub(crate) fn close() {}

pub(crate) fn record(_: &Shared, _: u64) {}

pub(crate) fn record_retained(_: &Shared, _: u64) {}
