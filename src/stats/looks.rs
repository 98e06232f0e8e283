//! Interim analyses ("looks"): several tests of growing data with one error rate.

/// After how many rounds a benchmark's data may be tested, and the error that each look may use.
///
/// Testing after every few rounds, and stopping as soon as something shows, gives far more false
/// positives than the level of a single test says. So the looks are planned before the first round, and
/// the permitted error is shared among them: half is kept for the last look, the other half is split
/// evenly among those before it. By Bonferroni's inequality the whole procedure errs with at most the
/// permitted probability, whatever the dependence between looks and whatever the number of rounds; no
/// known variance and no limit theorem is needed. Intervals at a look's share are the repeated
/// confidence intervals of Jennison and Turnbull (*Group Sequential Methods*, 2000, ch. 9): valid at
/// every look, for whatever reason the benchmark was stopped there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    planned: Vec<usize>,
}

/// Whether a benchmark's data will grow after this look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// More rounds may follow, so later looks need their share.
    Interim,
    /// No more rounds, because they are all done or because time is up: for a reason that has nothing to do with
    /// the ratio. The error that earlier looks did not use is used now.
    Last,
}

/// The first look: with fewer rounds t has so few degrees of freedom that only absurd differences
/// pass.
const FIRST: usize = 6;

/// Each look has about this many times the rounds of the one before it: looks closer together
/// see nearly the same data, and pay twice for it.
const GROWTH: f64 = 1.4;

/// Two looks within this factor of each other are as good as one.
const CLOSE: f64 = 1.15;

impl Looks {
    /// The looks of a benchmark that has at most `max_rounds` rounds: 6, 9, 13, 19, 27 … and the last.
    #[must_use]
    pub fn plan(max_rounds: usize) -> Looks {
        Looks::through(FIRST, max_rounds)
    }

    /// The same with a look after exactly `milestone` rounds, in place of one that would come shortly before
    /// it: 6, 9, 13, 19, 29 … for 29.
    #[must_use]
    pub fn through(milestone: usize, max_rounds: usize) -> Looks {
        let mut planned = Vec::new();
        let mut at = FIRST;
        // An interim look just before the last one would not save anything.
        while (at as f64) * CLOSE < max_rounds as f64 {
            planned.push(at);
            let next = (at as f64 * GROWTH).ceil() as usize;
            at = match at < milestone && milestone as f64 <= next as f64 * CLOSE {
                true => milestone,
                false => next,
            };
        }
        planned.push(max_rounds.max(1));
        Looks { planned }
    }

    /// The numbers of rounds at which to look, ascending.
    #[must_use]
    pub fn planned(&self) -> &[usize] {
        &self.planned
    }

    /// Whether to look after `rounds` rounds, and what for.
    #[must_use]
    pub fn at(&self, rounds: usize) -> Option<Standing> {
        let last = *self.planned.last()?;
        if rounds >= last {
            Some(Standing::Last)
        } else {
            self.planned.contains(&rounds).then_some(Standing::Interim)
        }
    }

    /// The share of the permitted error that a look after `rounds` rounds may use; above zero, and
    /// over all looks of one benchmark at most 1.
    ///
    /// A p-value divided by this share is valid for the whole procedure.
    #[must_use]
    pub fn share(&self, rounds: usize, standing: Standing) -> f64 {
        let interim = self.planned.len() - 1;
        if interim == 0 {
            return 1.0;
        }
        let each = 0.5 / interim as f64;
        match standing {
            Standing::Interim => each,
            Standing::Last => {
                let before = self.planned[..interim]
                    .iter()
                    .filter(|look| **look < rounds)
                    .count();
                1.0 - each * before as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn looks_grow_geometrically_and_end_with_the_last_round() {
        assert_eq!(Looks::plan(30).planned(), [6, 9, 13, 19, 30]);
        assert_eq!(Looks::plan(12).planned(), [6, 9, 12]);
        assert_eq!(Looks::plan(6).planned(), [6]);
        assert_eq!(Looks::plan(3).planned(), [3]);
        let thorough = [6, 9, 13, 19, 29, 41, 58, 82, 100];
        assert_eq!(Looks::through(29, 100).planned(), thorough);
        assert_eq!(Looks::through(29, 12).planned(), [6, 9, 12]);
    }

    #[test]
    fn half_of_the_error_is_kept_for_the_last_look() {
        let looks = Looks::plan(30);
        assert_eq!(looks.share(6, Standing::Interim), 0.125);
        assert_eq!(looks.share(30, Standing::Last), 0.5);
        assert_eq!(looks.share(5, Standing::Last), 1.0);
    }

    proptest! {
        #[test]
        fn no_path_spends_more_than_everything(max in 1..200usize, end in 1..200usize) {
            let looks = Looks::plan(max);
            let end = end.min(max);
            let interim: f64 = (1..end)
                .filter(|n| looks.at(*n) == Some(Standing::Interim))
                .map(|n| looks.share(n, Standing::Interim))
                .sum();
            let total = interim + looks.share(end, Standing::Last);
            prop_assert!(total <= 1.0 + 1e-12);
            prop_assert!(looks.share(end, Standing::Last) >= 0.5);
        }
    }
}
