//! The pass that takes CPU profiles: after timing, on the executables that were timed.
//!
//! A process is for one benchmark of one side, or for all of a target where each process has a long set-up; nothing of
//! the run but the other side's is at work meanwhile. Its times are not measurements: each sample stops the process for
//! some tens of microseconds. Whatever goes wrong is a note about the benchmark it happened to, and costs nothing else.

mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::build::Choice;
use crate::discover::{Discovery, Presence, Target};
use crate::plan::Sampling;
use crate::process::{Interrupted, allowed_processors, check};
use crate::scratch::Scratch;
use crate::seam::{ProfileClock, ProfileSeam, RawProfile};
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Pass, Side};

use super::Known;
use super::budget::go_on;
use super::seams::explain;
use super::threads::Threads;
use process::{NoProfile, Taken};

/// Benchmarks share a process whose set-up takes so long. Otherwise each has one of its own, which is ended when it has
/// been profiled for exactly as long as is wanted.
const LONG_SET_UP: Duration = Duration::from_millis(250);

/// Whether both sides are profiled at once. Nothing is timed, and the sides slow each other equally; but each needs
/// a processor.
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

/// Profiles the `wanted` benchmarks, each on the sides that have it and for so long on each. After `end` no process is
/// begun.
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
        let requests = requests(target, wanted);
        if requests.is_empty() {
            continue;
        }
        let profiler = Profiler::of(sampling, target, known, scratch, events);
        for batch in profiler.batches(requests) {
            match go_on(end).and_then(|()| profiler.batch(&batch)) {
                Ok(profiled) => run.profiled.extend(profiled),
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

/// A benchmark that is to be profiled.
#[derive(Debug, Clone)]
struct ProfileRequest {
    key: BenchmarkKey,
    presence: Presence,
    /// For so long on each side.
    time: Duration,
}

/// Those of one target, in the order in which its process runs them.
fn requests(target: &Target, wanted: &BTreeMap<BenchmarkKey, Duration>) -> Vec<ProfileRequest> {
    let benchmarks = target.benchmarks.iter();
    let runnable = benchmarks.filter(|benchmark| benchmark.failure.is_none());
    let requests = runnable.filter_map(|benchmark| {
        Some(ProfileRequest {
            key: benchmark.key.clone(),
            presence: benchmark.presence,
            time: *wanted.get(&benchmark.key)?,
        })
    });
    requests.collect()
}

/// Profiles the benchmarks of one target.
struct Profiler<'a> {
    sampling: &'a Sampling,
    target: &'a Target,
    known: &'a Known,
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// The seam, or why there is none.
    seam: Result<ProfileSeam, String>,
}

impl<'a> Profiler<'a> {
    fn of(
        sampling: &'a Sampling,
        target: &'a Target,
        known: &'a Known,
        scratch: &'a Scratch,
        events: EventSink<'a>,
    ) -> Self {
        let path = |side| {
            let executable = target.executables.get(side).as_ref();
            executable.map(|executable| executable.path.as_path())
        };
        // If one side has no executable, the other side's stands in and is never run.
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
            events,
            seam,
        }
    }

    /// Which benchmarks share processes.
    fn batches(&self, requests: Vec<ProfileRequest>) -> Vec<Vec<ProfileRequest>> {
        let set_up = |request: &ProfileRequest| self.known.set_up(&request.key);
        let longest = requests.iter().map(set_up).max().unwrap_or_default();
        match self.target.choice() {
            Choice::Any if longest >= LONG_SET_UP => vec![requests],
            _ => requests.into_iter().map(|request| vec![request]).collect(),
        }
    }

    fn batch(&self, requests: &[ProfileRequest]) -> Result<Vec<Profiled>, Interrupted> {
        let mut profiled: Vec<Profiled> = requests
            .iter()
            .map(|request| Profiled {
                key: request.key.clone(),
                profiles: Paired::new(None, None),
                notes: Vec::new(),
            })
            .collect();
        // Several threads want all processors.
        let several = |request: &&ProfileRequest| self.known.has_several_threads(&request.key);
        let (several, one): (Vec<&ProfileRequest>, Vec<&ProfileRequest>) =
            requests.iter().partition(several);
        for (requests, clock) in [
            (one, ProfileClock::MainThread),
            (several, ProfileClock::AllThreads),
        ] {
            for (side, found) in self.take(&requests, clock)? {
                for (id, taken) in found {
                    let own = profiled.iter_mut().find(|one| one.key.id == id);
                    if let Some(own) = own {
                        match taken {
                            Ok((_, profile)) => *own.profiles.get_mut(side) = Some(profile),
                            Err(NoProfile(why)) => own.notes.push(format!("{side}: {why}")),
                        }
                    }
                }
            }
        }
        Ok(profiled)
    }

    /// Profiles benchmarks on both sides by one clock; those that turn out to have several threads once more, by the
    /// other one.
    fn take(
        &self,
        requests: &[&ProfileRequest],
        clock: ProfileClock,
    ) -> Result<Vec<(Side, FoundProfiles)>, Interrupted> {
        let together = clock == ProfileClock::MainThread && profiles_both_at_once();
        let groups = if together {
            vec![Side::BOTH.to_vec()]
        } else {
            Side::BOTH.map(|side| vec![side]).to_vec()
        };
        let mut all = Vec::new();
        for sides in groups {
            let mut found = self.run(&sides, requests, clock)?;
            for (side, found) in &mut found {
                let several = |taken: &Taken| {
                    taken
                        .as_ref()
                        .is_ok_and(|(threads, _)| *threads == Threads::Several)
                };
                let again =
                    |request: &&&ProfileRequest| found.get(&request.key.id).is_some_and(several);
                let again: Vec<&ProfileRequest> = requests.iter().filter(again).copied().collect();
                if clock == ProfileClock::MainThread {
                    found.extend(self.side(*side, &again, ProfileClock::AllThreads));
                    check()?;
                }
            }
            all.append(&mut found);
        }
        Ok(all)
    }

    /// Profiles these sides at the same time.
    fn run(
        &self,
        sides: &[Side],
        requests: &[&ProfileRequest],
        clock: ProfileClock,
    ) -> Result<Vec<(Side, FoundProfiles)>, Interrupted> {
        check()?;
        let found = std::thread::scope(|scope| {
            let running: Vec<_> = sides
                .iter()
                .map(|side| (*side, scope.spawn(|| self.side(*side, requests, clock))))
                .collect();
            let joined = running.into_iter().map(|(side, thread)| {
                let found = thread.join();
                let found = found.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (side, found)
            });
            joined.collect()
        });
        // What an interruption broke off did not fail.
        check()?;
        Ok(found)
    }

    /// Profiles those that a side has, in as many processes as it takes.
    fn side(&self, side: Side, requests: &[&ProfileRequest], clock: ProfileClock) -> FoundProfiles {
        let has = |request: &&&ProfileRequest| request.presence != Presence::Only(side.other());
        let mut open: Vec<&ProfileRequest> = requests.iter().filter(has).copied().collect();
        let mut found = FoundProfiles::new();
        while !open.is_empty() && check().is_ok() {
            let before = open.len();
            let stop = self.process(side, &mut open, clock, &mut found);
            let culprits = stop.culprits(&open, before);
            open.retain(|request| !culprits.contains(&request.key.id));
            for id in culprits {
                found.insert(id, Err(stop.why()));
            }
        }
        found
    }
}

/// What was found of benchmarks of one side, by id.
type FoundProfiles = BTreeMap<String, Taken>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::fake;
    use crate::measure::set_ups::SetUps;
    use crate::measure::tests::{sampling, target};

    /// The batches of two benchmarks whose processes have a set-up of so many milliseconds.
    fn batches(set_up: u64) -> usize {
        let (script, time) = ("bench\ta\nbench\tb", Duration::from_secs(1));
        let (sampling, target) = (sampling(), target("t", script, script));
        let mut set_ups = SetUps::default();
        let took = Duration::from_millis(set_up);
        set_ups.see(&target, Paired::new(took, took));
        let known = Known::of(BTreeMap::new(), Default::default(), set_ups);
        let profiler = Profiler {
            sampling: &sampling,
            target: &target,
            known: &known,
            scratch: fake::scratch(),
            events: &|_| {},
            seam: Err(String::new()),
        };
        let keys = target.benchmarks.iter().map(|one| one.key.clone());
        let wanted = keys.map(|key| (key, time)).collect();
        profiler.batches(requests(&target, &wanted)).len()
    }

    #[test]
    fn benchmarks_share_a_process_where_its_set_up_is_long() {
        assert_eq!(batches(0), 2);
        assert_eq!(batches(3000), 1);
    }
}
