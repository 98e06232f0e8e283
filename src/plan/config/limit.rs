//! One limit: of which metric, and how much.

use crate::units::Metric;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub metric: Metric,
    /// The limit, in the unit of the metric; above zero.
    pub limit: f64,
    /// The amount from which on the vote is `modify`: between zero and the limit, or above the limit of a
    /// throughput.
    pub investigate: Option<f64>,
}

impl std::fmt::Display for Limit {
    /// `p95 ≤ 3 ms`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limit = self.metric.unit.show_typed(self.limit);
        write!(f, "{} {} {limit}", self.metric, self.metric.relation())
    }
}
