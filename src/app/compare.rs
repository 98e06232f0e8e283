//! A comparison, from the plan to the delivered report.

use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use super::assemble::{Findings, assemble};
use super::deliver::{colour, columns, deliver};
use super::failure::Failure;
use crate::analyse::{self, Settling, Vote};
use crate::discover::{self, Discovery, Identity, Presence};
use crate::environment::{Machine, StealWatch};
use crate::measure::{Measured, Settled};
use crate::plan::{ExitStatus, MessageFormat, Plan, Terminal, Verbosity};
use crate::report::{Report, Timing};
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
    deliver(&report, &plan.outputs, &plan.terminal, out)?;
    Ok(match report.vote {
        Vote::Reject => ExitStatus::Rejected,
        Vote::Modify if plan.deny_modify => ExitStatus::Rejected,
        Vote::Modify | Vote::Approve => ExitStatus::Success,
    })
}

/// The pipeline: one call a room, in the order of the rooms.
pub(super) fn make_report(
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Report, Failure> {
    let machine = Machine::read();
    let mut stages = Stages::begin();
    for note in scratch.notes() {
        events(Event::Warning {
            message: note.clone(),
        });
    }

    let resolved = revision::resolve(&plan.manifest_path, &plan.range)?;
    announce(&resolved, events);
    let checkouts = revision::check_out(&resolved, scratch, events)?;
    stages.end("checkout");

    let builds = build::build(checkouts, plan, scratch, events)?;
    stages.end("build");

    let wanted = discover::Options {
        filter: plan.filter.as_deref(),
        timeout: plan.sampling.timeout,
    };
    let discovery = discover::discover(&builds, wanted, scratch)?;
    events(discovery.summary());
    stages.end("discovery");

    let steal = StealWatch::start();
    let family = family(&discovery, plan);
    let settling = Settling::plan(&plan.thresholds, &plan.sampling, family);
    let mut settle = |measured: &Measured| match settling.settle(measured) {
        Some(verdict) => Settled::Done(verdict.name().to_owned()),
        None => Settled::Continue,
    };
    let measured = measure::run(&plan.sampling, &discovery, scratch, &mut settle, events)?;
    stages.end("measuring");

    let comparisons = analyse::compare(&discovery, measured, &plan.thresholds, &plan.sampling);
    let decision = analyse::decide(&comparisons);
    stages.end("analysis");

    Ok(assemble(Findings {
        plan,
        machine,
        steal: steal.share(),
        resolved: &resolved,
        builds: &builds,
        discovery: &discovery,
        family,
        comparisons,
        decision,
        timings: stages.timings,
    }))
}

/// How many benchmarks share the report's error rate: those that both sides have and that are
/// measured.
fn family(discovery: &Discovery, plan: &Plan) -> usize {
    let measured = discovery
        .targets
        .iter()
        .filter(|target| plan.sampling.measure_identical || target.identity != Identity::Identical);
    let benchmarks = measured.flat_map(|target| &target.benchmarks);
    benchmarks
        .filter(|benchmark| benchmark.presence == Presence::Common)
        .count()
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

/// Where the time goes.
struct Stages {
    since: Instant,
    timings: Vec<Timing>,
}

impl Stages {
    fn begin() -> Stages {
        Stages {
            since: Instant::now(),
            timings: Vec::new(),
        }
    }

    fn end(&mut self, stage: &str) {
        let took: Duration = self.since.elapsed();
        self.since = Instant::now();
        self.timings.push(Timing {
            stage: stage.to_owned(),
            seconds: took.as_secs_f64(),
        });
    }
}

/// How progress is shown on this stderr.
fn kind(terminal: &Terminal) -> Kind {
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
