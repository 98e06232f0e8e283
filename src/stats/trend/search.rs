//! What a change at some place would explain of the edges, other changes accounted for.
//!
//! With h the change of every node's level and Q the precision of what was measured (the luck of placement
//! included), a change explains (hᵀQz)² ÷ hᵀQh of χ² with one degree of freedom. Q is M⁻¹L, where L is the Laplacian
//! of the edges and M = I + σ_p²·L, so that all of it takes sparse solutions only.

use super::graph::Graph;
use super::sparse_cholesky::{Factor, Lanes, PairEntry, SymmetricEntries};

/// The longest drift that is looked for, in measured commits.
pub(super) const LONGEST: usize = 192;

/// A change of level that is looked for. Ranks count the measured commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    /// The last commit before it.
    pub(super) after: usize,
    /// Over how many commits it is spread evenly: one is a step.
    pub(super) length: usize,
}

impl Shift {
    pub(super) fn step(at: usize) -> Shift {
        Shift {
            after: at - 1,
            length: 1,
        }
    }

    /// The last commit that it changes.
    pub(super) fn last(self) -> usize {
        self.after + self.length
    }

    /// Whether both change the same commit, or one lies within the other.
    pub(super) fn overlaps(self, other: Shift) -> bool {
        self.after < other.last() && other.after < self.last()
    }

    /// The mean over the commits that it changes, from sums up to each rank (exclusive).
    fn mean(self, sums: &[f64]) -> f64 {
        (sums[self.last() + 1] - sums[self.after + 1]) / self.length as f64
    }
}

/// What was measured, ready to be asked.
pub(super) struct ShiftSearch<'a> {
    laplacian: SymmetricEntries,
    factor: Factor<'a>,
    ranks: Vec<usize>,
    /// The places of the ranks.
    pub(super) places: Vec<usize>,
    /// Whether a level can change at a rank.
    possible: Vec<bool>,
    /// hᵀQz of a step at each rank, summed up to each.
    scores: Vec<f64>,
    /// hᵀQh of shifts, by the commit before and the length.
    norms: Vec<Vec<f64>>,
}

/// A shift that is accounted for.
#[derive(Clone)]
pub(super) struct Accounted {
    pub(super) shift: Shift,
    /// What it has in common with a step at each rank, summed up to each.
    common: Vec<f64>,
}

/// The shifts that are accounted for, made independent of one another.
#[derive(Clone)]
pub(super) struct ScoreBasis {
    /// Of each: what is its own, summed up, and its norm.
    parts: Vec<(Vec<f64>, f64)>,
    /// The scores that are left.
    scores: Vec<f64>,
}

fn running_sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = values.map(|value| {
        sum += value;
        sum
    });
    std::iter::once(0.0)
        .chain(sums.collect::<Vec<_>>())
        .collect()
}

impl<'a> ShiftSearch<'a> {
    pub(super) fn of(graph: &'a Graph, placement: f64) -> ShiftSearch<'a> {
        let laplacian = graph.laplacian(|_| true);
        let factor = graph
            .pattern()
            .factorise(&laplacian.plus_identity(placement));
        let mut places = graph.places.clone();
        places.sort_unstable();
        places.dedup();
        let rank = |place: &usize| places.binary_search(place).unwrap_or(0);
        let ranks: Vec<usize> = graph.places.iter().map(rank).collect();
        let mut search = ShiftSearch {
            possible: possible(graph, &ranks, places.len()),
            laplacian,
            factor,
            ranks,
            places,
            scores: Vec::new(),
            norms: Vec::new(),
        };
        let solved = search.factor.solve(&graph.pull(|_| true));
        search.scores = running_sums(search.by_step(&solved).into_iter());
        search.norms = search.all_norms();
        search
    }

    /// How many measured commits there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a level can change there.
    pub(super) fn is_possible(&self, shift: Shift) -> bool {
        let fits = shift.last() < self.len() && shift.length <= LONGEST;
        fits && self.possible[shift.after + 1] && self.possible[shift.last()]
    }

    /// What every step has of a vector over nodes: its sum from the step on.
    fn by_step(&self, nodes: &[f64]) -> Vec<f64> {
        let alone = nodes.iter().map(|value| Lanes([*value, 0.0, 0.0, 0.0]));
        let sums = self.by_step_together(alone);
        sums.into_iter().map(|Lanes([sum, ..])| sum).collect()
    }

    /// The same of several vectors, one per lane.
    fn by_step_together(&self, nodes: impl Iterator<Item = Lanes>) -> Vec<Lanes> {
        let mut sums = vec![Lanes::ZERO; self.len()];
        for (rank, values) in self.ranks.iter().zip(nodes) {
            sums[*rank] = sums[*rank].plus(values);
        }
        let mut after = Lanes::ZERO;
        for sum in sums.iter_mut().rev() {
            after = after.plus(*sum);
            *sum = after;
        }
        sums
    }

    /// The height of a shift of one at each node.
    pub(super) fn heights(&self, shift: Shift) -> Vec<f64> {
        let height = |rank: &usize| {
            let into = rank.saturating_sub(shift.after).min(shift.length);
            into as f64 / shift.length as f64
        };
        self.ranks.iter().map(height).collect()
    }

    fn common(&self, shift: Shift) -> Vec<f64> {
        let pulled = self.laplacian.times(&self.heights(shift));
        self.by_step(&self.factor.solve(&pulled))
    }

    pub(super) fn account(&self, shift: Shift) -> Accounted {
        Accounted {
            common: running_sums(self.common(shift).into_iter()),
            shift,
        }
    }

    fn all_norms(&self) -> Vec<Vec<f64>> {
        let size = self.len();
        let mut nodes_at = vec![Vec::new(); size];
        for (node, rank) in self.ranks.iter().enumerate() {
            nodes_at[*rank].push(node);
        }
        let around = self.laplacian.rows();
        // Of each step: what it has in common with those before it, summed backwards.
        let mut backwards = vec![vec![0.0]; size];
        let mut pulled = vec![0.0; self.ranks.len()];
        let mut together = vec![Lanes::ZERO; self.ranks.len()];
        let steps: Vec<usize> = (1..size).rev().collect();
        for steps in steps.chunks(Lanes::COUNT) {
            for (lane, at) in steps.iter().enumerate() {
                for &node in &nodes_at[*at] {
                    pulled[node] += self.laplacian.diagonal[node];
                    for entry in &around[node] {
                        pulled[entry.b] += entry.value;
                    }
                }
                let lanes = together.iter_mut().zip(&pulled);
                lanes.for_each(|(lanes, pulled)| lanes.0[lane] = *pulled);
            }
            let common = self.factor.solve_together(&together);
            let common = self.by_step_together(common.into_iter());
            for (lane, &at) in steps.iter().enumerate() {
                let first = (at + 1).saturating_sub(LONGEST).max(1);
                let others = (first..=at).rev();
                backwards[at] = running_sums(others.map(|other| common[other].0[lane]));
            }
        }
        let from = |after: usize| -> Vec<f64> {
            let mut block = 0.0;
            let longest = LONGEST.min(size - 1 - after);
            let norms = (1..=longest).map(|length| {
                let row = &backwards[after + length];
                block += 2.0 * row[length] - row[1];
                block / (length * length) as f64
            });
            norms.collect()
        };
        (0..size).map(from).collect()
    }

    /// What is left when these are accounted for.
    pub(super) fn basis<'b>(&self, accounted: impl Iterator<Item = &'b Accounted>) -> ScoreBasis {
        let mut basis = ScoreBasis {
            parts: Vec::new(),
            scores: self.scores.clone(),
        };
        for one in accounted {
            basis.add(one);
        }
        basis
    }

    /// How much of χ² a shift explains beyond the basis; `None` where nothing was measured of it.
    pub(super) fn gain(&self, basis: &ScoreBasis, shift: Shift) -> Option<f64> {
        let whole = self.norms[shift.after][shift.length - 1];
        let known = basis.parts.iter();
        let known: f64 = known
            .map(|(own, norm)| shift.mean(own).powi(2) / norm)
            .sum();
        let norm = whole - known;
        (norm > 1e-6 * whole && whole > 0.0).then(|| shift.mean(&basis.scores).powi(2) / norm)
    }

    /// What a shift has in common with another that is accounted for.
    pub(super) fn product(&self, shift: Shift, with: &Accounted) -> f64 {
        shift.mean(&with.common)
    }

    /// The score of a shift.
    pub(super) fn score(&self, shift: Shift) -> f64 {
        shift.mean(&self.scores)
    }
}

impl ScoreBasis {
    /// Accounts for one more.
    pub(super) fn add(&mut self, one: &Accounted) {
        let mut own = one.common.clone();
        for (part, norm) in &self.parts {
            let share = one.shift.mean(part) / norm;
            own.iter_mut()
                .zip(part)
                .for_each(|(own, part)| *own -= share * part);
        }
        let norm = one.shift.mean(&own);
        if norm <= 0.0 {
            return;
        }
        let share = one.shift.mean(&self.scores) / norm;
        let scores = self.scores.iter_mut().zip(&own);
        scores.for_each(|(score, own)| *score -= share * own);
        self.parts.push((own, norm));
    }
}

impl SymmetricEntries {
    /// What lies off the diagonal in each row.
    fn rows(&self) -> Vec<Vec<PairEntry>> {
        let mut rows = vec![Vec::new(); self.diagonal.len()];
        for &PairEntry { a, b, value } in &self.pairs {
            rows[a].push(PairEntry { a, b, value });
            rows[b].push(PairEntry { a: b, b: a, value });
        }
        rows
    }
}

/// Where the level of a commit may differ from that of the one before.
fn possible(graph: &Graph, ranks: &[usize], size: usize) -> Vec<bool> {
    let mut levels = vec![Vec::new(); size];
    for (rank, level) in ranks.iter().zip(&graph.level_of_node) {
        levels[*rank].push(*level);
    }
    let differs = |rank: usize| {
        rank > 0
            && !levels[rank]
                .iter()
                .any(|level| levels[rank - 1].contains(level))
    };
    (0..size).map(differs).collect()
}
