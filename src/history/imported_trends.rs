//! The series that other tools measured.
//!
//! Each is of one tool, one suite or machine, and one benchmark, and nothing joins it to the network of runs: an absolute
//! number shows the machine as well as the code.

use std::collections::BTreeMap;

use git2::Repository;

use super::commits::MeasuredCommit;
use super::imported::{ImportSource, ImportedRun};
use super::parallel::in_parallel;
use super::trends::ALPHA;
use super::{CommitOrder, HistoryError, short};
use crate::report::visible;
use crate::stats::{SeriesStep, percentile, series_steps};
use crate::units::{Better, Nanos, Ratio, plural};

/// All series that are shown.
#[derive(Debug, Default)]
pub(crate) struct ImportedTrends {
    /// The measured commits, the oldest first.
    pub(super) commits: Vec<MeasuredCommit>,
    /// Each series, by its name.
    pub(super) series: Vec<ImportedSeries>,
    /// What a reader should know of the commits, as whole sentences.
    pub(super) notes: Vec<String>,
}

/// One benchmark as one tool measured it.
#[derive(Debug)]
pub(super) struct ImportedSeries {
    /// What names it.
    pub(super) name: SeriesName,
    /// The unit of its numbers, as the tool names it.
    pub(super) unit: String,
    /// Which way is an improvement.
    pub(super) better: Better,
    /// Its numbers, in the order of the commits.
    pub(super) points: Vec<SeriesPoint>,
    /// Where their level changes.
    pub(super) steps: Vec<SeriesStep>,
}

/// What names a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesName {
    /// The benchmark, as the tool names it.
    pub(super) benchmark: String,
    /// The tool.
    pub(super) source: ImportSource,
    /// The suite or the machine.
    pub(super) series: String,
    /// The unit, as the tool names it: numbers of different units are no series together.
    pub(super) unit: String,
}

/// The number of a commit: of several, their median.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SeriesPoint {
    /// The place of the commit.
    pub(super) place: usize,
    /// The number.
    pub(super) value: f64,
}

impl std::fmt::Display for SeriesName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}", self.benchmark, self.source.name())?;
        match self.series == self.source.name() {
            true => f.write_str(")"),
            false => write!(f, ", {})", self.series),
        }
    }
}

/// What was gathered of a series.
#[derive(Default)]
struct Gathered {
    better: Option<Better>,
    values: BTreeMap<usize, Vec<f64>>,
}

impl ImportedTrends {
    /// The series that have `benchmark` in their name, over the commits of `branch`.
    ///
    /// Their steps share one error rate.
    pub(crate) fn of(
        imported: &[&ImportedRun],
        benchmark: Option<&str>,
        repository: Option<&Repository>,
        branch: &str,
    ) -> Result<ImportedTrends, HistoryError> {
        let commits = imported.iter().map(|run| &run.commit);
        let order = CommitOrder::of_commits(commits, repository, branch)?;
        let mut gathered: BTreeMap<SeriesName, Gathered> = BTreeMap::new();
        for run in imported {
            let Some(place) = order.place(&run.commit.id) else {
                continue;
            };
            for one in &run.benchmarks {
                let name = SeriesName {
                    benchmark: one.name.clone(),
                    source: run.source,
                    series: run.series.clone(),
                    unit: one.unit.clone(),
                };
                if benchmark.is_none_or(|part| name.to_string().contains(part)) {
                    let of = gathered.entry(name).or_default();
                    of.better = Some(run.better);
                    of.values.entry(place).or_default().push(one.value);
                }
            }
        }
        let gathered: Vec<(SeriesName, Gathered)> = gathered.into_iter().collect();
        let alpha = ALPHA / gathered.len().max(1) as f64;
        Ok(ImportedTrends {
            series: in_parallel(&gathered, |(name, of)| series(name, of, alpha)),
            commits: order.commits,
            notes: order.notes,
        })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

/// A step, with the commits around it.
pub(super) struct ShownStep<'a> {
    /// Its series.
    pub(super) series: &'a ImportedSeries,
    /// The step.
    pub(super) step: SeriesStep,
    /// The last commit before it.
    pub(super) from: usize,
    /// The first one after.
    pub(super) to: usize,
}

impl ShownStep<'_> {
    pub(super) fn ratio(&self) -> Option<Ratio> {
        let quotient = self.step.after / self.step.before;
        (quotient.is_finite() && quotient > 0.0).then(|| Ratio::from_quotient(quotient))
    }

    pub(super) fn is_up(&self) -> bool {
        self.step.after > self.step.before
    }

    pub(super) fn is_worse(&self) -> bool {
        self.is_up() != (self.series.better == Better::Higher)
    }

    /// By how much, and from what to what.
    pub(super) fn size(&self) -> String {
        let ratio = self.ratio().map(|ratio| format!("{ratio}  "));
        let [before, after] = [self.step.before, self.step.after].map(|v| self.series.shown(v));
        format!("{}{before} to {after}", ratio.unwrap_or_default())
    }
}

impl ImportedSeries {
    pub(super) fn shown_steps(&self) -> impl Iterator<Item = ShownStep<'_>> {
        let place = |at: usize| self.points.get(at).map_or(0, |point| point.place);
        self.steps.iter().map(move |step| ShownStep {
            series: self,
            step: *step,
            from: place(step.at - 1),
            to: place(step.at),
        })
    }

    /// A number with its unit.
    pub(super) fn shown(&self, value: f64) -> String {
        match &*self.unit {
            "ns" | "ns/iter" => Nanos::from_nanos(value).to_string(),
            unit => format!("{value} {}", visible(unit)).trim_end().to_owned(),
        }
    }
}

impl ImportedTrends {
    pub(super) fn name(&self, place: usize) -> String {
        self.commits.get(place).map_or(String::new(), |commit| {
            let tag = commit.tags.first().cloned();
            visible(&tag.unwrap_or_else(|| short(&commit.id)))
        })
    }

    pub(super) fn steps(&self) -> Vec<ShownStep<'_>> {
        let mut steps: Vec<_> = self
            .series
            .iter()
            .flat_map(ImportedSeries::shown_steps)
            .collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.to));
        steps
    }
}

fn series(name: &SeriesName, gathered: &Gathered, alpha: f64) -> ImportedSeries {
    let points = gathered.values.iter().map(|(place, values)| SeriesPoint {
        place: *place,
        value: median(values),
    });
    let points: Vec<SeriesPoint> = points.collect();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    ImportedSeries {
        name: name.clone(),
        unit: name.unit.clone(),
        better: gathered.better.unwrap_or(Better::Lower),
        steps: series_steps(&values, alpha),
        points,
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, 0.5)
}

/// How many commits each tool's data is of: `12 commits of criterion`.
pub(crate) fn shown_imports(imported: &[&ImportedRun]) -> Option<String> {
    let mut counts: BTreeMap<ImportSource, usize> = BTreeMap::new();
    for run in imported {
        *counts.entry(run.source).or_default() += 1;
    }
    let shown = counts.into_iter().map(|(source, count)| {
        let imports = plural(count, "import", "imports");
        format!("{imports} of {}", source.name())
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}
