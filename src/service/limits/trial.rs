//! One side at one limit: it is started within it, loaded, and looked at afterwards.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::discover::Failure;
use crate::load_generator::{LoadOutcome, LoadShape};
use crate::plan::LimitBy;
use crate::process::{
    self, CGROUPS, Cgroup, CgroupTree, Controller, GroupPeaks, Launcher, ProcessLimits,
};
use crate::units::Side;

use super::super::answers::failure_of_answers;
use super::super::generator::{SliceOrder, TIMEOUT};
use super::super::server::Server;
use super::super::stage::LoadStage;
use super::super::{ProcessEnd, SliceEnd};
use super::steps::PlannedStep;
use super::{LimitCourse, LimitOutcome, ServiceNeeds, outcome};

/// How often it is looked at what a side has, while it is loaded.
const GLANCE: Duration = Duration::from_millis(20);

/// A side that fails more of its requests than this with all that it needs is not limited.
const MOST_ERRORS: f64 = 0.01;

/// A limit that nothing reaches, to see whether there may be one: a pebibyte.
const NO_LIMIT: f64 = 1.125_899_906_842_624e15;

/// What a load came to.
enum LoadEnd {
    Outcome(Box<LoadOutcome>),
    Died(ProcessEnd),
    /// It runs, and takes no connection.
    Silent,
}

/// How sides are started within limits.
#[derive(Debug)]
pub(super) struct LimitTrials {
    launcher: Launcher,
    tree: Option<CgroupTree>,
    /// How many control groups were made.
    groups: u32,
    order: SliceOrder,
}

impl LimitTrials {
    /// By the means that there are.
    pub(super) fn of(stage: &LoadStage<'_>, rate: f64) -> Result<LimitTrials, SliceEnd> {
        let settings = stage.load.service.settings.limits;
        let launcher = Launcher::find().map_err(|error| {
            SliceEnd::Failed(failure(Side::Base, format!("cannot be limited: {error}")))
        })?;
        let shortest = Duration::from_secs(1);
        let order = SliceOrder {
            timeout: settings.step.clamp(shortest, TIMEOUT),
            ..SliceOrder::lasting(settings.step, LoadShape::Open { rate }, stage.load.seed)
        };
        let mut trials = LimitTrials {
            launcher,
            tree: None,
            groups: 0,
            order,
        };
        if settings.by == LimitBy::Auto {
            let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let trees = CgroupTree::candidates(Path::new(CGROUPS), &own);
            trials.tree = trees.into_iter().find(|tree| {
                trials.groups += 1;
                let limits = [(Controller::Memory, NO_LIMIT)];
                tree.make(stage.scratch.path(), trials.groups, &limits)
                    .is_ok()
            });
        }
        Ok(trials)
    }

    /// Where control groups are made, if they can be.
    pub(super) fn tree(&self) -> Option<&CgroupTree> {
        self.tree.as_ref()
    }

    fn group(
        &mut self,
        stage: &LoadStage<'_>,
        side: Side,
        limit: Option<(Controller, f64)>,
    ) -> Result<Option<Cgroup>, SliceEnd> {
        let Some(tree) = &self.tree else {
            return Ok(None);
        };
        self.groups += 1;
        let limits: Vec<(Controller, f64)> = limit.into_iter().collect();
        let group = tree.make(stage.scratch.path(), self.groups, &limits);
        group
            .map(Some)
            .map_err(|error| SliceEnd::Failed(failure(side, format!("cannot be limited: {error}"))))
    }

    fn limits(&self, group: Option<&Cgroup>, step: Option<&PlannedStep>) -> ProcessLimits {
        let mut limits = self.launcher.limits();
        limits.address_space = step.and_then(|step| step.address_space);
        limits.files = step.and_then(|step| step.files);
        limits.groups = group.map_or_else(Vec::new, |group| group.folders().to_vec());
        limits
    }

    /// What a side needs under the ordinary load.
    ///
    /// # Errors
    /// It fails under it, or the run is to stop.
    pub(super) fn needs(
        &mut self,
        stage: &mut LoadStage<'_>,
        side: Side,
    ) -> Result<ServiceNeeds, SliceEnd> {
        stage.may_go_on()?;
        let group = self.group(stage, side, None)?;
        let limits = self.limits(group.as_ref(), None);
        let mut server = Server::start(stage.side(side, Some(&limits)), stage.scratch)?;
        let before = server.usage();
        let (end, peaks) = watched(stage, &mut server, &self.order)?;
        let after = server.usage();
        let outcome = match end {
            LoadEnd::Outcome(outcome) => outcome,
            LoadEnd::Died(end) => {
                let reason = format!("{end} under load");
                return Err(SliceEnd::Died(server.into_failure(reason)));
            }
            LoadEnd::Silent => {
                let reason = "took no more connections under load".to_owned();
                return Err(SliceEnd::Failed(server.into_failure(reason)));
            }
        };
        if let Some(failure) = failure_of_answers(side, std::iter::once(&*outcome), MOST_ERRORS) {
            return Err(SliceEnd::Failed(failure));
        }
        stage.stop_side(server);
        let whole = self.order.warm_up + self.order.counted;
        let used = after.processor_time_since(&before);
        Ok(ServiceNeeds {
            memory: match &group {
                Some(group) => group.peak().unwrap_or(peaks.resident),
                None => peaks.address_space,
            },
            resident: peaks.resident,
            files: peaks.files,
            tasks: peaks.tasks,
            processors: used.as_secs_f64() / whole.as_secs_f64(),
            achieved: outcome.completed as f64 / outcome.seconds,
            latency_ns: outcome::latency(&outcome),
        })
    }

    /// What a side does at a limit, compared with what it usually does without one.
    ///
    /// # Errors
    /// It could not be tried, or the run is to stop.
    pub(super) fn attempt(
        &mut self,
        stage: &mut LoadStage<'_>,
        side: Side,
        step: &PlannedStep,
        usual: &ServiceNeeds,
    ) -> Result<LimitCourse, SliceEnd> {
        stage.may_go_on()?;
        let group = self.group(stage, side, step.group)?;
        let limits = self.limits(group.as_ref(), Some(step));
        let started = Server::try_start(stage.side(side, Some(&limits)), stage.scratch)?;
        let mut server = match started {
            Ok(server) => server,
            Err(not_ready) => {
                let said = stage.generator.without_secrets(not_ready.failure);
                let end = not_ready.end;
                return Ok(ended(LimitOutcome::NotStarted { end }, said));
            }
        };
        let pressing = SliceOrder {
            connections: step.connections,
            ..self.order
        };
        let alone = SliceOrder {
            shape: LoadShape::Closed,
            counted: self.order.counted / 2,
            connections: Some(1),
            ..self.order
        };
        let first = press(stage, &mut server, &pressing)?;
        let then = match first {
            LoadEnd::Died(_) => None,
            _ => Some(press(stage, &mut server, &alone)?),
        };
        if let LoadEnd::Died(end) = &first {
            return Ok(died(stage, server, *end));
        }
        if let Some(LoadEnd::Died(end)) = then {
            return Ok(died(stage, server, end));
        }
        // How it ends after a limit says nothing of the service's other rows.
        let _ = server.stop(stage.load.service.stop_within);
        let again = matches!(&then, Some(LoadEnd::Outcome(then)) if outcome::serves(then));
        Ok(LimitTrials::course(&first, usual, again))
    }

    /// What a side that goes on did.
    fn course(end: &LoadEnd, usual: &ServiceNeeds, again: bool) -> LimitCourse {
        let (outcome, answered, latency_ns) = match end {
            LoadEnd::Outcome(found) => (
                outcome::of(found, usual.achieved, usual.latency_ns),
                found.answered as f64 / found.counted().max(1) as f64,
                outcome::latency(found),
            ),
            LoadEnd::Died(_) | LoadEnd::Silent => (LimitOutcome::Hung, 0.0, None),
        };
        LimitCourse {
            outcome,
            answered,
            latency_ns,
            again,
            last_words: String::new(),
        }
    }
}

fn failure(side: Side, reason: String) -> Failure {
    Failure {
        side,
        reason,
        stderr_tail: String::new(),
    }
}

fn died(stage: &LoadStage<'_>, server: Server, end: ProcessEnd) -> LimitCourse {
    let said = server.into_failure(end.to_string());
    let said = stage.generator.without_secrets(said);
    ended(LimitOutcome::Died { end }, said)
}

fn ended(outcome: LimitOutcome, said: Failure) -> LimitCourse {
    LimitCourse {
        outcome,
        answered: 0.0,
        latency_ns: None,
        again: false,
        last_words: said.stderr_tail,
    }
}

/// Loads a side.
fn press(
    stage: &LoadStage<'_>,
    server: &mut Server,
    order: &SliceOrder,
) -> Result<LoadEnd, SliceEnd> {
    let loaded = stage.generator.load(&server.address, order, stage.scratch);
    process::check()?;
    if let Some(end) = server.end() {
        return Ok(LoadEnd::Died(end));
    }
    match loaded {
        Ok(outcome) => Ok(LoadEnd::Outcome(Box::new(outcome))),
        Err(_) if !server.accepts() => Ok(LoadEnd::Silent),
        Err(reason) => Err(SliceEnd::Failed(failure(
            server.side(),
            format!("could not be loaded: {reason}"),
        ))),
    }
}

/// The same, with the most that the side has meanwhile.
fn watched(
    stage: &LoadStage<'_>,
    server: &mut Server,
    order: &SliceOrder,
) -> Result<(LoadEnd, GroupPeaks), SliceEnd> {
    let (id, done) = (server.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peaks = GroupPeaks::of(id);
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(GLANCE);
                peaks = peaks.most(GroupPeaks::of(id));
            }
            peaks
        });
        let end = press(stage, server, order);
        done.store(true, Ordering::Relaxed);
        let peaks = watch
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((end?, peaks))
    })
}
