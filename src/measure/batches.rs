//! How a benchmark is run, and which benchmarks may share a pair of processes.

use crate::build::Choice;
use crate::discover::{Presence, Target};
use crate::harness::{CriterionVersion, Timing};
use crate::process::Placement;

use super::Request;

/// The most benchmarks that share a pair of processes: a crash costs the others a new start, and
/// Criterion takes long to compile an expression with many alternatives.
const CHUNK_BENCHMARKS: usize = 50;

/// The longest total of the ids in the expression that selects them; an argument may have 128 KiB
/// on Linux, and escaping may double an id.
const CHUNK_BYTES: usize = 32 << 10;

/// How a benchmark is run. Those that are run in the same way may share a pair of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunMode {
    pub(super) placement: Placement,
    pub(super) presence: Presence,
    pub(super) timing: Timing,
    pub(super) gate: Gate,
    pub(super) company: Company,
    pub(super) idle: Idle,
}

/// What makes only one side run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// The clock seam, sample by sample.
    Seam,
    /// The protocol, benchmark by benchmark.
    Protocol,
    /// The same, while the seam watches the first process of each side, which is kept short.
    First,
    /// As [`Gate::First`], but the process is ended at a slow benchmark.
    Glance,
    /// As [`Gate::First`], in Criterion's quick mode.
    Quick,
    /// The same, while the seam lengthens the head side's samples: a planted change.
    ProtocolObserved,
}

impl Gate {
    /// Whether a process only collects what later rounds need, and is not part of a round.
    pub(super) fn is_first_look(self) -> bool {
        matches!(self, Gate::First | Gate::Glance | Gate::Quick)
    }
}

/// What happens to a side's process, its threads and its children while the other side runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// It stands still as a whole.
    Stopped,
    /// It continues to run, since stopping would disturb it.
    Running,
}

/// Whether benchmarks share a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// With as many others as fit.
    Shared,
    /// It shares its process with none. If the sides run their benchmarks in different orders, this
    /// is how both run the same one at the same time.
    Alone,
}

/// Whether benchmarks share a process, if the target allows it.
pub(super) fn company(target: &Target, learnt: Company) -> Company {
    match target.choice() {
        Choice::One => Company::Alone,
        Choice::Any | Choice::All => learnt,
    }
}

/// The timing that both sides understand: if one accepts only whole seconds, both get whole seconds.
pub(super) fn fit(timing: Timing, target: &Target) -> Timing {
    let versions = [target.criterion.base, target.criterion.head];
    if versions
        .into_iter()
        .flatten()
        .any(CriterionVersion::wants_whole_seconds)
    {
        timing.in_whole_seconds()
    } else {
        timing
    }
}

/// Takes from `open` the benchmarks that are run in the same way as the first one, as many as may
/// share a process. `None` if nothing is open.
pub(super) fn take_chunk(
    open: &mut Vec<Request>,
    way_of: impl Fn(&Request) -> RunMode,
) -> Option<(RunMode, Vec<Request>)> {
    let way = way_of(open.first()?);
    let most = match way.company {
        Company::Shared => CHUNK_BENCHMARKS,
        Company::Alone => 1,
    };
    let mut bytes = 0;
    let mut count = 0;
    let chunk = open.extract_if(.., |request| {
        let fits = count < most
            && (count == 0 || bytes + request.key.id.len() < CHUNK_BYTES)
            && way_of(request) == way;
        if fits {
            count += 1;
            bytes += request.key.id.len();
        }
        fits
    });
    let chunk = chunk.collect();
    Some((way, chunk))
}

/// Splits ids into as many as may share a process.
pub(super) fn chunks(ids: Vec<String>) -> Vec<Vec<String>> {
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for id in ids {
        bytes += id.len();
        match chunks.last_mut() {
            Some(last) if last.len() < CHUNK_BENCHMARKS && bytes < CHUNK_BYTES => last.push(id),
            _ => {
                bytes = id.len();
                chunks.push(vec![id]);
            }
        }
    }
    chunks
}
