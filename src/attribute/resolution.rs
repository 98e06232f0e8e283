//! Whether samples tell which function a change comes from, and how many more of them would.
//!
//! A profile of n samples knows the share p of a function with a variance of p (1 − p) / n. A change of time that is smaller
//! than what follows from that for two profiles may belong to any of them. So the function that is named first has to carry
//! more than its own uncertainty, has to be known to a part of the whole change, and must not be
//! named before one that the diff touches while chance explains the order of the two.

use super::estimate::Count;
use super::model::{NanosEstimate, Unresolved};
use crate::units::Paired;

/// A contribution is known if its 95 % interval reaches no further than this part of the change: a change of 3 % is then
/// known to 1 % of the time.
const RESOLVED: f64 = 1.0 / 3.0;

/// The normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// A function that a change may come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// How much it contributes in the direction of the change.
    pub(super) push: f64,
    /// Half of the 95 % interval of that.
    pub(super) half: f64,
    /// Whether the change of the source can be at work in it: the diff touches it, and its code differs.
    pub(super) suspect: bool,
}

impl Candidate {
    pub(super) fn of(change: NanosEstimate, total: f64, suspect: bool) -> Candidate {
        Candidate {
            push: change.ns * total.signum(),
            half: (change.upper_ns - change.lower_ns) / 2.0,
            suspect,
        }
    }

    /// Whether chance explains that this one seems to contribute more than `other`.
    fn may_be_less_than(&self, other: &Candidate) -> bool {
        self.push - other.push <= self.half.hypot(other.half)
    }
}

/// Which one is named first: the one that contributes most, unless it is no suspect and a suspect may contribute more.
pub(super) fn first(candidates: &[Candidate]) -> Option<usize> {
    let most = |among: &mut dyn Iterator<Item = usize>| {
        among.max_by(|a, b| candidates[*a].push.total_cmp(&candidates[*b].push))
    };
    let all = 0..candidates.len();
    let leader = most(&mut all.clone())?;
    if candidates[leader].suspect {
        return Some(leader);
    }
    let rivals = all.filter(|at| candidates[*at].suspect);
    let mut rivals = rivals.filter(|at| candidates[leader].may_be_less_than(&candidates[*at]));
    most(&mut rivals).or(Some(leader))
}

/// Why samples do not show that the function that is named first is the right one; `None` if they do.
pub(super) fn unresolved(candidates: &[Candidate], total: NanosEstimate) -> Option<Unresolved> {
    let Some(at) = first(candidates) else {
        return Some(Unresolved::Uncertain);
    };
    let named = candidates[at];
    let others = candidates
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at);
    let mut others = others.map(|(_, other)| other);
    match () {
        () if !total.is_certain() || named.push <= named.half => Some(Unresolved::Uncertain),
        () if named.half > RESOLVED * total.ns.abs() => Some(Unresolved::Coarse),
        () if others.any(|other| named.may_be_less_than(other)) => Some(Unresolved::Rivalled),
        () => None,
    }
}

/// How many samples of each side tell what a function contributes, as closely as [`unresolved`] asks for. `shares` are its
/// shares of the time of each side, and the change is that of the logarithm of the time.
pub(super) fn samples_needed(shares: Paired<Count>, change: f64) -> f64 {
    let variance = |count: &Count| {
        let share = count.share();
        share * (1.0 - share)
    };
    let closeness = RESOLVED * change.abs() / Z_95;
    (variance(&shares.base) + variance(&shares.head)) / (closeness * closeness)
}

#[cfg(test)]
mod tests;
