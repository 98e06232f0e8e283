//! Which benchmarks are profiled, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Attributed;
use crate::analyse::{Comparison, Verdict};
use crate::plan::{ProfileTime, Profiling, Thresholds};
use crate::seam::ProfileSeam;
use crate::units::BenchmarkKey;

/// The most benchmarks to profile unless all are asked for: each takes seconds, and one change of
/// the source affects many of them.
pub(super) const MOST_PROFILED: usize = 20;

/// The shortest profile of a side: the samples of half a second show where the time goes.
const SHORTEST: Duration = Duration::from_millis(500);

/// Samples times the square of the change (of the logarithm of the time) that distinguish the function behind a
/// change from chance. The difference between two shares of N samples each has a variance of at most 1 / (2 N),
/// reached when both are a half; with this many samples, its standard error is a quarter of the change.
const SAMPLES: f64 = 8.0;

/// How many times as many samples are taken as a change needs by the shares of functions as they were estimated, since those
/// are not exact, and the time is not either.
const SPARE: f64 = 1.5;

/// The benchmarks that are to be profiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToProfile {
    /// Which, and for how long on each side.
    pub times: BTreeMap<BenchmarkKey, Duration>,
    /// How many more would have been profiled if there were fewer.
    pub left_out: usize,
    /// For how long each would have been profiled if there were fewer; set if some get less than their changes
    /// need.
    pub instead_of: Option<Duration>,
}

/// The benchmarks that are to be profiled: slower benchmarks first, then by the size of the change. `budget` is how
/// long the profiles of one side should take together.
#[must_use]
pub fn wanted(
    comparisons: &[Comparison],
    profiling: Profiling,
    profile_time: ProfileTime,
    thresholds: &Thresholds,
    budget: Duration,
) -> ToProfile {
    let wants = |comparison: &&Comparison| match profiling {
        Profiling::Off => false,
        Profiling::All => !matches!(comparison.verdict, Verdict::Failed | Verdict::Removed),
        Profiling::Changed => match comparison.verdict {
            Verdict::Slower | Verdict::Faster => true,
            Verdict::Inconclusive => exceeds(comparison, thresholds),
            _ => false,
        },
    };
    let mut wanted: Vec<&Comparison> = comparisons.iter().filter(wants).collect();
    let all = wanted.len();
    if profiling == Profiling::Changed {
        wanted.sort_by(|a, b| urgency(b).total_cmp(&urgency(a)));
        wanted.truncate(MOST_PROFILED);
    }
    let changes: Vec<f64> = wanted.iter().map(|one| size(one)).collect();
    let (times, instead_of) = match profile_time {
        ProfileTime::Exactly(time) => (vec![time; wanted.len()], None),
        ProfileTime::AtMost(time) => {
            let needs: Vec<Duration> = needs(&changes, time, budget);
            let times = share_out(&needs, budget);
            let short = times.iter().zip(&needs).any(|(time, need)| time < need);
            (times, short.then_some(time))
        }
    };
    let keys = wanted.iter().map(|one| one.key.clone());
    ToProfile {
        left_out: all - wanted.len(),
        instead_of,
        times: keys.zip(times).collect(),
    }
}

/// The benchmarks that are to be profiled further, and for how long on each side: those whose change their samples do not
/// resolve, and with so many more would, if all of that fits into what is `left` of the budget. The cheapest ones come first.
#[must_use]
pub fn wanted_more(
    attributed: &[Attributed],
    comparisons: &[Comparison],
    left: Duration,
) -> BTreeMap<BenchmarkKey, Duration> {
    let open = attributed
        .iter()
        .filter(|one| one.is_unresolved(comparisons));
    let needs = open.filter_map(|one| Some((one.needs_more()?, &one.attribution.key)));
    let mut needs: Vec<(Duration, &BenchmarkKey)> = needs
        .map(|(need, key)| (need.mul_f64(SPARE).max(SHORTEST), key))
        .collect();
    needs.sort();
    let mut left = left;
    let mut wanted = BTreeMap::new();
    for (need, key) in needs {
        let Some(rest) = left.checked_sub(need) else {
            break;
        };
        left = rest;
        wanted.insert(key.clone(), need);
    }
    wanted
}

/// For how long each benchmark should be profiled: for all of `time` if there is enough, or else for no longer than
/// its change needs.
fn needs(changes: &[f64], time: Duration, budget: Duration) -> Vec<Duration> {
    let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    let need = |change: &f64| {
        let seconds = SAMPLES / (change * change) / ProfileSeam::HERTZ as f64;
        let need = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        need.max(SHORTEST).min(time)
    };
    match time.saturating_mul(count) <= budget {
        true => vec![time; changes.len()],
        false => changes.iter().map(need).collect(),
    }
}

/// What each gets of the budget: what it needs, or an equal part of what is left for those that need more.
fn share_out(needs: &[Duration], budget: Duration) -> Vec<Duration> {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|at| needs[*at]);
    let (mut left, mut open) = (budget, u32::try_from(needs.len()).unwrap_or(u32::MAX));
    let mut times = needs.to_vec();
    for at in order {
        times[at] = needs[at].min((left / open).max(SHORTEST));
        left = left.saturating_sub(times[at]);
        open = open.saturating_sub(1).max(1);
    }
    times
}

/// The larger this is, the more urgent an explanation of the change.
fn urgency(comparison: &Comparison) -> f64 {
    let first = match comparison.verdict {
        Verdict::Slower => 2000.0,
        Verdict::Faster => 1000.0,
        _ => 0.0,
    };
    first + size(comparison)
}

/// Whether the estimate of the change lies beyond the threshold.
fn exceeds(comparison: &Comparison, thresholds: &Thresholds) -> bool {
    size(comparison) > thresholds.practical.ln()
}

/// How large the change of the time is, up or down; 0 where none is known.
fn size(comparison: &Comparison) -> f64 {
    let change = comparison.estimate();
    change.map_or(0.0, |change| change.ratio.ln().abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What benchmarks with such changes get of so many seconds.
    fn shared(changes: &[f64], seconds: u32) -> Vec<f64> {
        let budget = SECOND * seconds;
        let times = share_out(&needs(changes, SECOND * 3, budget), budget);
        times.iter().map(Duration::as_secs_f64).collect()
    }

    #[test]
    fn where_there_is_time_each_is_profiled_for_all_of_it() {
        assert_eq!(shared(&[0.01, 0.5], 6), [3.0, 3.0]);
        assert!(shared(&[], 6).is_empty());
    }

    #[test]
    fn where_there_is_not_a_large_change_gets_what_it_needs_and_small_ones_share_the_rest() {
        let times = shared(&[0.01, 0.1, 0.5, 0.02], 6);
        let large = SAMPLES / 0.01 / ProfileSeam::HERTZ as f64;
        assert!((times[1] - large).abs() < 1e-6, "{times:?}");
        assert_eq!(times[2], 0.5);
        assert_eq!(times[0], times[3]);
        assert!((times.iter().sum::<f64>() - 6.0).abs() < 1e-6, "{times:?}");
    }

    #[test]
    fn however_many_there_are_each_shows_where_its_time_goes() {
        assert_eq!(shared(&[0.01; 100], 6), [0.5; 100]);
    }
}
