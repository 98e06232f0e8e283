//! Sparse symmetric positive definite systems: minimum-degree ordering, L·D·Lᵀ, and the entries of the inverse
//! that share the factor's pattern.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Range;

/// The numbers of several systems that are solved at once: none waits for the others, and what is read of the
/// matrix serves all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lanes(pub(super) [f64; Lanes::COUNT]);

impl Lanes {
    pub(super) const COUNT: usize = 4;
    pub(super) const ZERO: Lanes = Lanes([0.0; Lanes::COUNT]);

    /// The sum, lane by lane.
    #[inline(always)]
    pub(super) fn plus(self, Lanes([a, b, c, d]): Lanes) -> Lanes {
        let Lanes([w, x, y, z]) = self;
        Lanes([w + a, x + b, y + c, z + d])
    }

    /// What is left without so many times the other.
    #[inline(always)]
    fn minus(self, times: f64, Lanes([a, b, c, d]): Lanes) -> Lanes {
        let Lanes([w, x, y, z]) = self;
        Lanes([w - times * a, x - times * b, y - times * c, z - times * d])
    }

    #[inline(always)]
    fn divided_by(self, by: f64) -> Lanes {
        let Lanes([w, x, y, z]) = self;
        Lanes([w / by, x / by, y / by, z / by])
    }
}

/// Which entries a factor has: found once for a graph, whatever its weights.
#[derive(Debug, Clone)]
pub(super) struct FactorPattern {
    /// The index that is eliminated as the i-th.
    order: Vec<usize>,
    /// When an index is eliminated.
    place: Vec<usize>,
    /// What lies below the diagonal: the rows of each column in ascending order, by place, one column after the other.
    rows: Vec<usize>,
    /// Where each column begins in `rows`, and where the last one ends.
    starts: Vec<usize>,
}

/// A factorised matrix.
#[derive(Debug, Clone)]
pub(super) struct Factor<'a> {
    pattern: &'a FactorPattern,
    /// The values of `pattern.rows`.
    below: Vec<f64>,
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
        let (mut rows, mut starts) = (Vec::new(), vec![0]);
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
            rows.extend(around);
            starts.push(rows.len());
        }
        rows.iter_mut().for_each(|index| *index = place[*index]);
        for column in starts.windows(2) {
            rows[column[0]..column[1]].sort_unstable();
        }
        FactorPattern {
            order,
            place,
            rows,
            starts,
        }
    }

    /// Where a column's entries lie.
    fn column(&self, column: usize) -> Range<usize> {
        self.starts[column]..self.starts[column + 1]
    }

    /// Factorises. An index whose pivot vanishes (a part of the graph that hangs on nothing) gets no say: its
    /// solution is zero.
    pub(super) fn factorise(&self, entries: &SymmetricEntries) -> Factor<'_> {
        let size = self.order.len();
        let mut diagonal: Vec<f64> = self.order.iter().map(|i| entries.diagonal[*i]).collect();
        let mut below = vec![0.0; self.rows.len()];
        for pair in &entries.pairs {
            let (a, b) = (self.place[pair.a], self.place[pair.b]);
            self.add(&mut below, a.min(b), a.max(b), pair.value);
        }
        for j in 0..size {
            if diagonal[j] <= f64::EPSILON * entries.diagonal[self.order[j]].abs() {
                diagonal[j] = f64::INFINITY;
            }
            let column = self.column(j);
            for at in column.clone() {
                let (row, value) = (self.rows[at], below[at]);
                let share = value / diagonal[j];
                diagonal[row] -= share * value;
                for with in at + 1..column.end {
                    let with_value = below[with];
                    self.add(&mut below, row, self.rows[with], -share * with_value);
                }
            }
            below[column]
                .iter_mut()
                .for_each(|value| *value /= diagonal[j]);
        }
        Factor {
            pattern: self,
            below,
            diagonal,
        }
    }

    fn add(&self, below: &mut [f64], column: usize, row: usize, value: f64) {
        if let Some(at) = self.entry(column, row) {
            below[at] += value;
        }
    }

    /// Where the entry of a row is, if the factor has it.
    fn entry(&self, column: usize, row: usize) -> Option<usize> {
        let column = self.column(column);
        let at = self.rows[column.clone()].binary_search(&row).ok()?;
        Some(column.start + at)
    }
}

impl Factor<'_> {
    /// The solution x of A·x = `right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let alone: Vec<Lanes> = right
            .iter()
            .map(|value| Lanes([*value, 0.0, 0.0, 0.0]))
            .collect();
        let solution = self.solve_together(&alone);
        solution
            .into_iter()
            .map(|Lanes([value, ..])| value)
            .collect()
    }

    /// The solutions for several right-hand sides, one per lane.
    pub(super) fn solve_together(&self, right: &[Lanes]) -> Vec<Lanes> {
        let FactorPattern { order, rows, .. } = self.pattern;
        let mut x: Vec<Lanes> = order.iter().map(|index| right[*index]).collect();
        for j in 0..x.len() {
            let value = x[j];
            let column = self.pattern.column(j);
            for (&row, &l) in rows[column.clone()].iter().zip(&self.below[column]) {
                x[row] = x[row].minus(l, value);
            }
        }
        for j in (0..x.len()).rev() {
            let mut value = x[j].divided_by(self.diagonal[j]);
            let column = self.pattern.column(j);
            for (&row, &l) in rows[column.clone()].iter().zip(&self.below[column]) {
                value = value.minus(l, x[row]);
            }
            x[j] = value;
        }
        let places = self.pattern.place.iter();
        places.map(|place| x[*place]).collect()
    }

    /// The natural logarithm of the determinant, without the indices that have no say.
    pub(super) fn ln_determinant(&self) -> f64 {
        let finite = self.diagonal.iter().filter(|d| d.is_finite());
        finite.map(|d| d.ln()).sum()
    }

    /// The diagonal of the inverse, by the recurrence of Takahashi, Fagan and Chin (8th PICA Conference, 1973).
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let FactorPattern { order, rows, .. } = self.pattern;
        let size = order.len();
        let mut inverse = vec![0.0; rows.len()];
        let mut diagonal = vec![0.0; size];
        for j in (0..size).rev() {
            let column = self.pattern.column(j);
            let mut with = 0.0;
            for at in column.clone() {
                let terms = column.clone().map(|other| {
                    let (i, k) = (rows[at], rows[other]);
                    let entry = match other == at {
                        true => diagonal[i],
                        false => {
                            let entry = self.pattern.entry(i.min(k), i.max(k));
                            entry.map_or(0.0, |entry| inverse[entry])
                        }
                    };
                    self.below[other] * entry
                });
                inverse[at] = -terms.sum::<f64>();
                with += self.below[at] * inverse[at];
            }
            diagonal[j] = 1.0 / self.diagonal[j] - with;
        }
        let mut by_index = vec![0.0; size];
        for (place, index) in order.iter().enumerate() {
            by_index[*index] = diagonal[place];
        }
        by_index
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
