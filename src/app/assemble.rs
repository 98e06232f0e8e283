//! Combines the results of all rooms into one report.

use std::collections::BTreeMap;

use super::disturbances::Disturbances;
use crate::analyse::{self, Comparison};
use crate::attribute::{self, Attribution};
use crate::build::{Build, Chooser, ChosenToolchain, LockFile};
use crate::discover::Discovery;
use crate::environment::Machine;
use crate::judge::{Basis, BudgetCheck, ClaimCheck, Decision};
use crate::plan::{Pinning, Plan};
use crate::report::{
    Commit, HistoryStanding, Locking, MachineClass, Methodology, MetricTable, Partial, Range,
    ReachSummary, Report, RunEnvironment, SCHEMA_VERSION, StageTiming,
};
use crate::revision::{CarriedFiles, Resolved, Revision, Source};
use crate::service::LoadTestResult;
use crate::units::{Bytes, Paired, Side, Timestamp};

/// What the rooms found out.
pub(super) struct RunFindings<'a> {
    pub(super) plan: &'a Plan,
    /// When the run began.
    pub(super) began: Timestamp,
    pub(super) machine: Machine,
    pub(super) disturbances: Disturbances,
    pub(super) resolved: &'a Resolved,
    pub(super) builds: &'a Paired<Build>,
    pub(super) discovery: &'a Discovery,
    pub(super) family: usize,
    pub(super) comparisons: Vec<Comparison>,
    /// In how many layouts benchmarks were timed, at most.
    pub(super) layouts: usize,
    pub(super) attributions: Vec<Attribution>,
    /// What tests of services show beside their rows.
    pub(super) load_tests: Vec<LoadTestResult>,
    pub(super) decision: Decision,
    pub(super) basis: Basis,
    pub(super) partial: Option<Partial>,
    pub(super) budgets: Vec<BudgetCheck>,
    pub(super) claims: Vec<ClaimCheck>,
    pub(super) standings: Vec<HistoryStanding>,
    pub(super) timings: Vec<StageTiming>,
    pub(super) reach: Option<ReachSummary>,
    /// What both sides were given.
    pub(super) carried: CarriedFiles,
    /// Where the trees lay, if not in the user's cache folder.
    pub(super) place: Option<&'a str>,
}

/// The report of these findings.
pub(super) fn assemble(findings: RunFindings<'_>) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        perfcheck_version: env!("CARGO_PKG_VERSION").to_owned(),
        metrics: MetricTable,
        date: Some(findings.began),
        decision: findings.decision.clone(),
        range: range(&findings),
        environment: environment(&findings),
        methodology: methodology(&findings),
        confounders: analyse::confounders(findings.builds),
        warnings: warnings(&findings),
        skipped: findings.discovery.skipped.clone(),
        places: attribute::hunks_of_places(&findings.comparisons, findings.builds),
        benchmarks: findings.comparisons,
        budgets: findings.budgets,
        claims: findings.claims,
        standings: findings.standings,
        reach: findings.reach,
        partial: findings.partial,
        basis: Some(findings.basis),
        attributions: findings.attributions,
        load_tests: findings.load_tests,
    }
}

fn range(findings: &RunFindings<'_>) -> Range {
    let revisions = findings.resolved.revisions.as_ref().map(commit);
    Range {
        spec: findings.plan.range.to_string(),
        base: revisions.base,
        head: revisions.head,
    }
}

fn commit(revision: &Revision) -> Commit {
    Commit {
        label: revision.label.clone(),
        commit: revision.commit.clone(),
        short_id: revision.short_id.clone(),
        subject: revision.subject.clone(),
        date: Some(Timestamp::from_unix(revision.committed_at)),
        working_tree: revision.source == Source::WorkingTree,
    }
}

fn environment(findings: &RunFindings<'_>) -> RunEnvironment {
    let machine = &findings.machine;
    let toolchains = findings.builds.as_ref().map(|build| &build.toolchain);
    RunEnvironment {
        machine: machine_class(machine),
        memory_bytes: machine.memory.map_or(0, Bytes::as_bytes),
        os: machine.os.clone(),
        kernel: machine.kernel.clone(),
        load_at_start: machine.load.unwrap_or_default(),
        steal: findings.disturbances.steal,
        rustc: toolchains.map(|toolchain| toolchain.rustc.clone()),
        cargo: toolchains.map(|toolchain| toolchain.cargo.clone()),
        host: toolchains.head.host.clone(),
        profile: findings.builds.head.profile.clone(),
        criterion: findings.builds.as_ref().map(criterion_versions),
        locking: locking(findings.builds),
        toolchain: chosen(findings.builds),
        place: findings.place.map(str::to_owned),
        carried: findings.carried.patterns.clone(),
    }
}

/// What kind of machine this is.
pub(super) fn machine_class(machine: &Machine) -> MachineClass {
    MachineClass {
        cpu: machine.cpu.clone(),
        cores: machine.cores,
        virtualised: machine.virtualised.clone(),
    }
}

/// The toolchains and who chose them, unless the revisions or rustup's default did.
fn chosen(builds: &Paired<Build>) -> Option<Paired<String>> {
    let choices = builds.as_ref().map(|build| build.toolchain.choice.as_ref());
    let told = Side::BOTH.into_iter().any(|side| {
        let choice = choices.get(side);
        choice.is_some_and(|choice| choice.origin != Chooser::Default)
    });
    let words = |choice: Option<&ChosenToolchain>| match choice {
        Some(choice) => choice.to_string(),
        None => "the revision's own".to_owned(),
    };
    told.then(|| choices.map(words))
}

fn criterion_versions(build: &Build) -> BTreeMap<String, String> {
    let versions = build
        .executables
        .iter()
        .filter_map(|one| Some((one.package.clone(), one.criterion.as_ref()?.to_string())));
    versions.collect()
}

fn locking(builds: &Paired<Build>) -> Locking {
    match (builds.base.lock_file, builds.head.lock_file) {
        (LockFile::Shared, LockFile::Shared) => Locking::Shared,
        _ => Locking::Tracked,
    }
}

fn methodology(findings: &RunFindings<'_>) -> Methodology {
    let Plan {
        sampling,
        thresholds,
        command_line,
        ..
    } = findings.plan;
    Methodology {
        seed: sampling.seed,
        max_rounds: sampling.rounds,
        threshold: thresholds.practical.as_change(),
        confidence: thresholds.confidence,
        family_size: findings.family,
        correction: analyse::correction(thresholds, findings.family),
        order: "each round starts a fresh pair of processes; which side goes first is drawn from \
                the seed and balanced over the rounds"
            .to_owned(),
        warm_up_seconds: sampling.warm_up.as_secs_f64(),
        measurement_seconds: sampling.measurement.as_secs_f64(),
        sample_size: sampling.sample_size,
        pinning: match sampling.pinning {
            Pinning::Auto => {
                "one processor for both sides, unless a benchmark has several threads".to_owned()
            }
            Pinning::Off => "any processor".to_owned(),
            Pinning::Cpu(cpu) => format!("processor {cpu}"),
        },
        layouts: Some(findings.layouts).filter(|drawn| *drawn > 0),
        command_line: command_line.clone(),
        timings: findings.timings.clone(),
        partition: findings.plan.partition,
    }
}

fn warnings(findings: &RunFindings<'_>) -> Vec<String> {
    let mut warnings = findings.plan.warnings.clone();
    warnings.extend(findings.carried.notes.iter().cloned());
    warnings.extend(findings.disturbances.warnings());
    // They are of both.
    warnings.extend(findings.builds.head.notes.iter().cloned());
    for side in Side::BOTH {
        let notes = &findings.builds.get(side).checkout.notes;
        warnings.extend(notes.iter().map(|note| format!("{side}: {note}")));
    }
    warnings
}
