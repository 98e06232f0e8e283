//! What was counted of a benchmark.

use crate::seam::{CalledInstructions, ExecutedCode, ExecutedIterations};
use crate::units::{BenchmarkKey, Paired, Side};

/// Processes a side that confirm a difference between the sides.
const TO_CONFIRM: usize = 2;

/// Processes a side of a benchmark whose counts vary. If the sides were alike, all of one would lie above all of the other
/// in 2 of 70 cases (of the 8-choose-4 orders).
const IF_VARYING: usize = 4;

/// The instructions of one benchmark.
#[derive(Debug, Clone)]
pub struct InstructionCounts {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// What each side's processes executed, in order; none where a side was not counted.
    pub processes: Paired<Vec<CalledInstructions>>,
    /// Which instructions the last process of each side executed, where that was asked for.
    pub code: Paired<Option<ExecutedCode>>,
    /// Why it could not be counted, or what the reader should know, as lower-case fragments.
    pub notes: Vec<String>,
}

impl InstructionCounts {
    /// Nothing is known yet of this benchmark.
    pub(crate) fn of(key: &BenchmarkKey) -> InstructionCounts {
        InstructionCounts {
            key: key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            code: Paired::new(None, None),
            notes: Vec::new(),
        }
    }

    /// Instructions per iteration in each process of `side`. Of all processes, those of the other side included, as many calls
    /// are looked at as were counted in each: then the same iterations are compared.
    #[must_use]
    pub fn per_iteration(&self, side: Side) -> Vec<f64> {
        let calls = self.calls();
        let processes = self.processes.get(side).iter();
        processes
            .filter_map(|process| process.per_iteration(calls))
            .collect()
    }

    /// What iterations of both sides executed, place by place; `None` where one side was not counted so closely. Of both
    /// sides the same iterations are looked at.
    #[must_use]
    pub fn executed(&self) -> Option<Paired<ExecutedIterations<'_>>> {
        let calls = self.calls();
        let of = |side| self.code.get(side).as_ref()?.iterations(calls);
        Some(Paired::new(of(Side::Base)?, of(Side::Head)?))
    }

    /// Whether all iterations of both sides execute the same, as far as that was looked at.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let calls = self.calls();
        self.all().all(|process| process.is_steady(calls))
    }

    /// How many calls were counted in every process.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.all().map(CalledInstructions::calls).min().unwrap_or(0)
    }

    fn all(&self) -> impl Iterator<Item = &CalledInstructions> {
        Side::BOTH
            .into_iter()
            .flat_map(|side| self.processes.get(side))
    }

    /// Whether one more process of each side is to be asked.
    pub(crate) fn needs_more(&self) -> bool {
        let sides = Side::BOTH.map(|side| self.per_iteration(side));
        let asked = sides.iter().map(Vec::len).max().unwrap_or(0);
        let varies = sides
            .iter()
            .any(|side| side.iter().any(|one| *one != side[0]));
        let [base, head] = &sides;
        let differ = !head.is_empty() && !base.is_empty() && base[0] != head[0];
        match (asked, varies, differ) {
            (0, ..) => true,
            (asked, true, _) => asked < IF_VARYING,
            (asked, false, true) => asked < TO_CONFIRM,
            (_, false, false) => false,
        }
    }

    pub(crate) fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| note == text) {
            self.notes.push(text.to_owned());
        }
    }
}

#[cfg(test)]
impl InstructionCounts {
    /// A benchmark whose processes executed so many instructions an iteration.
    pub(crate) fn made_up(base: &[u64], head: &[u64]) -> InstructionCounts {
        let processes = |each: &[u64]| {
            let calls = |each: &u64| [1, 2, 4, 8].map(|iterations| each * iterations + 90);
            let calls = each
                .iter()
                .map(|each| CalledInstructions::of_doubling(calls(each).into()));
            calls.collect()
        };
        InstructionCounts {
            key: BenchmarkKey::new("p", "t", "b"),
            processes: Paired::new(processes(base), processes(head)),
            code: Paired::new(None, None),
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_is_enough_where_the_sides_agree_and_a_second_confirms_a_difference() {
        assert!(InstructionCounts::made_up(&[], &[]).needs_more());
        assert!(!InstructionCounts::made_up(&[36], &[36]).needs_more());
        assert!(InstructionCounts::made_up(&[36], &[40]).needs_more());
        assert!(!InstructionCounts::made_up(&[36; 2], &[40; 2]).needs_more());
        // One side alone.
        assert!(!InstructionCounts::made_up(&[36], &[]).needs_more());
    }

    #[test]
    fn counts_that_vary_are_asked_four_times() {
        assert!(InstructionCounts::made_up(&[36, 37], &[40, 40]).needs_more());
        assert!(InstructionCounts::made_up(&[36, 37, 36], &[40; 3]).needs_more());
        assert!(!InstructionCounts::made_up(&[36, 37, 36, 36], &[40; 4]).needs_more());
    }

    #[test]
    fn the_same_iterations_are_compared_on_both_sides() {
        let mut counted = InstructionCounts::made_up(&[36], &[36]);
        // Fewer calls were counted on a busy machine, and the last ones are of other iterations.
        counted.processes.head = vec![CalledInstructions::of_doubling(vec![126, 162, 234])];
        counted.processes.base = vec![CalledInstructions::of_doubling(vec![126, 162, 234, 999])];
        assert_eq!(counted.per_iteration(Side::Base), [36.0]);
        assert_eq!(counted.per_iteration(Side::Head), [36.0]);
        assert!(counted.is_steady());
    }
}
