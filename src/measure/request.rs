//! What a session is asked for, and what it returns.

use crate::discover::{Failure, Presence};
use crate::units::Side;

use super::{BenchmarkKey, Remark, Round};

/// One benchmark that is to have one more round.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which.
    pub key: BenchmarkKey,
    /// Where it exists. With one side only, that side is measured alone.
    pub presence: Presence,
    /// Which round, from zero.
    pub round: usize,
    /// Which side is to go first.
    pub first: Side,
}

/// What a round gave.
#[derive(Debug, Clone)]
pub struct RoundOutcome {
    /// Of which benchmark.
    pub key: BenchmarkKey,
    /// The samples, or why there are none.
    pub result: Result<Round, Failure>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// What later rooms decide by.
    pub remarks: Vec<Remark>,
}
