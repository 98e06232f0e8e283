//! An interval as a bar around zero.

use crate::analyse::RatioEstimate;
use crate::units::{Charset, Ratio};

/// Columns of a bar: odd, so that zero has a column of its own.
pub(super) const WIDTH: usize = 23;

/// The available scales: a bar reaches from minus this share to plus this share.
const SCALES: [f64; 12] = [
    0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0,
];

/// An interval this many times as far from zero as nine tenths of the others is cut off.
const OUTLIER: f64 = 4.0;

/// One scale for all bars of a table, so that they can be compared by eye.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    reach: f64,
    charset: Charset,
}

struct Glyphs {
    zero: char,
    line: char,
    point: char,
    beyond_left: char,
    beyond_right: char,
}

impl Scale {
    /// The smallest scale that shows every interval whole. If a few are far larger than the rest, it
    /// shows nine in ten whole, and the others end in an arrow.
    pub(super) fn fitting(changes: &[&RatioEstimate], charset: Charset) -> Option<Scale> {
        let mut ends: Vec<f64> = changes
            .iter()
            .map(|c| c.lower.as_change().abs().max(c.upper.as_change().abs()))
            .filter(|end| end.is_finite())
            .collect();
        ends.sort_by(f64::total_cmp);
        let last = ends.len().checked_sub(1)?;
        let most = ends[last * 9 / 10];
        let wanted = if ends[last] <= OUTLIER * most {
            ends[last]
        } else {
            most
        };
        let reach = SCALES
            .into_iter()
            .find(|scale| *scale >= wanted * (1.0 - 1e-9))
            .unwrap_or(SCALES[SCALES.len() - 1]);
        Some(Scale { reach, charset })
    }

    /// The heading of the bars: `-5 %        0       +5 %`.
    pub(super) fn heading(&self) -> String {
        let end = super::super::words::share(self.reach);
        let side = WIDTH / 2;
        format!("{:<side$}0{:>side$}", format!("-{end}"), format!("+{end}"))
    }

    /// The bar of one change.
    pub(super) fn bar(&self, change: &RatioEstimate) -> String {
        let glyphs = self.glyphs();
        let (low, high) = (self.column(change.lower), self.column(change.upper));
        let middle = (WIDTH / 2) as isize;
        let mut cells = vec![' '; WIDTH];
        cells[middle as usize] = glyphs.zero;
        let last = WIDTH as isize - 1;
        for column in low.max(0)..=high.min(last) {
            cells[column as usize] = glyphs.line;
        }
        let point = self.column(change.ratio);
        if (0..=last).contains(&point) {
            cells[point as usize] = glyphs.point;
        }
        if low < 0 {
            cells[0] = glyphs.beyond_left;
        }
        if high > last {
            cells[WIDTH - 1] = glyphs.beyond_right;
        }
        cells.into_iter().collect::<String>().trim_end().to_owned()
    }

    fn column(&self, ratio: Ratio) -> isize {
        let middle = (WIDTH / 2) as f64;
        let offset = ratio.as_change() / self.reach * middle;
        // Casting saturates, so that an infinite end lies beyond the bar and nothing overflows.
        (middle + offset).round().clamp(-1.0, WIDTH as f64) as isize
    }

    fn glyphs(&self) -> Glyphs {
        match self.charset {
            Charset::Unicode => Glyphs {
                zero: '│',
                line: '━',
                point: '●',
                beyond_left: '◀',
                beyond_right: '▶',
            },
            Charset::Ascii => Glyphs {
                zero: '|',
                line: '-',
                point: 'o',
                beyond_left: '<',
                beyond_right: '>',
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(lower: f64, ratio: f64, upper: f64) -> RatioEstimate {
        RatioEstimate {
            ratio: Ratio::from_change(ratio),
            lower: Ratio::from_change(lower),
            upper: Ratio::from_change(upper),
            p_value: 0.01,
            confidence: 0.95,
            rounds: 10,
            detectable: 0.01,
        }
    }

    #[test]
    fn a_bar_shows_where_zero_lies() {
        let wide = change(-0.05, 0.0, 0.05);
        let scale = Scale::fitting(&[&wide], Charset::Ascii).expect("one change");
        assert_eq!(scale.heading(), "-5 %       0       +5 %");
        assert_eq!(scale.bar(&wide), "-----------o-----------");
        assert_eq!(
            scale.bar(&change(0.02, 0.03, 0.04)),
            "           |   ---o--"
        );
        assert_eq!(scale.bar(&change(-0.3, -0.2, -0.04)), "<--        |");
        assert_eq!(
            scale.bar(&change(0.1, 0.2, f64::INFINITY)),
            "           |          >"
        );
    }
}
