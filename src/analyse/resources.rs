//! From runs of programs to what they take beside time: processor, memory, page faults, input and output.
//!
//! A round gives one number a side, the mean of its runs, and so one log ratio; Student's t over the rounds gives the
//! interval, as for times. Each metric of each workload may err with its share of the report's error (Bonferroni's
//! inequality), at whichever interim analysis the workload was stopped.

use std::collections::HashMap;

use super::program_size;
use super::settle::Settling;
use super::{
    Change, Comparison, Direction, Observed, RatioEstimate, RelativeError, RoundSummary, Verdict,
};
use crate::measure::Pairing;
use crate::process::ProgramUsage;
use crate::stats::{Estimate, believable, percentile};
use crate::units::{BenchmarkKey, Metric, MetricGroup, Note, Paired, Ratio, Side};
use crate::workload::{MeasuredRuns, ProgramRun};

/// The power at which [`RatioEstimate::detectable`] is stated.
const POWER: f64 = 0.8;

/// Kernels count resident pages for each processor by itself, and add them up in steps: a difference of fewer bytes may be
/// theirs. It is a constant of a program and a machine, so no number of runs averages it out.
const NEGLIGIBLE_PEAK: f64 = 512.0 * 1024.0;

/// What one run shows of a metric, in its unit.
struct UsageMetric {
    metric: Metric,
    of_run: fn(&ProgramUsage) -> Option<f64>,
}

const USAGE: [UsageMetric; 10] = [
    UsageMetric {
        metric: Metric::PROCESSOR_TIME,
        of_run: |run| Some((run.user + run.system).as_nanos() as f64),
    },
    UsageMetric {
        metric: Metric::USER_TIME,
        of_run: |run| Some(run.user.as_nanos() as f64),
    },
    UsageMetric {
        metric: Metric::SYSTEM_TIME,
        of_run: |run| Some(run.system.as_nanos() as f64),
    },
    UsageMetric {
        metric: Metric::PEAK_MEMORY,
        of_run: |run| Some(run.peak? as f64),
    },
    UsageMetric {
        metric: Metric::PAGE_FAULTS,
        of_run: |run| Some(run.faults as f64),
    },
    UsageMetric {
        metric: Metric::MAJOR_FAULTS,
        of_run: |run| Some(run.major_faults as f64),
    },
    UsageMetric {
        metric: Metric::WAITS,
        of_run: |run| Some(run.waits as f64),
    },
    UsageMetric {
        metric: Metric::PREEMPTIONS,
        of_run: |run| Some(run.preemptions as f64),
    },
    UsageMetric {
        metric: Metric::READ_BYTES,
        of_run: |run| Some(run.moved?.read as f64),
    },
    UsageMetric {
        metric: Metric::WRITTEN_BYTES,
        of_run: |run| Some(run.moved?.written as f64),
    },
];

/// Adds to each comparison of a workload what its runs took beside time and what they printed, and what changed.
pub fn add_resources(comparisons: &mut [Comparison], runs: &[MeasuredRuns], settling: &Settling) {
    let runs: HashMap<&BenchmarkKey, &MeasuredRuns> =
        runs.iter().map(|each| (&each.key, each)).collect();
    for comparison in comparisons {
        if comparison.verdict != Verdict::Failed
            && let Some(runs) = runs.get(&comparison.key)
        {
            add(comparison, runs, &settling.of(&comparison.key));
        }
    }
}

fn add(comparison: &mut Comparison, runs: &MeasuredRuns, settling: &Settling) {
    let sharing = USAGE.len() + runs.metrics.len();
    let usages = USAGE.iter().filter_map(|usage| {
        let rounds = values(&runs.rounds, |run| (usage.of_run)(&run.usage));
        let mut change = change(&rounds, settling, sharing)?;
        if usage.metric == Metric::PEAK_MEMORY && is_negligible(&change) {
            change.direction = Some(Direction::Same);
        }
        Some((usage.metric, change))
    });
    let usages: Vec<_> = usages.collect();
    let mut peaks = usages.iter();
    let peak = peaks.find(|(metric, _)| *metric == Metric::PEAK_MEMORY);
    let ran = |side| {
        let mut rounds = runs.rounds.iter();
        rounds.any(|round| !round.get(side).is_empty())
    };
    if let Some((_, peak)) = peak
        && Side::BOTH.into_iter().all(ran)
    {
        comparison.notes.extend(unknown_peak(peak));
    }
    comparison.metrics.extend(usages);
    let size = program_size::change(&runs.sizes, settling.margin());
    let size = size.map(|change| (Metric::PROGRAM_SIZE, change));
    comparison.metrics.extend(size);
    for (at, metric) in runs.metrics.iter().enumerate() {
        let rounds = values(&runs.rounds, |run| *run.printed.get(at)?);
        let printed = change(&rounds, settling, sharing);
        let note = match &printed {
            None if rounds.is_empty() => None,
            None => Some(format!("no run printed `{metric}` each time")),
            Some(change) => Side::BOTH
                .into_iter()
                .filter(|side| rounds.iter().any(|round| round.get(*side).is_none()))
                .find(|side| change.sides.get(*side).is_none())
                .map(|side| format!("the {side} side does not print `{metric}`")),
        };
        let about = |text| Note::about(MetricGroup::Printed, text);
        comparison.notes.extend(note.map(about));
        comparison
            .metrics
            .extend(printed.map(|change| (*metric, change)));
    }
}

/// Of one side only it may be known: below that of what starts the program it is not.
fn unknown_peak(peak: &Change) -> Option<Note> {
    let unknown = |side: &Side| peak.sides.get(*side).is_none();
    let side = Side::BOTH.into_iter().find(unknown)?;
    let text = format!(
        "the peak memory of the {side} side is too small to be known, so it is not compared"
    );
    Some(Note::about(MetricGroup::Resources, text))
}

fn is_negligible(peak: &Change) -> bool {
    let both = peak.values();
    both.is_some_and(|both| (both.head - both.base).abs() < NEGLIGIBLE_PEAK)
}

/// With fewer rounds than this, no change of what a program takes, or of up to `printed` metrics that it prints, could be
/// believed, however large.
#[must_use]
pub fn rounds_to_see_resources(settling: &Settling, printed: usize) -> usize {
    let sharing = USAGE.len() + printed;
    let is_enough = |rounds: &usize| believable(*rounds) <= settling.share_of(*rounds, sharing);
    // Far more than any report needs.
    (2..60).find(is_enough).unwrap_or(60)
}

/// The mean of each round and side; `None` where a run shows nothing of it, or there is none.
fn values(
    rounds: &[Paired<Vec<ProgramRun>>],
    of_run: impl Fn(&ProgramRun) -> Option<f64>,
) -> Vec<Paired<Option<f64>>> {
    let mean = |runs: &Vec<ProgramRun>| {
        let values: Option<Vec<f64>> = runs.iter().map(&of_run).collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    };
    rounds
        .iter()
        .map(|round| round.as_ref().map(mean))
        .collect()
}

/// What the rounds show of one metric, where `sharing` metrics share the error of a workload; `None` where no run shows
/// anything of it.
pub(super) fn change(
    rounds: &[Paired<Option<f64>>],
    settling: &Settling,
    sharing: usize,
) -> Option<Change> {
    let sides = Paired::from_fn(|side| {
        let values: Option<Vec<f64>> = rounds.iter().map(|round| *round.get(side)).collect();
        observed(&values?)
    });
    if sides.base.is_none() && sides.head.is_none() {
        return None;
    }
    let both: Vec<Paired<f64>> = rounds
        .iter()
        .filter_map(|round| Some(Paired::new(round.base?, round.head?)))
        .collect();
    let complete = sides.base.is_some() && sides.head.is_some();
    let alpha = settling.share_of(both.len(), sharing);
    let estimate = ratios(&both).and_then(|ratios| Estimate::of(&ratios));
    let estimate = estimate.filter(|_| complete);
    let direction = match &estimate {
        Some(estimate) => beyond(estimate, settling.margin(), alpha),
        None if complete => without_ratio(&both, settling.margin(), alpha),
        None => None,
    };
    Some(Change {
        sides,
        direction,
        estimate: estimate.map(|estimate| ratio_estimate(&estimate, alpha)),
        rounds: summaries(&both),
    })
}

/// What one side shows over all rounds; `None` for no rounds.
fn observed(values: &[f64]) -> Option<Observed> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.first()?;
    let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    // Of zeros there are no logarithms, and they do not vary either.
    let is_constant = values.len() > 1 && sorted.first() == sorted.last();
    let error = match is_constant {
        true => Some(0.0),
        false => Estimate::of(&logarithms).map(|estimate| estimate.std_error),
    };
    Some(Observed {
        error: error.map(|ln| RelativeError {
            ln,
            rounds: values.len(),
        }),
        ..Observed::sampled(percentile(&sorted, 0.5))
    })
}

/// The log ratio of every round; `None` where one has nothing on a side.
fn ratios(rounds: &[Paired<f64>]) -> Option<Vec<f64>> {
    let ratio = |round: &Paired<f64>| {
        let both = round.base > 0.0 && round.head > 0.0;
        both.then(|| (round.head / round.base).ln())
    };
    rounds.iter().map(ratio).collect()
}

/// Which way it went by more than `margin`, or that it did not.
pub(super) fn beyond(estimate: &Estimate, margin: f64, alpha: f64) -> Option<Direction> {
    match () {
        () if estimate.p_beyond(margin) <= alpha => Some(match estimate.ln_ratio > 0.0 {
            true => Direction::More,
            false => Direction::Fewer,
        }),
        () if estimate.p_within(margin) <= alpha => Some(Direction::Same),
        () => None,
    }
}

/// The same where a value is zero or negative, so that there is no ratio: of the differences, relative to the mean magnitude
/// of all values.
fn without_ratio(rounds: &[Paired<f64>], margin: f64, alpha: f64) -> Option<Direction> {
    let differences: Vec<f64> = rounds.iter().map(|round| round.head - round.base).collect();
    if differences.iter().all(|difference| *difference == 0.0) {
        return (!differences.is_empty()).then_some(Direction::Same);
    }
    let magnitudes = rounds
        .iter()
        .map(|round| round.base.abs() + round.head.abs());
    let magnitude = magnitudes.sum::<f64>() / (2 * rounds.len()) as f64;
    let relative: Vec<f64> = differences.iter().map(|one| one / magnitude).collect();
    beyond(&Estimate::of(&relative)?, margin, alpha)
}

fn ratio_estimate(estimate: &Estimate, alpha: f64) -> RatioEstimate {
    let interval = estimate.interval(alpha);
    RatioEstimate {
        ratio: Ratio::from_ln(estimate.ln_ratio),
        lower: Ratio::from_ln(interval.lower),
        upper: Ratio::from_ln(interval.upper),
        p_value: estimate.p_zero(),
        confidence: 1.0 - alpha,
        rounds: estimate.rounds,
        detectable: Ratio::from_ln(estimate.detectable(alpha, POWER)).as_change(),
    }
}

fn summaries(rounds: &[Paired<f64>]) -> Vec<RoundSummary> {
    let with_ratio = rounds
        .iter()
        .filter(|round| round.base > 0.0 && round.head > 0.0);
    with_ratio
        .map(|round| RoundSummary {
            ratio: Ratio::from_ln((round.head / round.base).ln()),
            value: *round,
            pairing: Pairing::Sample,
            quartiles: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Args, Environment, Plan};

    fn settling() -> Settling {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = 'it'\n[lib]\npath = 'lib.rs'\n";
        for (name, text) in [("Cargo.toml", manifest), ("lib.rs", "")] {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let environment = Environment {
            cwd: folder.path().to_owned(),
            variables: std::collections::BTreeMap::new(),
            words: vec!["cargo-perfcheck".into()],
            drawn_seed: 1,
        };
        let args = Args::from_words(&environment.words).unwrap();
        let plan = Plan::resolve(&args.compare, &environment).unwrap();
        Settling::plan(&plan.thresholds, &plan.sampling, 1)
    }

    /// Rounds of these values, with a spread of a thousandth.
    fn rounds(count: usize, base: f64, head: f64) -> Vec<Paired<Option<f64>>> {
        let wobble = |round: usize| 1.0 + 0.0005 * f64::from(u32::from(round.is_multiple_of(2)));
        (0..count)
            .map(|round| Paired::new(Some(base), Some(head * wobble(round))))
            .collect()
    }

    fn direction(rounds: &[Paired<Option<f64>>]) -> Option<Direction> {
        change(rounds, &settling(), 10).unwrap().direction
    }

    #[test]
    fn a_change_beyond_the_threshold_is_more_or_fewer_and_one_within_it_is_none() {
        assert_eq!(direction(&rounds(13, 100.0, 103.0)), Some(Direction::More));
        assert_eq!(direction(&rounds(13, 103.0, 100.0)), Some(Direction::Fewer));
        assert_eq!(direction(&rounds(13, 100.0, 100.2)), Some(Direction::Same));
    }

    #[test]
    fn few_rounds_show_nothing_however_much_it_is() {
        assert_eq!(direction(&rounds(3, 100.0, 200.0)), None);
    }

    #[test]
    fn the_interval_holds_the_ratio_and_agrees_with_the_direction() {
        let change = change(&rounds(13, 100.0, 103.0), &settling(), 10).unwrap();
        let estimate = change.estimate.unwrap();
        assert!(estimate.lower.as_change() > 0.01, "{estimate:?}");
        assert!(estimate.upper.as_change() < 0.04, "{estimate:?}");
        assert_eq!(change.rounds.len(), 13);
    }

    #[test]
    fn a_peak_differs_by_more_than_the_kernel_s_own_steps() {
        let peak = |head: f64| change(&rounds(13, 3e6, head), &settling(), 10).unwrap();
        assert_eq!(peak(3.2e6).direction, Some(Direction::More));
        assert!(is_negligible(&peak(3.2e6)));
        assert!(!is_negligible(&peak(4e6)));
    }

    #[test]
    fn what_never_happens_on_either_side_is_the_same() {
        assert_eq!(direction(&rounds(6, 0.0, 0.0)), Some(Direction::Same));
    }

    #[test]
    fn what_never_varies_has_no_error_even_where_it_is_nothing() {
        let error = observed(&[0.0; 6]).unwrap().error.unwrap();
        assert_eq!((error.ln, error.rounds), (0.0, 6));
        assert!(observed(&[0.0, 1.0]).unwrap().error.is_none());
        assert!(observed(&[0.0]).unwrap().error.is_none());
    }

    #[test]
    fn what_has_no_ratio_is_held_against_the_threshold_too() {
        assert_eq!(
            direction(&rounds(13, -1000.0, -1001.0)),
            Some(Direction::Same)
        );
        assert_eq!(
            direction(&rounds(13, -1000.0, -900.0)),
            Some(Direction::More)
        );
    }

    #[test]
    fn what_begins_to_happen_on_head_is_more() {
        assert_eq!(direction(&rounds(13, 0.0, 5.0)), Some(Direction::More));
    }

    #[test]
    fn what_one_side_does_not_show_is_not_compared() {
        let alone = [Paired::new(Some(1.0), None), Paired::new(Some(1.0), None)];
        let alone = change(&alone, &settling(), 10).unwrap();
        assert_eq!(alone.direction, None);
        assert!(alone.sides.head.is_none() && alone.estimate.is_none());
        assert!(change(&[Paired::new(None, None)], &settling(), 10).is_none());
    }
}
