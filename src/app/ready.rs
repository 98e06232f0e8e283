//! Everything that is known and built when measuring begins.

use std::time::Duration;

use super::coverage::FunctionCoverage;
use super::early::Shortfalls;
use super::stages::Stages;
use crate::build::Build;
use crate::discover::Discovery;
use crate::environment::Machine;
use crate::process::Launcher;
use crate::report::ReachSummary;
use crate::revision::{CarriedFiles, Resolved};
use crate::units::Paired;
use crate::workload::Workloads;

/// Everything up to the point where measuring begins.
pub(super) struct Ready {
    pub(super) machine: Machine,
    pub(super) resolved: Resolved,
    /// What both sides were given beyond their revisions.
    pub(super) carried: CarriedFiles,
    pub(super) builds: Paired<Build>,
    pub(super) discovery: Discovery,
    /// The whole programs that are compared, too.
    pub(super) workloads: Workloads,
    /// What starts those.
    pub(super) launcher: Launcher,
    pub(super) family: usize,
    /// What the change can reach, unless `--no-reach` was given.
    pub(super) reach: Option<ReachSummary>,
    /// Which changed functions the benchmarks of this run execute.
    pub(super) coverage: FunctionCoverage,
    /// How many budgets of benchmarks are checked in other shards.
    pub(super) budgets_elsewhere: usize,
    /// The benchmarks that rules left out, for the report.
    pub(super) skipped: Vec<String>,
    pub(super) stages: Stages,
    /// What has already been cut short.
    pub(super) shortfalls: Shortfalls,
    /// How long it took from the builds to here.
    pub(super) preparing: Duration,
}
