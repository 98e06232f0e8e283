//! The time of a whole run and of each benchmark, and which benchmarks get it while it is short.

use std::time::{Duration, Instant};

use crate::plan::Sampling;
use crate::process::{self, Interrupted};
use crate::units::{BenchmarkKey, Event, Side};

use super::Request;
use super::Round;

/// The number of rounds at the first interim analysis.
pub(super) const FIRST_LOOK: usize = 6;

/// What bounds the whole measurement, in addition to each benchmark's own budget.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// When the time of the whole run is up.
    pub end: Option<Instant>,
    /// The rounds that a benchmark's own time budget never cuts: with fewer, nothing could be
    /// concluded, and the rounds would be wasted. Only the planned number of rounds may be smaller.
    pub fewest_rounds: usize,
}

impl Default for Bounds {
    /// No end, and the rounds for one interim analysis.
    fn default() -> Self {
        Bounds {
            end: None,
            fewest_rounds: FIRST_LOOK,
        }
    }
}

/// Whether another step, bounded by `end`, may begin.
pub(super) fn go_on(end: Option<Instant>) -> Result<(), Interrupted> {
    process::check()?;
    match end {
        Some(end) if Instant::now() >= end => Err(Interrupted::TimeUp),
        _ => Ok(()),
    }
}

/// What processes cost to start and Criterion to set up, as a share of the timed work.
const OVERHEAD: f64 = 1.3;

/// What a benchmark asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeDemand {
    pub(super) stage: Stage,
    pub(super) urgency: Urgency,
    /// How many rounds it still needs, at least one.
    pub(super) rounds: usize,
    /// What a round of it takes.
    pub(super) cost: Duration,
}

/// What a benchmark's rounds are for. A first look at everything comes before precision on anything:
/// whenever a run ends, as many benchmarks as possible have a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The rounds that a first look takes.
    FirstLook,
    /// More of them, or a mere baseline.
    Precision,
}

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A rule requires it.
    Required,
    /// There are two sides to compare.
    Compared,
    /// Only one side has it: there is only a baseline to take.
    Baseline,
}

/// The time that is left.
///
/// If it suffices for all, all continue. If not, the benchmarks that need the least more of it go
/// first, first looks before the rest and urgent ones before the others: this gives the most verdicts.
/// What is left after that is given out one round at a time, in the same order. How much a benchmark
/// needs follows from the spread of its rounds and never from its ratio. So benchmarks are not dropped
/// because of their results, and those that are measured to the end keep their error rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLeft {
    end: Option<Instant>,
    usual: Duration,
}

impl TimeLeft {
    pub(super) fn until(end: Option<Instant>, sampling: &Sampling) -> TimeLeft {
        let both = (sampling.warm_up + sampling.measurement) * 2;
        TimeLeft {
            end,
            usual: both.mul_f64(OVERHEAD),
        }
    }

    /// How long a round takes, as long as none has been seen.
    pub(super) fn usual(&self) -> Duration {
        self.usual
    }

    /// Announces an estimate of no more than the time that is left.
    pub(super) fn estimate(&self, expected: Duration, at_most: Duration) -> Event {
        let left = self.left().unwrap_or(Duration::MAX);
        Event::Estimated {
            expected: expected.min(left),
            at_most: at_most.min(left),
        }
    }

    /// Which of the demands get a round now.
    pub(super) fn admit(&self, claims: Vec<Option<TimeDemand>>) -> Vec<bool> {
        match self.left() {
            Some(left) => share(left, &claims),
            None => claims.iter().map(Option::is_some).collect(),
        }
    }

    /// Keeps as many of one target's requests as can be completed in time.
    pub(super) fn cut(
        &self,
        requests: &mut Vec<Request>,
        cost: impl Fn(&BenchmarkKey) -> Duration,
    ) {
        let Some(mut left) = self.left() else {
            return;
        };
        requests.retain(|request| match left.checked_sub(cost(&request.key)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
    }

    fn left(&self) -> Option<Duration> {
        let end = self.end?;
        Some(end.saturating_duration_since(Instant::now()))
    }
}

/// Shares `left` among the claims.
fn share(mut left: Duration, claims: &[Option<TimeDemand>]) -> Vec<bool> {
    let mut order: Vec<(usize, TimeDemand)> = claims
        .iter()
        .enumerate()
        .filter_map(|(at, claim)| Some((at, (*claim)?)))
        .collect();
    order.sort_by_key(|(_, claim)| (claim.stage, claim.urgency, whole(claim)));
    let mut admitted = vec![false; claims.len()];
    let prices: [fn(&TimeDemand) -> Duration; 2] = [whole, |claim| claim.cost];
    for price in prices {
        for (at, claim) in &order {
            if let Some(rest) = left.checked_sub(price(claim)).filter(|_| !admitted[*at]) {
                left = rest;
                admitted[*at] = true;
            }
        }
    }
    admitted
}

/// How long all rounds of a demand take.
pub(super) fn whole(claim: &TimeDemand) -> Duration {
    let rounds = u32::try_from(claim.rounds).unwrap_or(u32::MAX);
    claim.cost.saturating_mul(rounds)
}

/// How often one benchmark may be measured.
#[derive(Clone, Copy)]
pub(super) struct Limits<'a> {
    pub(super) sampling: &'a Sampling,
    pub(super) fewest_rounds: usize,
}

impl Limits<'_> {
    /// How many rounds like this one a benchmark may have. Fixed after the first round: if it
    /// depended on later measurements, the number of looks would, too.
    pub(super) fn rounds(&self, round: &Round, key: &BenchmarkKey) -> usize {
        let timed = |side: Side| round.samples.get(side).times.iter().sum::<f64>() / 1e9;
        let longest = Duration::try_from_secs_f64(timed(Side::Base).max(timed(Side::Head)))
            .unwrap_or(Duration::MAX);
        self.rounds_of(longest, key)
    }

    /// The same for rounds in which a process takes this long.
    pub(super) fn rounds_of(&self, longest: Duration, key: &BenchmarkKey) -> usize {
        let longest = longest.max(Duration::from_nanos(1));
        let rules = &self.sampling.rules;
        let own = rules.of(key).time;
        let budget = own.unwrap_or(self.sampling.time);
        let affordable = (budget.as_secs_f64() / longest.as_secs_f64()).ceil() as usize;
        affordable.max(self.fewest_rounds).min(self.sampling.rounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(urgency: Urgency, rounds: usize, millis: u64) -> Option<TimeDemand> {
        Some(TimeDemand {
            stage: Stage::FirstLook,
            urgency,
            rounds,
            cost: Duration::from_millis(millis),
        })
    }

    fn shared(millis: u64, claims: &[Option<TimeDemand>]) -> Vec<bool> {
        share(Duration::from_millis(millis), claims)
    }

    #[test]
    fn where_there_is_time_for_all_all_go_on() {
        let claims = [
            claim(Urgency::Compared, 3, 100),
            None,
            claim(Urgency::Baseline, 1, 100),
        ];
        assert_eq!(shared(400, &claims), [true, false, true]);
    }

    #[test]
    fn where_there_is_not_the_required_and_then_the_nearest_to_their_verdict_do() {
        let claims = [
            claim(Urgency::Compared, 90, 100),
            claim(Urgency::Compared, 2, 100),
            claim(Urgency::Baseline, 1, 100),
            claim(Urgency::Required, 5, 100),
        ];
        assert_eq!(shared(500, &claims), [false, false, false, true]);
        assert_eq!(shared(700, &claims), [false, true, false, true]);
        assert_eq!(shared(800, &claims), [false, true, true, true]);
    }

    #[test]
    fn a_first_look_at_everything_comes_before_precision_on_anything() {
        let mut precise = claim(Urgency::Required, 2, 100);
        if let Some(claim) = &mut precise {
            claim.stage = Stage::Precision;
        }
        let claims = [precise, claim(Urgency::Compared, 6, 100)];
        assert_eq!(shared(600, &claims), [false, true]);
        assert_eq!(shared(700, &claims), [true, true]);
        assert_eq!(shared(800, &claims), [true, true]);
    }

    #[test]
    fn what_no_whole_need_fits_into_is_given_out_a_round_at_a_time() {
        let claims = [
            claim(Urgency::Compared, 90, 100),
            claim(Urgency::Compared, 80, 100),
        ];
        assert_eq!(shared(150, &claims), [false, true]);
        assert_eq!(shared(250, &claims), [true, true]);
        assert_eq!(shared(50, &claims), [false, false]);
    }
}
