//! Which rate comes next, until it is known where a side breaks. Pure: it starts and waits for nothing.

/// The bracket of a breaking point is at most this factor from its middle to its ends: ±3 %.
const PRECISION: f64 = 1.03;

/// Rates rise by this factor until a side breaks, so that a few halvings give exactly that precision.
fn stride() -> f64 {
    PRECISION.powi(8)
}

/// The generator sends no more than so many requests per second.
const HIGHEST: f64 = 1e6;

/// So many steps a side and round, at most.
const MOST_STEPS: usize = 32;

/// The search of one side in one round.
///
/// The rate rises by a fixed factor until the side breaks, then the bracket is bisected on a logarithmic scale. A step that
/// breaks is repeated, and counts if it breaks again: one stall of the machine is no breaking point.
///
/// Every bracket ends with the same width. Its place on the scale is that of the starting rate, which has to be drawn
/// uniformly over a stride, for each side by itself: then the middle of the bracket is the true point plus an error that is
/// uniform over ±3 % and does not depend on that point, so that rounds can be averaged (non-subtractive dither, Schuchman,
/// "Dither Signals and Their Effect on Quantization Noise", IEEE Transactions on Communication Technology 12, 1964).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RateSearch {
    start: f64,
    held: Option<f64>,
    broken: Option<f64>,
    /// The rate that broke last, and has to break again.
    suspect: Option<f64>,
    steps: usize,
}

/// What is known of a breaking point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bracket {
    /// It lies between two rates that are close enough.
    Between {
        /// The highest rate that held.
        held: f64,
        /// The lowest that broke.
        broken: f64,
    },
    /// It is above every rate that can be sent.
    Above {
        /// The highest rate that held.
        held: f64,
    },
    /// The search ended too early.
    Open,
}

impl RateSearch {
    /// A search that begins near `rate`, at a place of the scale that `place` (0 to 1) draws.
    pub(super) fn near(rate: f64, place: f64) -> RateSearch {
        RateSearch {
            start: rate * stride().powf(place - 0.5),
            held: None,
            broken: None,
            suspect: None,
            steps: 0,
        }
    }

    /// The rate of the next step; `None` where no other is needed or possible.
    pub(super) fn next_rate(&self) -> Option<f64> {
        if self.steps >= MOST_STEPS {
            return None;
        }
        let next = match (self.held, self.broken) {
            _ if self.suspect.is_some() => self.suspect?,
            (None, None) => self.start,
            (Some(held), None) => held * stride(),
            (None, Some(broken)) => broken / stride(),
            (Some(held), Some(broken)) if is_close(held, broken) => return None,
            (Some(held), Some(broken)) => (held * broken).sqrt(),
        };
        (next <= HIGHEST).then_some(next)
    }

    /// Notes that the side held a rate.
    pub(super) fn held(&mut self, rate: f64) {
        self.steps += 1;
        self.suspect = None;
        self.held = Some(rate);
    }

    /// Notes that the side broke at a rate, for the first time there unless that was certain.
    pub(super) fn broke(&mut self, rate: f64, certainly: bool) {
        self.steps += 1;
        let again = self.suspect.take().is_some();
        match certainly || again {
            true => self.broken = Some(rate),
            false => self.suspect = Some(rate),
        }
    }

    /// What is known.
    pub(super) fn bracket(&self) -> Bracket {
        match (self.held, self.broken) {
            (Some(held), Some(broken)) if is_close(held, broken) => {
                Bracket::Between { held, broken }
            }
            (Some(held), None) if held * stride() > HIGHEST => Bracket::Above { held },
            _ => Bracket::Open,
        }
    }
}

fn is_close(held: f64, broken: f64) -> bool {
    broken / held <= PRECISION.powi(2) * (1.0 + 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;
    use crate::stats::simulation::Noise;

    /// Searches a side that breaks at `point`, where what a step finds is spread by so much.
    fn search(start: f64, point: f64, spread: f64, noise: &mut Noise) -> (RateSearch, Vec<f64>) {
        let mut search = RateSearch::near(start, noise.uniform());
        let mut rates = Vec::new();
        while let Some(rate) = search.next_rate() {
            rates.push(rate);
            match rate > point * (spread * noise.gaussian()).exp() {
                true => search.broke(rate, false),
                false => search.held(rate),
            }
        }
        (search, rates)
    }

    fn middle(search: &RateSearch) -> f64 {
        let Bracket::Between { held, broken } = search.bracket() else {
            panic!("{search:?}");
        };
        (held * broken).sqrt()
    }

    #[test]
    fn a_breaking_point_is_found_to_three_per_cent_from_below_and_from_above() {
        let mut noise = Noise::seeded(1);
        for point in [0.3, 17.0, 4_000.0, 90_000.0] {
            for start in [0.05, 0.6, 1.0, 1.7] {
                let (search, rates) = search(start * point, point, 0.0, &mut noise);
                let off = (middle(&search) / point).ln().abs();
                assert!(off <= PRECISION.ln() + 1e-9, "{off}");
                assert!(rates.len() <= 25, "{rates:?}");
            }
        }
    }

    #[test]
    fn one_stall_is_no_breaking_point() {
        let mut search = RateSearch::near(100.0, 0.5);
        search.broke(100.0, false);
        assert_eq!(search.next_rate(), Some(100.0));
        search.held(100.0);
        assert!(search.next_rate() > Some(100.0));
        // A dead server is not asked again.
        let next = search.next_rate().unwrap();
        search.broke(next, true);
        assert!(search.next_rate() < Some(next));
    }

    #[test]
    fn what_never_breaks_or_never_holds_ends_and_is_no_point() {
        let mut search = RateSearch::near(10_000.0, 0.5);
        while let Some(rate) = search.next_rate() {
            search.held(rate);
        }
        assert!(matches!(search.bracket(), Bracket::Above { held } if held > 7e5));
        let mut search = RateSearch::near(10_000.0, 0.5);
        while let Some(rate) = search.next_rate() {
            search.broke(rate, false);
        }
        assert_eq!(search.bracket(), Bracket::Open);
    }

    /// Six rounds of two sides, and the interval of their ratio.
    fn rounds(ratio: f64, spread: f64, noise: &mut Noise) -> Estimate {
        let mut found = |point: f64| middle(&search(600.0, point, spread, noise).0).ln();
        let rounds: Vec<f64> = (0..6)
            .map(|_| found(1000.0 * ratio) - found(1000.0))
            .collect();
        Estimate::of(&rounds).unwrap()
    }

    #[test]
    fn steps_of_three_per_cent_hide_no_smaller_change_and_invent_none() {
        let mut noise = Noise::seeded(7);
        for (ratio, spread) in [(1.0, 0.0), (1.0, 0.03), (0.98, 0.0), (0.9, 0.02)] {
            let all: Vec<Estimate> = (0..2000)
                .map(|_| rounds(ratio, spread, &mut noise))
                .collect();
            let mean = all.iter().map(|one| one.ln_ratio).sum::<f64>() / 2000.0;
            assert!((mean - f64::ln(ratio)).abs() < 0.002, "{ratio} {mean}");
            let misses = |one: &&Estimate| {
                let interval = one.interval(0.05);
                !(interval.lower..=interval.upper).contains(&ratio.ln())
            };
            let missed = all.iter().filter(misses).count() as f64 / 2000.0;
            assert!(missed < 0.065, "{ratio} {spread} {missed}");
        }
    }
}
