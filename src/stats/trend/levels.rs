//! Generalised least squares over all edges, and whether loops agree.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::graph::{Graph, WeightedEdge};
use super::sparse_cholesky::{FactorPattern, SymmetricEntries};

/// The level of a commit relative to the anchor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// ln(commit ÷ anchor).
    pub ln_ratio: f64,
    /// Its standard error, the luck of both builds' placement included.
    pub std_error: f64,
}

/// Whether measurements that can be compared agree within their errors: Cochran's Q.
///
/// Hypothesis: they measure one truth each. Under it Q is χ² with these degrees of freedom.
/// Source: Cochran, "The Combination of Estimates from Different Experiments", Biometrics 10 (1954); for graphs:
/// Lu and Ades, Journal of the American Statistical Association 101 (2006).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consistency {
    /// The sum of squared residuals, each divided by its variance.
    pub q: f64,
    /// The degrees of freedom: independent loops.
    pub freedom: usize,
    /// The p-value of "they agree".
    pub p_value: f64,
}

/// The smallest variance of placement that the solver tells from none.
const NO_PLACEMENT: f64 = 1e-10;

/// Holds the anchor at zero.
const FIRMLY: f64 = 1e18;

/// The level of each commit relative to the one at `anchor`.
///
/// Commits hang on their builds by springs of the variance of placement: that puts the luck of a build into all its
/// edges alike, and into the error of every level.
pub(super) fn relative_to(graph: &Graph, anchor: usize, placement: f64) -> Vec<Option<Level>> {
    let none = vec![None; graph.level_of_commit.len()];
    let Some(Some(anchor)) = graph.level_of_commit.get(anchor) else {
        return none;
    };
    let mut entries = graph.laplacian(|_| true);
    let nodes = graph.size();
    entries.diagonal.resize(nodes + graph.levels, 0.0);
    for (node, level) in graph.level_of_node.iter().enumerate() {
        entries.join(node, nodes + level, 1.0 / placement.max(NO_PLACEMENT));
    }
    let reached = reached_from(nodes + anchor, &entries);
    entries.diagonal[nodes + anchor] += FIRMLY;
    let pattern = FactorPattern::of(entries.diagonal.len(), &entries.pairs);
    let factor = pattern.factorise(&entries);
    let mut pull = graph.pull(|_| true);
    pull.resize(entries.diagonal.len(), 0.0);
    let solution = factor.solve(&pull);
    let variances = factor.inverse_diagonal();
    let levels = graph.level_of_commit.iter().map(|level| {
        let at = nodes + (*level)?;
        let is_anchor = at == nodes + anchor;
        reached[at].then(|| Level {
            ln_ratio: if is_anchor { 0.0 } else { solution[at] },
            std_error: if is_anchor {
                0.0
            } else {
                variances[at].max(0.0).sqrt()
            },
        })
    });
    levels.collect()
}

fn reached_from(start: usize, entries: &SymmetricEntries) -> Vec<bool> {
    let mut around = vec![Vec::new(); entries.diagonal.len()];
    for pair in &entries.pairs {
        around[pair.a].push(pair.b);
        around[pair.b].push(pair.a);
    }
    let mut reached = vec![false; around.len()];
    let mut open = vec![start];
    reached[start] = true;
    while let Some(one) = open.pop() {
        for &next in &around[one] {
            if !reached[next] {
                reached[next] = true;
                open.push(next);
            }
        }
    }
    reached
}

/// Whether all edges agree wherever they form a loop.
pub(super) fn loops(graph: &Graph) -> Option<Consistency> {
    let fit = fit(graph, |_| true);
    consistency(fit.q, fit.loops)
}

/// Whether the classes agree: what the sum of squares rises by where all share one truth.
pub(super) fn classes(graph: &Graph) -> Option<Consistency> {
    let joint = fit(graph, |_| true);
    let mut classes: Vec<usize> = graph.edges.iter().map(|edge| edge.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let apart = classes
        .iter()
        .map(|class| fit(graph, |edge| edge.class == *class));
    let apart = apart.fold(LeastSquares { q: 0.0, loops: 0 }, |sum, one| LeastSquares {
        q: sum.q + one.q,
        loops: sum.loops + one.loops,
    });
    consistency((joint.q - apart.q).max(0.0), joint.loops - apart.loops)
}

fn consistency(q: f64, freedom: usize) -> Option<Consistency> {
    let distribution = ChiSquared::new(freedom as f64).ok()?;
    Some(Consistency {
        q,
        freedom,
        p_value: distribution.sf(q),
    })
}

/// The level of each node by the edges alone, relative to one of its part.
pub(super) fn of_nodes(graph: &Graph) -> Vec<f64> {
    node_levels(graph, |_| true)
}

fn node_levels(graph: &Graph, holds: impl Fn(&WeightedEdge) -> bool + Copy) -> Vec<f64> {
    let (parts, count) = graph.parts(holds);
    let mut entries = graph.laplacian(holds);
    let mut is_held = vec![false; count];
    for (node, part) in parts.iter().enumerate() {
        if !std::mem::replace(&mut is_held[*part], true) {
            entries.diagonal[node] += FIRMLY;
        }
    }
    graph
        .pattern()
        .factorise(&entries)
        .solve(&graph.pull(holds))
}

/// What is left of the edges when every node has its best value.
struct LeastSquares {
    q: f64,
    /// How many edges there are beyond those of a spanning forest.
    loops: usize,
}

fn fit(graph: &Graph, holds: impl Fn(&WeightedEdge) -> bool + Copy) -> LeastSquares {
    let (_, count) = graph.parts(holds);
    let values = node_levels(graph, holds);
    let held = graph.edges.iter().filter(|edge| holds(edge));
    let residuals = held.map(|edge| {
        let left = edge.ln_ratio - (values[edge.head] - values[edge.base]);
        left * left / edge.variance
    });
    let residuals: Vec<f64> = residuals.collect();
    LeastSquares {
        q: residuals.iter().sum(),
        loops: residuals.len() + count - graph.size(),
    }
}
