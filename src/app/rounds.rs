//! How long rounds are if many benchmarks share the error rate of a report.

use crate::analyse::Settling;
use crate::plan::{Plan, RoundLength, Sampling};

/// The plan, with the rounds for a comparison of this many benchmarks.
pub(super) fn fit(plan: &Plan, benchmarks: usize) -> Plan {
    Plan {
        sampling: fitted(plan, benchmarks),
        ..plan.clone()
    }
}

/// No change of one among many benchmarks is believed after six rounds, however large it is. Those that are needed anyway
/// are shorter, so that as much is timed until the first verdict as where few benchmarks are compared. The unit of
/// replication is the process: the same time in more of them is worth no less.
pub(super) fn fitted(plan: &Plan, benchmarks: usize) -> Sampling {
    let sampling = &plan.sampling;
    if sampling.round_length == RoundLength::Asked {
        return sampling.clone();
    }
    let settling = Settling::plan(&plan.thresholds, sampling, benchmarks);
    sampling.in_shorter_rounds(settling.rounds_to_believe())
}
