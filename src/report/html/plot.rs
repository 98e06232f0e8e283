//! Plots as SVG, written by hand with maud: it escapes, and the colours come from the page's style
//! sheet, so that they follow its light and dark mode; plotting libraries write colours into the picture.

use maud::{Markup, html};

use crate::analyse::{Change, Quartiles, RatioEstimate};
use crate::report::words;
use crate::units::{Metric, Paired, Ratio, Side};

/// A linear scale from values to user units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// From `low` at `start` to `high` at `end`; a range without extent is widened.
    pub(super) fn new(low: f64, high: f64, start: f64, end: f64) -> Axis {
        let widen = if high > low {
            0.0
        } else {
            low.abs().max(1e-9) * 0.01
        };
        Axis {
            low: low - widen,
            high: high + widen,
            start,
            end,
        }
    }

    /// The position of `value`; a value beyond an end is placed at that end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    fn holds(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    /// Four to eight round values within the range.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let extent = self.high - self.low;
        let power = 10f64.powf((extent / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|step| extent / step <= 8.0)
            .unwrap_or(10.0 * power);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last.min(first + 20))
            .map(|i| i as f64 * step)
            .collect()
    }
}

/// User units with as many digits as a screen can show.
pub(super) fn unit(x: f64) -> String {
    format!("{x:.1}")
}

/// How far the scale of bars reaches on both sides of zero: all bars of one page share it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BarReach(pub(super) f64);

/// An interval this many times as far from zero as nine tenths of the others is cut off.
const OUTLIER: f64 = 4.0;

impl BarReach {
    /// The reach that shows every interval whole, except outliers.
    pub(super) fn fitting<'a>(
        changes: impl Iterator<Item = &'a RatioEstimate>,
        threshold: f64,
    ) -> BarReach {
        let mut ends: Vec<f64> = changes
            .map(|c| c.lower.as_change().abs().max(c.upper.as_change().abs()))
            .filter(|end| end.is_finite())
            .collect();
        ends.sort_by(f64::total_cmp);
        let Some(&largest) = ends.last() else {
            return BarReach(threshold.max(0.01) * 2.0);
        };
        let most = ends[(ends.len() - 1) * 9 / 10];
        let wanted = if largest <= OUTLIER * most {
            largest
        } else {
            most
        };
        BarReach(round_up(wanted.max(threshold) * 1.05))
    }
}

/// The next share that reads well: 1, 1.5, 2, 3, 5 or 7 of its power of ten.
fn round_up(share: f64) -> f64 {
    let power = 10f64.powf(share.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0];
    let fitting = steps.into_iter().find(|step| step * power >= share);
    fitting.unwrap_or(10.0) * power
}

/// The interval of one change on a shared scale: zero, the band that does not matter, the interval
/// with its estimate, and an arrow where it leaves the scale.
pub(super) fn interval_bar(change: &RatioEstimate, reach: BarReach, threshold: f64) -> Markup {
    let axis = Axis::new(-reach.0, reach.0, 4.0, 156.0);
    let at = |ratio: Ratio| axis.at(ratio.as_change());
    let (low, high, zero) = (at(change.lower), at(change.upper), axis.at(0.0));
    let (left, right) = (axis.at(-threshold), axis.at(threshold));
    html! {
        svg.bar viewBox="0 0 160 16" aria-hidden="true" {
            rect.band x=(unit(left)) y="0" width=(unit(right - left)) height="16" {}
            path.zero d={ "M" (unit(zero)) " 0v16" } {}
            path.interval d={ "M" (unit(low)) " 8H" (unit(high.max(low + 1.0))) } {}
            @if axis.holds(change.ratio.as_change()) {
                circle.point cx=(unit(at(change.ratio))) cy="8" r="3.5" {}
            }
            @if !axis.holds(change.lower.as_change()) { path.point d="M0 8l6-4v8z" {} }
            @if !axis.holds(change.upper.as_change()) { path.point d="M160 8l-6-4v8z" {} }
        }
    }
}

/// The samples of both sides: nine tenths of them as a bar, the middle half within, the median.
pub(super) fn distributions(time: &Change) -> Option<Markup> {
    let sides: Vec<(Side, &Vec<f64>)> = Side::BOTH
        .into_iter()
        .filter_map(|side| Some((side, &time.samples(side)?.quantiles)))
        .filter(|(_, q)| q.len() == 21)
        .collect();
    let ends = sides.iter().flat_map(|(_, q)| [q[0], q[19]]);
    let low = ends.clone().fold(f64::INFINITY, f64::min);
    let high = ends.fold(f64::NEG_INFINITY, f64::max);
    if sides.is_empty() || !low.is_finite() || !high.is_finite() {
        return None;
    }
    let axis = Axis::new(low, high, 50.0, 620.0);
    Some(html! {
        svg.plot viewBox="0 0 640 104" role="img" aria-label="Distribution of the samples of base and head" {
            (time_axis(&axis, 76.0))
            @for (row, (side, q)) in sides.iter().enumerate() {
                (strip(&axis, *side, q, 4.0 + 36.0 * row as f64))
            }
        }
    })
}

fn strip(axis: &Axis, side: Side, q: &[f64], top: f64) -> Markup {
    let at = |i: usize| axis.at(q[i]);
    let bar = |from: usize, to: usize, height: f64, class: &str| {
        let y = top + 15.0 - height / 2.0;
        let width = (at(to) - at(from)).max(1.0);
        html! { rect class=(class) x=(unit(at(from))) y=(unit(y)) width=(unit(width)) height=(unit(height)) {} }
    };
    html! {
        g class=(side.name()) {
            text.label x="0" y=(unit(top + 19.0)) { (side) }
            path.whisker d={ "M" (unit(at(0))) " " (unit(top + 15.0)) "H" (unit(at(20))) } {}
            (bar(1, 19, 14.0, "ninety"))
            (bar(5, 15, 24.0, "half"))
            path.median d={ "M" (unit(at(10))) " " (unit(top)) "v30" } {}
        }
    }
}

fn time_axis(axis: &Axis, y: f64) -> Markup {
    html! {
        g.axis {
            path d={ "M" (unit(axis.start)) " " (unit(y)) "H" (unit(axis.end)) } {}
            @for tick in axis.ticks() {
                path d={ "M" (unit(axis.at(tick))) " " (unit(y)) "v5" } {}
                text x=(unit(axis.at(tick))) y=(unit(y + 20.0)) text-anchor="middle" { (Metric::TIME.unit.show(tick)) }
            }
        }
    }
}

/// The estimate of every round in the order in which they were run, before the final interval.
pub(super) fn rounds(time: &Change, threshold: f64) -> Option<Markup> {
    let change = time.estimate.as_ref()?;
    let changes: Vec<f64> = time
        .rounds
        .iter()
        .map(|r| r.ratio.as_change())
        .filter(|c| c.is_finite())
        .collect();
    if changes.is_empty() {
        return None;
    }
    let (lower, upper) = (change.lower.as_change(), change.upper.as_change());
    let all = changes.iter().copied().chain([lower, upper]);
    let finite = all.filter(|c| c.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    // This plot is meant to show drift, so its scale fits the spread of the rounds, not their distance from zero.
    let room = (high - low).max(threshold / 4.0) * 0.15;
    let y = Axis::new(low - room, high + room, 128.0, 8.0);
    let x = Axis::new(0.5, changes.len() as f64 + 0.5, 70.0, 630.0);
    let dots: Vec<String> = changes
        .iter()
        .enumerate()
        .map(|(i, c)| format!("M{} {}h0", unit(x.at(i as f64 + 1.0)), unit(y.at(*c))))
        .collect();
    let band = (y.at(upper), y.at(lower) - y.at(upper));
    let quiet = (y.at(threshold), y.at(-threshold) - y.at(threshold));
    Some(html! {
        svg.plot viewBox="0 0 640 160" role="img" aria-label="Change by round, in the order in which the rounds were run" {
            @if quiet.1 > 0.0 { rect.band x="70" y=(unit(quiet.0)) width="560" height=(unit(quiet.1)) {} }
            rect.belief x="70" y=(unit(band.0)) width="560" height=(unit(band.1.max(1.0))) {}
            g.axis {
                @for tick in y.ticks() {
                    path d={ "M65 " (unit(y.at(tick))) "h5" } {}
                    text x="60" y=(unit(y.at(tick) + 4.0)) text-anchor="end" { (words::tick(tick)) }
                }
                text x="70" y="152" { "round 1" }
                text x="630" y="152" text-anchor="end" { "round " (changes.len()) }
            }
            @if y.holds(0.0) { path.zero d={ "M70 " (unit(y.at(0.0))) "H630" } {} }
            path.estimate d={ "M70 " (unit(y.at(change.ratio.as_change()))) "H630" } {}
            path.dots d=(dots.join("")) {}
        }
    })
}

/// The level of both sides in every round, in the order in which they were run: if the machine
/// drifted, both sides drift, and their ratio does not.
pub(super) fn levels(time: &Change) -> Option<Markup> {
    let quartiles: Option<Vec<Paired<Quartiles>>> =
        time.rounds.iter().map(|round| round.quartiles).collect();
    let quartiles = quartiles.filter(|all| all.len() > 1)?;
    let ends = quartiles.iter().flat_map(|round| {
        let of_side = |side| [round.get(side).lower, round.get(side).upper];
        Side::BOTH.into_iter().flat_map(of_side)
    });
    let ends: Vec<f64> = ends.filter(|n| n.is_finite()).collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let y = Axis::new(low, high, 128.0, 8.0);
    let x = Axis::new(0.5, quartiles.len() as f64 + 0.5, 90.0, 630.0);
    let marks = |side: Side| {
        let mut path = (String::new(), String::new());
        for (i, (middle, round)) in quartiles.iter().zip(&time.rounds).enumerate() {
            // Side by side, so that neither hides the other.
            let aside = if side == Side::Base { -2.5 } else { 2.5 };
            let at = unit(x.at(i as f64 + 1.0) + aside);
            let [lower, upper] =
                [middle.get(side).lower, middle.get(side).upper].map(|end| unit(y.at(end)));
            path.0.push_str(&format!("M{at} {lower}V{upper}"));
            let median = unit(y.at(*round.value.get(side)));
            path.1.push_str(&format!("M{at} {median}h0"));
        }
        path
    };
    Some(html! {
        svg.plot viewBox="0 0 640 160" role="img" aria-label="Time of base and head by round, in the order in which the rounds were run" {
            g.axis {
                @for tick in y.ticks() {
                    path d={ "M85 " (unit(y.at(tick))) "h5" } {}
                    text x="80" y=(unit(y.at(tick) + 4.0)) text-anchor="end" { (Metric::TIME.unit.show(tick)) }
                }
                text x="90" y="152" { "round 1" }
                text x="630" y="152" text-anchor="end" { "round " (quartiles.len()) }
            }
            @for side in Side::BOTH {
                @let (spread, medians) = marks(side);
                g class=(side.name()) {
                    path.spread d=(spread) {}
                    path.level d=(medians) {}
                }
            }
        }
    })
}

/// What the plots show, for a caption.
pub(super) fn legend(change: &RatioEstimate, threshold: f64) -> String {
    format!(
        "Dots: the change of each round. Line and band: the estimate {} with its {} interval. Grey: ±{}.",
        change.ratio,
        words::confidence(change.confidence),
        words::share(threshold)
    )
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            Axis::new(0.0, 10.0, 0.0, 100.0).ticks(),
            [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        );
        let ticks = Axis::new(-0.013, 0.121, 0.0, 100.0).ticks().len();
        assert!((3..=9).contains(&ticks), "{ticks}");
        assert!(!Axis::new(5.0, 5.0, 0.0, 1.0).ticks().is_empty());
    }

    #[test]
    fn what_lies_beyond_an_axis_stands_at_its_end() {
        let axis = Axis::new(0.0, 1.0, 10.0, 20.0);
        assert_eq!(axis.at(f64::INFINITY), 20.0);
        assert_eq!(axis.at(-3.0), 10.0);
    }
}
