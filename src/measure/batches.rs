//! How a benchmark is run, and which benchmarks may share a pair of processes.

use crate::build::Choice;
use crate::discover::{Presence, Target};
use crate::harness::{CriterionVersion, Timing};
use crate::process::Placement;

use super::Request;

/// At most so many benchmarks share a pair of processes: a crash costs the others of its pair a new
/// start, and an expression of many alternatives takes Criterion time to compile.
const CHUNK_BENCHMARKS: usize = 50;

/// At most so long are the ids in the expression that selects them; an argument may have 128 KiB on
/// Linux, and escaping may double an id.
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
    /// The same, while the seam watches a first process of each side, which is kept short.
    First,
    /// As [`Gate::First`], and it is ended in a benchmark that is slow.
    Glance,
    /// As [`Gate::First`], in Criterion's quick mode.
    Quick,
    /// The same, while the seam lengthens the head side's samples: a planted change.
    ProtocolObserved,
}

impl Gate {
    /// Whether a process shows what rounds are to know, and is none of a round.
    pub(super) fn is_first_look(self) -> bool {
        matches!(self, Gate::First | Gate::Glance | Gate::Quick)
    }
}

/// What becomes of a side's process, its threads and its children while the other side runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// It stands still as a whole.
    Stopped,
    /// It works on, since standing still would change it.
    Running,
}

/// Whether benchmarks share a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// With as many others as fit.
    Shared,
    /// Not: where the sides run their benchmarks in different orders, that is how both run the same
    /// one at the same time.
    Alone,
}

/// Whether benchmarks share a process, where the target lets them.
pub(super) fn company(target: &Target, learnt: Company) -> Company {
    match target.choice() {
        Choice::One => Company::Alone,
        Choice::Any | Choice::All => learnt,
    }
}

/// The timing that both sides understand: where one takes whole seconds only, both get them.
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

/// Takes from `open` those that are run in the way of the first one, as many as may share a process.
/// `None` when nothing is open.
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
