//! What the functions behind a change are found by.

use serde::{Deserialize, Serialize};

/// What the functions behind a change are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseEvidence {
    /// By samples, and where these do not tell them apart, by exact counts of instructions
    Auto,
    /// By samples alone
    Samples,
}
