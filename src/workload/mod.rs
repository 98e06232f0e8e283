//! Whole programs as benchmarks: from command lines and builds to raw paired runs.
//!
//! Each run is a fresh process below a launcher ([`crate::process::launcher`]). The sides take turns run by run, in
//! pairs whose order is drawn and balanced; as many pairs as fill the time of a round are a round ([`run`]). From
//! there on a workload is a benchmark like any other: its runs are samples of one iteration.

mod allocations;
mod course;
mod fill;
mod instructions;
mod launch;
mod matching;
mod printed;
mod profile;
mod queries;
mod schedule;
mod sides_differ;
mod single;
mod terminal;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::binary::Binary;
use crate::discover::{Benchmark, Discovery, Identity, Presence, Target};
use crate::measure::Measured;
use crate::process::{Interrupted, ProgramUsage};
use crate::units::{BenchmarkKey, Bytes, Metric, Paired, Side};

use fill::FilledWorkload;

pub use allocations::{ProgramCounts, count_allocations};
pub use instructions::count_instructions;
pub use matching::find;
pub use profile::profile;
pub use queries::{CountedQueries, TracedStatement};
pub use schedule::{WorkloadClock, run};

/// The bench target that workloads have in reports, rules and budgets.
pub const TARGET: &str = "workload";

/// The workloads of a run, matched across the sides.
#[derive(Debug, Clone, Default)]
pub struct Workloads(Vec<MatchedWorkload>);

/// A workload and what it is on each side.
#[derive(Debug, Clone)]
struct MatchedWorkload {
    /// With one benchmark, and the executables of the first program that it names.
    target: Target,
    /// What is started; `None` for a side that lacks a program.
    sides: Paired<Option<FilledWorkload>>,
    exit_codes: Vec<i32>,
    timeout: Duration,
    /// The text of the line of its output from which on its time counts, where that is not its start.
    from: Option<String>,
    metrics: Vec<Metric>,
    warm_up: usize,
}

/// The runs of one workload.
#[derive(Debug, Clone)]
pub struct MeasuredRuns {
    /// Which.
    pub key: BenchmarkKey,
    /// What its program prints about itself.
    pub metrics: Vec<Metric>,
    /// What the loader maps of the first program of each side, where that is known.
    pub sizes: Paired<Option<Bytes>>,
    /// Round by round, the runs of each side.
    pub rounds: Vec<Paired<Vec<ProgramRun>>>,
}

/// One run of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramRun {
    /// What it took.
    pub usage: ProgramUsage,
    /// What it printed of each of the workload's metrics, if anything.
    pub printed: Vec<Option<f64>>,
}

/// What measuring workloads came to.
#[derive(Debug, Default)]
pub struct WorkloadRun {
    /// The times of every workload that took part.
    pub measured: Vec<Measured>,
    /// What their runs took beside time.
    pub runs: Vec<MeasuredRuns>,
    /// What ended it early, if anything.
    pub ended: Option<Interrupted>,
    /// The least time for the rounds that they still needed.
    pub left: Duration,
}

impl Workloads {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many have to be measured on both sides.
    #[must_use]
    pub fn common(&self, counts: impl Fn(&Target, &Benchmark) -> bool) -> usize {
        let benchmarks = self.0.iter().flat_map(MatchedWorkload::benchmark);
        benchmarks
            .filter(|(target, benchmark)| {
                benchmark.presence == Presence::Common && counts(target, benchmark)
            })
            .count()
    }

    /// The most metrics that the programs of one workload print.
    #[must_use]
    pub fn most_printed(&self) -> usize {
        let workloads = self.0.iter();
        workloads
            .map(|workload| workload.metrics.len())
            .max()
            .unwrap_or(0)
    }

    /// What was found, with the workloads among the benchmarks.
    #[must_use]
    pub fn among(&self, discovery: &Discovery) -> Discovery {
        let mut all = discovery.clone();
        self.add_to(&mut all);
        all
    }

    /// Puts the workloads among the benchmarks.
    pub fn add_to(&self, discovery: &mut Discovery) {
        let targets = self.0.iter().map(|workload| workload.target.clone());
        discovery.targets.extend(targets);
    }

    /// Takes them out again, and keeps those that are still there.
    pub fn take_from(&mut self, discovery: &mut Discovery) {
        let own: BTreeSet<BenchmarkKey> = self.keys().cloned().collect();
        let is_own = |target: &Target| target.benchmarks.iter().any(|one| own.contains(&one.key));
        let (there, others) = std::mem::take(&mut discovery.targets)
            .into_iter()
            .partition(is_own);
        discovery.targets = others;
        let there: Vec<Target> = there;
        self.0.retain(|workload| {
            let mut there = there.iter().flat_map(|target| &target.benchmarks);
            let key = workload.key();
            key.is_some_and(|key| there.any(|benchmark| benchmark.key == *key))
        });
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &BenchmarkKey> {
        self.0.iter().filter_map(MatchedWorkload::key)
    }
}

impl MatchedWorkload {
    fn benchmark(&self) -> Option<(&Target, &Benchmark)> {
        Some((&self.target, self.target.benchmarks.first()?))
    }

    fn key(&self) -> Option<&BenchmarkKey> {
        Some(&self.target.benchmarks.first()?.key)
    }

    /// What the loader maps of its first program, on each side that has it.
    fn sizes(&self) -> Paired<Option<Bytes>> {
        let executables = self.target.executables.as_ref();
        executables.map(|executable| {
            let path = &executable.as_ref()?.path;
            Binary::look(path, |file| Bytes::from_bytes(file.loaded_bytes()))
        })
    }

    fn presence(&self) -> Presence {
        let benchmark = self.target.benchmarks.first();
        benchmark.map_or(Presence::Common, |benchmark| benchmark.presence)
    }

    /// The executables that it starts. The other side's stands in for one that is missing, and is never run.
    ///
    /// # Errors
    /// It starts something else, as a lower-case fragment.
    fn programs(&self) -> Result<Paired<&Path>, String> {
        let path = |side: Side| Some(self.sides.get(side).as_ref()?.command.program.as_path());
        let any = path(Side::Head).or(path(Side::Base));
        let any = any.ok_or("no side has all of its programs")?;
        let is_built = |side: Side| {
            let executable = self.target.executables.get(side).as_ref();
            executable.map(|one| one.path.as_path()) == path(side)
        };
        if !Side::BOTH.into_iter().all(is_built) {
            return Err("it does not start a program of the workspace by itself".to_owned());
        }
        Ok(Paired::from_fn(|side| path(side).unwrap_or(any)))
    }

    /// Whether there is anything to measure.
    fn may_differ(&self) -> bool {
        self.target.identity != Identity::Identical || self.presence() != Presence::Common
    }
}
