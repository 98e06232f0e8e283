//! The pass that takes CPU profiles: after timing, on the executables that were timed.
//!
//! A process is for one benchmark of one side, and nothing of the run but the other side's is at work
//! meanwhile. Its times are not measurements: each sample stops the process for some tens of microseconds.
//! Whatever goes wrong is a note about the benchmark it happened to, and costs nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::build::Choice;
use crate::discover::{Discovery, Presence, Target};
use crate::harness::{Invocation, Length, Timing};
use crate::plan::Sampling;
use crate::process::{self, Interrupted, Placement, allowed_processors};
use crate::scratch::Scratch;
use crate::seam::{Enough, ProfileClock, ProfileSeam, RawProfile, SeamError};
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass, Side};

use super::Known;
use super::batches::fit;
use super::budget::go_on;
use super::player::{Fault, Player, Turn};
use super::reported::SideReport;
use super::seams::explain;
use super::threads::Threads;

/// How a benchmark is run to be profiled for so long, in its one process. Three seconds of it give three thousand
/// samples: the shares of two builds are then known to about one part in a hundred of the time.
fn timing(time: Duration) -> Timing {
    Timing {
        warm_up: Duration::from_millis(100),
        measurement: time,
        sample_size: 10,
    }
}

/// Whether both sides are profiled at once. Nothing is timed, and what one side takes from the other it gives back; but
/// each wants a processor.
#[must_use]
pub fn profiles_both_at_once() -> bool {
    allowed_processors().len() > 1
}

/// The profiles of one benchmark.
#[derive(Debug, Clone)]
pub struct Profiled {
    /// Which benchmark.
    pub key: BenchmarkKey,
    /// What was sampled on each side, where it was.
    pub profiles: Paired<Option<Profile>>,
    /// Why there is no profile, or what the reader should know, as lower-case fragments.
    pub notes: Vec<String>,
}

/// One profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What ran.
    pub executable: PathBuf,
    /// Which threads were sampled, and by which time.
    pub clock: ProfileClock,
    /// What was sampled.
    pub raw: RawProfile,
}

/// What profiling came to.
#[derive(Debug)]
pub struct ProfileRun {
    /// Every benchmark that was profiled.
    pub profiled: Vec<Profiled>,
    /// What ended it before it was done.
    pub ended: Option<Interrupted>,
}

/// Profiles the `wanted` benchmarks, each on the sides that have it and for so long on each. After `end` none is begun.
pub fn profile(
    sampling: &Sampling,
    discovery: &Discovery,
    wanted: &BTreeMap<BenchmarkKey, Duration>,
    end: Option<Instant>,
    known: &Known,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> ProfileRun {
    let started = Instant::now();
    (events)(Event::PassStarted {
        pass: Pass::Profile,
        benchmarks: wanted.len(),
        rounds: 1,
    });
    let mut run = ProfileRun {
        profiled: Vec::new(),
        ended: None,
    };
    'targets: for target in &discovery.targets {
        let benchmarks = target.benchmarks.iter();
        let chosen: Vec<_> = benchmarks
            .filter(|benchmark| benchmark.failure.is_none())
            .filter_map(|benchmark| Some((benchmark, *wanted.get(&benchmark.key)?)))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let mut profiler = Profiler::of(sampling, target, known, scratch);
        for (benchmark, time) in chosen {
            (events)(Event::Measuring {
                benchmark: benchmark.key.to_string(),
                round: 1,
            });
            let profiled = go_on(end)
                .and_then(|()| profiler.benchmark(&benchmark.key, time, benchmark.presence));
            match profiled {
                Ok(profiled) => run.profiled.push(profiled),
                Err(interrupted) => {
                    run.ended = Some(interrupted);
                    break 'targets;
                }
            }
        }
    }
    (events)(Event::PassFinished {
        pass: Pass::Profile,
        took: started.elapsed(),
    });
    run
}

/// Profiles the benchmarks of one target.
struct Profiler<'a> {
    sampling: &'a Sampling,
    target: &'a Target,
    known: &'a Known,
    scratch: &'a Scratch,
    /// The seam, or why there is none.
    seam: Result<ProfileSeam, String>,
}

/// Why there is no profile, as a lower-case fragment.
struct NoProfile(String);

/// One profile and what the benchmark reported meanwhile, or why there is none.
type Taken = Result<(SideReport, Profile), NoProfile>;

impl From<SeamError> for NoProfile {
    fn from(error: SeamError) -> Self {
        NoProfile(explain(&error))
    }
}

impl From<Fault> for NoProfile {
    fn from(fault: Fault) -> Self {
        NoProfile(format!("no profile was taken: {}", fault.failure.reason))
    }
}

impl<'a> Profiler<'a> {
    fn of(
        sampling: &'a Sampling,
        target: &'a Target,
        known: &'a Known,
        scratch: &'a Scratch,
    ) -> Self {
        let path = |side| {
            let executable = target.executables.get(side).as_ref();
            executable.map(|executable| executable.path.as_path())
        };
        // Where one side has no executable, its place is taken by the other's, and never run.
        let seam = match path(Side::Base).or(path(Side::Head)) {
            None => Err("no executable was built".to_owned()),
            Some(any) => {
                let paths = Paired::from_fn(|side| path(side).unwrap_or(any));
                ProfileSeam::prepare(scratch.path(), paths).map_err(|error| explain(&error))
            }
        };
        Profiler {
            sampling,
            target,
            known,
            scratch,
            seam,
        }
    }

    fn benchmark(
        &mut self,
        key: &BenchmarkKey,
        time: Duration,
        presence: Presence,
    ) -> Result<Profiled, Interrupted> {
        let mut profiled = Profiled {
            key: key.clone(),
            profiles: Paired::new(None, None),
            notes: Vec::new(),
        };
        let sides: Vec<Side> = Side::BOTH
            .into_iter()
            .filter(|side| presence != Presence::Only(side.other()))
            .collect();
        process::check()?;
        // Its threads want all processors.
        let clock = match self.known.has_several_threads(key) {
            true => ProfileClock::AllThreads,
            false => ProfileClock::MainThread,
        };
        let together = clock == ProfileClock::MainThread && profiles_both_at_once();
        let groups = if together {
            vec![sides]
        } else {
            sides.into_iter().map(|side| vec![side]).collect()
        };
        for sides in groups {
            let mut found = self.run(&sides, key, time, clock);
            for (side, found) in &mut found {
                let several = |(report, _): &(SideReport, _)| report.threads == Threads::Several;
                // Once more with the other clock, alone.
                if clock == ProfileClock::MainThread && found.as_ref().is_ok_and(several) {
                    let again = self.run(&[*side], key, time, ProfileClock::AllThreads);
                    *found = again
                        .into_iter()
                        .next()
                        .map_or_else(|| Err(never_run()), |(_, found)| found);
                }
            }
            // What an interruption broke off did not fail.
            process::check()?;
            for (side, found) in found {
                match found {
                    Ok((_, profile)) => *profiled.profiles.get_mut(side) = Some(profile),
                    Err(NoProfile(why)) => profiled.notes.push(format!("{side}: {why}")),
                }
            }
        }
        Ok(profiled)
    }

    /// Profiles these sides at the same time.
    fn run(
        &mut self,
        sides: &[Side],
        key: &BenchmarkKey,
        time: Duration,
        clock: ProfileClock,
    ) -> Vec<(Side, Taken)> {
        if let Ok(seam) = &mut self.seam
            && let Err(error) = seam.begin(clock)
        {
            let why = explain(&error);
            let failed = |side: &Side| (*side, Err(NoProfile(why.clone())));
            return sides.iter().map(failed).collect();
        }
        let this = &*self;
        std::thread::scope(|scope| {
            let running: Vec<_> = sides
                .iter()
                .map(|side| (*side, scope.spawn(|| this.side(*side, key, time, clock))))
                .collect();
            let joined = running.into_iter().map(|(side, thread)| {
                let found = thread.join();
                let found = found.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (side, found)
            });
            joined.collect()
        })
    }

    /// One process, to its end.
    fn side(&self, side: Side, key: &BenchmarkKey, time: Duration, clock: ProfileClock) -> Taken {
        let executable = self.target.executables.get(side).as_ref();
        let executable =
            executable.ok_or_else(|| NoProfile("no executable was built".to_owned()))?;
        if executable.command_line.choice() == Choice::All {
            let why = "no profile was taken: its executable runs all benchmarks, whatever filter it is given";
            return Err(NoProfile(why.to_owned()));
        }
        let seam = self.seam.as_ref().map_err(|why| NoProfile(why.clone()))?;
        let version = *self.target.criterion.get(side);
        let invocation = Invocation {
            executable,
            side,
            filter: Invocation::filter_for([key.id.as_str()]),
            timing: Some((fit(timing(time), self.target), version)),
            length: Length::Whole,
            placement: Placement::Free,
            env: seam.env(side),
        };
        let mut player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !seam.attached(side, player.id())? {
            let why = player.kept_out_by();
            let why = format!("the loader did not let the profiler into the process{why}");
            return Err(NoProfile(why));
        }
        let now = timing(time);
        let warm_up = self
            .known
            .sampled(key, side, self.sampling, self.target, now);
        if let Some(warm_up) = warm_up {
            // What is sampled in its warm-up counts as much.
            let enough = Some(Enough::Timed(time));
            player.at(seam.end_warm_up(side, warm_up, enough)?);
        }
        let mut report = None;
        loop {
            match player.turn() {
                Ok(Turn::Complete(complete)) => report = Some(*complete),
                Ok(Turn::Over) => break,
                Ok(Turn::Enough(cut)) => {
                    report = Some(*cut);
                    break;
                }
                Err(ending) => return Err(player.into_fault(&ending).into()),
            }
        }
        let profile = Profile {
            executable: executable.path.clone(),
            clock,
            raw: seam.take(side)?,
        };
        Ok((report.ok_or_else(never_run)?, profile))
    }
}

fn never_run() -> NoProfile {
    NoProfile("the benchmark was not run".to_owned())
}
