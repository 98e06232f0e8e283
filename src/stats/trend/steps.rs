//! Which changes of level the edges show.

use super::graph::Graph;
use super::search::{Shift, ShiftSearch};
use super::selection::{ShiftSelection, steps_near};

/// A change at one commit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelStep {
    /// The likeliest commit.
    pub commit: usize,
    /// The first commit that it can have been, with 99 % certainty for the range.
    pub earliest: usize,
    /// The last one.
    pub latest: usize,
    /// The natural logarithm of the level after ÷ before.
    pub ln_ratio: f64,
    /// Its standard error.
    pub std_error: f64,
}

/// A change that is spread over many commits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelDrift {
    /// The first commit of it.
    pub first: usize,
    /// The last one.
    pub last: usize,
    /// The natural logarithm of the level after ÷ before.
    pub ln_ratio: f64,
    /// Its standard error.
    pub std_error: f64,
}

/// What was found, and how high each node's level is by it.
pub(super) struct FoundChanges {
    pub(super) steps: Vec<LevelStep>,
    pub(super) drifts: Vec<LevelDrift>,
    pub(super) explained: Vec<f64>,
}

/// The certainty of the range of commits that a step is given.
const CERTAINTY: f64 = 0.99;

/// The changes that explain more of the edges than chance would anywhere, with an error rate of `alpha` for the
/// whole graph.
///
pub(super) fn find(graph: &Graph, placement: f64, alpha: f64) -> FoundChanges {
    let search = ShiftSearch::of(graph, placement);
    ShiftSelection::of(&search, alpha).told(graph)
}

impl ShiftSelection<'_> {
    fn told(&self, graph: &Graph) -> FoundChanges {
        let products: Vec<Vec<f64>> = self
            .chosen
            .iter()
            .map(|one| {
                self.chosen
                    .iter()
                    .map(|other| self.search.product(one.shift, other))
                    .collect()
            })
            .collect();
        let covariance = inverse(products);
        let scores: Vec<f64> = self
            .chosen
            .iter()
            .map(|one| self.search.score(one.shift))
            .collect();
        let mut found = FoundChanges {
            steps: Vec::new(),
            drifts: Vec::new(),
            explained: vec![0.0; graph.size()],
        };
        for (at, row) in covariance.iter().enumerate() {
            let shift = self.chosen[at].shift;
            let ln_ratio: f64 = row.iter().zip(&scores).map(|(c, s)| c * s).sum();
            let std_error = row[at].max(0.0).sqrt();
            let heights = self.search.heights(shift);
            let explained = found.explained.iter_mut().zip(heights);
            explained.for_each(|(sum, height)| *sum += ln_ratio * height);
            if shift.length == 1 {
                let (first, last) = self.range(at);
                found.steps.push(LevelStep {
                    commit: self.search.places[shift.last()],
                    earliest: graph.after_the_one_before(self.search.places[first]),
                    latest: self.search.places[last],
                    ln_ratio,
                    std_error,
                });
            } else {
                found.drifts.push(LevelDrift {
                    first: self.search.places[shift.after + 1],
                    last: self.search.places[shift.last()],
                    ln_ratio,
                    std_error,
                });
            }
        }
        found
    }

    /// Between which ranks a step lies: the likeliest ones that hold it with [`CERTAINTY`], where no rank is
    /// likelier than another beforehand.
    fn range(&self, at: usize) -> (usize, usize) {
        let shift = self.chosen[at].shift;
        let basis = self.others(&[at]);
        let gain = |step: Shift| match self.search.is_possible(step) {
            true => self.search.gain(&basis, step),
            false => None,
        };
        let most = gain(shift).unwrap_or(0.0);
        let likely = steps_near(shift).filter_map(|step| {
            let gain = gain(step)?;
            Some((((gain - most) / 2.0).exp(), step.last()))
        });
        let mut likely: Vec<(f64, usize)> = likely.collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all: f64 = likely.iter().map(|(mass, _)| mass).sum();
        let (mut sum, mut first, mut last) = (0.0, shift.last(), shift.last());
        for (mass, rank) in likely {
            if sum >= CERTAINTY * all {
                break;
            }
            sum += mass;
            first = first.min(rank);
            last = last.max(rank);
        }
        (first, last)
    }
}

/// The inverse of a small symmetric positive definite matrix, by Gauss and Jordan.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let size = matrix.len();
    let mut inverse = vec![vec![0.0; size]; size];
    for (at, row) in inverse.iter_mut().enumerate() {
        row[at] = 1.0;
    }
    for at in 0..size {
        let pivot = matrix[at][at];
        matrix[at].iter_mut().for_each(|entry| *entry /= pivot);
        inverse[at].iter_mut().for_each(|entry| *entry /= pivot);
        let (of_pivot, of_inverse) = (matrix[at].clone(), inverse[at].clone());
        for row in (0..size).filter(|row| *row != at) {
            let share = matrix[row][at];
            let subtract = |from: &mut [f64], what: &[f64]| {
                let entries = from.iter_mut().zip(what);
                entries.for_each(|(entry, what)| *entry -= share * what);
            };
            subtract(&mut matrix[row], &of_pivot);
            subtract(&mut inverse[row], &of_inverse);
        }
    }
    inverse
}

impl Graph {
    /// The first commit that no measured one before `commit` comes after.
    fn after_the_one_before(&self, commit: usize) -> usize {
        let before = (0..commit)
            .rev()
            .find(|at| self.level_of_commit[*at].is_some());
        before.map_or(0, |before| before + 1)
    }
}
