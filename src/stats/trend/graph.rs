//! Builds and edges as the solvers want them.

use std::cell::OnceCell;

use super::sparse_cholesky::{FactorPattern, PairEntry, SymmetricEntries};
use super::{Measured, MeasuredEdge, Sameness, moderation};

/// Builds with the same executable are one node; levels that were proved equal are one level.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    /// The place in the history of each node's first commit.
    pub(super) places: Vec<usize>,
    /// The edges between nodes.
    pub(super) edges: Vec<WeightedEdge>,
    /// The level of each node.
    pub(super) level_of_node: Vec<usize>,
    /// The level of each commit, where it was measured.
    pub(super) level_of_commit: Vec<Option<usize>>,
    /// How many levels there are.
    pub(super) levels: usize,
    pattern: OnceCell<FactorPattern>,
}

/// An edge between two different nodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedEdge {
    pub(super) base: usize,
    pub(super) head: usize,
    pub(super) ln_ratio: f64,
    pub(super) variance: f64,
    pub(super) class: usize,
}

/// Sets that grow together (Galler and Fischer, Communications of the ACM 7, 1964).
pub(super) struct Unions(Vec<usize>);

impl Unions {
    pub(super) fn of(size: usize) -> Unions {
        Unions((0..size).collect())
    }

    pub(super) fn root(&mut self, mut of: usize) -> usize {
        while self.0[of] != of {
            self.0[of] = self.0[self.0[of]];
            of = self.0[of];
        }
        of
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// The number of each element's set, from 0 on, and how many there are.
    fn numbered(&mut self) -> (Vec<usize>, usize) {
        let mut numbers = vec![usize::MAX; self.0.len()];
        let mut count = 0;
        let of: Vec<usize> = (0..self.0.len()).map(|i| self.root(i)).collect();
        for root in &of {
            if numbers[*root] == usize::MAX {
                numbers[*root] = count;
                count += 1;
            }
        }
        (of.iter().map(|root| numbers[*root]).collect(), count)
    }
}

impl Graph {
    pub(super) fn of(measured: &Measured) -> Graph {
        let builds = measured.commits.len();
        let commits = measured.commits.iter().max().map_or(0, |last| last + 1);
        let mut is_measured = vec![false; commits];
        for commit in &measured.commits {
            is_measured[*commit] = true;
        }
        let neighbours = |a: usize, b: usize| {
            let between = a.min(b) + 1..a.max(b);
            !is_measured[between].contains(&true)
        };
        let (mut nodes, mut levels) = (Unions::of(builds), Unions::of(commits));
        let mut extra = Vec::new();
        for equal in &measured.equal {
            let (base, head) = (measured.commits[equal.base], measured.commits[equal.head]);
            if !neighbours(base, head) {
                extra.push(as_edge(equal.base, equal.head));
                continue;
            }
            levels.join(base, head);
            if equal.sameness == Sameness::Executable {
                nodes.join(equal.base, equal.head);
            }
        }
        let (node_of, node_count) = nodes.numbered();
        let (level_of, level_count) = levels.numbered();
        let mut places = vec![usize::MAX; node_count];
        let mut level_of_node = vec![0; node_count];
        for (build, commit) in measured.commits.iter().enumerate() {
            let node = node_of[build];
            places[node] = places[node].min(*commit);
            level_of_node[node] = level_of[*commit];
        }
        let variances = moderation::variances(&measured.edges);
        let proved = extra.iter().map(|edge| (edge, edge.std_error.powi(2)));
        let edges = measured.edges.iter().zip(variances).chain(proved);
        let edges = edges.filter_map(|(edge, variance)| {
            let (base, head) = (node_of[edge.base], node_of[edge.head]);
            (base != head).then_some(WeightedEdge {
                base,
                head,
                ln_ratio: edge.ln_ratio,
                variance,
                class: edge.class,
            })
        });
        Graph {
            edges: edges.collect(),
            places,
            level_of_node,
            level_of_commit: (0..commits)
                .map(|commit| is_measured[commit].then_some(level_of[commit]))
                .collect(),
            levels: level_count,
            pattern: OnceCell::new(),
        }
    }

    /// How many nodes there are.
    pub(super) fn size(&self) -> usize {
        self.places.len()
    }

    /// The Laplacian of the edges that `holds` takes, with weights of 1 ÷ variance.
    pub(super) fn laplacian(&self, holds: impl Fn(&WeightedEdge) -> bool) -> SymmetricEntries {
        let mut entries = SymmetricEntries {
            diagonal: vec![0.0; self.size()],
            pairs: Vec::new(),
        };
        for edge in self.edges.iter().filter(|edge| holds(edge)) {
            entries.join(edge.base, edge.head, 1.0 / edge.variance);
        }
        entries
    }

    /// Which entries a factor of any of its Laplacians has.
    pub(super) fn pattern(&self) -> &FactorPattern {
        let all = || self.laplacian(|_| true).pairs;
        self.pattern
            .get_or_init(|| FactorPattern::of(self.size(), &all()))
    }

    /// The right-hand side of the normal equations: what the edges pull each node by.
    pub(super) fn pull(&self, holds: impl Fn(&WeightedEdge) -> bool) -> Vec<f64> {
        let mut pull = vec![0.0; self.size()];
        for edge in self.edges.iter().filter(|edge| holds(edge)) {
            pull[edge.head] += edge.ln_ratio / edge.variance;
            pull[edge.base] -= edge.ln_ratio / edge.variance;
        }
        pull
    }

    /// The part of the graph that each node is in, by the edges that `holds` takes, and how many parts there are.
    pub(super) fn parts(&self, holds: impl Fn(&WeightedEdge) -> bool) -> (Vec<usize>, usize) {
        let mut parts = Unions::of(self.size());
        for edge in self.edges.iter().filter(|edge| holds(edge)) {
            parts.join(edge.base, edge.head);
        }
        parts.numbered()
    }
}

/// Two builds far apart that were proved alike: as sure as a measurement can be.
fn as_edge(base: usize, head: usize) -> MeasuredEdge {
    MeasuredEdge {
        base,
        head,
        ln_ratio: 0.0,
        std_error: 1e-4,
        freedom: f64::INFINITY,
        class: usize::MAX,
    }
}

impl SymmetricEntries {
    /// Adds a spring between two indices.
    pub(super) fn join(&mut self, a: usize, b: usize, weight: f64) {
        self.diagonal[a] += weight;
        self.diagonal[b] += weight;
        self.pairs.push(PairEntry {
            a,
            b,
            value: -weight,
        });
    }
}
