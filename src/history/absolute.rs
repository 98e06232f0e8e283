//! What runs measured as absolute numbers, for tools that keep series of them.
//!
//! A history is made of paired differences. Such a tool gets the head side's number of each run instead: of a time the
//! median, as the machine of that run measured it. Only numbers of one machine class belong to one series.

use super::commits::MeasuredCommit;
use super::record::{RecordedBenchmark, RecordedChange};
use super::{CommitOrder, RunRecord};
use crate::report::MachineClass;
use crate::units::{Metric, plural};

/// The head side of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunHead<'a> {
    /// Its commit.
    pub(super) commit: &'a MeasuredCommit,
    /// The run.
    pub(super) run: &'a RunRecord,
}

/// The head side of each run whose commit is in `order`, in that order; of one commit, the earliest run first.
pub(super) fn heads<'a>(runs: &[&'a RunRecord], order: &'a CommitOrder) -> Vec<RunHead<'a>> {
    let placed = runs.iter().filter_map(|run| {
        let place = order.place(&run.commits.head.id)?;
        Some((place, *run))
    });
    let mut placed: Vec<(usize, &RunRecord)> = placed.collect();
    placed.sort_by_key(|(place, run)| (*place, run.date));
    let heads = placed.into_iter().filter_map(|(place, run)| {
        let commit = order.commits.get(place)?;
        Some(RunHead { commit, run })
    });
    heads.collect()
}

/// The metrics that this version knows, with what was recorded of them.
pub(super) fn known_metrics(
    benchmark: &RecordedBenchmark,
) -> impl Iterator<Item = (Metric, &RecordedChange)> {
    let metrics = benchmark.metrics.iter();
    metrics.filter_map(|(id, change)| Some((Metric::with_id(id)?, change)))
}

/// A machine class in words: `A processor, 2 processors, kvm`.
pub(super) fn class_name(class: &MachineClass) -> String {
    let hypervisor = class.virtualised.iter().map(|name| format!(", {name}"));
    format!(
        "{}, {}{}",
        class.cpu,
        plural(class.cores, "processor", "processors"),
        hypervisor.collect::<String>()
    )
}
