//! Sparse symmetric positive definite systems: minimum-degree ordering, L·D·Lᵀ, and the entries of the inverse
//! that share the factor's pattern.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Which entries a factor has: found once for a graph, whatever its weights.
#[derive(Debug, Clone)]
pub(super) struct FactorPattern {
    /// The index that is eliminated as the i-th.
    order: Vec<usize>,
    /// When an index is eliminated.
    place: Vec<usize>,
    /// Below the diagonal of each column, in ascending order, by place.
    columns: Vec<Vec<usize>>,
}

/// A factorised matrix.
#[derive(Debug, Clone)]
pub(super) struct Factor<'a> {
    pattern: &'a FactorPattern,
    /// The values of `pattern.columns`.
    below: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
}

/// Entries of a symmetric matrix: the diagonal, and what lies off it, each pair once (repeated ones add up).
#[derive(Debug, Clone)]
pub(super) struct SymmetricEntries {
    pub(super) diagonal: Vec<f64>,
    pub(super) pairs: Vec<PairEntry>,
}

/// The entry of a row and a column, which are not the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairEntry {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) value: f64,
}

impl FactorPattern {
    /// Eliminates the index with the fewest neighbours first (Tinney and Walker, Proceedings of the IEEE 55, 1967):
    /// a chain with a few edges to an anchor gets hardly any more entries.
    pub(super) fn of(size: usize, pairs: &[PairEntry]) -> FactorPattern {
        let mut neighbours = vec![BTreeSet::new(); size];
        for pair in pairs.iter().filter(|pair| pair.a != pair.b) {
            neighbours[pair.a].insert(pair.b);
            neighbours[pair.b].insert(pair.a);
        }
        let degrees = neighbours.iter().enumerate();
        let mut heap: BinaryHeap<_> = degrees.map(|(i, n)| Reverse((n.len(), i))).collect();
        let mut order = Vec::with_capacity(size);
        let mut place = vec![usize::MAX; size];
        let mut columns = Vec::with_capacity(size);
        while let Some(Reverse((degree, index))) = heap.pop() {
            if place[index] != usize::MAX || neighbours[index].len() != degree {
                continue;
            }
            place[index] = order.len();
            order.push(index);
            let around: Vec<usize> = std::mem::take(&mut neighbours[index]).into_iter().collect();
            for &one in &around {
                neighbours[one].remove(&index);
                neighbours[one].extend(around.iter().filter(|other| **other != one));
                heap.push(Reverse((neighbours[one].len(), one)));
            }
            columns.push(around);
        }
        for column in &mut columns {
            column.iter_mut().for_each(|index| *index = place[*index]);
            column.sort_unstable();
        }
        FactorPattern {
            order,
            place,
            columns,
        }
    }

    /// Factorises. An index whose pivot vanishes (a part of the graph that hangs on nothing) gets no say: its
    /// solution is zero.
    pub(super) fn factorise(&self, entries: &SymmetricEntries) -> Factor<'_> {
        let size = self.order.len();
        let mut diagonal: Vec<f64> = self.order.iter().map(|i| entries.diagonal[*i]).collect();
        let mut below: Vec<Vec<f64>> = self.columns.iter().map(|c| vec![0.0; c.len()]).collect();
        for pair in &entries.pairs {
            let (a, b) = (self.place[pair.a], self.place[pair.b]);
            self.add(&mut below, a.min(b), a.max(b), pair.value);
        }
        for j in 0..size {
            if diagonal[j] <= f64::EPSILON * entries.diagonal[self.order[j]].abs() {
                diagonal[j] = f64::INFINITY;
            }
            let column = std::mem::take(&mut below[j]);
            let rows = &self.columns[j];
            for (p, (&row, &value)) in rows.iter().zip(&column).enumerate() {
                let share = value / diagonal[j];
                diagonal[row] -= share * value;
                for (&other, &with) in rows.iter().zip(&column).skip(p + 1) {
                    self.add(&mut below, row, other, -share * with);
                }
            }
            below[j] = column.iter().map(|value| value / diagonal[j]).collect();
        }
        Factor {
            pattern: self,
            below,
            diagonal,
        }
    }

    fn add(&self, below: &mut [Vec<f64>], column: usize, row: usize, value: f64) {
        if let Ok(at) = self.columns[column].binary_search(&row) {
            below[column][at] += value;
        }
    }
}

impl Factor<'_> {
    /// The solution x of A·x = `right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let FactorPattern { order, columns, .. } = self.pattern;
        let mut x: Vec<f64> = order.iter().map(|index| right[*index]).collect();
        for (j, (rows, below)) in columns.iter().zip(&self.below).enumerate() {
            let value = x[j];
            if value != 0.0 {
                for (&row, &l) in rows.iter().zip(below) {
                    x[row] -= l * value;
                }
            }
        }
        for j in (0..x.len()).rev() {
            let rows = columns[j].iter().zip(&self.below[j]);
            let known: f64 = rows.map(|(&row, &l)| l * x[row]).sum();
            x[j] = x[j] / self.diagonal[j] - known;
        }
        let mut solution = vec![0.0; x.len()];
        for (place, index) in order.iter().enumerate() {
            solution[*index] = x[place];
        }
        solution
    }

    /// The natural logarithm of the determinant, without the indices that have no say.
    pub(super) fn ln_determinant(&self) -> f64 {
        let finite = self.diagonal.iter().filter(|d| d.is_finite());
        finite.map(|d| d.ln()).sum()
    }

    /// The diagonal of the inverse, by the recurrence of Takahashi, Fagan and Chin (8th PICA Conference, 1973).
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let FactorPattern { order, columns, .. } = self.pattern;
        let size = order.len();
        let mut inverse: Vec<Vec<f64>> = self.below.iter().map(|c| vec![0.0; c.len()]).collect();
        let mut diagonal = vec![0.0; size];
        for j in (0..size).rev() {
            let rows = &columns[j];
            let values: Vec<f64> = rows
                .iter()
                .enumerate()
                .map(|(at, &i)| {
                    let terms = rows.iter().zip(&self.below[j]).enumerate();
                    let terms = terms.map(|(other, (&k, &l))| {
                        let entry = match other.cmp(&at) {
                            std::cmp::Ordering::Equal => diagonal[i],
                            _ => self.entry(&inverse, i.min(k), i.max(k)),
                        };
                        l * entry
                    });
                    -terms.sum::<f64>()
                })
                .collect();
            let with: f64 = self.below[j].iter().zip(&values).map(|(l, z)| l * z).sum();
            diagonal[j] = 1.0 / self.diagonal[j] - with;
            inverse[j] = values;
        }
        let mut by_index = vec![0.0; size];
        for (place, index) in order.iter().enumerate() {
            by_index[*index] = diagonal[place];
        }
        by_index
    }

    fn entry(&self, values: &[Vec<f64>], column: usize, row: usize) -> f64 {
        let found = self.pattern.columns[column].binary_search(&row);
        found.map_or(0.0, |at| values[column][at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Noise;

    /// A grounded Laplacian of a random connected graph, and the same as a dense matrix.
    fn laplacian(noise: &mut Noise, size: usize) -> SymmetricEntries {
        let mut diagonal = vec![1e-3; size];
        let mut pairs = Vec::new();
        for b in 1..size {
            let chord = (noise.uniform() * b as f64) as usize;
            for a in [b - 1, chord] {
                let value = 0.1 + noise.uniform();
                diagonal[a] += value;
                diagonal[b] += value;
                pairs.push(PairEntry {
                    a,
                    b,
                    value: -value,
                });
            }
        }
        SymmetricEntries { diagonal, pairs }
    }

    fn times(entries: &SymmetricEntries, x: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = entries.diagonal.iter().zip(x).map(|(d, x)| d * x).collect();
        for pair in &entries.pairs {
            out[pair.a] += pair.value * x[pair.b];
            out[pair.b] += pair.value * x[pair.a];
        }
        out
    }

    #[test]
    fn solutions_and_the_diagonal_of_the_inverse_satisfy_the_system() {
        let mut noise = Noise::seeded(5);
        for size in [1, 2, 7, 60] {
            let entries = laplacian(&mut noise, size);
            let pattern = FactorPattern::of(size, &entries.pairs);
            let factor = pattern.factorise(&entries);
            let inverse = factor.inverse_diagonal();
            for (at, inverse) in inverse.iter().enumerate() {
                let mut unit = vec![0.0; size];
                unit[at] = 1.0;
                let column = factor.solve(&unit);
                assert!((column[at] / inverse - 1.0).abs() < 1e-8, "{size} {at}");
                let back = times(&entries, &column);
                let wrong = back.iter().zip(&unit).map(|(a, b)| (a - b).abs());
                assert!(wrong.fold(0.0, f64::max) < 1e-8, "{size} {at}");
            }
        }
    }

    #[test]
    fn the_determinant_agrees_with_numpy() {
        // numpy.linalg.slogdet([[4, -1, 0], [-1, 3, -1], [0, -1, 2]]) is ln 18
        let pairs = vec![
            PairEntry {
                a: 0,
                b: 1,
                value: -1.0,
            },
            PairEntry {
                a: 2,
                b: 1,
                value: -1.0,
            },
        ];
        let entries = SymmetricEntries {
            diagonal: vec![4.0, 3.0, 2.0],
            pairs,
        };
        let pattern = FactorPattern::of(3, &entries.pairs);
        let factor = pattern.factorise(&entries);
        assert!((factor.ln_determinant() - 18f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn what_hangs_on_nothing_has_no_say() {
        let entries = SymmetricEntries {
            diagonal: vec![2.0, 0.0],
            pairs: Vec::new(),
        };
        let pattern = FactorPattern::of(2, &entries.pairs);
        assert_eq!(pattern.factorise(&entries).solve(&[4.0, 0.0]), [2.0, 0.0]);
    }
}
