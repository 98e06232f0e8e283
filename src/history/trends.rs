//! From runs to one trend for each benchmark.

use std::collections::BTreeMap;

use super::benchmark_runs::{BenchmarkRuns, RunEnd};
use super::commits::{CommitOrder, MeasuredCommit};
use super::files::Acceptance;
use super::parallel::in_parallel;
use super::present_names::PresentNames;
use super::{HistoryError, RunRecord, StoreContents, short};
use crate::plan::Renaming;
use crate::report::MachineClass;
use crate::stats::trend::Trend;
use crate::units::{BenchmarkKey, Metric, Paired};

/// The error rate of all steps and drifts together.
pub(super) const ALPHA: f64 = 0.05;

/// Below this p-value machine classes are shown apart.
const CLASSES_DIFFER: f64 = 0.01;

/// What a history shows.
#[derive(Debug)]
pub(crate) struct Trends {
    /// Of what they are.
    pub(crate) metric: Metric,
    /// The measured commits, the oldest first.
    pub(crate) commits: Vec<MeasuredCommit>,
    /// The place of the commit that levels are relative to; of a benchmark that was not measured there, its next one.
    pub(crate) anchor: usize,
    /// The machine classes that measured.
    pub(crate) classes: Vec<MachineClass>,
    /// The smallest difference that counts, as the newest run has it.
    pub(crate) threshold: f64,
    /// How many runs.
    pub(crate) runs: usize,
    /// Every benchmark, by its name.
    pub(crate) benchmarks: Vec<BenchmarkTrend>,
    /// What a reader should know, as whole sentences.
    pub(crate) notes: Vec<String>,
}

/// The trend of one benchmark.
#[derive(Debug)]
pub(crate) struct BenchmarkTrend {
    /// The benchmark.
    pub(crate) key: BenchmarkKey,
    /// How it went, all machines together.
    pub(crate) trend: Trend,
    /// How it went on each class, where classes differ.
    pub(crate) apart: Vec<ClassTrend>,
    /// The place of its own anchor.
    pub(crate) anchor: usize,
    /// Of its steps, those that somebody accepted: the place of the commit, and why.
    pub(crate) accepted: BTreeMap<usize, String>,
    /// How many measurements.
    pub(crate) edges: usize,
}

/// The trend on the machines of one class.
#[derive(Debug)]
pub(crate) struct ClassTrend {
    /// The class.
    pub(crate) class: usize,
    /// How it went.
    pub(crate) trend: Trend,
}

/// What is wanted of a history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrendRequest<'a> {
    /// A part of the names of benchmarks.
    pub(crate) benchmark: Option<&'a str>,
    /// The full id of the commit that levels are relative to.
    pub(crate) anchor: Option<&'a str>,
    /// What benchmarks were called before.
    pub(crate) renames: &'a [Renaming],
    /// Of what the trend is.
    pub(crate) metric: Metric,
}

impl TrendRequest<'_> {
    fn wants(&self, key: &BenchmarkKey) -> bool {
        let mut part = self.benchmark.iter();
        part.all(|part| key.to_string().contains(part))
    }
}

impl Trends {
    /// The trends of all benchmarks that are wanted.
    pub(crate) fn of(
        contents: &StoreContents,
        order: CommitOrder,
        request: TrendRequest<'_>,
    ) -> Result<Trends, HistoryError> {
        let runs = contents.runs();
        let mut classes: Vec<MachineClass> = Vec::new();
        let mut found: BTreeMap<BenchmarkKey, BenchmarkRuns> = BTreeMap::new();
        let names = PresentNames::of(&runs, None, request.renames);
        let mut used = 0;
        for run in &runs {
            let places = run.commits.as_ref().map(|commit| order.place(&commit.id));
            let (Some(base), Some(head)) = (places.base, places.head) else {
                continue;
            };
            used += 1;
            let class = match classes.iter().position(|class| *class == run.machine) {
                Some(class) => class,
                None => {
                    classes.push(run.machine.clone());
                    classes.len() - 1
                }
            };
            take_in(run, [base, head], class, (&names, &request), &mut found);
        }
        let anchor = match request.anchor {
            Some(id) => order
                .place(id)
                .ok_or_else(|| HistoryError::NotMeasured { commit: short(id) })?,
            None => 0,
        };
        // That a program is the same tells nothing of a metric that no run has.
        let is_told = |runs: &BenchmarkRuns| match request.metric == Metric::TIME {
            true => !runs.measured.commits.is_empty(),
            false => runs.edges() > 0,
        };
        found.retain(|_, runs| is_told(runs));
        // Nobody accepted a step of anything but the time.
        let acceptances = match request.metric == Metric::TIME {
            true => acceptances(contents, &names),
            false => Vec::new(),
        };
        let alpha = ALPHA / found.len().max(1) as f64;
        let found: Vec<(BenchmarkKey, BenchmarkRuns)> = found.into_iter().collect();
        let benchmarks = in_parallel(&found, |(key, runs)| {
            let metric = request.metric;
            of_benchmark(key, runs, metric, anchor, alpha, &acceptances, &order)
        });
        let newest = runs.iter().max_by_key(|run| run.date);
        Ok(Trends {
            metric: request.metric,
            anchor,
            classes,
            threshold: newest.map_or(0.01, |run| run.threshold),
            runs: used,
            benchmarks,
            commits: order.commits,
            notes: order.notes,
        })
    }
}

fn take_in(
    run: &RunRecord,
    [base, head]: [usize; 2],
    class: usize,
    (names, request): (&PresentNames, &TrendRequest<'_>),
    found: &mut BTreeMap<BenchmarkKey, BenchmarkRuns>,
) {
    let ends = Paired::new(base, head);
    let ends = Paired::from_fn(|side| RunEnd::of(run, side, *ends.get(side)));
    for benchmark in &run.benchmarks {
        let key = names.of_key(&benchmark.key);
        if request.wants(key) {
            let of = found.entry(key.clone()).or_default();
            of.take_in(benchmark, request.metric, &ends, class);
        }
    }
}

fn of_benchmark(
    key: &BenchmarkKey,
    runs: &BenchmarkRuns,
    metric: Metric,
    anchor: usize,
    alpha: f64,
    acceptances: &[Acceptance],
    order: &CommitOrder,
) -> BenchmarkTrend {
    let measured = &runs.measured;
    let after = measured.commits.iter().filter(|commit| **commit >= anchor);
    let anchor = after.min().copied().unwrap_or(anchor);
    let trend = runs.trend(metric, anchor, alpha);
    let differ = trend
        .classes
        .is_some_and(|classes| classes.p_value < CLASSES_DIFFER);
    let mut classes: Vec<usize> = measured.edges.iter().map(|edge| edge.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let apart = classes.into_iter().filter(|_| differ).map(|class| {
        let mut own = measured.clone();
        own.edges.retain(|edge| edge.class == class);
        ClassTrend {
            class,
            trend: Trend::of(&own, anchor, alpha),
        }
    });
    let accepted = acceptances.iter().filter(|accepted| accepted.key == *key);
    let accepted = accepted.filter_map(|one| Some((order.place(&one.commit)?, one.why.clone())));
    BenchmarkTrend {
        key: key.clone(),
        apart: apart.collect(),
        accepted: accepted.collect(),
        edges: runs.edges(),
        anchor,
        trend,
    }
}

fn acceptances(contents: &StoreContents, names: &PresentNames) -> Vec<Acceptance> {
    let accepted = contents.accepted().into_iter();
    let accepted = accepted.map(|accepted| Acceptance {
        key: names.of_key(&accepted.key).clone(),
        ..accepted.clone()
    });
    accepted.collect()
}

impl BenchmarkTrend {
    /// The last commit with a level.
    pub(crate) fn last(&self) -> Option<usize> {
        self.trend.levels.iter().rposition(Option::is_some)
    }
}
