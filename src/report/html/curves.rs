//! A curve for each side.

use maud::{Markup, html};

use super::plot::{Axis, unit};
use crate::report::load_tests::{PlotPoint, TestPlot};
use crate::units::Side;

/// Where the curves are drawn, in user units.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 200.0;

/// The picture; `None` where there is nothing to draw.
pub(super) fn curves(plot: &TestPlot) -> Option<Markup> {
    let points = || {
        Side::BOTH
            .into_iter()
            .flat_map(|side| plot.curves.get(side))
    };
    points().next()?;
    let least = |of: fn(&PlotPoint) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&PlotPoint) -> f64| points().map(of).fold(f64::NEG_INFINITY, f64::max);
    let across = Axis::new(
        least(|point| point.across),
        most(|point| point.across),
        LEFT,
        RIGHT,
    );
    // From zero on: what looks twice as high is.
    let up = Axis::new(0.0, most(|point| point.up), BOTTOM, TOP);
    let path = |points: &[PlotPoint]| {
        let drawn = points.iter().enumerate().map(|(at, point)| {
            let (x, y) = (across.at(point.across), up.at(point.up));
            let command = if at == 0 { "M" } else { "L" };
            format!("{command}{} {}", unit(x), unit(y))
        });
        drawn.collect::<String>()
    };
    Some(html! {
        svg.plot viewBox="0 0 640 230" role="img" aria-label=(plot.title) {
            text x=(unit(LEFT)) y="16" { (plot.title) }
            g.axis {
                path d={ "M" (unit(LEFT)) " " (unit(BOTTOM)) "H" (unit(RIGHT)) } {}
                @for tick in across.ticks() {
                    text x=(unit(across.at(tick))) y=(unit(BOTTOM + 20.0)) text-anchor="middle" {
                        (plot.units.across.show_typed(tick))
                    }
                }
                @for tick in up.ticks() {
                    path d={ "M" (unit(LEFT - 4.0)) " " (unit(up.at(tick))) "h4" } {}
                    text x=(unit(LEFT - 8.0)) y=(unit(up.at(tick) + 4.0)) text-anchor="end" {
                        (plot.units.up.show_typed(tick))
                    }
                }
            }
            @for (place, side) in Side::BOTH.into_iter().enumerate() {
                @let at = RIGHT - 110.0 + 60.0 * place as f64;
                g class=(side.name()) {
                    path.whisker d={ "M" (unit(at)) " 12h14" } {}
                    text x=(unit(at + 18.0)) y="16" { (side.name()) }
                    path.whisker d=(path(plot.curves.get(side))) {}
                }
            }
        }
    })
}
