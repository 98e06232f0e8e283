//! What whole programs ask of the allocator, from before `main` until they have ended, in all threads.

use std::time::Instant;

use crate::discover::Presence;
use crate::measure::{AllocationRun, Atlas, Counted, CountedProcess, CountedSample, Sources};
use crate::process::{self, Child, Interrupted};
use crate::seam::{AllocationRecord, AllocationSeam, Coverage, Tracing};
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass, Side};

use super::course::aside;
use super::fill::FilledWorkload;
use super::launch::{GLANCE, Launch};
use super::schedule::launch;
use super::{MatchedWorkload, WorkloadClock, Workloads};

/// Counts the allocations of every workload that may differ and of which `runs` holds. A difference has to be seen in
/// `enough` processes a side.
pub fn count_allocations(
    workloads: &Workloads,
    clock: WorkloadClock<'_>,
    runs: impl Fn(&BenchmarkKey) -> bool,
    enough: usize,
    sources: Paired<Sources<'_>>,
    events: EventSink<'_>,
) -> AllocationRun {
    let wanted: Vec<&MatchedWorkload> = workloads
        .0
        .iter()
        .filter(|workload| clock.sampling.measure_identical || workload.may_differ())
        .filter(|workload| workload.key().is_some_and(&runs))
        .collect();
    let mut run = AllocationRun {
        counted: Vec::new(),
        ended: None,
        wanted: wanted.len(),
    };
    if wanted.is_empty() {
        return run;
    }
    let began = Instant::now();
    events(Event::PassStarted {
        pass: Pass::Allocations,
        benchmarks: wanted.len(),
        rounds: 1,
    });
    let mut atlases = sources.map(Atlas::new);
    for workload in wanted {
        let Some(key) = workload.key() else {
            continue;
        };
        events(Event::Measuring {
            benchmark: key.to_string(),
            round: 1,
        });
        let mut counted = Counted {
            key: key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            traced: Paired::new(None, None),
            notes: Vec::new(),
        };
        match count(workload, clock, enough, &mut counted, &mut atlases) {
            Ok(()) => {}
            Err(WorkloadStop::Unknown(why)) => counted.note(&why),
            Err(WorkloadStop::Ended(interrupted)) => {
                run.ended = Some(interrupted);
                break;
            }
        }
        run.counted.push(counted);
    }
    events(Event::PassFinished {
        pass: Pass::Allocations,
        took: began.elapsed(),
    });
    run
}

/// Why nothing more is counted of a workload.
enum WorkloadStop {
    /// Nothing can be, as a lower-case fragment.
    Unknown(String),
    /// The run is over.
    Ended(Interrupted),
}

fn count(
    workload: &MatchedWorkload,
    clock: WorkloadClock<'_>,
    enough: usize,
    counted: &mut Counted,
    atlases: &mut Paired<Atlas<'_>>,
) -> Result<(), WorkloadStop> {
    let paths = workload.programs().map_err(WorkloadStop::Unknown)?;
    let seam = AllocationSeam::of_programs(clock.scratch.path(), paths);
    let mut counter = ProgramCounter {
        workload,
        seam: seam.map_err(|error| WorkloadStop::Unknown(error.to_string()))?,
        launch: launch(clock),
    };
    let sides: Vec<Side> = match workload.presence() {
        Presence::Common => Side::BOTH.to_vec(),
        Presence::Only(side) => vec![side],
    };
    while counted.needs_more(enough) {
        for side in &sides {
            go_on(clock)?;
            let seen = counter.process(*side, Tracing::NONE, None)?;
            if let Some(reason) = seen.partial {
                counted.note(&format!("{side}: {reason}"));
            }
            let sample = CountedSample {
                iterations: 1,
                record: seen.record,
            };
            counted.processes.get_mut(*side).push(CountedProcess {
                samples: vec![sample],
            });
        }
    }
    if counted.differs() {
        for side in &sides {
            if let Some(tracing) = counted.tracing(*side) {
                go_on(clock)?;
                let atlas = atlases.get_mut(*side);
                let seen = counter.process(*side, tracing, Some(atlas))?;
                *counted.traced.get_mut(*side) = seen.traced;
            }
        }
    }
    Ok(())
}

fn go_on(clock: WorkloadClock<'_>) -> Result<(), WorkloadStop> {
    process::check().map_err(WorkloadStop::Ended)?;
    match clock.left() {
        Some(left) if left.is_zero() => Err(WorkloadStop::Ended(Interrupted::TimeUp)),
        _ => Ok(()),
    }
}

/// Counts the processes of one workload.
struct ProgramCounter<'a> {
    workload: &'a MatchedWorkload,
    seam: AllocationSeam,
    launch: Launch<'a>,
}

/// What one process showed.
struct SeenProcess {
    record: AllocationRecord,
    /// Why some of it was not seen.
    partial: Option<&'static str>,
    traced: Option<crate::measure::Traced>,
}

impl ProgramCounter<'_> {
    /// One process with what comes before and after it; its stacks, where there is an `atlas` for them.
    fn process(
        &mut self,
        side: Side,
        tracing: Tracing,
        atlas: Option<&mut Atlas<'_>>,
    ) -> Result<SeenProcess, WorkloadStop> {
        let filled = self.workload.sides.get(side).as_ref();
        let unknown = |why: String| WorkloadStop::Unknown(format!("{side}: {why}"));
        let filled = filled.ok_or_else(|| unknown("it lacks a program".to_owned()))?;
        let asides = [
            (&filled.setup, "setup"),
            (&filled.prepare, "prepare"),
            (&filled.conclude, "conclude"),
            (&filled.cleanup, "cleanup"),
        ];
        let (launch, workload) = (self.launch, self.workload);
        let run = |(command, key): (&Option<_>, &str)| {
            aside(launch, workload, filled, command.as_ref(), key)
                .map_err(|failure| unknown(failure.reason))
        };
        let [setup, prepare, conclude, cleanup] = asides;
        let seen = run(setup).and_then(|()| {
            let seen = run(prepare).and_then(|()| {
                let seen = self.seen(side, filled, tracing, atlas);
                seen.map_err(unknown)
            });
            let concluded = run(conclude);
            let seen = seen?;
            concluded.map(|()| seen)
        });
        let cleaned = run(cleanup);
        // What an interruption broke off did not fail.
        process::check().map_err(WorkloadStop::Ended)?;
        let seen = seen?;
        cleaned.map(|()| seen)
    }

    fn seen(
        &mut self,
        side: Side,
        filled: &FilledWorkload,
        tracing: Tracing,
        atlas: Option<&mut Atlas<'_>>,
    ) -> Result<SeenProcess, String> {
        let begun = self.seam.begin_program(side, tracing);
        begun.map_err(|error| error.to_string())?;
        let env = self.seam.env(side);
        let child = self.launch.start_unmeasured(filled, &filled.command, env);
        let mut child = child.map_err(|error| format!("could not be started: {error}"))?;
        let record = self.wait(side, &mut child)?;
        let id = child.id();
        let partial = match self
            .seam
            .coverage(side, id)
            .map_err(|error| error.to_string())?
        {
            Coverage::Complete => None,
            Coverage::Partial { reason } => Some(reason),
            Coverage::None { reason } => return Err(reason.to_owned()),
        };
        let traced = match atlas {
            Some(atlas) => {
                let stacks = self.seam.take_stacks(side, id);
                let stacks = stacks.map_err(|error| error.to_string())?;
                Some(atlas.trace(stacks, tracing.stride))
            }
            None => None,
        };
        Ok(SeenProcess {
            record,
            partial,
            traced,
        })
    }

    /// Waits until the process stands still at its end.
    fn wait(&self, side: Side, child: &mut Child) -> Result<AllocationRecord, String> {
        let end = Instant::now() + self.workload.timeout;
        loop {
            let taken = self
                .seam
                .take_program(side)
                .map_err(|error| error.to_string())?;
            if let Some(record) = taken {
                return Ok(record);
            }
            if child
                .try_wait()
                .map_err(|error| error.to_string())?
                .is_some()
            {
                return Err(
                    "it ended without running its exit handlers, or the loader kept the probe out"
                        .to_owned(),
                );
            }
            if Instant::now() >= end {
                return Err("it had not ended in time".to_owned());
            }
            std::thread::sleep(GLANCE);
        }
    }
}
