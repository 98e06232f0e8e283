//! What an edge weighs that had few rounds.

use super::MeasuredEdge;

/// How many rounds the other edges of a class are worth as prior knowledge of an edge's variance.
const PRIOR_FREEDOM: f64 = 4.0;

/// The variance of each edge: the mean of its posterior under a scaled inverse χ² prior whose scale is the median
/// variance of its machine class.
///
/// A plug-in variance of few rounds is often far too small, and such edges would then outweigh all others. With ν
/// degrees of freedom and the prior's d₀ the edge's error is Student's t with ν + d₀ degrees of freedom, and this is the
/// variance of that. Source: Gelman et al., *Bayesian Data Analysis*, section 2.6; Smyth, "Linear Models and
/// Empirical Bayes Methods", Statistical Applications in Genetics 3 (2004).
pub(super) fn variances(edges: &[MeasuredEdge]) -> Vec<f64> {
    let classes = edges.iter().map(|edge| edge.class + 1).max().unwrap_or(0);
    let mut by_class = vec![Vec::new(); classes];
    for edge in edges {
        by_class[edge.class].push(edge.std_error.powi(2));
    }
    let priors: Vec<f64> = by_class.into_iter().map(median).collect();
    let posterior = |edge: &MeasuredEdge| {
        let own = edge.freedom * edge.std_error.powi(2);
        let prior = PRIOR_FREEDOM * priors[edge.class];
        let mean = (own + prior) / (edge.freedom + PRIOR_FREEDOM - 2.0);
        mean.max(SMALLEST)
    };
    edges.iter().map(posterior).collect()
}

/// No measurement is surer than a millionth.
const SMALLEST: f64 = 1e-12;

/// The middle value; zero of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(std_error: f64, freedom: f64) -> MeasuredEdge {
        MeasuredEdge {
            base: 0,
            head: 1,
            ln_ratio: 0.0,
            std_error,
            freedom,
            class: 0,
        }
    }

    #[test]
    fn a_lucky_edge_of_few_rounds_does_not_outweigh_the_others() {
        let edges = [
            edge(1e-6, 2.0),
            edge(0.002, 29.0),
            edge(0.002, 29.0),
            edge(0.004, 29.0),
        ];
        let of = variances(&edges);
        assert!(of[0] > 0.8 * 0.002f64.powi(2), "{of:?}");
        // (29 · 4e-6 + 4 · 4e-6) / 31
        assert!((of[1] / 4.258_064_516e-6 - 1.0).abs() < 1e-9, "{of:?}");
        assert!(of[3] > 3.0 * of[1]);
    }
}
