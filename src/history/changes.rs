//! The changes of a trend as a reader gets them, whatever the format.

use super::trends::{BenchmarkTrend, Trends};
use crate::stats::trend::Level;
use crate::units::{Better, Ratio};

/// The standard errors on both sides within which the truth lies with 95 % confidence.
const CONFIDENCE: f64 = 1.959_963_984_540_054;

/// A step or a drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TrendChange {
    /// Whether it happened at one commit.
    pub(super) shape: ChangeShape,
    /// The place of the commit, or of the last one of the drift.
    pub(super) commit: usize,
    /// The places between which the step lies, or the drift goes.
    pub(super) first: usize,
    /// The last of them.
    pub(super) last: usize,
    /// By how much.
    pub(super) size: Level,
}

/// How a change happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeShape {
    /// At one commit.
    Step,
    /// Over many.
    Drift,
}

impl BenchmarkTrend {
    /// Its steps and drifts, the oldest first.
    pub(super) fn changes(&self) -> Vec<TrendChange> {
        let steps = self.trend.steps.iter().map(|step| TrendChange {
            shape: ChangeShape::Step,
            commit: step.commit,
            first: step.earliest,
            last: step.latest,
            size: Level {
                ln_ratio: step.ln_ratio,
                std_error: step.std_error,
            },
        });
        let drifts = self.trend.drifts.iter().map(|drift| TrendChange {
            shape: ChangeShape::Drift,
            commit: drift.last,
            first: drift.first,
            last: drift.last,
            size: Level {
                ln_ratio: drift.ln_ratio,
                std_error: drift.std_error,
            },
        });
        let mut changes: Vec<TrendChange> = steps.chain(drifts).collect();
        changes.sort_by_key(|change| change.commit);
        changes
    }

    /// Its level at the last commit, relative to its anchor.
    pub(super) fn total(&self) -> Option<Level> {
        self.trend.levels.iter().flatten().next_back().copied()
    }
}

impl Level {
    /// The change.
    pub(super) fn ratio(self) -> Ratio {
        Ratio::from_ln(self.ln_ratio)
    }

    /// The ends of its 95 % confidence interval.
    pub(super) fn bounds(self) -> [Ratio; 2] {
        let reach = CONFIDENCE * self.std_error;
        [-reach, reach].map(|reach| Ratio::from_ln(self.ln_ratio + reach))
    }

    /// Half of its interval, as a share.
    pub(super) fn margin(self) -> f64 {
        (CONFIDENCE * self.std_error).exp_m1()
    }

    /// Whether the whole interval lies beyond a threshold, on either side.
    pub(super) fn is_beyond(self, threshold: f64) -> bool {
        let reach = threshold.ln_1p();
        self.ln_ratio.abs() - CONFIDENCE * self.std_error > reach
    }
}

impl Trends {
    /// Between which commits the change lies, where that is not one: ` (or …)`.
    pub(super) fn certain(&self, change: &TrendChange) -> String {
        match change.shape {
            ChangeShape::Step if change.first >= change.last => String::new(),
            ChangeShape::Step => format!(
                " (or another of {} to {})",
                self.name(change.first),
                self.name(change.last)
            ),
            ChangeShape::Drift => format!(
                " (drift over {} to {})",
                self.name(change.first),
                self.name(change.last)
            ),
        }
    }

    /// Whether a change is for the worse.
    pub(super) fn is_worse(&self, change: &TrendChange) -> bool {
        (change.size.ln_ratio > 0.0) == (self.metric.better != Better::Higher)
    }

    /// A commit as a reader knows it: its tag, or the first digits of its id.
    pub(super) fn name(&self, place: usize) -> String {
        self.commits.get(place).map_or(String::new(), |commit| {
            let tag = commit.tags.first().cloned();
            tag.unwrap_or_else(|| super::short(&commit.id))
        })
    }

    /// What the numbers do not say by themselves, as whole sentences.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = self.notes.clone();
        let unsure = |one: &&BenchmarkTrend| {
            let total = one.total();
            total.is_some_and(|total| total.margin() > self.threshold)
        };
        let count = self.benchmarks.iter().filter(unsure).count();
        if count > 0 {
            let newest = self
                .benchmarks
                .iter()
                .filter_map(BenchmarkTrend::last)
                .max();
            remarks.push(format!(
                "The level of {count} of {} benchmarks is less certain than the threshold of {}: errors add up along a \
                 chain of runs. Comparing with the anchor directly helps: `cargo perfcheck {}..{} --record`.",
                self.benchmarks.len(),
                percent(self.threshold),
                self.name(self.anchor),
                newest.map_or(String::new(), |newest| self.name(newest)),
            ));
        }
        for one in &self.benchmarks {
            if !one.apart.is_empty() {
                let p = one.trend.classes.map_or(1.0, |classes| classes.p_value);
                remarks.push(format!(
                    "`{}` changes differently on different kinds of machines (p = {p:.1e}): `--format html` shows each.",
                    one.key
                ));
            }
            let gone = one.trend.levels.iter().flatten().count();
            if gone < 2 {
                remarks.push(format!(
                    "No run joins another commit of `{}` to the anchor {}.",
                    one.key,
                    self.name(one.anchor)
                ));
            }
        }
        remarks
    }
}

/// A share as per cent: `1 %`, `0.25 %`.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}
