//! What runs say of one metric of one benchmark, as edges between builds.

use std::collections::BTreeMap;

use super::RunRecord;
use super::record::{RecordedBenchmark, RecordedChange};
use crate::analyse::Verdict;
use crate::stats::trend::{CountedEdge, EqualBuilds, Measured, MeasuredEdge, Sameness, Trend};
use crate::units::{Metric, MetricGroup, Paired, Side};

/// A side of a run: the place of its commit in the history, and how it was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunEnd {
    /// The place.
    pub(super) commit: usize,
    /// Compiler, host and profile.
    pub(super) how: String,
}

impl RunEnd {
    /// A side of a recorded run, whose commit has this place.
    pub(super) fn of(run: &RunRecord, side: Side, commit: usize) -> RunEnd {
        RunEnd {
            commit,
            how: built(run.rustc.get(side), &run.host, &run.profile),
        }
    }
}

/// How a side was built: the same commit built alike is the same build, with the same luck.
pub(super) fn built(rustc: &str, host: &str, profile: &str) -> String {
    format!("{rustc} {host} {profile}")
}

/// What runs say of one metric of one benchmark: estimates, or counts.
#[derive(Debug, Default)]
pub(super) struct BenchmarkRuns {
    /// What was estimated, and what is the same.
    pub(super) measured: Measured,
    counted: Vec<CountedEdge>,
    builds: BTreeMap<(usize, String), usize>,
}

/// What one run says of one metric of one benchmark.
enum RunEdge {
    Estimated(MeasuredEdge),
    Counted(f64),
    Equal(Sameness),
}

impl BenchmarkRuns {
    /// Adds what a run says, as measured on this machine class; says whether that is anything.
    pub(super) fn take_in(
        &mut self,
        benchmark: &RecordedBenchmark,
        metric: Metric,
        ends: &Paired<RunEnd>,
        class: usize,
    ) -> bool {
        let Some(edge) = edge(benchmark, metric, ends, class) else {
            return false;
        };
        let [base, head] = [&ends.base, &ends.head].map(|end| self.build(end));
        let counted = |ln_ratio| CountedEdge {
            base: ends.base.commit,
            head: ends.head.commit,
            ln_ratio,
        };
        match edge {
            RunEdge::Estimated(edge) => {
                let edge = MeasuredEdge { base, head, ..edge };
                self.measured.edges.push(edge);
            }
            RunEdge::Counted(ln_ratio) => self.counted.push(counted(ln_ratio)),
            RunEdge::Equal(sameness) => {
                self.counted.push(counted(0.0));
                self.measured.equal.push(EqualBuilds {
                    base,
                    head,
                    sameness,
                });
            }
        }
        true
    }

    /// The trend, relative to the commit at `anchor`.
    pub(super) fn trend(&self, metric: Metric, anchor: usize, alpha: f64) -> Trend {
        let is_counted = self.counted.len() > self.measured.equal.len();
        match self.measured.edges.is_empty() && is_counted {
            true => Trend::of_counts(&self.counted, anchor, tolerance(metric)),
            false => Trend::of(&self.measured, anchor, alpha),
        }
    }

    /// How many measurements there are.
    pub(super) fn edges(&self) -> usize {
        let counts = self.counted.len() - self.measured.equal.len();
        self.measured.edges.len() + counts
    }

    fn build(&mut self, end: &RunEnd) -> usize {
        let next = self.measured.commits.len();
        let name = (end.commit, end.how.clone());
        let build = *self.builds.entry(name).or_insert(next);
        if build == next {
            self.measured.commits.push(end.commit);
        }
        build
    }
}

/// By how much a count must change, as a natural logarithm: what is less than a thousandth of the instructions is seldom
/// worth a look.
fn tolerance(metric: Metric) -> f64 {
    match metric.group {
        MetricGroup::Instructions => 1e-3,
        _ => 1e-9,
    }
}

fn edge(
    benchmark: &RecordedBenchmark,
    metric: Metric,
    ends: &Paired<RunEnd>,
    class: usize,
) -> Option<RunEdge> {
    if let Some(change) = benchmark.metrics.get(metric.id) {
        return match change.sampled {
            Some(sampled) => Some(RunEdge::Estimated(MeasuredEdge {
                base: 0,
                head: 0,
                ln_ratio: sampled.ln,
                std_error: sampled.se,
                freedom: sampled.df,
                class,
            })),
            None => counted(change).map(RunEdge::Counted),
        };
    }
    match benchmark.verdict {
        // That a commit equals itself says nothing.
        Verdict::Identical | Verdict::Unreached if ends.base.commit == ends.head.commit => None,
        Verdict::Identical => Some(RunEdge::Equal(Sameness::Executable)),
        Verdict::Unreached => Some(RunEdge::Equal(Sameness::ExecutedCode)),
        _ => None,
    }
}

/// The logarithm of the change of a count; nothing is so many times as much as nothing.
fn counted(change: &RecordedChange) -> Option<f64> {
    if change.base == change.head {
        return Some(0.0);
    }
    Some((change.head / change.base).ln()).filter(|ln| ln.is_finite())
}
