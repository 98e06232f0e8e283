//! What whole programs ask of the allocator, and which statements they run, from before `main` until they have ended, in
//! all threads.

use std::time::Instant;

use crate::discover::Presence;
use crate::measure::{
    AllocationRun, Atlas, Counted, CountedProcess, CountedSample, PROCESSES, Sources, Traced,
};
use crate::process::Child;
use crate::seam::{AllocationRecord, AllocationSeam, Coverage, QueriesSeen, SeamError, Tracing};
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass, Side};

use super::fill::FilledWorkload;
use super::launch::{GLANCE, Launch};
use super::queries::{CountedQueries, TracedStatement};
use super::schedule::launch;
use super::single::{WorkloadStop, go_on, surrounded};
use super::{MatchedWorkload, WorkloadClock, Workloads};

/// What was counted of whole programs.
#[derive(Debug)]
pub struct ProgramCounts {
    /// Their allocations.
    pub allocations: AllocationRun,
    /// The statements of those that have a database.
    pub queries: Vec<CountedQueries>,
}

/// Counts the allocations and statements of every workload that may differ and of which `runs` holds. A difference has
/// to be seen in `enough` processes a side.
pub fn count_allocations(
    workloads: &Workloads,
    clock: WorkloadClock<'_>,
    runs: impl Fn(&BenchmarkKey) -> bool,
    enough: usize,
    sources: Paired<Sources<'_>>,
    events: EventSink<'_>,
) -> ProgramCounts {
    let wanted: Vec<&MatchedWorkload> = workloads
        .0
        .iter()
        .filter(|workload| clock.sampling.measure_identical || workload.may_differ())
        .filter(|workload| workload.key().is_some_and(&runs))
        .collect();
    let mut queries = Vec::new();
    let mut run = AllocationRun {
        counted: Vec::new(),
        ended: None,
        wanted: wanted.len(),
    };
    if wanted.is_empty() {
        return ProgramCounts {
            allocations: run,
            queries,
        };
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
        let mut counts = WorkloadCounts::of(key);
        match count(workload, clock, enough, &mut counts, &mut atlases) {
            Ok(()) => {}
            Err(WorkloadStop::Unknown(why)) => counts.allocations.note(&why),
            Err(WorkloadStop::Ended(interrupted)) => {
                run.ended = Some(interrupted);
                break;
            }
        }
        run.counted.push(counts.allocations);
        queries.extend(Some(counts.queries).filter(|queries| !queries.is_empty()));
    }
    events(Event::PassFinished {
        pass: Pass::Allocations,
        took: began.elapsed(),
    });
    ProgramCounts {
        allocations: run,
        queries,
    }
}

/// What is counted of one workload.
struct WorkloadCounts {
    allocations: Counted,
    /// Whether the allocations of a side cannot be counted: its queries may be all the same.
    is_unseen: bool,
    queries: CountedQueries,
}

impl WorkloadCounts {
    fn of(key: &BenchmarkKey) -> WorkloadCounts {
        WorkloadCounts {
            allocations: Counted {
                key: key.clone(),
                processes: Paired::new(Vec::new(), Vec::new()),
                traced: Paired::new(None, None),
                notes: Vec::new(),
            },
            is_unseen: false,
            queries: CountedQueries::of(key),
        }
    }

    /// Whether more processes are needed than the `taken` ones of each side.
    fn needs_more(&self, taken: usize, enough: usize) -> bool {
        let allocations = !self.is_unseen && self.allocations.needs_more(enough);
        let queries = !self.queries.is_empty() && taken < PROCESSES;
        taken == 0 || allocations || queries || self.queries.needs_more(enough)
    }

    /// Takes in what a process of `side` has shown.
    fn take(&mut self, side: Side, seen: SeenProcess) {
        self.queries.take(side, seen.queries);
        let note = |reason| format!("{side}: {reason}");
        match seen.coverage {
            Coverage::Complete => {}
            Coverage::Partial { reason } => self.allocations.note(&note(reason)),
            Coverage::None { reason } => {
                self.is_unseen = true;
                return self.allocations.note(&note(reason));
            }
        }
        let sample = CountedSample {
            iterations: 1,
            record: seen.record,
        };
        let processes = self.allocations.processes.get_mut(side);
        processes.push(CountedProcess {
            samples: vec![sample],
        });
    }
}

fn count(
    workload: &MatchedWorkload,
    clock: WorkloadClock<'_>,
    enough: usize,
    counts: &mut WorkloadCounts,
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
    let mut taken = 0;
    while counts.needs_more(taken, enough) {
        taken += 1;
        for side in &sides {
            go_on(clock)?;
            let seen = counter.process(*side, None)?;
            counts.take(*side, seen);
        }
    }
    let differs = (counts.allocations.differs(), counts.queries.differs());
    if differs == (false, false) {
        return Ok(());
    }
    for side in &sides {
        let requests = counts.allocations.tracing(*side).filter(|_| differs.0);
        go_on(clock)?;
        let trace = Trace {
            tracing: requests.unwrap_or(Tracing::NONE),
            atlas: atlases.get_mut(*side),
        };
        let seen = counter.process(*side, Some(trace))?;
        if requests.is_some() {
            *counts.allocations.traced.get_mut(*side) = seen.traced;
        }
        *counts.queries.traced.get_mut(*side) = seen.statements;
    }
    Ok(())
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
    /// How much of it was seen.
    coverage: Coverage,
    queries: QueriesSeen,
    traced: Option<Traced>,
    statements: Vec<TracedStatement>,
}

/// What call stacks are recorded of, and what knows their places.
struct Trace<'a, 'b> {
    tracing: Tracing,
    atlas: &'a mut Atlas<'b>,
}

impl ProgramCounter<'_> {
    /// One process with what comes before and after it; its stacks, where they are wanted.
    fn process(
        &mut self,
        side: Side,
        trace: Option<Trace<'_, '_>>,
    ) -> Result<SeenProcess, WorkloadStop> {
        let (launch, workload) = (self.launch, self.workload);
        surrounded(launch, workload, side, |filled| {
            self.seen(side, filled, trace)
        })
    }

    fn seen(
        &mut self,
        side: Side,
        filled: &FilledWorkload,
        trace: Option<Trace<'_, '_>>,
    ) -> Result<SeenProcess, String> {
        let tracing = trace.as_ref().map(|trace| trace.tracing);
        let begun = self.seam.begin_program(side, tracing);
        begun.map_err(|error| error.to_string())?;
        let env = self.seam.env(side);
        let child = self.launch.start_unmeasured(filled, &filled.command, env);
        let mut child = child.map_err(|error| format!("could not be started: {error}"))?;
        let record = self.wait(side, &mut child)?;
        let id = child.id();
        let coverage = self.seam.coverage(side, id);
        let queries = self.seam.take_queries(side);
        let mut seen = SeenProcess {
            record,
            coverage: coverage.map_err(|error| error.to_string())?,
            queries: queries.map_err(|error| error.to_string())?,
            traced: None,
            statements: Vec::new(),
        };
        if let Some(trace) = trace {
            self.trace(side, id, trace, &mut seen)
                .map_err(|error| error.to_string())?;
        }
        Ok(seen)
    }

    /// Takes the call stacks of a process that stands still.
    fn trace(
        &self,
        side: Side,
        id: u32,
        trace: Trace<'_, '_>,
        seen: &mut SeenProcess,
    ) -> Result<(), SeamError> {
        let Trace { tracing, atlas } = trace;
        let requests = self.seam.take_stacks(side, id)?;
        seen.traced = Some(atlas.trace(requests, tracing.stride));
        let statements = self.seam.take_statement_stacks(side, id)?.into_iter();
        let traced = statements.map(|one| TracedStatement {
            text: one.text,
            stack: atlas.stack(&one.stack),
        });
        seen.statements = traced.collect();
        Ok(())
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
