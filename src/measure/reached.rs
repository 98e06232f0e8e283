//! What was found out about the benchmarks of one target.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use crate::discover::{Benchmark, Presence, Reached};

/// Why nothing is known about a target, as a lower-case fragment.
pub(super) type WhyUnknown = String;

/// What the benchmarks of one executable of the head side executed, all of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The executable.
    pub executable: PathBuf,
    /// Where the code lies that differs, without code that only refers to something else.
    pub differing: Vec<Range<u64>>,
    /// The addresses that were watched and executed.
    pub addresses: BTreeSet<u64>,
    /// Whether every benchmark could be run.
    pub extent: RunExtent,
}

/// How much of an executable's benchmarks was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunExtent {
    /// Each.
    All,
    /// Some could not be run, so what they execute is unknown.
    Part,
}

/// What was found out about one target.
pub(super) struct Found {
    /// Ids of benchmarks that executed no differing function.
    pub(super) unreached: BTreeSet<String>,
    /// Ids of benchmarks that did.
    pub(super) reached: BTreeSet<String>,
    /// What was executed on the head side, if it has the target and differs in code.
    pub(super) executed: Option<Executed>,
    /// Files that differ and were opened, and folders that were listed.
    pub(super) touched: BTreeSet<PathBuf>,
}

impl Found {
    pub(super) fn of(&self, benchmark: &Benchmark) -> Reached {
        let id = &benchmark.key.id;
        if benchmark.presence != Presence::Common || benchmark.failure.is_some() {
            Reached::Unknown
        } else if self.unreached.contains(id) {
            Reached::No
        } else if self.reached.contains(id) {
            Reached::Yes
        } else {
            Reached::Unknown
        }
    }
}
