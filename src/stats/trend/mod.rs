//! From measured differences between commits to the level of every commit, its steps and its drift.
//!
//! A run measures ln(head ÷ base) of two *builds*. Builds are the nodes of a graph, measurements its edges; a
//! machine's own speed cancels within each edge, so machines of any speed share one graph. The model of an edge is
//!
//! > y = (x_head − x_base) + (p_head − p_base) + ε
//!
//! where x is the level of a commit, p the luck that a build had with the placement of its code (one draw per
//! build, with the variance σ_p², shared by all edges of that build), and ε the error of the measurement, whose
//! variance is known from its rounds. Two runs of the same builds thus agree on p, and their agreement is not taken
//! for knowledge of x.
//!
//! - Levels: generalised least squares, relative to an anchor, with the variance of each ([`Level`]).
//! - Steps and drifts: sparse changes of x, chosen by what they explain of the edges beyond noise, where a test at
//!   a searched place pays for the search ([`LevelStep`], [`LevelDrift`]).
//! - Loops: what several ways between two builds say must agree ([`Consistency`]).

mod exact;
mod graph;
mod levels;
mod moderation;
mod placement;
mod search;
mod selection;
mod sparse_cholesky;
mod steps;
#[cfg(test)]
mod tests;

pub use exact::CountedEdge;
pub use levels::{Consistency, Level};
pub use steps::{LevelDrift, LevelStep};

use graph::Graph;

/// One measured difference, as a natural logarithm of head ÷ base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredEdge {
    /// The base side's build.
    pub base: usize,
    /// The head side's build.
    pub head: usize,
    /// The estimate.
    pub ln_ratio: f64,
    /// Its standard error.
    pub std_error: f64,
    /// The degrees of freedom of that error: rounds less one.
    pub freedom: f64,
    /// The machine class that it was measured on.
    pub class: usize,
}

/// Two builds that were proved alike without measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EqualBuilds {
    /// The base side's build.
    pub base: usize,
    /// The head side's build.
    pub head: usize,
    /// What of them is the same.
    pub sameness: Sameness,
}

/// What two builds have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// The executable: its placement, too.
    Executable,
    /// All that the benchmark executes; it may be placed elsewhere.
    ExecutedCode,
}

/// What was measured of one benchmark.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Of each build: the place of its commit in the history, the oldest 0.
    pub commits: Vec<usize>,
    /// What was measured.
    pub edges: Vec<MeasuredEdge>,
    /// What was proved.
    pub equal: Vec<EqualBuilds>,
}

/// How one benchmark went over a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Of each commit up to the last one measured: its level relative to the anchor, as far as edges lead there.
    pub levels: Vec<Option<Level>>,
    /// Changes at a commit, in order.
    pub steps: Vec<LevelStep>,
    /// Changes over many commits, none of which need be visible by itself, in order.
    pub drifts: Vec<LevelDrift>,
    /// The standard deviation of a build's placement luck, as a natural logarithm.
    pub placement: f64,
    /// Whether several ways between the same builds agree; absent where there is one way only.
    pub loops: Option<Consistency>,
    /// Whether machine classes agree; absent where no two of them measured what can be compared.
    pub classes: Option<Consistency>,
}

impl Trend {
    /// The trend of what was measured, relative to the commit at `anchor`. Steps and drifts are found with an
    /// error rate of `alpha` for the whole history.
    ///
    /// Valid for any graph: commits that no edge joins to the anchor have no level. Steps need at least
    /// three measured commits.
    #[must_use]
    pub fn of(measured: &Measured, anchor: usize, alpha: f64) -> Trend {
        let graph = Graph::of(measured);
        let first = placement::robust(&graph);
        let found = steps::find(&graph, first, alpha);
        let placement = placement::likely(&graph, &found.explained, first);
        let found = steps::find(&graph, placement, alpha);
        Trend {
            levels: levels::relative_to(&graph, anchor, placement),
            steps: found.steps,
            drifts: found.drifts,
            placement: placement.sqrt(),
            loops: levels::loops(&graph),
            classes: levels::classes(&graph),
        }
    }
}
