//! A comparison, from the plan to the delivered report.

use std::io::{IsTerminal as _, Write};
use std::time::Instant;

use super::assemble::{Findings, assemble};
use super::coverage::Coverage;
use super::deliver::{colour, columns, deliver, deliver_artifacts};
use super::disturbances::Watch;
use super::failure::Failure;
use super::limits::{self, Limits};
use super::reach::{self, Asked};
use super::ready::{Ready, Stages};
use super::{actions, doubts, rules};
use crate::analyse::{self, Comparison, Settling, Verdict};
use crate::attribute::{self, Attributed, Folders};
use crate::discover::{self, Benchmark, Target};
use crate::environment::{Machine, occupied};
use crate::judge::{self, Basis, Evidence, PartBasis, Vote};
use crate::measure::{Bounds, Measured, Remark, Settled, Sources, count_allocations};
use crate::plan::{ExitStatus, Extent, MessageFormat, Plan, Sampling, Terminal, Verbosity};
use crate::report::{self, ReachSummary, Report};
use crate::revision::Resolved;
use crate::scratch::Scratch;
use crate::ui::{Kind, Progress};
use crate::units::{Event, EventSink, Side};
use crate::{build, measure, revision};

/// Compares as planned, writes the reports, and says with which status the program ends.
pub(super) fn compare(
    plan: &Plan,
    scratch: &Scratch,
    out: &mut impl Write,
) -> Result<ExitStatus, Failure> {
    let progress = Progress::new(kind(&plan.terminal), std::io::stderr());
    let report = {
        let sink = progress.sink();
        make_report(plan, scratch, &sink)
    };
    progress.finish();
    let report = report?;
    if let Some(folder) = &plan.plots {
        deliver_artifacts(folder, &report::plots(&report))?;
    }
    deliver(&report, &plan.outputs, &plan.terminal, out)?;
    if plan.terminal.timings {
        for timing in &report.methodology.timings {
            anstream::eprintln!("{:>9.2} s  {}", timing.seconds, timing.stage);
        }
    }
    if let Some(step) = &plan.actions {
        actions::tell(&report, step, &mut std::io::stderr())?;
    }
    Ok(match report.decision.vote {
        Vote::Reject => ExitStatus::Rejected,
        Vote::Modify if plan.deny_modify => ExitStatus::Rejected,
        Vote::Modify | Vote::Approve => ExitStatus::Success,
    })
}

/// The pipeline: one call a room, in the order of the rooms.
fn make_report(plan: &Plan, scratch: &Scratch, events: EventSink<'_>) -> Result<Report, Failure> {
    let machine = Machine::read();
    let stages = Stages::begin();
    let resolved =
        revision::resolve(&plan.manifest_path, &plan.range).map_err(Failure::of_revision)?;
    let mut ready = prepare(plan, machine, resolved, stages, scratch, events)?;

    let watch = Watch::begin(occupied());
    let end = plan.time.map(|time| ready.stages.began() + time);
    let mut comparisons = measure_once(plan, &plan.sampling, &ready, end, scratch, events)?;
    let disturbances = watch.finish();
    let doubts = doubts::cast(&ready, &mut comparisons);
    ready.stages.end("measuring");
    let mut counted = Vec::new();
    if plan.sampling.allocations {
        let sources = ready.builds.as_ref().map(|build| Sources {
            root: &build.checkout.root,
            workspace: &build.workspace_root,
        });
        let discovery = &ready.discovery;
        let enough = analyse::processes_to_believe(&plan.thresholds, ready.family);
        counted = count_allocations(&plan.sampling, enough, discovery, sources, scratch, events)?;
        analyse::add_allocations(&mut comparisons, &counted, &plan.thresholds, ready.family);
        ready.stages.end("counting allocations");
    }
    let attributed = explain(plan, &mut ready, &comparisons, scratch, events)?;
    if let Some(folder) = &plan.artifacts {
        let folders = Folders::of(comparisons.iter().map(|comparison| &comparison.key));
        deliver_artifacts(folder, &attribute::artifacts(&attributed, &folders))?;
        let profiling = plan.sampling.profiling;
        let files = attribute::allocation_artifacts(&comparisons, &counted, profiling, &folders);
        deliver_artifacts(folder, &files)?;
    }
    let attributions = attributed.into_iter().map(|one| one.attribution);
    let limits = limits::check(plan, &ready, &comparisons, scratch, events)?;
    let mut reach = ready.reach.take();
    let basis = basis(plan, &comparisons, &limits, &ready.coverage, &mut reach);
    let decision = judge::judge(Evidence {
        comparisons: &comparisons,
        budgets: &limits.checks,
        uncovered: reach.as_ref().map_or(&[], |reach| &reach.uncovered),
        basis: &basis,
    });
    let mut plan = plan.clone();
    plan.warnings.extend(ready.skipped);
    plan.warnings.extend(doubts);
    plan.warnings.extend(limits.warnings(plan.extent()));
    plan.warnings.extend(short_of_time(&plan, &comparisons));
    if plan.budgets.speak_of_binaries() {
        ready.stages.end("sizes of programs");
    }

    Ok(assemble(Findings {
        plan: &plan,
        machine: ready.machine,
        disturbances,
        resolved: &ready.resolved,
        builds: &ready.builds,
        discovery: &ready.discovery,
        family: ready.family,
        comparisons,
        attributions: attributions.collect(),
        decision,
        basis,
        budgets: limits.checks,
        timings: ready.stages.timings,
        reach,
    }))
}

/// What judging takes beside the findings. What a whole run knows is entered in `reach`, what a shard
/// knows is left to the whole.
fn basis(
    plan: &Plan,
    comparisons: &[Comparison],
    limits: &Limits,
    coverage: &Coverage,
    reach: &mut Option<ReachSummary>,
) -> Basis {
    let Coverage { covered, uncovered } = coverage;
    let mut basis = Basis {
        allocations: Some(plan.thresholds.allocations),
        required: rules::required(comparisons, &plan.sampling.rules),
        ..Basis::default()
    };
    match plan.extent() {
        Extent::Selection => {}
        Extent::Whole => {
            basis.required_in_vain.clone_from(&limits.required_in_vain);
            if let Some(reach) = reach {
                reach.uncovered = judge::uncovered(covered.iter(), uncovered.iter());
            }
        }
        Extent::Shard => {
            basis.part = Some(PartBasis {
                covered: covered.clone(),
                uncovered: uncovered.clone(),
                required_in_vain: limits.required_in_vain.clone(),
                budgets_in_vain: limits.budgets_in_vain.clone(),
            });
        }
    }
    basis
}

/// Profiles what has changed, and says where it comes from.
fn explain(
    plan: &Plan,
    ready: &mut Ready,
    comparisons: &[Comparison],
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<Attributed>, Failure> {
    let Sampling { profiling, .. } = plan.sampling;
    let wanted = attribute::wanted(comparisons, profiling, &plan.thresholds);
    if wanted.keys.is_empty() {
        return Ok(Vec::new());
    }
    if wanted.left_out > 0 {
        ready.skipped.push(format!(
            "only the {} benchmarks that changed most were profiled, {} were not: `--profile-all` profiles \
             all",
            wanted.keys.len(),
            wanted.left_out
        ));
    }
    let discovery = &ready.discovery;
    let profiled = measure::profile(&plan.sampling, discovery, &wanted.keys, scratch, events)?;
    let attributed = attribute::attribute(comparisons, &profiled, &ready.builds, discovery);
    ready.stages.end("profiling");
    Ok(attributed)
}

/// Lays the revisions out, builds them, and finds their benchmarks.
pub(super) fn prepare(
    plan: &Plan,
    machine: Machine,
    resolved: Resolved,
    mut stages: Stages,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Ready, Failure> {
    for note in scratch.notes() {
        events(Event::Warning {
            message: note.clone(),
        });
    }
    announce(&resolved, events);
    let checkouts = revision::check_out(&resolved, scratch, events)?;
    stages.end("checkout");

    let builds = build::build(checkouts, plan, scratch, events)?;
    stages.end("build");
    stages.within("build", "base", builds.base.took);
    stages.within("build", "head", builds.head.took);

    let wanted = discover::Options {
        filter: plan.filter.as_deref(),
        timeout: plan.sampling.timeout,
    };
    let mut discovery = discover::discover(&builds, wanted, scratch)?;
    let skipped = rules::skip(&mut discovery, &plan.sampling.rules);
    let counts = |target: &Target, benchmark: &Benchmark| is_measured(target, benchmark, plan);
    let budgets = limits::of_benchmarks(&discovery, &plan.budgets);
    if let Some(partition) = plan.partition {
        discovery.keep_part(partition, counts);
    }
    let budgets_elsewhere = budgets - limits::of_benchmarks(&discovery, &plan.budgets);
    events(discovery.summary());
    stages.end("discovery");
    let asked = Asked::of(plan.extent(), &skipped);
    let mut coverage = Coverage::default();
    let mut reach = None;
    if plan.sampling.reach {
        let found = reach::find(
            &plan.sampling,
            asked,
            &builds,
            &mut discovery,
            scratch,
            events,
        )?;
        stages.end("reach");
        coverage = found.coverage;
        reach = Some(found.summary);
    }

    Ok(Ready {
        machine,
        family: discovery.common(counts) + discovery.elsewhere,
        reach,
        coverage,
        budgets_elsewhere,
        resolved,
        builds,
        discovery,
        skipped,
        stages,
    })
}

/// Measures every benchmark until its verdict is settled or the time of the whole run is up at `end`,
/// and judges all of them together.
pub(super) fn measure_once(
    plan: &Plan,
    sampling: &Sampling,
    ready: &Ready,
    end: Option<Instant>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<Comparison>, Failure> {
    let settling = Settling::plan(&plan.thresholds, sampling, ready.family);
    let mut settle = |measured: &Measured| match settling.settle(measured) {
        Some(verdict) => Settled::Done(verdict.name().to_owned()),
        None => settling
            .needed(measured)
            .map_or(Settled::Continue, Settled::ContinueTo),
    };
    let bounds = Bounds {
        end,
        fewest_rounds: settling.fewest_rounds(),
    };
    let measured = measure::run_within(
        bounds,
        sampling,
        &ready.discovery,
        scratch,
        &mut settle,
        events,
    )?;
    Ok(analyse::compare(
        &ready.discovery,
        measured,
        &plan.thresholds,
        sampling,
    ))
}

/// That benchmarks did not get their share of the time of the whole run, where some did not.
fn short_of_time(plan: &Plan, comparisons: &[Comparison]) -> Option<String> {
    let time = plan.time?;
    let short = |comparison: &&Comparison| {
        let mut remarks = comparison.remarks.iter();
        comparison.verdict == Verdict::Inconclusive
            && remarks.any(|remark| matches!(remark, Remark::CutShort { .. }))
    };
    let count = comparisons.iter().filter(short).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} benchmarks did not get their share of the {} that the whole run may take",
            comparisons.len(),
            humantime::format_duration(time)
        )
    })
}

/// Whether a benchmark that both sides have is measured, and so shares the report's error rate. What
/// the change cannot reach is known before anything is timed, but of this part of the benchmarks only.
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
pub(super) fn kind(terminal: &Terminal) -> Kind {
    let stderr = std::io::stderr();
    match (terminal.message_format, terminal.verbosity) {
        (MessageFormat::Json, _) => Kind::Json,
        (MessageFormat::Human, Verbosity::Quiet) => Kind::Quiet,
        (MessageFormat::Human, Verbosity::Normal | Verbosity::Verbose) => {
            match columns(&stderr).and_then(|width| u16::try_from(width).ok()) {
                Some(width) => Kind::Terminal {
                    width,
                    colour: colour(terminal, stderr.is_terminal()),
                },
                None => Kind::Lines,
            }
        }
    }
}
