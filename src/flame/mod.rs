//! Call stacks with weights, in the formats that other tools read: flame graphs, folded stacks, and
//! pprof's protocol buffers.
//!
//! A weight is whatever was counted: samples of a profile, allocations, bytes. One set of stacks gives
//! one [`Folded`]; two of them give a differential graph.

mod folded;
mod graph;
mod proto;

pub(crate) use folded::Folded;
pub(crate) use graph::{Caption, change, difference, graph};
pub(crate) use proto::{Kind, WeightedStack, pprof, pprof_of};

use crate::binary::Frame;

/// A call stack and what was counted there.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Innermost first, inlined functions included.
    pub frames: Vec<Frame>,
    /// How much.
    pub weight: u64,
}

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FlameError {
    /// There is nothing to draw.
    #[error("the profile has no stacks")]
    Empty,
    /// The drawing library failed.
    #[error("the flame graph could not be drawn: {reason}")]
    Drawing {
        /// What it says.
        reason: String,
    },
}
