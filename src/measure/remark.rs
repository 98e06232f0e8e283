//! Remarks that later rooms base decisions on, as data. The notes say the same in words.

use serde::{Deserialize, Serialize};

use crate::units::Side;

/// Something about how a benchmark was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remark {
    /// The run ended before the benchmark had the rounds that it needed.
    CutShort {
        /// How many it had.
        rounds: usize,
    },
    /// Every sample of one side lies beyond every sample of the other, in rounds too few for an interval.
    Apart {
        /// The side whose samples take longer.
        slower: Side,
        /// By which factor at least.
        factor: f64,
        /// In how many rounds.
        rounds: usize,
        /// How many rounds it takes to be certain.
        needed: usize,
    },
    /// The source may not have caused the measured change: no verdict rests on it.
    Doubted {
        /// Why, as a lower-case fragment.
        reason: String,
    },
    /// It was not paired sample by sample, although it should have been.
    Unpaired {
        /// Why, as a lower-case fragment.
        reason: String,
    },
}
