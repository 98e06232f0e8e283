//! How many instructions whole programs execute, from their start to their end, below Valgrind.
//!
//! Each process counts by itself, so nothing is paired: one of each side is enough where both say the same. Children are
//! not counted.

use std::path::PathBuf;
use std::time::Instant;

use crate::discover::Presence;
use crate::measure::{InstructionCounts, InstructionRun};
use crate::process::Valgrind;
use crate::seam::{CalledInstructions, ProgramInstructionSeam, SeamError};
use crate::units::{BenchmarkKey, Event, EventSink, Pass, Side};

use super::course::expected;
use super::fill::{FilledCommand, FilledWorkload};
use super::launch::{Expected, Launch};
use super::schedule::launch;
use super::single::{WorkloadStop, go_on, surrounded};
use super::{MatchedWorkload, WorkloadClock, Workloads};

/// A program may take so many times as long below Valgrind as its limit is without.
const SLOWER: u32 = 50;

/// Counts the instructions of every workload that may differ and of which `runs` holds.
pub fn count_instructions(
    workloads: &Workloads,
    clock: WorkloadClock<'_>,
    valgrind: &Valgrind,
    runs: impl Fn(&BenchmarkKey) -> bool,
    events: EventSink<'_>,
) -> InstructionRun {
    let is_wanted = |workload: &&MatchedWorkload| {
        let differs = clock.sampling.measure_identical || workload.may_differ();
        differs && workload.key().is_some_and(&runs)
    };
    let wanted: Vec<&MatchedWorkload> = workloads.0.iter().filter(is_wanted).collect();
    let mut run = InstructionRun {
        counted: Vec::new(),
        ended: None,
        wanted: wanted.len(),
    };
    if wanted.is_empty() {
        return run;
    }
    let began = Instant::now();
    events(Event::PassStarted {
        pass: Pass::Instructions,
        benchmarks: wanted.len(),
        rounds: 1,
    });
    for workload in wanted {
        let Some(key) = workload.key() else {
            continue;
        };
        events(Event::Measuring {
            benchmark: key.to_string(),
            round: 1,
        });
        let mut counts = InstructionCounts::of(key);
        match count(workload, clock, valgrind, &mut counts) {
            Ok(()) => {}
            Err(WorkloadStop::Unknown(why)) => counts.note(&why),
            Err(WorkloadStop::Ended(interrupted)) => {
                run.ended = Some(interrupted);
                break;
            }
        }
        run.counted.push(counts);
    }
    events(Event::PassFinished {
        pass: Pass::Instructions,
        took: began.elapsed(),
    });
    run
}

fn count(
    workload: &MatchedWorkload,
    clock: WorkloadClock<'_>,
    valgrind: &Valgrind,
    counts: &mut InstructionCounts,
) -> Result<(), WorkloadStop> {
    let paths = workload.programs().map_err(WorkloadStop::Unknown)?;
    let seam = ProgramInstructionSeam::prepare(clock.scratch.path(), paths);
    let mut counter = ProgramInstructions {
        workload,
        seam: seam.map_err(|error| WorkloadStop::Unknown(error.to_string()))?,
        launch: launch(clock),
        valgrind,
    };
    let sides: Vec<Side> = match workload.presence() {
        Presence::Common => Side::BOTH.to_vec(),
        Presence::Only(side) => vec![side],
    };
    while counts.needs_more() {
        for side in &sides {
            go_on(clock)?;
            let (launch, side) = (counter.launch, *side);
            let counted = surrounded(launch, workload, side, |filled| {
                counter.process(side, filled)
            })?;
            let counted = CalledInstructions::of_doubling(vec![counted]);
            counts.processes.get_mut(side).push(counted);
        }
    }
    Ok(())
}

/// Counts the processes of one workload.
struct ProgramInstructions<'a> {
    workload: &'a MatchedWorkload,
    seam: ProgramInstructionSeam,
    launch: Launch<'a>,
    valgrind: &'a Valgrind,
}

impl ProgramInstructions<'_> {
    /// What one process executes.
    fn process(&mut self, side: Side, filled: &FilledWorkload) -> Result<u64, String> {
        let told = |error: SeamError| error.to_string();
        self.seam.begin(side).map_err(told)?;
        let arguments = self.seam.arguments(side);
        let arguments =
            arguments.ok_or("the run's folder has a name that Valgrind cannot be told")?;
        let runner = Valgrind::behind(None, arguments);
        let words = runner.arguments.iter().map(Into::into);
        let program = [filled.command.program.clone().into_os_string()];
        let command = FilledCommand {
            program: PathBuf::from(&runner.program),
            arguments: words
                .chain(program)
                .chain(filled.command.arguments.iter().cloned())
                .collect(),
        };
        let usual = expected(self.workload);
        let expected = Expected {
            timeout: usual.timeout.saturating_mul(SLOWER),
            ..usual
        };
        let env = self.seam.env(side);
        let id = self
            .launch
            .run_unmeasured(filled, &command, expected, env)
            .map_err(|why| format!("below {}, it {why}", self.valgrind.version))?;
        let counted = self.seam.take(side, id).map_err(told)?;
        counted.ok_or_else(|| format!("{} has counted nothing", self.valgrind.version))
    }
}
