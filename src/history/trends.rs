//! From runs to one trend for each benchmark.

use std::collections::BTreeMap;

use super::commits::{CommitOrder, MeasuredCommit};
use super::files::Acceptance;
use super::{HistoryError, RunRecord, StoreContents, StoredFile, short};
use crate::analyse::Verdict;
use crate::report::MachineClass;
use crate::stats::trend::{EqualBuilds, Measured, MeasuredEdge, Sameness, Trend};
use crate::units::{BenchmarkKey, Metric, Side};

/// The error rate of all steps and drifts together.
const ALPHA: f64 = 0.05;

/// Below this p-value machine classes are shown apart.
const CLASSES_DIFFER: f64 = 0.01;

/// What a history shows.
#[derive(Debug)]
pub(crate) struct Trends {
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
}

#[derive(Default)]
struct BenchmarkRuns {
    measured: Measured,
    builds: BTreeMap<(usize, String), usize>,
}

impl BenchmarkRuns {
    /// The build of a commit by a toolchain: the same commit built alike is the same build, with the same luck.
    fn build(&mut self, commit: usize, how: String) -> usize {
        let next = self.measured.commits.len();
        let build = *self.builds.entry((commit, how)).or_insert(next);
        if build == next {
            self.measured.commits.push(commit);
        }
        build
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
            take_in(run, [base, head], class, &request, &mut found);
        }
        let anchor = match request.anchor {
            Some(id) => order
                .place(id)
                .ok_or_else(|| HistoryError::NotMeasured { commit: short(id) })?,
            None => 0,
        };
        let acceptances = acceptances(contents);
        let alpha = ALPHA / found.len().max(1) as f64;
        let found: Vec<(BenchmarkKey, BenchmarkRuns)> = found.into_iter().collect();
        let benchmarks = in_parallel(&found, |(key, runs)| {
            of_benchmark(key, &runs.measured, anchor, alpha, &acceptances, &order)
        });
        let newest = runs.iter().max_by_key(|run| run.date);
        Ok(Trends {
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
    request: &TrendRequest<'_>,
    found: &mut BTreeMap<BenchmarkKey, BenchmarkRuns>,
) {
    let how = |side: Side| format!("{} {} {}", run.rustc.get(side), run.host, run.profile);
    for benchmark in &run.benchmarks {
        let name = benchmark.key.to_string();
        if request.benchmark.is_some_and(|part| !name.contains(part)) {
            continue;
        }
        let sampled = benchmark
            .metrics
            .get(Metric::TIME.id)
            .and_then(|change| change.sampled);
        let sameness = match benchmark.verdict {
            // That a commit equals itself says nothing.
            Verdict::Identical | Verdict::Unreached if base == head => None,
            Verdict::Identical => Some(Sameness::Executable),
            Verdict::Unreached => Some(Sameness::ExecutedCode),
            _ => None,
        };
        if sampled.is_none() && sameness.is_none() {
            continue;
        }
        let of = found.entry(benchmark.key.clone()).or_default();
        let base = of.build(base, how(Side::Base));
        let head = of.build(head, how(Side::Head));
        if let Some(sampled) = sampled {
            of.measured.edges.push(MeasuredEdge {
                base,
                head,
                ln_ratio: sampled.ln,
                std_error: sampled.se,
                freedom: sampled.df,
                class,
            });
        } else if let Some(sameness) = sameness {
            let equal = EqualBuilds {
                base,
                head,
                sameness,
            };
            of.measured.equal.push(equal);
        }
    }
}

fn of_benchmark(
    key: &BenchmarkKey,
    measured: &Measured,
    anchor: usize,
    alpha: f64,
    acceptances: &[&Acceptance],
    order: &CommitOrder,
) -> BenchmarkTrend {
    let after = measured.commits.iter().filter(|commit| **commit >= anchor);
    let anchor = after.min().copied().unwrap_or(anchor);
    let trend = Trend::of(measured, anchor, alpha);
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
        edges: measured.edges.len(),
        anchor,
        trend,
    }
}

fn acceptances(contents: &StoreContents) -> Vec<&Acceptance> {
    let accepted = contents.files.iter().filter_map(|file| match file {
        StoredFile::Accepted(accepted) => Some(accepted),
        StoredFile::Run(_) => None,
    });
    accepted.collect()
}

/// The results in the order of what they are of, found by all processors.
fn in_parallel<T: Sync, R: Send>(of: &[T], find: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = of.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let find = &find;
        let shares = of.chunks(share);
        let threads: Vec<_> = shares
            .map(|part| scope.spawn(move || part.iter().map(find).collect::<Vec<R>>()))
            .collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    })
}

impl BenchmarkTrend {
    /// The last commit with a level.
    pub(crate) fn last(&self) -> Option<usize> {
        self.trend.levels.iter().rposition(Option::is_some)
    }
}
