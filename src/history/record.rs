//! What is kept of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analyse::{Change, Comparison, Verdict};
use crate::report::{Commit, MachineClass, Report};
use crate::stats::Estimate;
use crate::units::{BenchmarkKey, Better, Exactness, Metric, Paired, Side, Timestamp};

/// The version of [`RunRecord`].
const VERSION: u32 = 1;

/// A run: which commits, where, and what it measured. It names no host, no user and no path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// The version of this program.
    pub(crate) perfcheck: String,
    /// When the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Timestamp>,
    /// Which commits.
    pub(crate) commits: Paired<RecordedCommit>,
    /// What kind of machine measured.
    pub(crate) machine: MachineClass,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// `rustc --version` of each side.
    pub(crate) rustc: Paired<String>,
    /// The host triple.
    pub(crate) host: String,
    /// The cargo profile.
    pub(crate) profile: String,
    /// The smallest difference that counted, as a share.
    pub(crate) threshold: f64,
    /// The confidence level of the run's report.
    pub(crate) confidence: f64,
    /// How many seconds it took, builds included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<u64>,
    /// The full ids of the commits between both, where they were compared since those cannot be built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bridged: Vec<String>,
    /// Every benchmark.
    pub(crate) benchmarks: Vec<RecordedBenchmark>,
}

/// A commit, and when it was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedCommit {
    /// The full id.
    pub(crate) id: String,
    /// The committer's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Timestamp>,
}

/// A benchmark of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedBenchmark {
    /// Package, target and id.
    #[serde(flatten)]
    pub(crate) key: BenchmarkKey,
    /// What the run said of it.
    pub(crate) verdict: Verdict,
    /// What was measured of it, by the metric's id. A later version may know others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metrics: BTreeMap<String, RecordedChange>,
}

/// What was measured of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedChange {
    /// The number of the base side, in the metric's unit: of a time the median.
    pub(crate) base: f64,
    /// That of the head side.
    pub(crate) head: f64,
    /// The difference; absent where numbers are exact.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub(crate) sampled: Option<SampledChange>,
}

/// A difference that was drawn from a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampledChange {
    /// ln(head ÷ base).
    pub(crate) ln: f64,
    /// Its standard error.
    pub(crate) se: f64,
    /// The degrees of freedom of that.
    pub(crate) df: f64,
    /// How many rounds.
    pub(crate) rounds: usize,
}

/// Why a run is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotRecorded {
    /// A side has uncommitted changes on top, or may have.
    #[error("not recorded: the {0} side is the working tree, and only commits are kept")]
    WorkingTree(Side),
    /// Nothing was compared.
    #[error("not recorded: no benchmark was compared")]
    NoBenchmark,
}

impl NotRecorded {
    /// What to type instead.
    pub(crate) fn hint(self) -> Option<&'static str> {
        match self {
            NotRecorded::WorkingTree(_) => {
                Some("name two commits: `cargo perfcheck main..HEAD --record`")
            }
            NotRecorded::NoBenchmark => None,
        }
    }
}

impl RunRecord {
    /// What is kept of a report.
    pub(crate) fn of(report: &Report) -> Result<RunRecord, NotRecorded> {
        let commits = Paired::new(&report.range.base, &report.range.head);
        if let Some(side) = Side::BOTH
            .into_iter()
            .find(|s| commits.get(*s).working_tree)
        {
            return Err(NotRecorded::WorkingTree(side));
        }
        let benchmarks: Vec<_> = report
            .benchmarks
            .iter()
            .map(RecordedBenchmark::of)
            .collect();
        if benchmarks.is_empty() {
            return Err(NotRecorded::NoBenchmark);
        }
        let environment = &report.environment;
        Ok(RunRecord {
            version: VERSION,
            perfcheck: report.perfcheck_version.clone(),
            date: report.date,
            commits: commits.map(RecordedCommit::of),
            machine: environment.machine.clone(),
            kernel: environment.kernel.clone(),
            rustc: environment.rustc.clone(),
            host: environment.host.clone(),
            profile: environment.profile.clone(),
            threshold: significant(report.methodology.threshold),
            confidence: report.methodology.confidence,
            seconds: None,
            bridged: Vec::new(),
            benchmarks,
        })
    }

    /// What is kept of a report that has just been made.
    pub(crate) fn of_finished(report: &Report) -> Result<RunRecord, NotRecorded> {
        let now = Timestamp::now().as_unix();
        let took = report.date.map(|began| now.saturating_sub(began.as_unix()));
        Ok(RunRecord {
            // A clock that was set back meanwhile tells nothing.
            seconds: took.and_then(|took| u64::try_from(took).ok()),
            ..RunRecord::of(report)?
        })
    }

    /// The same run as seen from the other side: what was the head is the base.
    pub(crate) fn reversed(self) -> RunRecord {
        RunRecord {
            commits: Paired::new(self.commits.head, self.commits.base),
            rustc: Paired::new(self.rustc.head, self.rustc.base),
            benchmarks: self
                .benchmarks
                .into_iter()
                .map(RecordedBenchmark::reversed)
                .collect(),
            ..self
        }
    }

    /// Whether this program can use it, or else its version.
    pub(super) fn known_version(&self) -> Result<(), u32> {
        match self.version {
            VERSION => Ok(()),
            other => Err(other),
        }
    }
}

impl RecordedCommit {
    fn of(commit: &Commit) -> RecordedCommit {
        RecordedCommit {
            id: commit.commit.clone(),
            date: commit.date,
        }
    }
}

impl RecordedBenchmark {
    /// What is kept of a comparison.
    pub(super) fn of(comparison: &Comparison) -> RecordedBenchmark {
        let kept = comparison.metrics.iter().filter_map(|(metric, change)| {
            let recorded = match metric == Metric::TIME {
                true => RecordedChange::sampled(change),
                // What programs and services take differs from round to round. Where a round has nothing, the ratios of
                // the others are no estimate.
                false => RecordedChange::exact(change).or_else(|| match metric.better {
                    Better::Lower | Better::Higher if change.estimate.is_some() => {
                        RecordedChange::sampled(change)
                    }
                    Better::Neither | Better::Lower | Better::Higher => None,
                }),
            };
            Some((metric.id.to_owned(), recorded?))
        });
        RecordedBenchmark {
            key: comparison.key.clone(),
            verdict: comparison.verdict,
            metrics: kept.collect(),
        }
    }

    fn reversed(self) -> RecordedBenchmark {
        let metrics = self.metrics.into_iter();
        RecordedBenchmark {
            verdict: match self.verdict {
                Verdict::Slower => Verdict::Faster,
                Verdict::Faster => Verdict::Slower,
                Verdict::Added => Verdict::Removed,
                Verdict::Removed => Verdict::Added,
                same => same,
            },
            metrics: metrics
                .map(|(id, change)| (id, change.reversed()))
                .collect(),
            ..self
        }
    }
}

impl RecordedChange {
    /// The estimate of what was measured round by round, with the error that its rounds show.
    fn sampled(change: &Change) -> Option<RecordedChange> {
        let values = change.values()?;
        let of_rounds: Vec<f64> = change.rounds.iter().map(|round| round.ratio.ln()).collect();
        let spread = Estimate::of(&of_rounds)?;
        let ln = change
            .estimate
            .map_or(spread.ln_ratio, |estimate| estimate.ratio.ln());
        Some(RecordedChange {
            base: significant(values.base),
            head: significant(values.head),
            sampled: Some(SampledChange {
                ln: significant(ln),
                se: significant(spread.std_error),
                df: spread.freedom,
                rounds: spread.rounds,
            }),
        })
    }

    fn reversed(self) -> RecordedChange {
        RecordedChange {
            base: self.head,
            head: self.base,
            sampled: self.sampled.map(|sampled| SampledChange {
                ln: -sampled.ln,
                ..sampled
            }),
        }
    }

    /// What was the same each time, on both sides.
    fn exact(change: &Change) -> Option<RecordedChange> {
        let values = change.values()?;
        let sides = [&change.sides.base, &change.sides.head]
            .into_iter()
            .flatten();
        let mut exactness = sides.map(|side| side.exactness);
        exactness
            .all(|exactness| exactness == Exactness::Exact)
            .then_some(RecordedChange {
                base: values.base,
                head: values.head,
                sampled: None,
            })
    }
}

/// Six significant digits: no measurement has more.
pub(super) fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Report {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/demo.v1.json");
        crate::report::load(path.as_ref()).unwrap()
    }

    #[test]
    fn a_recorded_report_keeps_what_a_trend_needs_and_little_more() {
        let report = recorded();
        let record = RunRecord::of(&report).unwrap();
        assert_eq!(record.benchmarks.len(), report.benchmarks.len());
        let stretch = record
            .benchmarks
            .iter()
            .find(|b| b.key.id == "stretch")
            .unwrap();
        let time = stretch.metrics[Metric::TIME.id];
        let change = time.sampled.unwrap();
        let estimate = report
            .benchmarks
            .iter()
            .find(|b| b.key.id == "stretch")
            .and_then(|b| b.estimate())
            .unwrap();
        assert!((change.ln - estimate.ratio.ln()).abs() < 1e-5, "{change:?}");
        assert_eq!(change.rounds, estimate.rounds);
        assert!(change.se > 0.0 && change.df > 0.0);
        let written = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<RunRecord>(&written).unwrap(), record);
        let metrics: usize = record.benchmarks.iter().map(|b| b.metrics.len()).sum();
        assert!(written.len() < 1000 + 200 * metrics, "{}", written.len());
        for secret in ["/", "faster-parser", "command"] {
            let found = written.matches(secret).count();
            let ids = record
                .benchmarks
                .iter()
                .map(|b| b.key.id.matches(secret).count());
            assert_eq!(found, ids.sum::<usize>(), "{secret}: {written}");
        }
    }

    #[test]
    fn rounds_with_a_zero_among_them_are_no_estimate() {
        let report = recorded();
        let mut timed = report.benchmarks.iter().filter(|b| b.estimate().is_some());
        let mut comparison = timed.next().unwrap().clone();
        let time = comparison.time().unwrap().clone();
        let metric = Metric::PEAK_MEMORY;
        comparison.metrics.extend([(metric, time.clone())]);
        let is_kept = |comparison: &Comparison| {
            let recorded = RecordedBenchmark::of(comparison);
            recorded.metrics.contains_key(metric.id)
        };
        assert!(is_kept(&comparison));
        comparison.metrics.entry(metric).estimate = None;
        assert!(!is_kept(&comparison));
    }

    #[test]
    fn a_working_tree_is_not_recorded() {
        let mut report = recorded();
        report.range.head.working_tree = true;
        let why = RunRecord::of(&report).unwrap_err();
        assert_eq!(why, NotRecorded::WorkingTree(Side::Head));
        assert!(
            why.to_string()
                .contains("the head side is the working tree"),
            "{why}"
        );
    }

    #[test]
    fn a_run_and_its_reverse_say_the_same() {
        let run = RunRecord::of(&recorded()).unwrap();
        let reversed = run.clone().reversed();
        assert_eq!(reversed.commits.base, run.commits.head);
        for (one, other) in run.benchmarks.iter().zip(&reversed.benchmarks) {
            let is_slower = one.verdict == Verdict::Slower;
            assert_eq!(is_slower, other.verdict == Verdict::Faster, "{}", one.key);
            for (id, change) in &one.metrics {
                assert_eq!(change.base, other.metrics[id].head);
                let ln = |change: &RecordedChange| change.sampled.map(|sampled| sampled.ln);
                assert_eq!(ln(change), ln(&other.metrics[id]).map(|ln| -ln));
            }
        }
        assert_eq!(reversed.reversed(), run);
    }

    #[test]
    fn six_digits_are_kept() {
        assert_eq!(significant(0.0123456789), 0.0123457);
        assert_eq!(significant(0.0), 0.0);
    }
}
