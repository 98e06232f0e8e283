//! Whether a service answers as expected.

use crate::discover::Failure;
use crate::load_generator::LoadOutcome;
use crate::units::{Side, plural};

use super::ServiceRound;

/// A side that answers more requests otherwise than expected than a service may, over all rounds.
pub(super) fn wrong_answers(rounds: &[ServiceRound], most: f64) -> Option<Failure> {
    Side::BOTH.into_iter().find_map(|side| {
        let slices = rounds.iter().flat_map(|round| {
            let open = round.open.get(side).iter();
            open.chain(round.closed.get(side))
        });
        failure_of_answers(side, slices, most)
    })
}

/// The same of single slices.
pub(super) fn failure_of_answers<'a>(
    side: Side,
    slices: impl Iterator<Item = &'a LoadOutcome> + Clone,
    most: f64,
) -> Option<Failure> {
    let failed: u64 = slices.clone().map(LoadOutcome::failed).sum();
    let answered: u64 = slices.clone().map(|slice| slice.answered).sum();
    let all = failed + answered;
    let sent: u64 = slices.clone().map(|slice| slice.sent).sum();
    if all == 0 && sent > 0 {
        let reason = format!(
            "answered none of {} in time; raise `slice` if an answer may take that long",
            plural(
                usize::try_from(sent).unwrap_or(usize::MAX),
                "request",
                "requests"
            )
        );
        return Some(Failure {
            side,
            reason,
            stderr_tail: String::new(),
        });
    }
    if failed as f64 <= most * all as f64 {
        return None;
    }
    let mut errors: Vec<_> = slices.flat_map(|slice| &slice.errors).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    let example = errors.first().map_or_else(String::new, |error| {
        format!(" ({}: {})", error.kind, error.example)
    });
    Some(Failure {
        side,
        reason: format!("failed to answer {failed} of {all} requests as expected{example}"),
        stderr_tail: String::new(),
    })
}
