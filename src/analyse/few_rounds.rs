//! What can be said about a benchmark with too few rounds for an interval.

use std::cmp::Ordering;

use super::round::per_iteration;
use super::settle::Settling;
use super::{Direction, RoundSummary};
use crate::measure::{Remark, Round};
use crate::stats::{p_separated, separation};
use crate::units::{Ratio, Side, plural};

/// How far apart the samples must lie to be worth a note while nothing is certain.
const FACTOR: f64 = 2.0;

/// Whether the processes of both sides are further apart than chance explains for identical code, at
/// the level of one benchmark of the report, without any assumption about the distribution of its
/// processes. It is used only for fewer rounds than the first interim analysis needs.
pub(super) fn difference(rounds: &[RoundSummary], settling: &Settling) -> Option<Direction> {
    let is_early = rounds.len() < settling.first_look();
    if !is_early || p_separated(rounds.len()) > settling.level_of_one() {
        return None;
    }
    let levels =
        |side: Side| -> Vec<f64> { rounds.iter().map(|round| *round.value.get(side)).collect() };
    let apart = separation(&levels(Side::Base), &levels(Side::Head))?;
    Some(match apart.ordering {
        Ordering::Greater => Direction::More,
        Ordering::Equal | Ordering::Less => Direction::Fewer,
    })
}

/// A remark that every sample of one side lies far beyond every sample of the other, if so few rounds
/// cannot prove it.
pub(super) fn remark(rounds: &[Round], settling: &Settling) -> Option<Remark> {
    let (count, needed) = (rounds.len(), needed(settling));
    let apart = separation(
        &per_iteration(rounds, Side::Base),
        &per_iteration(rounds, Side::Head),
    )?;
    (count < needed && apart.gap >= FACTOR).then_some(Remark::Apart {
        slower: match apart.ordering {
            Ordering::Greater => Side::Head,
            Ordering::Equal | Ordering::Less => Side::Base,
        },
        factor: apart.gap,
        rounds: count,
        needed,
    })
}

/// The remark in words, as a lower-case fragment.
pub(super) fn words(remark: &Remark) -> Option<String> {
    let Remark::Apart {
        slower,
        factor,
        rounds,
        needed,
    } = remark
    else {
        return None;
    };
    let (what, faster) = match slower {
        Side::Head => ("slower", Side::Base),
        Side::Base => ("faster", Side::Head),
    };
    let rounds = plural(*rounds, "round", "rounds");
    Some(format!(
        "head looks {what}: every sample of {slower} takes at least {factor:.3} times as long as every sample \
         of {faster}; {rounds} cannot tell that from two unlike processes of the same code, {needed} rounds can"
    ))
}

/// The fewest rounds that can tell, in a report of so many benchmarks.
fn needed(settling: &Settling) -> usize {
    let tells = |rounds: &usize| p_separated(*rounds) <= settling.level_of_one();
    (1..settling.first_look())
        .find(tells)
        .unwrap_or_else(|| settling.fewest_rounds())
}

/// A note that a difference is certain, although no interval bounds it.
pub(super) fn certainly(direction: Option<Direction>, change: Ratio) -> Option<String> {
    let what = match direction? {
        Direction::More => "slower",
        Direction::Fewer => "faster",
        Direction::Same => return None,
    };
    Some(format!(
        "certainly {what}, by how much is open: about {change}, from processes whose times do not overlap"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{measured_apart, sampling, thresholds};
    use super::*;

    fn summaries(rounds: &[Round]) -> Vec<RoundSummary> {
        let figures = super::super::round::figures(rounds);
        figures.into_iter().map(|round| round.summary).collect()
    }

    fn settling(family: usize) -> Settling {
        Settling::plan(&thresholds(), &sampling(), family)
    }

    #[test]
    fn one_round_is_told_and_proves_nothing() {
        let rounds = measured_apart(1);
        let told = remark(&rounds, &settling(1)).unwrap();
        let Remark::Apart {
            slower,
            needed,
            factor,
            ..
        } = told
        else {
            panic!("{told:?}");
        };
        assert_eq!((slower, needed), (Side::Base, 4));
        assert!(factor > 300.0);
        let words = words(&remark(&rounds, &settling(1)).unwrap()).unwrap();
        assert!(
            words.starts_with("head looks faster: every sample of base"),
            "{words}"
        );
        assert_eq!(difference(&summaries(&rounds), &settling(1)), None);
    }

    #[test]
    fn four_rounds_prove_it_of_one_benchmark_and_five_of_six() {
        let of = |rounds, family| {
            let rounds = summaries(&measured_apart(rounds));
            difference(&rounds, &settling(family))
        };
        assert_eq!(of(3, 1), None);
        assert_eq!(of(4, 1), Some(Direction::Fewer));
        assert_eq!(of(4, 2), None);
        assert_eq!(of(5, 6), Some(Direction::Fewer));
        assert_eq!(of(5, 7), None);
        // From the first interim analysis on, the intervals show it.
        assert_eq!(of(6, 1), None);
        assert!(remark(&measured_apart(4), &settling(1)).is_none());
    }
}
