//! The pass that counts instructions: below Valgrind, after timing and never during it.
//!
//! Valgrind puts the executable, its libraries and its stack at the same addresses each time, the probe answers with the same
//! random numbers, and both sides have environments of one length: what is left is the program's own doing. So one
//! process a side is enough where both say the same. Where the sides differ, a second one of each has to confirm it;
//! where processes of one side differ (threads, the time of day), more of them show by how much.

mod counter;
mod counts;

use std::collections::BTreeSet;
use std::time::Instant;

use crate::build::Choice;
use crate::discover::{Discovery, Target};
use crate::plan::Sampling;
use crate::process::{Interrupted, Valgrind};
use crate::scratch::Scratch;
use crate::seam::CountDetail;
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass};

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
    let counting = InstructionPass {
        sampling,
        valgrind,
        end,
        detail: CountDetail::Totals,
        scratch,
        events,
    };
    let targets = discovery.targets.iter();
    counting.run(targets.map(|target| (target, enter(sampling, target))))
}

/// Counts which instructions the `wanted` benchmarks execute, place by place, in one process of each side. After `end` no
/// process is started.
pub fn locate_instructions(
    sampling: &Sampling,
    valgrind: &Valgrind,
    end: Option<Instant>,
    discovery: &Discovery,
    wanted: &BTreeSet<BenchmarkKey>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> InstructionRun {
    let locating = InstructionPass {
        sampling,
        valgrind,
        end,
        detail: CountDetail::Places,
        scratch,
        events,
    };
    let targets = discovery.targets.iter();
    locating.run(targets.map(|target| {
        let mut entered = enter(sampling, target);
        entered.retain(|counts| wanted.contains(&counts.key));
        (target, entered)
    }))
}

/// How a pass below Valgrind goes over the targets.
struct InstructionPass<'a> {
    sampling: &'a Sampling,
    valgrind: &'a Valgrind,
    end: Option<Instant>,
    detail: CountDetail,
    scratch: &'a Scratch,
    events: EventSink<'a>,
}

impl<'a> InstructionPass<'a> {
    fn run(
        &self,
        targets: impl Iterator<Item = (&'a Target, Vec<InstructionCounts>)>,
    ) -> InstructionRun {
        let started = Instant::now();
        let targets: Vec<_> = targets.filter(|(_, counted)| !counted.is_empty()).collect();
        let wanted = targets.iter().map(|(_, counted)| counted.len()).sum();
        (self.events)(Event::PassStarted {
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
            let mut groups = counted.chunks_mut(self.most_at_once(target));
            let done = groups.try_for_each(|group| {
                go_on(self.end)?;
                self.counter(target).count(group)
            });
            if let Err(interrupted) = done {
                run.ended = Some(interrupted);
                // One process of each side says all about places.
                counted.retain(|each| each.executed().is_some() || !each.notes.is_empty());
                run.counted.append(&mut counted);
                break;
            }
            run.counted.append(&mut counted);
        }
        (self.events)(Event::PassFinished {
            pass: Pass::Instructions,
            took: started.elapsed(),
        });
        run
    }

    /// How many benchmarks are counted before the time is looked at again. One by one, those for which it lasts have
    /// both sides.
    fn most_at_once(&self, target: &Target) -> usize {
        match (self.detail, target.choice()) {
            (CountDetail::Places, Choice::Any | Choice::One) => 1,
            (CountDetail::Places, Choice::All) | (CountDetail::Totals, _) => usize::MAX,
        }
    }

    fn counter(&self, target: &'a Target) -> InstructionCounter<'a> {
        InstructionCounter {
            sampling: self.sampling,
            valgrind: self.valgrind,
            end: self.end,
            target,
            detail: self.detail,
            scratch: self.scratch,
            events: self.events,
        }
    }
}

/// The benchmarks of a target that take part.
fn enter(sampling: &Sampling, target: &Target) -> Vec<InstructionCounts> {
    let benchmarks = taking_part(sampling, target);
    benchmarks
        .map(|benchmark| InstructionCounts {
            key: benchmark.key.clone(),
            processes: Paired::new(Vec::new(), Vec::new()),
            code: Paired::new(None, None),
            notes: Vec::new(),
        })
        .collect()
}
