//! Changes of time that have an explanation beside the change of the source.

use std::fmt;

use super::{Comparison, Verdict};
use crate::measure::Remark;
use crate::units::{BenchmarkKey, Paired};

/// Why a change of time may be nobody's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The sides are timed by different harnesses, named here.
    OtherHarness(Paired<String>),
    /// The code differs although its source is the same.
    SameSource,
    /// Code and source are the same, and something beside them is not: what, as a lower-case fragment.
    SameCode(String),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::OtherHarness(names) => write!(
                f,
                "base is timed by {}, head by {}: that alone can change times",
                names.base, names.head
            ),
            Doubt::SameSource => f.write_str(
                "the source is the same on both sides and the compiled code is not: the build is not the same \
                 each time",
            ),
            Doubt::SameCode(reason) => write!(
                f,
                "the benchmark is the same code, and only documentation changed; {reason} because the build writes it \
                 differently each time: that may explain the change"
            ),
        }
    }
}

/// Takes `slower` and `faster` back where `of` has a doubt: what was measured stays, and is inconclusive.
pub fn cast_doubt(comparisons: &mut [Comparison], of: impl Fn(&BenchmarkKey) -> Option<Doubt>) {
    for comparison in comparisons {
        if !matches!(comparison.verdict, Verdict::Slower | Verdict::Faster) {
            continue;
        }
        if let Some(doubt) = of(&comparison.key) {
            comparison.verdict = Verdict::Inconclusive;
            let reason = doubt.to_string();
            comparison.notes.push(reason.clone().into());
            comparison.remarks.push(Remark::Doubted { reason });
        }
    }
}
