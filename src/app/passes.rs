//! The passes over the benchmarks: times, allocations, profiles, sizes of programs. If one of them
//! ends early, its results until then are kept.

use std::time::{Duration, Instant};

use super::disturbances::{Disturbances, Watch};
use super::doubts;
use super::early::{Deadline, Shortfalls};
use super::limits::{self, CheckedLimits};
use super::ready::Ready;
use super::workloads;
use crate::analyse::{self, Comparison, Settling, Verdict};
use crate::attribute::{self, Attributed, Attribution, Folders};
use crate::environment::occupied;
use crate::judge::RunPart;
use crate::measure::{
    self, Bounds, Counted, Counting, Known, LayoutRun, Measured, Remark, Settled, Sources,
};
use crate::plan::{OnlyPass, Plan, Sampling};
use crate::process::{Interrupted, Valgrind};
use crate::scratch::Scratch;
use crate::units::EventSink;

use super::deliver::deliver_artifacts;

/// What the passes found.
pub(super) struct PassResults {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) disturbances: Disturbances,
    /// Changes of time that the source may not have caused, as lower-case fragments.
    pub(super) doubts: Vec<String>,
    pub(super) attributions: Vec<Attribution>,
    pub(super) limits: CheckedLimits,
    pub(super) layouts: LayoutRun,
    pub(super) shortfalls: Shortfalls,
    /// The least time for the rounds that benchmarks still needed.
    pub(super) left: Duration,
}

/// Runs every pass that the plan asks for, as far as the run may go on.
pub(super) fn run(
    plan: &Plan,
    ready: &mut Ready,
    deadline: Deadline,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> PassResults {
    let mut shortfalls = std::mem::take(&mut ready.shortfalls);
    let watch = Watch::begin(occupied());
    let end = deadline.of_timing(plan);
    let began = Instant::now();
    let mut timed = match plan.sampling.only {
        None => time(plan, &plan.sampling, ready, end, scratch, events),
        Some(OnlyPass::Instructions) => Timed::untimed(plan, ready),
    };
    let disturbances = watch.finish();
    let doubts = doubts::cast(ready, &mut timed.comparisons);
    ready.stages.end("measuring");
    if timed.layouts.drawn > 0 {
        ready
            .stages
            .within("measuring", "layouts", timed.layouts.took);
    }
    shortfalls.ended(
        RunPart::Time,
        timed
            .ended
            .or(Some(Interrupted::TimeUp))
            .filter(|_| timed.short() > 0),
        (timed.short(), timed.comparisons.len()),
    );
    let passes = Passes {
        plan,
        known: timed.known,
        timing_took: began.elapsed(),
        deadline,
        scratch,
        events,
    };
    let counted = passes.count(ready, &mut timed.comparisons, &mut shortfalls);
    passes.count_instructions(ready, &mut timed.comparisons, &mut shortfalls);
    let attributed = passes.explain(ready, &timed.comparisons, &mut shortfalls);
    passes.leave_files(&attributed, &timed.comparisons, &counted, &mut shortfalls);
    let limits = passes.limits(ready, &timed.comparisons, &mut shortfalls);
    PassResults {
        disturbances,
        doubts,
        attributions: attributed.into_iter().map(|one| one.attribution).collect(),
        limits,
        layouts: timed.layouts,
        shortfalls,
        left: timed.left,
        comparisons: timed.comparisons,
    }
}

/// Times, compared.
pub(super) struct Timed {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) ended: Option<Interrupted>,
    left: Duration,
    known: Known,
    layouts: LayoutRun,
}

impl Timed {
    /// Nothing was timed, as it was asked.
    fn untimed(plan: &Plan, ready: &Ready) -> Timed {
        let (thresholds, sampling) = (&plan.thresholds, &plan.sampling);
        let all = ready.workloads.among(&ready.discovery);
        Timed {
            comparisons: analyse::compare(&all, Vec::new(), thresholds, sampling),
            ended: None,
            left: Duration::ZERO,
            known: Known::default(),
            layouts: LayoutRun::default(),
        }
    }

    /// How many benchmarks were cut short before anything could be said of them.
    fn short(&self) -> usize {
        let cut = |comparison: &&Comparison| {
            let mut remarks = comparison.remarks.iter();
            comparison.verdict == Verdict::Inconclusive
                && remarks.any(|remark| matches!(remark, Remark::CutShort { .. }))
        };
        self.comparisons.iter().filter(cut).count()
    }
}

/// Measures every benchmark until its verdict is certain or `end` has come, and judges all of them
/// together.
pub(super) fn time(
    plan: &Plan,
    sampling: &Sampling,
    ready: &Ready,
    end: Option<Instant>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Timed {
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
    // Programs first, with their share of the time: what benchmarks leave of theirs is for the later passes.
    let own = Bounds {
        end: workloads::share(ready, end),
        ..bounds
    };
    let mut programs = workloads::time(
        sampling,
        ready,
        own,
        (&settling, &mut settle),
        scratch,
        events,
    );
    let discovery = &ready.discovery;
    let timed = measure::run_within(bounds, sampling, discovery, scratch, &mut settle, events);
    let mut measured = timed.measured;
    measured.append(&mut programs.measured);
    let all = ready.workloads.among(discovery);
    let mut comparisons = analyse::compare(&all, measured, &plan.thresholds, sampling);
    analyse::add_resources(&mut comparisons, &programs.runs, &settling);
    Timed {
        comparisons,
        ended: programs.ended.or(timed.ended),
        left: timed.left + programs.left,
        known: timed.known,
        layouts: timed.layouts,
    }
}

/// What every pass after the first needs.
pub(super) struct Passes<'a> {
    pub(super) plan: &'a Plan,
    pub(super) known: Known,
    /// How long the benchmarks were timed.
    pub(super) timing_took: Duration,
    pub(super) deadline: Deadline,
    pub(super) scratch: &'a Scratch,
    pub(super) events: EventSink<'a>,
}

impl Passes<'_> {
    fn count(
        &self,
        ready: &mut Ready,
        comparisons: &mut [Comparison],
        shortfalls: &mut Shortfalls,
    ) -> Vec<Counted> {
        let plan = self.plan;
        if !plan.sampling.allocations {
            return Vec::new();
        }
        let sources = ready.builds.as_ref().map(|build| Sources {
            root: &build.checkout.root,
            workspace: &build.workspace_root,
        });
        let counting = Counting {
            enough: analyse::processes_to_believe(&plan.thresholds, ready.family),
            end: self.deadline.end(),
            known: &self.known,
        };
        let mut programs = workloads::count(
            plan,
            ready,
            (&mut *comparisons, &counting),
            sources,
            self.scratch,
            self.events,
        );
        let mut run = measure::count_allocations(
            &plan.sampling,
            counting,
            &ready.discovery,
            sources,
            self.scratch,
            self.events,
        );
        run.counted.append(&mut programs.counted);
        run.wanted += programs.wanted;
        run.ended = run.ended.or(programs.ended);
        let left = run.wanted - run.counted.len();
        shortfalls.ended(RunPart::Allocations, run.ended, (left, run.wanted));
        analyse::add_allocations(comparisons, &run.counted, &plan.thresholds, ready.family);
        ready.stages.end("counting allocations");
        run.counted
    }

    fn count_instructions(
        &self,
        ready: &mut Ready,
        comparisons: &mut [Comparison],
        shortfalls: &mut Shortfalls,
    ) {
        let plan = self.plan;
        if !plan.sampling.instructions {
            return;
        }
        let counted = match Valgrind::find() {
            Err(error) => {
                shortfalls.failed(RunPart::Instructions, &error);
                Vec::new()
            }
            Ok(valgrind) => {
                let run = workloads::count_instructions(
                    &plan.sampling,
                    ready,
                    comparisons,
                    (&valgrind, self.deadline.end()),
                    self.scratch,
                    self.events,
                );
                let left = run.wanted - run.counted.len();
                shortfalls.ended(RunPart::Instructions, run.ended, (left, run.wanted));
                run.counted
            }
        };
        analyse::add_instructions(comparisons, &counted, plan.thresholds.instructions);
        ready.stages.end("counting instructions");
    }

    /// Flame graphs and other files about single benchmarks.
    fn leave_files(
        &self,
        attributed: &[Attributed],
        comparisons: &[Comparison],
        counted: &[Counted],
        shortfalls: &mut Shortfalls,
    ) {
        let Some(folder) = &self.plan.artifacts else {
            return;
        };
        let folders = Folders::of(comparisons.iter().map(|comparison| &comparison.key));
        let profiling = self.plan.sampling.profiling;
        let files = attribute::allocation_artifacts(comparisons, counted, profiling, &folders);
        let left = deliver_artifacts(folder, &attribute::artifacts(attributed, &folders))
            .and_then(|()| deliver_artifacts(folder, &files));
        if let Err(failure) = left {
            shortfalls.failed(RunPart::Artifacts, &failure);
        }
    }

    fn limits(
        &self,
        ready: &mut Ready,
        comparisons: &[Comparison],
        shortfalls: &mut Shortfalls,
    ) -> CheckedLimits {
        if !self.plan.budgets.speak_of_binaries() {
            return limits::check(self.plan, ready, comparisons, Some(&[]));
        }
        let built = match self.deadline.check() {
            Ok(()) => limits::programs(self.plan, ready, self.scratch, self.events)
                .map_err(|error| shortfalls.failed(RunPart::Programs, &error))
                .ok(),
            Err(ended) => {
                shortfalls.ended(RunPart::Programs, Some(ended), (0, 0));
                None
            }
        };
        ready.stages.end("sizes of programs");
        limits::check(self.plan, ready, comparisons, built.as_deref())
    }
}
