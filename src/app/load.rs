//! Services under load, from the plan to the delivered report.

use std::io::Write;
use std::path::Path;

use super::assemble::{RunFindings, assemble};
use super::compare::{lay_out, report_of};
use super::disturbances::Watch;
use super::early::{Deadline, Shortfalls};
use super::failure::RunFailure;
use super::past;
use super::stages::Stages;
use crate::analyse::{self, Settling};
use crate::build::Build;
use crate::discover::{Discovery, Presence};
use crate::environment::{Machine, occupied};
use crate::judge::{self, Basis, Evidence, RunPart};
use crate::plan::{ExitStatus, Plan};
use crate::process::Interrupted;
use crate::report::Report;
use crate::revision;
use crate::scratch::Scratch;
use crate::service::{self, ServiceError, ServiceLoad, ServiceRun};
use crate::units::{Event, EventSink, Paired, Pass, Timestamp};

/// Compares services as planned, writes the reports, and returns the program's exit status.
pub(super) fn load(
    plan: &Plan,
    scratch: &Scratch,
    out: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    report_of(plan, out, |events| make_report(plan, scratch, events))
}

fn make_report(
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Report, RunFailure> {
    let began = Timestamp::now();
    let own_program = std::env::current_exe().map_err(RunFailure::other)?;
    service::check(&plan.services, &own_program)?;
    let machine = Machine::read();
    let mut stages = Stages::begin();
    let resolved =
        revision::resolve(&plan.manifest_path, &plan.range).map_err(RunFailure::of_revision)?;
    let deadline = Deadline::of(plan, &stages);
    let (carried, builds) = lay_out(plan, &resolved, &mut stages, scratch, events)?;
    let discovery = discover(plan, &builds);
    events(discovery.summary());
    deadline.arm().map_err(RunFailure::other)?;

    let watch = Watch::begin(occupied());
    let (family, runs) = measure(
        plan,
        (&builds, &own_program),
        &discovery,
        deadline,
        scratch,
        events,
    )?;
    stages.end("load");
    let disturbances = watch.finish();
    let settling = Settling::plan(&plan.thresholds, &plan.sampling, family);
    let measured = runs
        .iter()
        .flat_map(|run| run.rows.iter().cloned())
        .collect();
    let mut comparisons = analyse::compare(&discovery, measured, &plan.thresholds, &plan.sampling);
    analyse::add_services(&mut comparisons, &runs, &settling);

    let mut shortfalls = Shortfalls::default();
    let ended: Option<Interrupted> = runs.iter().find_map(|run| run.ended);
    let open = comparisons
        .iter()
        .filter(|one| one.time().is_none())
        .count();
    shortfalls.ended(RunPart::Time, ended, (open, comparisons.len()));
    let basis = Basis {
        claims: plan.claims.clone(),
        ..Basis::default()
    };
    let shared = judge::SharedError {
        confidence: plan.thresholds.confidence,
        elsewhere: 0,
    };
    let budgets = judge::check_budgets(&comparisons, &[], &plan.budgets, shared);
    let claims = judge::check_claims(&comparisons, &basis);
    let decision = judge::judge(Evidence {
        comparisons: &comparisons,
        targets: &discovery.skipped,
        budgets: &budgets,
        claims: &claims,
        uncovered: &[],
        shortfalls: shortfalls.all(),
        basis: &basis,
    });
    let preparing = stages.began().elapsed();
    Ok(assemble(RunFindings {
        partial: shortfalls.into_partial(plan, preparing, std::time::Duration::ZERO),
        plan,
        began,
        disturbances,
        resolved: &resolved,
        builds: &builds,
        discovery: &discovery,
        family,
        attributions: Vec::new(),
        load_tests: runs.into_iter().flat_map(|run| run.tests).collect(),
        decision,
        basis,
        budgets,
        claims,
        standings: past::look_up(plan, &resolved, &builds, &machine, &comparisons).standings,
        machine,
        comparisons,
        layouts: 0,
        timings: stages.timings,
        reach: None,
        carried,
        place: scratch.elsewhere(),
    }))
}

/// The services as benchmarks.
fn discover(plan: &Plan, builds: &Paired<Build>) -> Discovery {
    let services = plan.services.iter();
    Discovery {
        targets: services.map(|one| service::target(one, builds)).collect(),
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    }
}

/// Measures every service that both sides have, one after the other. Also gives how many rows share the error.
fn measure(
    plan: &Plan,
    (builds, own_program): (&Paired<Build>, &Path),
    discovery: &Discovery,
    deadline: Deadline,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<(usize, Vec<ServiceRun>), RunFailure> {
    let family = discovery.common(|_, _| true);
    let settling = Settling::plan(&plan.thresholds, &plan.sampling, family);
    let pass = Pass::Time;
    let began = std::time::Instant::now();
    events(Event::PassStarted {
        pass,
        benchmarks: family,
        rounds: plan.sampling.rounds,
    });
    let mut runs = Vec::new();
    for (one, target) in plan.services.iter().zip(&discovery.targets) {
        let mut benchmarks = target.benchmarks.iter();
        if benchmarks.any(|benchmark| benchmark.presence != Presence::Common) {
            continue;
        }
        let key = service::key(one, builds);
        let load = ServiceLoad {
            service: one,
            key: &key,
            builds,
            own_program,
            seed: plan.sampling.seed,
            rounds: one.rounds,
            end: deadline.end(),
        };
        let is_settled = |rows: &[crate::measure::Measured]| {
            let mut rows = rows.iter();
            rows.all(|row| settling.settle(row).is_some())
        };
        let run: Result<ServiceRun, ServiceError> = service::run(load, is_settled, scratch, events);
        let run = run?;
        let ended = run.ended.is_some();
        runs.push(run);
        if ended {
            break;
        }
    }
    events(Event::PassFinished {
        pass,
        took: began.elapsed(),
    });
    Ok((family, runs))
}
