//! The trend of numbers that are the same each time, such as counts of allocations.

use super::graph::Unions;
use super::{Level, LevelStep, Trend};

/// What two builds of one toolchain need, counted on both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountedEdge {
    /// The place of the base side's commit.
    pub base: usize,
    /// That of the head side's.
    pub head: usize,
    /// The natural logarithm of head ÷ base; finite.
    pub ln_ratio: f64,
}

impl Trend {
    /// The trend of counts, relative to the commit at `anchor`. A change of more than `tolerance`, as a natural logarithm,
    /// is a step.
    ///
    /// Counts have no error: an edge is a fact of its two builds. Another compiler may count otherwise, so where edges
    /// disagree around a loop, those between the nearest commits count (a minimum spanning forest: Kruskal, Proceedings of the
    /// American Mathematical Society 7, 1956).
    #[must_use]
    pub fn of_counts(counted: &[CountedEdge], anchor: usize, tolerance: f64) -> Trend {
        let ends = counted.iter().flat_map(|edge| [edge.base, edge.head]);
        let commits = ends.max().map_or(0, |last| last + 1);
        let mut around: Vec<Vec<(usize, f64)>> = vec![Vec::new(); commits];
        let mut nearest: Vec<&CountedEdge> = counted.iter().collect();
        nearest.sort_by_key(|edge| edge.base.abs_diff(edge.head));
        let mut joined = Unions::of(commits);
        for edge in nearest {
            if joined.root(edge.base) != joined.root(edge.head) {
                joined.join(edge.base, edge.head);
                around[edge.base].push((edge.head, edge.ln_ratio));
                around[edge.head].push((edge.base, -edge.ln_ratio));
            }
        }
        let levels = levels_from(anchor, &around);
        Trend {
            steps: steps(&levels, tolerance),
            levels,
            drifts: Vec::new(),
            placement: 0.0,
            loops: None,
            classes: None,
        }
    }
}

fn levels_from(anchor: usize, around: &[Vec<(usize, f64)>]) -> Vec<Option<Level>> {
    let mut levels: Vec<Option<Level>> = vec![None; around.len()];
    let exactly = |ln_ratio| Level {
        ln_ratio,
        std_error: 0.0,
    };
    let mut open = vec![(anchor, 0.0)];
    while let Some((commit, ln_ratio)) = open.pop() {
        let Some(level) = levels.get_mut(commit).filter(|level| level.is_none()) else {
            continue;
        };
        *level = Some(exactly(ln_ratio));
        let next = around[commit].iter();
        open.extend(next.map(|(next, difference)| (*next, ln_ratio + difference)));
    }
    levels
}

fn steps(levels: &[Option<Level>], tolerance: f64) -> Vec<LevelStep> {
    let known: Vec<(usize, f64)> = levels
        .iter()
        .enumerate()
        .filter_map(|(place, level)| Some((place, (*level)?.ln_ratio)))
        .collect();
    let steps = known.windows(2).filter_map(|pair| {
        let [(before, from), (commit, to)] = *pair else {
            return None;
        };
        let ln_ratio = to - from;
        (ln_ratio.abs() > tolerance).then_some(LevelStep {
            commit,
            earliest: before + 1,
            latest: commit,
            ln_ratio,
            std_error: 0.0,
        })
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(base: usize, head: usize, ratio: f64) -> CountedEdge {
        CountedEdge {
            base,
            head,
            ln_ratio: ratio.ln(),
        }
    }

    #[test]
    fn every_change_of_a_count_is_a_step_at_its_commit() {
        let edges = [edge(0, 1, 1.0), edge(2, 1, 0.5), edge(2, 4, 0.75)];
        let trend = Trend::of_counts(&edges, 1, 1e-9);
        let steps: Vec<(usize, usize, f64)> = trend
            .steps
            .iter()
            .map(|step| (step.earliest, step.commit, step.ln_ratio.exp()))
            .collect();
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert_eq!((steps[0].0, steps[0].1), (2, 2));
        assert!((steps[0].2 - 2.0).abs() < 1e-12);
        assert_eq!((steps[1].0, steps[1].1), (3, 4));
        let level = |at: usize| trend.levels[at].map(|level| level.ln_ratio.exp());
        assert!((level(4).unwrap() - 1.5).abs() < 1e-12);
        assert_eq!(level(3), None);
        assert_eq!(level(0), Some(1.0));
    }

    #[test]
    fn a_compiler_that_counts_otherwise_is_no_step() {
        // The run over both commits was built by another compiler, for which nothing changed.
        let edges = [edge(0, 2, 1.0), edge(0, 1, 1.1), edge(1, 2, 1.1)];
        let trend = Trend::of_counts(&edges, 0, 1e-9);
        assert_eq!(trend.steps.len(), 2);
        assert_eq!(Trend::of_counts(&[], 0, 1e-9).levels, []);
    }
}
