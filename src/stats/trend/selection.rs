//! Choosing the changes that explain the edges.
//!
//! Forward selection, then every change is sought again with the others accounted for, and steps are exchanged for
//! drifts and drifts for steps where that explains more (Miller, *Subset Selection in Regression*, 2002, chapter 3).

use statrs::distribution::{ContinuousCDF, Normal};

use super::search::{self, Accounted, ScoreBasis, Shift, ShiftSearch};

/// Over how many commits a drift may be spread where the search begins; it is refined later.
const LENGTHS: [usize; 7] = [12, 16, 24, 32, 64, 128, search::LONGEST];

/// A drift is no shorter than this: what is, is told as steps.
const SHORTEST: usize = 12;

/// How far from its first place a change is sought when others are accounted for.
const NEAR: usize = 24;

/// How often all changes are looked at again.
const SWEEPS: usize = 4;

/// How much of χ² a change must explain: Bonferroni over all places (and lengths), half of the error rate for
/// steps and half for drifts.
#[derive(Clone, Copy)]
struct Price {
    step: f64,
    drift: f64,
}

impl Price {
    fn of(places: usize, alpha: f64) -> Price {
        let places = places.max(1) as f64;
        let square = |tests: f64| {
            let tail = alpha / 2.0 / tests / 2.0;
            Normal::standard().inverse_cdf(tail.max(1e-300)).powi(2)
        };
        Price {
            step: square(places),
            drift: square(places * search::LONGEST as f64),
        }
    }

    fn of_shift(self, shift: Shift) -> f64 {
        match shift.length {
            1 => self.step,
            _ => self.drift,
        }
    }
}

/// A shift, and what it explains beyond its price.
#[derive(Clone, Copy)]
struct Bargain {
    shift: Shift,
    profit: f64,
}

/// Which of the chosen changes give way, and to what.
struct Exchange {
    removed: Vec<usize>,
    added: Vec<Shift>,
}

/// The changes that were chosen.
pub(super) struct ShiftSelection<'a> {
    pub(super) search: &'a ShiftSearch<'a>,
    price: Price,
    pub(super) chosen: Vec<Accounted>,
}

impl<'a> ShiftSelection<'a> {
    /// What explains more than chance would anywhere, with an error rate of `alpha`.
    pub(super) fn of(search: &'a ShiftSearch<'a>, alpha: f64) -> ShiftSelection<'a> {
        let mut selection = ShiftSelection {
            price: Price::of(search.len(), alpha),
            search,
            chosen: Vec::new(),
        };
        for _ in 0..SWEEPS {
            let before = selection.shifts();
            selection.grow();
            selection.grow_by_pairs();
            selection.settle();
            selection.exchange();
            if selection.shifts() == before {
                break;
            }
        }
        selection
    }

    fn shifts(&self) -> Vec<Shift> {
        self.chosen.iter().map(|one| one.shift).collect()
    }

    /// Adds the best change until none is worth its price.
    fn grow(&mut self) {
        let mut basis = self.search.basis(self.chosen.iter());
        while let Some(best) = self.best(&basis, &[], self.everywhere()) {
            let one = self.search.account(best);
            basis.add(&one);
            self.chosen.push(one);
        }
        self.sort();
    }

    /// Adds two steps near each other of which neither shows without the other: up and down again.
    fn grow_by_pairs(&mut self) {
        let mut known = self.others(&[]);
        for at in 1..self.search.len() {
            let first = Shift::step(at);
            let is_free = |shift: &Shift| !self.chosen.iter().any(|one| shift.overlaps(one.shift));
            if !self.search.is_possible(first) || !is_free(&first) {
                continue;
            }
            let gain = self.search.gain(&known, first).unwrap_or(0.0);
            if gain < self.price.step / 4.0 {
                continue;
            }
            let mut basis = known.clone();
            let one = self.search.account(first);
            basis.add(&one);
            let Some(second) = self.bargain(&basis, steps_near(first).filter(is_free)) else {
                continue;
            };
            if gain - self.price.step + second.profit > 0.0 {
                let second = self.search.account(second.shift);
                known.add(&one);
                known.add(&second);
                self.chosen.extend([one, second]);
            }
        }
        self.sort();
    }

    fn everywhere(&self) -> impl Iterator<Item = Shift> + use<> {
        let size = self.search.len();
        let steps = (1..size).map(Shift::step);
        let drift = move |length: usize| (0..size).map(move |after| Shift { after, length });
        steps.chain(LENGTHS.into_iter().flat_map(drift))
    }

    /// The best change that is worth its price and overlaps no drift but those in `without`.
    fn best(
        &self,
        basis: &ScoreBasis,
        without: &[usize],
        among: impl Iterator<Item = Shift>,
    ) -> Option<Shift> {
        let chosen = self.chosen.iter().enumerate();
        let others: Vec<Shift> = chosen
            .filter(|(at, _)| !without.contains(at))
            .map(|(_, one)| one.shift)
            .collect();
        let is_free = |shift: &Shift| !others.iter().any(|other| shift.overlaps(*other));
        let bargain = self.bargain(basis, among.filter(is_free))?;
        (bargain.profit > 0.0).then_some(bargain.shift)
    }

    fn bargain(&self, basis: &ScoreBasis, among: impl Iterator<Item = Shift>) -> Option<Bargain> {
        let possible = among.filter(|shift| self.search.is_possible(*shift));
        let bargains = possible.filter_map(|shift| {
            let gain = self.search.gain(basis, shift)?;
            Some(Bargain {
                profit: gain - self.price.of_shift(shift),
                shift,
            })
        });
        bargains.max_by(|a, b| a.profit.total_cmp(&b.profit))
    }

    /// The basis of all but some.
    pub(super) fn others(&self, without: &[usize]) -> ScoreBasis {
        let chosen = self.chosen.iter().enumerate();
        let others = chosen.filter(|(at, _)| !without.contains(at));
        self.search.basis(others.map(|(_, one)| one))
    }

    /// Seeks every change again near its place; drops what is not worth its price any more.
    fn settle(&mut self) {
        for _ in 0..SWEEPS {
            let before = self.shifts();
            let mut at = 0;
            while at < self.chosen.len() {
                let shift = self.chosen[at].shift;
                let basis = self.others(&[at]);
                let best = match shift.length {
                    1 => self.best(&basis, &[at], steps_near(shift)),
                    _ => self.best(&basis, &[at], drifts_near(shift)),
                };
                match best {
                    Some(best) if best == shift => at += 1,
                    Some(best) => {
                        self.chosen[at] = self.search.account(best);
                        at += 1;
                    }
                    None => {
                        self.chosen.remove(at);
                    }
                }
            }
            self.sort();
            if self.shifts() == before {
                return;
            }
        }
    }

    fn sort(&mut self) {
        self.chosen
            .sort_by_key(|one| (one.shift.after, one.shift.length));
        self.chosen.dedup_by_key(|one| one.shift);
    }

    /// A drift for two steps, and two or three steps for a drift, where that explains more for its price.
    fn exchange(&mut self) {
        let mut at = 0;
        while at < self.chosen.len() {
            let shift = self.chosen[at].shift;
            let better = match shift.length {
                1 => self.as_drift(at),
                _ => self.as_steps(at),
            };
            match better {
                Some(Exchange { removed, added }) => {
                    let keep = |index: &usize| !removed.contains(index);
                    let kept = (0..self.chosen.len()).filter(keep);
                    let mut chosen: Vec<_> = kept.map(|i| self.chosen[i].clone()).collect();
                    chosen.extend(added.into_iter().map(|one| self.search.account(one)));
                    self.chosen = chosen;
                    self.sort();
                    at += 1;
                }
                None => at += 1,
            }
        }
    }

    /// What these explain together beyond their price, with the basis accounted for.
    fn profit(&self, mut basis: ScoreBasis, shifts: &[Shift]) -> f64 {
        let mut profit = 0.0;
        for shift in shifts {
            let gain = self.search.gain(&basis, *shift).unwrap_or(0.0);
            profit += gain - self.price.of_shift(*shift);
            basis.add(&self.search.account(*shift));
        }
        profit
    }

    fn as_drift(&self, at: usize) -> Option<Exchange> {
        let first = self.chosen[at].shift;
        let longest = (at + 2..=at + 4).filter(|end| *end <= self.chosen.len());
        let mut best: Option<(f64, Exchange)> = None;
        for end in longest {
            let removed: Vec<usize> = (at..end).collect();
            let shifts: Vec<Shift> = removed.iter().map(|i| self.chosen[*i].shift).collect();
            let span = shifts[shifts.len() - 1].last() - first.after;
            if span > search::LONGEST / 2 {
                break;
            }
            let basis = self.others(&removed);
            let stride = 1 + span / 8;
            let begins = first.after.saturating_sub(span / 2 + 4)..=first.after + 2;
            let drifts = begins.step_by(stride).flat_map(|after| {
                let lengths = SHORTEST.max(span / 2)..=2 * span + 8;
                let lengths = lengths.step_by(stride);
                lengths.map(move |length| Shift { after, length })
            });
            let others = self.chosen.iter().enumerate();
            let others = others.filter(|(i, _)| !removed.contains(i));
            let others: Vec<Shift> = others.map(|(_, one)| one.shift).collect();
            let is_free = |drift: &Shift| !others.iter().any(|other| drift.overlaps(*other));
            let Some(drift) = self.bargain(&basis, drifts.filter(is_free)) else {
                continue;
            };
            let gained = drift.profit - self.profit(basis, &shifts);
            if gained > 0.0 && best.as_ref().is_none_or(|(most, _)| gained > *most) {
                let added = vec![drift.shift];
                best = Some((gained, Exchange { removed, added }));
            }
        }
        best.map(|(_, exchange)| exchange)
    }

    fn as_steps(&self, at: usize) -> Option<Exchange> {
        let drift = self.chosen[at].shift;
        let basis = self.others(&[at]);
        let within =
            drift.after.saturating_sub(4) + 1..=(drift.last() + 4).min(self.search.len() - 1);
        let kept = self.profit(basis.clone(), &[drift]);
        let mut steps: Vec<Shift> = Vec::new();
        for _ in 0..3 {
            let mut known = basis.clone();
            steps
                .iter()
                .for_each(|step| known.add(&self.search.account(*step)));
            let next = self.bargain(&known, within.clone().map(Shift::step))?;
            steps.push(next.shift);
            self.improve(&basis, &mut steps);
            if self.profit(basis.clone(), &steps) > kept {
                return Some(Exchange {
                    removed: vec![at],
                    added: steps,
                });
            }
        }
        let step = self.bargain(&basis, within.map(Shift::step))?.shift;
        let mut known = basis.clone();
        known.add(&self.search.account(step));
        let stride = 1 + drift.length / 16;
        let begins = (drift.after.saturating_sub(4)..drift.last()).step_by(stride);
        let parts = begins.flat_map(|after| {
            let lengths = (SHORTEST..=drift.last() + 4 - after).step_by(stride);
            lengths.map(move |length| Shift { after, length })
        });
        let part = self
            .bargain(&known, parts.filter(|part| !part.overlaps(step)))?
            .shift;
        let both = vec![step, part];
        (self.profit(basis, &both) > kept).then_some(Exchange {
            removed: vec![at],
            added: both,
        })
    }

    /// Moves each of a few steps to where it explains most, the others accounted for.
    fn improve(&self, basis: &ScoreBasis, steps: &mut [Shift]) {
        for _ in 0..2 {
            for at in 0..steps.len() {
                let mut known = basis.clone();
                let others = steps.iter().enumerate().filter(|(other, _)| *other != at);
                others.for_each(|(_, step)| known.add(&self.search.account(*step)));
                if let Some(best) = self.bargain(&known, steps_near(steps[at])) {
                    steps[at] = best.shift;
                }
            }
        }
    }
}

/// The steps within reach of one.
pub(super) fn steps_near(shift: Shift) -> impl Iterator<Item = Shift> {
    let at = shift.last();
    (at.saturating_sub(NEAR).max(1)..=at + NEAR).map(Shift::step)
}

fn drifts_near(shift: Shift) -> impl Iterator<Item = Shift> {
    let reach = (shift.length / 4).clamp(3, 12);
    let begins = shift.after.saturating_sub(reach)..=shift.after + reach;
    begins.flat_map(move |after| {
        let ends = shift.last().saturating_sub(reach)..=shift.last() + reach;
        let lengths = ends.filter_map(move |end| end.checked_sub(after));
        let lengths = lengths.filter(|length| *length >= SHORTEST);
        lengths.map(move |length| Shift { after, length })
    })
}
