//! Changes of time that may have a cause other than the change of the source.

use std::fmt;

use super::{Comparison, Verdict};
use crate::measure::Remark;
use crate::units::{Paired, Ratio, Throughput};

/// Why a change of time may not be caused by the change of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The sides are timed by different harnesses, named here.
    OtherHarness(Paired<String>),
    /// An iteration processes more on one side than on the other, as they declare it.
    OtherAmount(Paired<Throughput>),
    /// The code differs although its source is the same.
    SameSource,
    /// Code and source are the same, but something else differs: what, as a lower-case fragment.
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
            Doubt::OtherAmount(amounts) => write!(
                f,
                "an iteration processes {} on base and {} on head, as the benchmark declares: times per iteration \
                 compare different work, and per unit of it no change is certain",
                amounts.base, amounts.head
            ),
            Doubt::SameSource => f.write_str(
                "the source is the same on both sides, but the compiled code is not: the build differs from \
                 time to time",
            ),
            Doubt::SameCode(reason) => write!(
                f,
                "the benchmark is the same code, and only documentation changed; {reason} because the build writes it \
                 differently each time: that may explain the change"
            ),
        }
    }
}

impl Doubt {
    /// The doubt about a change of time, if an iteration processes these amounts on the two sides: none if the time
    /// per unit has certainly changed in the same direction.
    #[must_use]
    pub fn of_amounts(amounts: Paired<Throughput>, comparison: &Comparison) -> Option<Doubt> {
        let work = amounts.head.relative_to(amounts.base)?;
        let time = *comparison.estimate()?;
        let certain = |bound: Ratio| bound.ln() - work.ln();
        let stands = match comparison.verdict {
            Verdict::Slower => certain(time.lower) > 0.0,
            Verdict::Faster => certain(time.upper) < 0.0,
            _ => true,
        };
        (work.ln() != 0.0 && !stands).then_some(Doubt::OtherAmount(amounts))
    }
}

/// Withdraws `slower` and `faster` where `of` returns a doubt: the measurement stays, and the verdict becomes
/// inconclusive.
pub fn cast_doubt(comparisons: &mut [Comparison], of: impl Fn(&Comparison) -> Option<Doubt>) {
    for comparison in comparisons {
        if !matches!(comparison.verdict, Verdict::Slower | Verdict::Faster) {
            continue;
        }
        if let Some(doubt) = of(comparison) {
            comparison.verdict = Verdict::Inconclusive;
            let reason = doubt.to_string();
            comparison.notes.push(reason.clone().into());
            comparison.remarks.push(Remark::Doubted { reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RatioEstimate;
    use super::*;
    use crate::units::{BenchmarkKey, Metric};

    /// Whether a change between such bounds is doubted where head processes 8.5 % more in an iteration.
    fn is_doubted(verdict: Verdict, lower: f64, upper: f64) -> bool {
        let key = BenchmarkKey::new("hex", "hex", "encode");
        let mut comparison = Comparison::unobserved(key, verdict);
        comparison.metrics.entry(Metric::TIME).estimate = Some(RatioEstimate {
            ratio: Ratio::from_quotient((lower * upper).sqrt()),
            lower: Ratio::from_quotient(lower),
            upper: Ratio::from_quotient(upper),
            p_value: 0.001,
            confidence: 0.95,
            rounds: 30,
            detectable: 0.01,
        });
        let amounts = Paired::new(Throughput::Bytes(16_280), Throughput::Bytes(17_664));
        Doubt::of_amounts(amounts, &comparison).is_some()
    }

    #[test]
    fn what_takes_longer_because_it_processes_more_is_not_called_slower() {
        assert!(is_doubted(Verdict::Slower, 1.069, 1.10));
        assert!(!is_doubted(Verdict::Slower, 1.12, 1.15));
        // Less time for more work is faster in either unit; more work alone is no reason to call it faster.
        assert!(!is_doubted(Verdict::Faster, 0.10, 0.14));
        assert!(!is_doubted(Verdict::Unchanged, 0.999, 1.001));
        let same = Throughput::Elements(5);
        let other = Throughput::Bytes(5);
        let key = BenchmarkKey::new("hex", "hex", "encode");
        let comparison = Comparison::unobserved(key, Verdict::Slower);
        for amounts in [Paired::new(same, same), Paired::new(same, other)] {
            assert_eq!(Doubt::of_amounts(amounts, &comparison), None);
        }
    }

    #[test]
    fn the_amounts_are_named() {
        let amounts = Paired::new(Throughput::Bytes(1), Throughput::Bytes(20));
        let words = Doubt::OtherAmount(amounts).to_string();
        assert!(
            words.contains("1 byte on base and 20 bytes on head"),
            "{words}"
        );
    }
}
