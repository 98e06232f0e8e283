//! A comparison, from the plan to the delivered report.

use std::io::{IsTerminal as _, Write};
use std::time::Instant;

use super::assemble::{RunFindings, assemble};
use super::coverage::FunctionCoverage;
use super::deliver::{colour, columns, deliver, deliver_artifacts};
use super::early::{Deadline, Shortfalls};
use super::failure::RunFailure;
use super::layouts;
use super::left_behind;
use super::limits;
use super::reach::{self, Asked};
use super::ready::Ready;
use super::stages::Stages;
use super::{actions, decide, passes, past, record, rounds, rules, workloads};
use crate::build::Build;
use crate::discover::{self, Benchmark, Target};
use crate::environment::Machine;
use crate::judge::{self, Evidence, RunPart, Vote};
use crate::plan::{ExitStatus, MessageFormat, Plan, Terminal, Verbosity};
use crate::process::Launcher;
use crate::report::{self, Measuring, Report};
use crate::revision::{CarriedFiles, Resolved};
use crate::scratch::Scratch;
use crate::ui::{Progress, ProgressKind};
use crate::units::{Event, EventSink, Paired, Side, Timestamp};
use crate::{build, revision, workload};

/// How many of the crates that a build waited for are named.
const CRATES: usize = 3;

/// Compares as planned, writes the reports, and returns the program's exit status.
pub(super) fn compare(
    plan: &Plan,
    scratch: &Scratch,
    out: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    report_of(plan, out, |sink| make_report(plan, scratch, sink))
}

/// Makes a report while progress is shown, delivers it as planned, and returns the program's exit status.
pub(super) fn report_of(
    plan: &Plan,
    out: &mut impl Write,
    make: impl FnOnce(EventSink<'_>) -> Result<Report, RunFailure>,
) -> Result<ExitStatus, RunFailure> {
    let progress = Progress::new(kind(&plan.terminal), plan.time, std::io::stderr());
    let report = {
        let sink = progress.sink();
        make(&sink)
    };
    progress.finish();
    let report = report?;
    // Write as much as possible: a file that cannot be written does not affect the others.
    let plots = plan.plots.as_ref();
    let plots = plots.map_or(Ok(()), |folder| {
        deliver_artifacts(folder, &report::plots(&report))
    });
    let delivered = deliver(&report, &plan.outputs, &plan.terminal, out);
    if plan.terminal.timings {
        for timing in &report.methodology.timings {
            anstream::eprintln!("{:>9.2} s  {}", timing.seconds, timing.stage);
        }
    }
    let step = plan.actions.as_ref();
    let told = step.map_or(Ok(()), |step| {
        actions::tell(&report, step, &mut std::io::stderr())
    });
    let recorded = record::record(plan, &report);
    delivered.and(told).and(plots).and(recorded)?;
    Ok(status(&report, plan.deny_modify))
}

/// The program's exit status for a delivered report.
pub(super) fn status(report: &Report, deny_modify: bool) -> ExitStatus {
    match report.decision.vote {
        Vote::Reject => ExitStatus::Rejected,
        _ if report.measured() == Measuring::Nothing => ExitStatus::NothingMeasured,
        _ if report.partial.is_some() => ExitStatus::EndedEarly,
        Vote::Modify if deny_modify => ExitStatus::Rejected,
        Vote::Modify | Vote::Approve => ExitStatus::Success,
    }
}

/// The pipeline: one call per room, in the order of the rooms.
pub(super) fn make_report(
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Report, RunFailure> {
    let began = Timestamp::now();
    let machine = Machine::read();
    let stages = Stages::begin();
    let resolved =
        revision::resolve(&plan.manifest_path, &plan.range).map_err(RunFailure::of_revision)?;
    let deadline = Deadline::of(plan, &stages);
    let mut ready = prepare(plan, machine, resolved, stages, scratch, events)?;
    let plan = &rounds::fit(plan, ready.family);
    let mut found = passes::run(plan, &mut ready, deadline, scratch, events);
    let past = past::look_up(
        plan,
        &ready.resolved,
        &ready.builds,
        &ready.machine,
        &found.comparisons,
    );
    found.limits.checks.extend(past.drifts);
    judge::most_severe_first(&mut found.limits.checks);

    let mut reach = ready.reach.take();
    let basis = decide::basis(
        plan,
        &found.comparisons,
        &found.limits,
        &ready.coverage,
        &mut reach,
    );
    let claims = judge::check_claims(&found.comparisons, &basis);
    let decision = judge::judge(Evidence {
        comparisons: &found.comparisons,
        targets: &ready.discovery.skipped,
        budgets: &found.limits.checks,
        claims: &claims,
        uncovered: reach.as_ref().map_or(&[], |reach| &reach.uncovered),
        shortfalls: found.shortfalls.all(),
        basis: &basis,
    });
    let mut plan = plan.clone();
    plan.warnings.extend(ready.skipped);
    plan.warnings.extend(found.doubts);
    plan.warnings.extend(layouts::notes(&found.layouts));
    plan.warnings.extend(ready.discovery.notes.iter().cloned());
    let missed = left_behind::missed(&ready.builds, &ready.discovery, &found.comparisons);
    plan.warnings.extend(missed);
    plan.warnings.extend(found.limits.warnings(plan.extent()));

    Ok(assemble(RunFindings {
        partial: found
            .shortfalls
            .into_partial(&plan, ready.preparing, found.left),
        plan: &plan,
        began,
        machine: ready.machine,
        disturbances: found.disturbances,
        resolved: &ready.resolved,
        builds: &ready.builds,
        discovery: &ready.discovery,
        family: ready.family,
        comparisons: found.comparisons,
        layouts: found.layouts.drawn,
        attributions: found.attributions,
        load_tests: Vec::new(),
        decision,
        basis,
        budgets: found.limits.checks,
        claims,
        standings: past.standings,
        timings: ready.stages.timings,
        reach,
        carried: ready.carried,
        place: scratch.elsewhere(),
    }))
}

/// Lays the revisions out and builds them.
pub(super) fn lay_out(
    plan: &Plan,
    resolved: &Resolved,
    stages: &mut Stages,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<(CarriedFiles, Paired<Build>), RunFailure> {
    for note in scratch.notes() {
        events(Event::Warning {
            message: note.clone(),
        });
    }
    announce(resolved, events);
    let checkouts = revision::check_out(resolved, scratch, events)?;
    let carried = revision::carry(&checkouts, &plan.carry)?;
    stages.end("checkout");

    let builds = build::build(checkouts, plan, scratch, events)?;
    stages.end("build");
    for side in Side::BOTH {
        let build = builds.get(side);
        stages.within("build", side.name(), build.took);
        for (krate, waited) in build.waits.longest(CRATES, build.took) {
            stages.within("build", &format!("{side}, {krate}"), waited);
        }
    }
    Ok((carried, builds))
}

/// Lays the revisions out, builds them, and finds their benchmarks.
pub(super) fn prepare(
    plan: &Plan,
    machine: Machine,
    resolved: Resolved,
    mut stages: Stages,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Ready, RunFailure> {
    let (carried, builds) = lay_out(plan, &resolved, &mut stages, scratch, events)?;
    let built = Instant::now();

    let wanted = discover::Options {
        filter: plan.filter.as_deref(),
        renames: &plan.renames,
        timeout: plan.sampling.timeout,
        need: plan.selection.benchmarks,
    };
    let mut discovery = discover::discover(&builds, wanted, scratch)?;
    let mut programs = workload::find(&builds, plan);
    workloads::something_is_left(plan, &discovery, &programs)?;
    programs.add_to(&mut discovery);
    let skipped = rules::skip(&mut discovery, &plan.sampling.rules);
    rules::claims_name_benchmarks(&plan.claims, plan.extent(), &discovery)?;
    let counts = |target: &Target, benchmark: &Benchmark| is_measured(target, benchmark, plan);
    let budgets = limits::of_benchmarks(&discovery, &plan.budgets);
    if let Some(partition) = plan.partition {
        discovery.keep_part(partition, counts);
    }
    let budgets_elsewhere = budgets - limits::of_benchmarks(&discovery, &plan.budgets);
    events(discovery.summary());
    let asked = Asked::of(plan.extent(), &skipped, &discovery);
    programs.take_from(&mut discovery);
    stages.end("discovery");
    let deadline = Deadline::of(plan, &stages);
    deadline.arm().map_err(RunFailure::other)?;
    let mut shortfalls = Shortfalls::default();
    let mut coverage = FunctionCoverage::default();
    let mut reach = None;
    // Without a benchmark, which functions none of them executes is no news.
    let is_asked = programs.is_empty() || !discovery.targets.is_empty();
    if plan.sampling.reach && is_asked {
        // Proved by as much as a round would be of, were all of them measured.
        let measured = workloads::family(&discovery, &programs, counts);
        let found = reach::find(
            &rounds::fitted(plan, measured),
            asked,
            &builds,
            &mut discovery,
            deadline.end(),
            scratch,
            events,
        );
        shortfalls.ended(RunPart::Reach, found.ended, (0, 0));
        stages.end("reach");
        coverage = found.coverage;
        reach = Some(found.summary);
    }

    Ok(Ready {
        machine,
        family: workloads::family(&discovery, &programs, counts),
        workloads: programs,
        launcher: Launcher::find().map_err(RunFailure::other)?,
        reach,
        shortfalls,
        preparing: built.elapsed(),
        coverage,
        budgets_elsewhere,
        resolved,
        carried,
        builds,
        discovery,
        skipped,
        stages,
    })
}

/// Whether a benchmark that both sides have is measured, and so shares the report's error rate. What
/// the change cannot reach is known before anything is timed, but only for this part of the
/// benchmarks.
fn is_measured(target: &Target, benchmark: &Benchmark, plan: &Plan) -> bool {
    plan.sampling.measure_identical || target.may_differ(benchmark)
}

fn announce(resolved: &Resolved, events: EventSink<'_>) {
    for side in Side::BOTH {
        let revision = resolved.revisions.get(side);
        events(Event::Resolved {
            side,
            short_id: revision.short_id.clone(),
            subject: revision.subject.clone(),
        });
    }
}

/// How progress is shown on this stderr.
pub(super) fn kind(terminal: &Terminal) -> ProgressKind {
    let stderr = std::io::stderr();
    match (terminal.message_format, terminal.verbosity) {
        (MessageFormat::Json, _) => ProgressKind::Json,
        (MessageFormat::Human, Verbosity::Quiet) => ProgressKind::Quiet,
        (MessageFormat::Human, Verbosity::Normal | Verbosity::Verbose) => {
            match columns(&stderr).and_then(|width| u16::try_from(width).ok()) {
                Some(width) => ProgressKind::Terminal {
                    width,
                    colour: colour(terminal, stderr.is_terminal()),
                },
                None => ProgressKind::Lines,
            }
        }
    }
}
