//! The pass that counts instructions: below Valgrind, after timing and never during it.
//!
//! Valgrind puts the executable, its libraries and its stack at the same addresses each time, the probe answers with the same
//! random numbers, and both sides have environments of one length: what is left is the program's own doing. So one
//! process a side is enough where both say the same. Where the sides differ, a second one of each has to confirm it;
//! where processes of one side differ (threads, the time of day), more of them show by how much.

mod counter;
mod counts;

use std::time::Instant;

use crate::discover::{Discovery, Target};
use crate::plan::Sampling;
use crate::process::{Interrupted, Valgrind};
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Pass};

use super::allocations::taking_part;
use super::budget::go_on;
use counter::InstructionCounter;

pub use counts::InstructionCounts;

/// What counting came to.
#[derive(Debug)]
pub struct InstructionRun {
    /// Every benchmark of a target that was counted to its end.
    pub counted: Vec<InstructionCounts>,
    /// What ended it before it was done.
    pub ended: Option<Interrupted>,
    /// How many benchmarks were to be counted.
    pub wanted: usize,
}

/// Counts the instructions of every benchmark that executes something that differs. After `end` no process is started.
pub fn count_instructions(
    sampling: &Sampling,
    valgrind: &Valgrind,
    end: Option<Instant>,
    discovery: &Discovery,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> InstructionRun {
    let started = Instant::now();
    let targets = discovery.targets.iter();
    let targets: Vec<(&Target, Vec<InstructionCounts>)> = targets
        .map(|target| (target, enter(sampling, target)))
        .filter(|(_, counted)| !counted.is_empty())
        .collect();
    let wanted = targets.iter().map(|(_, counted)| counted.len()).sum();
    (events)(Event::PassStarted {
        pass: Pass::Instructions,
        benchmarks: wanted,
        rounds: 1,
    });
    let mut run = InstructionRun {
        counted: Vec::new(),
        ended: None,
        wanted,
    };
    for (target, mut counted) in targets {
        let counter = InstructionCounter {
            sampling,
            valgrind,
            end,
            target,
            scratch,
            events,
        };
        let done = go_on(end).and_then(|()| counter.count(&mut counted));
        if let Err(interrupted) = done {
            run.ended = Some(interrupted);
            break;
        }
        run.counted.append(&mut counted);
    }
    (events)(Event::PassFinished {
        pass: Pass::Instructions,
        took: started.elapsed(),
    });
    run
}

/// The benchmarks of a target that take part.
fn enter(sampling: &Sampling, target: &Target) -> Vec<InstructionCounts> {
    let benchmarks = taking_part(sampling, target);
    benchmarks
        .map(|benchmark| InstructionCounts {
            key: benchmark.key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            notes: Vec::new(),
        })
        .collect()
}
