//! The statements that whole programs run, process by process.

use crate::measure::{PROCESSES_IF_VARYING, TracedStack};
use crate::seam::{ProgramQueries, QueriesSeen};
use crate::units::{BenchmarkKey, Paired, Side};

/// What was counted of the statements of one workload.
#[derive(Debug, Clone)]
pub struct CountedQueries {
    /// Which workload.
    pub key: BenchmarkKey,
    /// What each process of a side ran, in order; empty where it has no database, or nothing is known.
    pub processes: Paired<Vec<ProgramQueries>>,
    /// From where each side ran them; looked at only where the sides differ.
    pub traced: Paired<Vec<TracedStatement>>,
    /// Why they could not be counted, as lower-case fragments.
    pub notes: Vec<String>,
}

/// A call stack that ran a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedStatement {
    /// The statement's text without literals.
    pub text: String,
    /// Its calls, and as its requests how often they ran the statement.
    pub stack: TracedStack,
}

impl CountedQueries {
    pub(super) fn of(key: &BenchmarkKey) -> CountedQueries {
        CountedQueries {
            key: key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            traced: Paired::new(Vec::new(), Vec::new()),
            notes: Vec::new(),
        }
    }

    /// Whether anything is known of either side.
    pub(super) fn is_empty(&self) -> bool {
        let none = |side: Side| self.processes.get(side).is_empty();
        Side::BOTH.into_iter().all(none) && self.notes.is_empty()
    }

    /// Takes in what a process of `side` has shown.
    pub(super) fn take(&mut self, side: Side, seen: QueriesSeen) {
        match seen {
            QueriesSeen::NoDatabase => {}
            QueriesSeen::Counted(queries) => self.processes.get_mut(side).push(queries),
            QueriesSeen::Unknown { reason } => {
                let note = format!("{side}: {reason}");
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
        }
    }

    /// Whether the sides may differ.
    pub(super) fn differs(&self) -> bool {
        let Paired { base, head } = &self.processes;
        let mut all = base.iter().chain(head);
        let first = all.next();
        !base.is_empty() && !head.is_empty() && all.any(|other| Some(other) != first)
    }

    /// Whether more processes are needed, if a difference must be seen in `enough` per side to be believed.
    pub(super) fn needs_more(&self, enough: usize) -> bool {
        let asked = self.processes.base.len().max(self.processes.head.len());
        let varies = Side::BOTH.into_iter().any(|side| {
            let processes = self.processes.get(side);
            processes.iter().any(|one| Some(one) != processes.first())
        });
        asked > 0
            && (self.differs() && asked < enough
                || varies && asked < enough.max(PROCESSES_IF_VARYING))
    }
}
