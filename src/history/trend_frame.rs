//! Where things stand in the pictures of a page.

use maud::{Markup, html};

use super::trend_data::points;
use crate::stats::trend::Trend;
use crate::units::Ratio;

/// A picture's size, and what its axes take of it.
pub(super) const WIDTH: f64 = 860.0;
pub(super) const HEIGHT: f64 = 190.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 10.0;
pub(super) const TOP: f64 = 12.0;
pub(super) const BOTTOM: f64 = 26.0;

/// Where places and changes stand in a picture.
pub(super) struct TrendFrame {
    pub(super) places: usize,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl TrendFrame {
    pub(super) fn of(trend: &Trend, threshold: f64, places: usize) -> TrendFrame {
        let ends = points(trend).flat_map(|(_, level)| level.bounds().map(Ratio::as_change));
        let (low, high) = ends.fold((-threshold, threshold), |(low, high), end| {
            (low.min(end), high.max(end))
        });
        TrendFrame { places, low, high }
    }

    pub(super) fn x(&self, place: usize) -> f64 {
        let last = self.places.saturating_sub(1).max(1) as f64;
        LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / last
    }

    pub(super) fn y(&self, change: f64) -> f64 {
        let share = (change - self.low) / (self.high - self.low).max(1e-9);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    /// Round values within the range.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let extent = (self.high - self.low).max(1e-9);
        let power = 10f64.powf((extent / 4.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
        let step = steps.into_iter().find(|step| extent / step <= 5.0);
        let step = step.unwrap_or(10.0 * power);
        let (first, last) = (
            (self.low / step).ceil() as i64,
            (self.high / step).floor() as i64,
        );
        (first..=last).map(|at| at as f64 * step).collect()
    }

    /// A line at a value of the axis.
    pub(super) fn line(&self, tick: f64, shown: &str) -> Markup {
        html! {
            path.grid d={ "M" (LEFT) " " (unit(self.y(tick))) "H" (WIDTH - RIGHT) } {}
            text.axis x=(LEFT - 6.0) y=(unit(self.y(tick) + 4.0)) text-anchor="end" { (shown) }
        }
    }

    /// A bar over these places.
    pub(super) fn mark(&self, first: usize, last: usize) -> Markup {
        let (left, right) = (self.x(first), self.x(last).max(self.x(first) + 1.5));
        html! {
            path.mark d={ "M" (unit(left)) " " (TOP) "H" (unit(right)) "V" (HEIGHT - BOTTOM) "H" (unit(left)) "Z" } {}
        }
    }
}

/// User units with as many digits as a screen can show.
pub(super) fn unit(x: f64) -> String {
    format!("{x:.1}")
}
