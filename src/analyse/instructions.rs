//! From counted instructions to what changed.

use std::collections::HashMap;

use super::{Change, Comparison, Direction, Observed, Verdict};
use crate::measure::InstructionCounts;
use crate::units::{BenchmarkKey, Metric, MetricGroup, Note, Paired, Ratio};

/// A difference of so many instructions or fewer is none, however small the benchmark: an instruction is moved out
/// of a loop, or a jump goes the other way.
const NEGLIGIBLE: f64 = 2.0;

/// Processes a side that may show a difference: what one executes alone, another has not confirmed.
const CONFIRMED: usize = 2;

/// Those that may if they vary.
const TELLING: usize = 4;

/// Writes into each comparison what was counted of its benchmark, and what changed by more than the threshold. What was
/// neither timed nor counted for certain is inconclusive.
pub fn add_instructions(
    comparisons: &mut [Comparison],
    counted: &[InstructionCounts],
    threshold: Ratio,
) {
    let counted: HashMap<&BenchmarkKey, &InstructionCounts> =
        counted.iter().map(|each| (&each.key, each)).collect();
    for comparison in comparisons {
        // What failed while it was timed has said so already.
        if comparison.verdict != Verdict::Failed
            && let Some(counted) = counted.get(&comparison.key)
        {
            compare(comparison, counted, threshold);
        }
        let is_open = comparison.direction(MetricGroup::Instructions).is_none();
        if comparison.verdict == Verdict::Untimed && is_open {
            comparison.verdict = Verdict::Inconclusive;
        }
    }
}

fn compare(comparison: &mut Comparison, counted: &InstructionCounts, threshold: Ratio) {
    let figures = Paired::from_fn(|side| ProcessFigures::of(counted.per_iteration(side)));
    let mut notes = counted.notes.clone();
    if figures.base.is_some() || figures.head.is_some() {
        let sides = figures
            .as_ref()
            .map(|side| side.as_ref().map(ProcessFigures::observed));
        let both = figures.base.as_ref().zip(figures.head.as_ref());
        let direction = both.and_then(|(base, head)| direction(base, head, threshold));
        notes.extend(both.and_then(|(base, head)| doubt(base, head, direction)));
        let change = Change {
            sides,
            direction,
            ..Change::default()
        };
        comparison.metrics.extend([(Metric::INSTRUCTIONS, change)]);
        if !counted.is_steady() {
            notes.push(
                "its iterations execute different numbers of instructions: the count is the mean of the last ones"
                    .to_owned(),
            );
        }
    }
    let about = |text| Note::about(MetricGroup::Instructions, text);
    comparison.notes.extend(notes.into_iter().map(about));
}

/// What the processes of one side show; there is one at least.
struct ProcessFigures {
    processes: usize,
    mean: f64,
    fewest: f64,
    most: f64,
}

impl ProcessFigures {
    fn of(processes: Vec<f64>) -> Option<ProcessFigures> {
        let first = *processes.first()?;
        Some(ProcessFigures {
            processes: processes.len(),
            mean: processes.iter().sum::<f64>() / processes.len() as f64,
            fewest: processes.iter().copied().fold(first, f64::min),
            most: processes.iter().copied().fold(first, f64::max),
        })
    }

    fn varies(&self) -> bool {
        self.fewest < self.most
    }

    fn observed(&self) -> Observed {
        match self.varies() {
            true => Observed {
                least: Some(self.fewest),
                ..Observed::sampled(self.mean)
            },
            false => Observed::exactly(self.fewest),
        }
    }
}

/// Which way the count went. It did where all processes of one side lie above all of the other by more than the
/// threshold: two of each at least, and more if they vary, since two of each do so by chance in one case of three.
fn direction(base: &ProcessFigures, head: &ProcessFigures, threshold: Ratio) -> Option<Direction> {
    let margin = (base.most * threshold.as_change()).max(NEGLIGIBLE);
    let furthest = (head.most - base.fewest).max(base.most - head.fewest);
    let needed = match base.varies() || head.varies() {
        true => TELLING,
        false => CONFIRMED,
    };
    let enough = base.processes.min(head.processes) >= needed;
    match () {
        () if furthest <= margin => Some(Direction::Same),
        () if enough && head.fewest - base.most > margin => Some(Direction::More),
        () if enough && base.fewest - head.most > margin => Some(Direction::Fewer),
        () => None,
    }
}

/// What the reader should know where processes of one side do not execute the same, or too few did to tell.
fn doubt(
    base: &ProcessFigures,
    head: &ProcessFigures,
    direction: Option<Direction>,
) -> Option<String> {
    if !base.varies() && !head.varies() {
        let alone =
            "a single process of one side was counted: no difference between the sides is certain";
        return direction.is_none().then(|| alone.to_owned());
    }
    let spread = Metric::INSTRUCTIONS
        .unit
        .show((base.most - base.fewest).max(head.most - head.fewest));
    let found = match direction {
        Some(Direction::Same) => "which is below the threshold",
        Some(Direction::More | Direction::Fewer) => "the sides differ by more all the same",
        None => "no difference between the sides is certain",
    };
    Some(format!(
        "processes of one side differ by up to {spread} instructions; {found} (perfcheck gives them the \
         same addresses and random numbers)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Exactness, Side};

    fn compared(base: &[u64], head: &[u64]) -> Comparison {
        let counted = InstructionCounts::made_up(base, head);
        let comparison = Comparison::unobserved(counted.key.clone(), Verdict::Untimed);
        let mut all = [comparison];
        add_instructions(&mut all, &[counted], Ratio::from_change(0.001));
        let [compared] = all;
        compared
    }

    fn way(base: &[u64], head: &[u64]) -> Option<Direction> {
        compared(base, head).direction(MetricGroup::Instructions)
    }

    #[test]
    fn equal_counts_are_the_same_and_differ_by_nothing() {
        let same = compared(&[1807], &[1807]);
        assert_eq!(
            same.direction(MetricGroup::Instructions),
            Some(Direction::Same)
        );
        let values = same.values(Metric::INSTRUCTIONS).unwrap();
        assert_eq!((values.base, values.head - values.base), (1807.0, 0.0));
        assert!(same.notes.is_empty());
        assert_eq!(same.verdict, Verdict::Untimed);
    }

    #[test]
    fn a_difference_counts_beyond_two_instructions_and_a_thousandth() {
        assert_eq!(way(&[36; 2], &[38; 2]), Some(Direction::Same));
        assert_eq!(way(&[36; 2], &[39; 2]), Some(Direction::More));
        assert_eq!(way(&[39; 2], &[36; 2]), Some(Direction::Fewer));
        assert_eq!(way(&[1_000_000; 2], &[1_000_990; 2]), Some(Direction::Same));
        assert_eq!(way(&[1_000_000; 2], &[1_001_010; 2]), Some(Direction::More));
        assert_eq!(
            way(&[1_001_010; 2], &[1_000_000; 2]),
            Some(Direction::Fewer)
        );
    }

    #[test]
    fn one_process_a_side_shows_no_difference() {
        let alone = compared(&[1000], &[2000]);
        assert_eq!(alone.direction(MetricGroup::Instructions), None);
        assert!(alone.notes[0].text.starts_with("a single process"));
        assert_eq!(way(&[1000; 2], &[2000]), None);
        assert_eq!(way(&[1000], &[1000]), Some(Direction::Same));
    }

    #[test]
    fn processes_that_vary_show_a_difference_only_where_all_of_several_agree() {
        assert_eq!(way(&[100, 110], &[200, 210]), None);
        let apart = compared(&[100, 110, 100, 105], &[200, 210, 200, 200]);
        assert_eq!(
            apart.direction(MetricGroup::Instructions),
            Some(Direction::More)
        );
        let change = apart.metrics.get(Metric::INSTRUCTIONS).unwrap();
        let base = change.sides.get(Side::Base).as_ref().unwrap();
        assert_eq!(base.exactness, Exactness::Sampled);
        let note = &apart.notes[0].text;
        assert!(note.contains("by up to 10 instructions"), "{note}");
        let mixed = compared(&[100, 150, 100, 105], &[140, 210, 200, 200]);
        assert_eq!(mixed.direction(MetricGroup::Instructions), None);
        assert_eq!(mixed.verdict, Verdict::Inconclusive);
        // They vary by less than counts.
        assert_eq!(way(&[36, 37, 36, 36], &[36; 4]), Some(Direction::Same));
    }

    #[test]
    fn what_was_counted_on_one_side_alone_is_shown_and_not_compared() {
        let alone = compared(&[], &[36]);
        assert_eq!(alone.value(Metric::INSTRUCTIONS, Side::Head), Some(36.0));
        assert_eq!(alone.direction(MetricGroup::Instructions), None);
        let neither = compared(&[], &[]);
        assert!(neither.metrics.is_empty(MetricGroup::Instructions));
    }
}
