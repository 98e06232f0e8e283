//! How much luck a build has with the placement of its code.

use super::graph::{Graph, WeightedEdge};
use super::levels;
use super::moderation::median;
use super::sparse_cholesky::SymmetricEntries;

/// Fewer edges than this between neighbouring commits do not tell the variance of placement.
const ENOUGH: usize = 8;

/// The variance that is assumed then: a standard deviation of half a per cent.
const ASSUMED: f64 = 0.005 * 0.005;

/// Between which variances the likely one is sought.
const BOUNDS: [f64; 2] = [1e-9, 1e-2];

/// A first variance, which a few steps among many edges do not disturb: the spread of the differences between
/// neighbours, by their median, beyond what their measurement explains.
pub(super) fn robust(graph: &Graph) -> f64 {
    let mut places = graph.places.clone();
    places.sort_unstable();
    places.dedup();
    let rank = |node: usize| places.binary_search(&graph.places[node]).unwrap_or(0);
    let is_near = |edge: &&WeightedEdge| rank(edge.base).abs_diff(rank(edge.head)) == 1;
    let near: Vec<&WeightedEdge> = graph.edges.iter().filter(is_near).collect();
    if near.len() < ENOUGH {
        return ASSUMED;
    }
    // 1.4826 makes the median of absolute values of a Gaussian its standard deviation.
    let spread = 1.4826 * median(near.iter().map(|edge| edge.ln_ratio.abs()).collect());
    let measured = median(near.iter().map(|edge| edge.variance).collect());
    ((spread * spread - measured) / 2.0).clamp(BOUNDS[0], BOUNDS[1])
}

/// The likely variance, by maximum likelihood of all edges, where each node's level is `explained` but for
/// placement. `first` is returned where there are too few edges to tell.
///
/// The levels z of the nodes, as least squares over the edges alone give them, have the covariance L⁺ + σ²I, where L
/// is the Laplacian; its determinant and its inverse follow from I + σ²L, which is sparse.
pub(super) fn likely(graph: &Graph, explained: &[f64], first: f64) -> f64 {
    if graph.edges.len() < ENOUGH {
        return first;
    }
    let laplacian = graph.laplacian(|_| true);
    let measured = levels::of_nodes(graph);
    let left: Vec<f64> = measured.iter().zip(explained).map(|(z, e)| z - e).collect();
    let pull = laplacian.times(&left);
    let deviance = |ln_variance: f64| {
        let factor = graph
            .pattern()
            .factorise(&laplacian.plus_identity(ln_variance.exp()));
        let solved = factor.solve(&pull);
        let square: f64 = solved.iter().zip(&left).map(|(a, b)| a * b).sum();
        factor.ln_determinant() + square
    };
    golden_section(deviance, BOUNDS.map(f64::ln)).exp()
}

/// Where a function with one valley is least (Kiefer, Proceedings of the American Mathematical Society 4, 1953).
fn golden_section(of: impl Fn(f64) -> f64, [mut lower, mut upper]: [f64; 2]) -> f64 {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (
        upper - golden * (upper - lower),
        lower + golden * (upper - lower),
    );
    let (mut at_a, mut at_b) = (of(a), of(b));
    while upper - lower > 0.05 {
        if at_a < at_b {
            upper = b;
            (b, at_b) = (a, at_a);
            a = upper - golden * (upper - lower);
            at_a = of(a);
        } else {
            lower = a;
            (a, at_a) = (b, at_b);
            b = lower + golden * (upper - lower);
            at_b = of(b);
        }
    }
    (lower + upper) / 2.0
}

impl SymmetricEntries {
    /// I + `scale` times these.
    pub(super) fn plus_identity(&self, scale: f64) -> SymmetricEntries {
        let mut sum = self.clone();
        sum.diagonal.iter_mut().for_each(|d| *d = 1.0 + scale * *d);
        sum.pairs.iter_mut().for_each(|pair| pair.value *= scale);
        sum
    }

    /// The product with a vector.
    pub(super) fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = self.diagonal.iter().zip(x).map(|(d, x)| d * x).collect();
        for pair in &self.pairs {
            out[pair.a] += pair.value * x[pair.b];
            out[pair.b] += pair.value * x[pair.a];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::golden_section;

    #[test]
    fn the_valley_is_found() {
        let found = golden_section(|x| (x - 1.3).powi(2), [-4.0, 9.0]);
        assert!((found - 1.3).abs() < 0.05, "{found}");
    }
}
