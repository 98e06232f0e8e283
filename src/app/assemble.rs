//! Puts what the rooms found out into one report.

use std::collections::BTreeMap;

use crate::analyse::{self, BudgetCheck, Comparison, Decision};
use crate::attribute::Attribution;
use crate::build::Build;
use crate::discover::{Discovery, SkippedTarget};
use crate::environment::{Machine, Occupied};
use crate::plan::{Pinning, Plan};
use crate::report::{
    Commit, Environment, Methodology, Range, ReachSummary, Report, SCHEMA_VERSION, Skipped, Timing,
};
use crate::revision::{Resolved, Revision, Source};
use crate::units::{Bytes, Paired, Side};

/// The share of processor time taken by other tenants from which it is worth a warning.
const STEAL: f64 = 0.02;

/// What the rooms found out.
pub(super) struct Findings<'a> {
    pub(super) plan: &'a Plan,
    pub(super) machine: Machine,
    pub(super) disturbances: Disturbances,
    pub(super) resolved: &'a Resolved,
    pub(super) builds: &'a Paired<Build>,
    pub(super) discovery: &'a Discovery,
    pub(super) family: usize,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) attributions: Vec<Attribution>,
    pub(super) decision: Decision,
    pub(super) budgets: Vec<BudgetCheck>,
    pub(super) timings: Vec<Timing>,
    pub(super) reach: Option<ReachSummary>,
}

/// What else went on while this machine measured, where the system says.
pub(super) struct Disturbances {
    /// How busy others kept the processors in the moment before.
    pub(super) before: Option<Occupied>,
    /// How busy they kept them on average from the beginning to the end.
    pub(super) meanwhile: Option<Occupied>,
    /// The share of the wanted processor time that other tenants took.
    pub(super) steal: Option<f64>,
}

impl Disturbances {
    /// Those that are worth a warning, in words.
    pub(super) fn warnings(&self) -> Vec<String> {
        // What was there before and stayed is told once, by the figure that is of all the measuring.
        let meanwhile = self
            .meanwhile
            .and_then(|busy| busy.complaint_of_measuring());
        let before = || {
            let busy = self.before?.complaint()?;
            Some(format!(
                "the machine was busy before measuring began: {busy}"
            ))
        };
        let steal = self.steal.filter(|steal| *steal > STEAL).map(|steal| {
            format!(
                "other tenants of the machine took {:.1} % of the processor time while measuring",
                steal * 100.0
            )
        });
        meanwhile.or_else(before).into_iter().chain(steal).collect()
    }
}

/// The report of these findings.
pub(super) fn assemble(findings: Findings<'_>) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        perfcheck_version: env!("CARGO_PKG_VERSION").to_owned(),
        vote: findings.decision.vote,
        reasons: findings.decision.reasons.clone(),
        range: range(&findings),
        environment: environment(&findings),
        methodology: methodology(&findings),
        confounders: analyse::confounders(findings.builds),
        warnings: warnings(&findings),
        skipped: findings.discovery.skipped.iter().map(skipped).collect(),
        benchmarks: findings.comparisons,
        budgets: findings.budgets,
        reach: findings.reach,
        attributions: findings.attributions,
    }
}

fn range(findings: &Findings<'_>) -> Range {
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
        working_tree: revision.source == Source::WorkingTree,
    }
}

fn environment(findings: &Findings<'_>) -> Environment {
    let machine = &findings.machine;
    let toolchains = findings.builds.as_ref().map(|build| &build.toolchain);
    Environment {
        cpu: machine.cpu.clone(),
        cores: machine.cores,
        memory_bytes: machine.memory.map_or(0, Bytes::as_bytes),
        os: machine.os.clone(),
        kernel: machine.kernel.clone(),
        virtualised: machine.virtualised.clone(),
        load_at_start: machine.load.unwrap_or_default(),
        steal: findings.disturbances.steal,
        rustc: toolchains.map(|toolchain| toolchain.rustc.clone()),
        cargo: toolchains.map(|toolchain| toolchain.cargo.clone()),
        host: toolchains.head.host.clone(),
        profile: findings.builds.head.profile.clone(),
        criterion: findings.builds.as_ref().map(criterion_versions),
    }
}

fn criterion_versions(build: &Build) -> BTreeMap<String, String> {
    let versions = build
        .executables
        .iter()
        .filter_map(|executable| Some((executable.package.clone(), executable.criterion.clone()?)));
    versions.collect()
}

fn methodology(findings: &Findings<'_>) -> Methodology {
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
        command_line: command_line.clone(),
        timings: findings.timings.clone(),
        partition: findings.plan.partition,
    }
}

fn warnings(findings: &Findings<'_>) -> Vec<String> {
    let mut warnings = findings.plan.warnings.clone();
    warnings.extend(findings.disturbances.warnings());
    let unknown = findings.reach.iter().flat_map(|reach| &reach.notes);
    warnings.extend(unknown.map(|note| format!("what the change can reach is not known: {note}")));
    for side in Side::BOTH {
        let notes = &findings.builds.get(side).checkout.notes;
        warnings.extend(notes.iter().map(|note| format!("{side}: {note}")));
    }
    warnings
}

fn skipped(target: &SkippedTarget) -> Skipped {
    Skipped {
        package: target.package.clone(),
        target: target.target.clone(),
        side: target.side,
        reason: target.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(before: Option<f64>, meanwhile: Option<f64>, steal: Option<f64>) -> Vec<String> {
        let occupied = |busy| Occupied {
            busy,
            processors: 2,
        };
        let disturbances = Disturbances {
            before: before.map(occupied),
            meanwhile: meanwhile.map(occupied),
            steal,
        };
        disturbances.warnings()
    }

    #[test]
    fn a_machine_with_nothing_else_to_do_and_one_that_does_not_say_give_no_warning() {
        assert_eq!(warnings(Some(0.1), Some(0.1), Some(0.01)), [""; 0]);
        assert_eq!(warnings(None, None, None), [""; 0]);
    }

    #[test]
    fn a_build_that_begins_while_measuring_is_told_with_its_figures() {
        let told = warnings(Some(0.0), Some(0.8), None);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("other programs kept 0.8 of 2 processors busy while measuring: ")
        );
    }

    #[test]
    fn what_was_busy_before_and_stays_so_is_told_once() {
        let told = warnings(Some(1.9), Some(0.8), None);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("0.8 of 2 processors busy while measuring"));
    }

    #[test]
    fn what_was_busy_only_before_is_told_and_so_is_theft() {
        assert_eq!(
            warnings(Some(1.9), Some(0.1), Some(0.25)),
            [
                "the machine was busy before measuring began: other programs kept 1.9 of 2 processors busy",
                "other tenants of the machine took 25.0 % of the processor time while measuring"
            ]
        );
        assert_eq!(warnings(Some(1.9), None, None).len(), 1);
    }
}
