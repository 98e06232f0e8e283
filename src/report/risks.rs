//! Risks in production beyond the verdict itself: each with its weight and a lower-case fragment.

use super::escape::{shortened, visible};
use super::percentiles;
use crate::analyse::Comparison;
use crate::attribute::Attribution;
use crate::units::{Metric, Paired, Side, Unit};

/// How much more the tail of the head side must have grown than its middle to be reported.
const TAIL_GROWTH: f64 = 1.5;

/// A function with this share of a benchmark's time is its bottleneck.
const MOST_OF_IT: f64 = 0.5;

/// Names of generic functions can be pages long.
const LONGEST: usize = 240;

/// The slowest samples moved away from the middle.
pub(super) fn tail(comparison: &Comparison) -> Option<(f64, String)> {
    let time = comparison.time()?;
    if !percentiles::are_comparable(time) {
        return None;
    }
    let of = percentiles::of(percentiles::each(time, Side::Head));
    let (middle, slowest) = (time.values()?, comparison.values(Metric::P99)?);
    let (base, head) = (slowest.base / middle.base, slowest.head / middle.head);
    let growth = head / base;
    (growth.is_finite() && growth >= TAIL_GROWTH).then(|| {
        let text = format!(
            "the slowest 1 % of {of} moved away from the median: p99 is {head:.1} times the median, was {base:.1}"
        );
        (growth.ln(), text)
    })
}

/// The function that takes the largest part of a benchmark's time, if that is more than half.
pub(super) fn bottleneck(attribution: &Attribution) -> Option<(f64, String)> {
    let first = attribution.bottlenecks.first()?;
    (first.share >= MOST_OF_IT).then(|| {
        let at = first.location.as_ref();
        let at = at.map_or(String::new(), |at| format!(" at {at}"));
        let text = format!(
            "{:.0} % of its time is spent in {}{at}",
            first.share * 100.0,
            first.function
        );
        let text = shortened(&visible(&text), LONGEST);
        (first.share, text)
    })
}

/// More stays allocated.
pub(super) fn leak(comparison: &Comparison) -> Option<(f64, String)> {
    let Paired { base, head } = comparison.values(Metric::LEFT_BEHIND)?;
    (head > base && head >= 1.0).then(|| {
        let text = format!(
            "{} per iteration remain allocated at the end of the timed region; before: {}",
            Unit::Bytes.show(head),
            Unit::Bytes.show(base)
        );
        (10.0 + head.ln(), text)
    })
}

/// The peak of memory grew.
pub(super) fn peak(comparison: &Comparison) -> Option<(f64, String)> {
    let Paired { base, head } = comparison.values(Metric::PEAK)?;
    let growth = head / base.max(1.0);
    (head - base >= 4096.0 && growth >= 1.1).then(|| {
        let text = format!(
            "peak memory of the timed region is {}, was {}",
            Unit::Bytes.show(head),
            Unit::Bytes.show(base)
        );
        (growth.ln(), text)
    })
}
