//! What is known and built when measuring begins, and how long each stage took.

use std::time::{Duration, Instant};

use super::coverage::Coverage;
use super::early::Shortfalls;
use crate::build::Build;
use crate::discover::Discovery;
use crate::environment::Machine;
use crate::report::{ReachSummary, Timing};
use crate::revision::Resolved;
use crate::units::Paired;

/// Everything up to the point where measuring begins.
pub(super) struct Ready {
    pub(super) machine: Machine,
    pub(super) resolved: Resolved,
    pub(super) builds: Paired<Build>,
    pub(super) discovery: Discovery,
    pub(super) family: usize,
    /// What the change can reach, unless that was not to be found out.
    pub(super) reach: Option<ReachSummary>,
    /// Which changed functions the benchmarks that are here execute.
    pub(super) coverage: Coverage,
    /// How many budgets of benchmarks are checked in other shards.
    pub(super) budgets_elsewhere: usize,
    /// What rules took out, to be told in the report.
    pub(super) skipped: Vec<String>,
    pub(super) stages: Stages,
    /// What had to be broken off already.
    pub(super) shortfalls: Shortfalls,
    /// How long it took from the builds to here.
    pub(super) preparing: Duration,
}

/// Where the time goes.
pub(super) struct Stages {
    began: Instant,
    since: Instant,
    pub(super) timings: Vec<Timing>,
}

impl Stages {
    pub(super) fn begin() -> Stages {
        let now = Instant::now();
        Stages {
            began: now,
            since: now,
            timings: Vec::new(),
        }
    }

    /// When the run began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn end(&mut self, stage: &str) {
        let took: Duration = self.since.elapsed();
        self.since = Instant::now();
        self.timings.push(Timing {
            stage: stage.to_owned(),
            seconds: took.as_secs_f64(),
        });
    }

    /// A part of a stage that is over.
    pub(super) fn within(&mut self, stage: &str, part: &str, took: Duration) {
        self.timings.push(Timing {
            stage: format!("{stage} ({part})"),
            seconds: took.as_secs_f64(),
        });
    }
}
