//! CPU profiles of whole programs: where the processor time of all their threads goes.
//!
//! A run is short, so a program is run again and again, and its samples are put together. The first runs are sampled by
//! the processor time of all threads, at the kernel's tick; a program whose main thread does all of the work is then
//! sampled by a faster timer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::discover::Presence;
use crate::measure::{Profile, ProfileRun, Profiled};
use crate::process::{self, Interrupted};
use crate::seam::{ProfileClock, ProfileSeam, RawProfile};
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass, Side};

use super::course::{aside, expected};
use super::fill::{FilledCommand, FilledWorkload};
use super::launch::Launch;
use super::schedule::launch;
use super::{MatchedWorkload, WorkloadClock, Workloads};

/// The most runs of a side.
const MOST_RUNS: usize = 300;

/// The runs that show whether the main thread alone works.
const FIRST_RUNS: usize = 5;

/// With so many samples a share is known to a few percentage points,
const ENOUGH_SAMPLES: u64 = 400;

/// and with fewer it takes up to so many times as long as is wanted.
const LONGER: u32 = 2;

/// Profiles the `wanted` workloads, each on both sides and for so long on each.
pub fn profile(
    workloads: &Workloads,
    clock: WorkloadClock<'_>,
    wanted: &BTreeMap<BenchmarkKey, Duration>,
    events: EventSink<'_>,
) -> ProfileRun {
    let mut run = ProfileRun {
        profiled: Vec::new(),
        ended: None,
    };
    let asked = workloads.0.iter().filter_map(|workload| {
        let key = workload.key()?;
        Some((workload, key, *wanted.get(key)?))
    });
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() {
        return run;
    }
    let began = Instant::now();
    events(Event::PassStarted {
        pass: Pass::Profile,
        benchmarks: asked.len(),
        rounds: 1,
    });
    for (workload, key, time) in asked {
        events(Event::Measuring {
            benchmark: key.to_string(),
            round: 1,
        });
        match one(workload, key, time, clock) {
            Ok(profiled) => run.profiled.push(profiled),
            Err(interrupted) => {
                run.ended = Some(interrupted);
                break;
            }
        }
    }
    events(Event::PassFinished {
        pass: Pass::Profile,
        took: began.elapsed(),
    });
    run
}

fn one(
    workload: &MatchedWorkload,
    key: &BenchmarkKey,
    time: Duration,
    clock: WorkloadClock<'_>,
) -> Result<Profiled, Interrupted> {
    let mut profiled = Profiled {
        key: key.clone(),
        profiles: Paired::new(None, None),
        notes: Vec::new(),
    };
    let prepared = Programs::of(workload, clock);
    let programs = match prepared {
        Ok(programs) => programs,
        Err(why) => {
            profiled.notes.push(why);
            return Ok(profiled);
        }
    };
    for side in Side::BOTH {
        if workload.presence() == Presence::Only(side.other()) {
            continue;
        }
        process::check()?;
        let found = programs.side(side, time, clock);
        // What an interruption broke off did not fail.
        process::check()?;
        match found {
            Ok((clock, raw)) => {
                *profiled.profiles.get_mut(side) = Some(Profile {
                    executable: programs.path(side).to_owned(),
                    clock,
                    raw,
                });
            }
            Err(why) => profiled.notes.push(format!("{side}: {why}")),
        }
    }
    Ok(profiled)
}

/// The programs of a workload, ready to be profiled.
struct Programs<'a> {
    workload: &'a MatchedWorkload,
    seam: ProfileSeam,
    launch: Launch<'a>,
}

impl<'a> Programs<'a> {
    fn of(workload: &'a MatchedWorkload, clock: WorkloadClock<'a>) -> Result<Programs<'a>, String> {
        let seam = ProfileSeam::of_programs(clock.scratch.path(), workload.programs()?);
        Ok(Programs {
            workload,
            seam: seam.map_err(|error| error.to_string())?,
            launch: launch(clock),
        })
    }

    fn path(&self, side: Side) -> &Path {
        let filled = self.workload.sides.get(side).as_ref();
        filled.map_or(Path::new(""), |filled| &filled.command.program)
    }

    /// Runs one side again and again for so long.
    fn side(
        &self,
        side: Side,
        time: Duration,
        clock: WorkloadClock<'_>,
    ) -> Result<(ProfileClock, RawProfile), String> {
        let filled = self.workload.sides.get(side).as_ref();
        let filled = filled.ok_or("it lacks a program")?;
        let found = self
            .beside(filled, filled.setup.as_ref(), "setup")
            .and_then(|()| self.runs(side, filled, time, clock));
        let cleaned = self.beside(filled, filled.cleanup.as_ref(), "cleanup");
        let found = found?;
        cleaned.map(|()| found)
    }

    fn beside(
        &self,
        filled: &FilledWorkload,
        command: Option<&FilledCommand>,
        key: &str,
    ) -> Result<(), String> {
        aside(self.launch, self.workload, filled, command, key).map_err(|failure| failure.reason)
    }

    fn runs(
        &self,
        side: Side,
        filled: &FilledWorkload,
        time: Duration,
        clock: WorkloadClock<'_>,
    ) -> Result<(ProfileClock, RawProfile), String> {
        let began = Instant::now();
        let mut whole = RawProfile::default();
        let mut sampled = ProfileClock::AllThreads;
        let mut is_alone = true;
        for run in 0..MOST_RUNS {
            let is_late = clock.left().is_some_and(|left| left.is_zero());
            let is_enough = began.elapsed() >= time && whole.ticks_inside >= ENOUGH_SAMPLES;
            if run > 0 && (is_late || is_enough || began.elapsed() >= time * LONGER) {
                break;
            }
            // The samples of a main thread that is alone come faster than the kernel's tick.
            if run == FIRST_RUNS && is_alone {
                sampled = ProfileClock::WholeProgram;
                whole = RawProfile::default();
            }
            let seen = self.run(side, filled, sampled)?;
            is_alone &= seen.is_of_main_thread();
            whole.add(seen);
        }
        Ok((sampled, whole))
    }

    fn run(
        &self,
        side: Side,
        filled: &FilledWorkload,
        clock: ProfileClock,
    ) -> Result<RawProfile, String> {
        let number = self.seam.begin_program(side, clock);
        let number = number.map_err(|error| error.to_string())?;
        let env = self.seam.env(side);
        let expected = expected(self.workload);
        let ran = self
            .beside(filled, filled.prepare.as_ref(), "prepare")
            .and_then(|()| {
                self.launch
                    .run_unmeasured(filled, &filled.command, expected, env)
                    .map(|_| ())
            });
        let concluded = self.beside(filled, filled.conclude.as_ref(), "conclude");
        ran.and(concluded)?;
        let taken = self.seam.take(side, number);
        taken.map_err(|error| error.to_string())
    }
}
