//! Counting one target: processes of one side at a time, each benchmark with its own log.

mod stop;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::build::Choice;
use crate::discover::{Presence, Target};
use crate::harness::{Invocation, Length, Timing};
use crate::plan::{Profiling, Sampling};
use crate::process::{self, Interrupted, Placement};
use crate::scratch::Scratch;
use crate::seam::{AllocationSeam, Coverage, Enough, SeamError, Tracing, WarmUp};
use crate::units::{Event, EventSink, Paired, Side};

use super::Known;
use super::batches::{chunks, fit};
use super::check;
use super::counted::{Counted, CountedProcess, CountedSample, PROCESSES, PROCESSES_IF_VARYING};
use super::player::{Player, Turn};
use super::reported::SideReport;
use super::seams::explain;
use super::traced::{Atlas, Sources};
use stop::{CountingStop, blame};

/// How a benchmark is run to be counted: the fewest samples that Criterion allows, as short as
/// possible.
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    measurement: Duration::from_millis(10),
    sample_size: 10,
};

/// How it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counting<'a> {
    /// Processes per side, if the sides differ.
    pub enough: usize,
    /// After this no target is begun.
    pub end: Option<Instant>,
    /// What timing has shown.
    pub known: &'a Known,
}

/// Counts one target.
pub(super) struct Counter<'a> {
    pub(super) sampling: &'a Sampling,
    pub(super) counting: Counting<'a>,
    pub(super) target: &'a Target,
    pub(super) sources: Paired<Sources<'a>>,
    pub(super) scratch: &'a Scratch,
    pub(super) events: EventSink<'a>,
}

/// One process to be run: its side, its purpose, and the ids that it still has to run.
struct Run<'r, 'a> {
    side: Side,
    purpose: Purpose<'r, 'a>,
    open: Vec<String>,
}

/// What a process is run for.
enum Purpose<'r, 'a> {
    /// To count; its number among the processes of its side.
    Count(usize),
    /// To learn where the requests come from: of which benchmark how closely, by id, and somewhere to look addresses up.
    Trace(&'r BTreeMap<String, Tracing>, &'r mut Atlas<'a>),
}

impl Run<'_, '_> {
    /// How closely it is looked where the next benchmark's requests come from.
    fn next_tracing(&self) -> Tracing {
        let (Purpose::Trace(tracings, _), Some(next)) = (&self.purpose, self.open.first()) else {
            return Tracing::NONE;
        };
        tracings.get(next).copied().unwrap_or(Tracing::NONE)
    }
}

impl Counter<'_> {
    /// Counts the benchmarks of the target: some processes for each, more for those that vary.
    pub(super) fn count(&self, counted: &mut [Counted]) -> Result<(), Interrupted> {
        let Some(paths) = self.executables() else {
            return Ok(());
        };
        let mut seam = match AllocationSeam::prepare(self.scratch.path(), paths) {
            Ok(seam) => seam,
            Err(error) => {
                let why = explain(&error);
                counted.iter_mut().for_each(|each| each.note(&why));
                return Ok(());
            }
        };
        for process in 0..self.counting.enough.max(PROCESSES_IF_VARYING) {
            let wanted: Vec<String> = counted
                .iter()
                .filter(|each| process == 0 || self.is_affordable(each))
                .filter(|each| each.needs_more(self.counting.enough))
                .map(|each| each.key.id.clone())
                .collect();
            for side in Side::BOTH {
                let open = self.open(side, process, counted, &wanted);
                for open in chunks(open) {
                    let run = Run {
                        side,
                        purpose: Purpose::Count(process),
                        open,
                    };
                    self.run(run, &mut seam, counted)?;
                }
            }
        }
        self.trace(&mut seam, counted)
    }

    /// Asks where the requests come from, of each benchmark whose sides differ (or of all, if all are to be
    /// profiled).
    fn trace(&self, seam: &mut AllocationSeam, counted: &mut [Counted]) -> Result<(), Interrupted> {
        for side in Side::BOTH {
            let mut atlas = Atlas::new(*self.sources.get(side));
            let wanted = counted
                .iter()
                .filter(|each| each.differs() || self.sampling.profiling == Profiling::All);
            let tracings = wanted.filter_map(|each| Some((&each.key.id, each.tracing(side)?)));
            let (ids, tracings): (Vec<String>, BTreeMap<String, Tracing>) = tracings
                .map(|(id, tracing)| (id.clone(), (id.clone(), tracing)))
                .unzip();
            for open in chunks(ids) {
                let run = Run {
                    side,
                    purpose: Purpose::Trace(&tracings, &mut atlas),
                    open,
                };
                self.run(run, seam, counted)?;
            }
        }
        Ok(())
    }

    /// The executables of both sides. If one side has none, the other side's stands in and is never
    /// run.
    fn executables(&self) -> Option<Paired<&std::path::Path>> {
        let of = |side| {
            let executable = self.target.executables.get(side).as_ref();
            executable.map(|executable| executable.path.as_path())
        };
        let any = of(Side::Base).or(of(Side::Head))?;
        Some(Paired::from_fn(|side| of(side).unwrap_or(any)))
    }

    /// What `side` has to run in its process of this number: the wanted benchmarks that it has and
    /// that have not failed.
    fn open(
        &self,
        side: Side,
        process: usize,
        counted: &[Counted],
        wanted: &[String],
    ) -> Vec<String> {
        let benchmarks = self.target.benchmarks.iter();
        let present: Vec<&str> = benchmarks
            .filter(|benchmark| benchmark.presence != Presence::Only(side.other()))
            .map(|benchmark| benchmark.key.id.as_str())
            .collect();
        counted
            .iter()
            .filter(|each| each.processes.get(side).len() == process)
            .map(|each| &each.key.id)
            .filter(|id| wanted.contains(id) && present.contains(&id.as_str()))
            .cloned()
            .collect()
    }

    /// Whether one more process of a benchmark takes no longer than its timing was allowed to take.
    fn is_affordable(&self, counted: &Counted) -> bool {
        let key = &counted.key;
        let own = self.sampling.rules.of(key).time;
        let budget = own.unwrap_or(self.sampling.time).as_nanos();
        let spent = |side: Side| -> u64 {
            let processes = counted.processes.get(side).iter();
            let samples = processes.flat_map(|process| &process.samples);
            samples.map(|sample| sample.record.sample.timed_ns).sum()
        };
        u128::from(spent(Side::Base).max(spent(Side::Head))) < budget
    }

    /// Runs the open benchmarks in one process, or in more if a benchmark ends it or if a process can be asked for
    /// one benchmark only.
    fn run(
        &self,
        mut run: Run<'_, '_>,
        seam: &mut AllocationSeam,
        counted: &mut [Counted],
    ) -> Result<(), Interrupted> {
        if self.target.choice() != Choice::One {
            return self.run_together(&mut run, seam, counted);
        }
        for id in std::mem::take(&mut run.open) {
            run.open = vec![id];
            self.run_together(&mut run, seam, counted)?;
        }
        Ok(())
    }

    fn run_together(
        &self,
        run: &mut Run<'_, '_>,
        seam: &mut AllocationSeam,
        counted: &mut [Counted],
    ) -> Result<(), Interrupted> {
        let side = run.side;
        let version = *self.target.criterion.get(side);
        let Some(executable) = self.target.executables.get(side).as_ref() else {
            return Ok(());
        };
        while !run.open.is_empty() {
            process::check()?;
            let before = run.open.len();
            let invocation = Invocation {
                executable,
                side,
                filter: Invocation::filter_for(run.open.iter().map(String::as_str)),
                timing: Some((fit(TIMING, self.target), version)),
                length: Length::Whole,
                placement: Placement::Free,
                env: seam.env(side),
            };
            let stop = self.play(&invocation, run, seam, counted);
            let stop = match stop.err().unwrap_or(CountingStop::Over) {
                CountingStop::Enough if run.open.len() < before => continue,
                stop => stop,
            };
            // A process that was interrupted did not fail.
            process::check()?;
            blame(stop, run, before, counted);
        }
        Ok(())
    }

    /// One process, to its end. What it counted is no longer open.
    fn play(
        &self,
        invocation: &Invocation<'_>,
        run: &mut Run<'_, '_>,
        seam: &mut AllocationSeam,
        counted: &mut [Counted],
    ) -> Result<(), CountingStop> {
        let side = run.side;
        let mut player = Player::start(invocation, self.scratch, self.sampling.timeout)?;
        if !seam.attached(side, player.id())? {
            let why = player.kept_out_by();
            let why = format!("the loader did not let the probe into the process{why}");
            return Err(CountingStop::Blind(why));
        }
        loop {
            self.announce(run, counted);
            let tracing = run.next_tracing();
            seam.trace(tracing)?;
            if let Some((warm_up, enough)) = self.bounds(run, counted) {
                player.at(seam.end_warm_up(side, warm_up, enough)?);
            }
            let report = match player.turn() {
                Ok(Turn::Complete(report)) => report,
                Ok(Turn::Enough(mut report)) => {
                    report.times = seam.cut_times(side)?;
                    report.iterations.truncate(report.times.len());
                    report
                }
                Ok(Turn::Over) => return Ok(()),
                Err(ending) => return Err(player.into_fault(&ending).into()),
            };
            report.is_explained().map_err(CountingStop::Blind)?;
            let partial = match seam.coverage(side, player.id())? {
                Coverage::Complete => None,
                Coverage::Partial { reason } => Some(reason),
                Coverage::None { reason } => return Err(CountingStop::Blind(reason.to_owned())),
            };
            run.open.retain(|id| *id != report.id);
            let Some(each) = counted.iter_mut().find(|each| each.key.id == report.id) else {
                if report.ended {
                    return Err(CountingStop::Enough);
                }
                continue;
            };
            if let Some(reason) = partial {
                each.note(&format!("{side}: {reason}"));
            }
            match &mut run.purpose {
                // An executable that takes no filter runs those, too, of which nothing is asked.
                Purpose::Trace(tracings, _) if !tracings.contains_key(&report.id) => {}
                Purpose::Trace(tracings, _) if tracings.get(&report.id) != Some(&tracing) => {
                    let why = "the places that allocate are unknown: it did not run when expected";
                    each.note(&format!("{side}: {why}"));
                }
                Purpose::Trace(_, atlas) => {
                    let stacks = seam.take_stacks(side, player.id())?;
                    *each.traced.get_mut(side) = Some(atlas.trace(stacks, tracing.stride));
                }
                Purpose::Count(_) => match samples(seam, side, &report)? {
                    Ok(samples) => {
                        let process = CountedProcess { samples };
                        each.processes.get_mut(side).push(process);
                    }
                    Err(reason) => each.note(&format!("{side}: {reason}")),
                },
            }
            if report.ended {
                return Err(CountingStop::Enough);
            }
        }
    }

    /// How the next benchmark is bounded, so that the settings in its code do not decide how long it runs.
    fn bounds(&self, run: &Run<'_, '_>, counted: &[Counted]) -> Option<(WarmUp, Option<Enough>)> {
        let key = &next(run, counted)?.key;
        let (side, sampling) = (run.side, self.sampling);
        self.counting
            .known
            .run(key, side, sampling, self.target, TIMING)
    }

    fn announce(&self, run: &Run<'_, '_>, counted: &[Counted]) {
        if let Some(next) = next(run, counted) {
            (self.events)(Event::Measuring {
                benchmark: next.key.to_string(),
                round: match run.purpose {
                    Purpose::Count(process) => process + 1,
                    Purpose::Trace(..) => PROCESSES + 1,
                },
            });
        }
    }
}

/// What is to be run next.
fn next<'c>(run: &Run<'_, '_>, counted: &'c [Counted]) -> Option<&'c Counted> {
    let id = run.open.first()?;
    counted.iter().find(|each| each.key.id == *id)
}

/// The counts of the benchmark that was reported, or why they are unknown.
fn samples(
    seam: &AllocationSeam,
    side: Side,
    report: &SideReport,
) -> Result<Result<Vec<CountedSample>, String>, SeamError> {
    if report.ended && report.iterations.is_empty() {
        return Ok(Err("how many iterations it ran is not known".to_owned()));
    }
    let reported = match check::samples(report) {
        Ok(reported) => reported,
        Err(reason) => return Ok(Err(reason)),
    };
    let records = match seam.take_log(side, &reported.times)? {
        Ok(records) => records,
        Err(disagreement) => return Ok(Err(disagreement.to_string())),
    };
    let samples = reported.iterations.into_iter().zip(records);
    Ok(Ok(samples
        .map(|(iterations, record)| CountedSample { iterations, record })
        .collect()))
}
