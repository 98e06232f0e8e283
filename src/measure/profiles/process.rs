//! One process that is profiled, benchmark by benchmark.

use std::time::Duration;

use crate::build::Choice;
use crate::discover::Presence;
use crate::harness::{Invocation, Length, Timing};
use crate::process::Placement;
use crate::seam::{Enough, Pace, ProfileClock, ProfileNumber, ProfileSeam, SeamError};
use crate::units::{Event, Side};

use super::super::batches::fit;
use super::super::player::{Fault, Player, Turn};
use super::super::seams::explain;
use super::super::threads::Threads;
use super::{FoundProfiles, Profile, ProfileRequest, Profiler};

/// How a benchmark is run to be profiled for so long, in its one process. Three seconds of it give three thousand
/// samples: the shares of two builds are then known to about one part in a hundred of the time.
fn timing(time: Duration) -> Timing {
    Timing {
        warm_up: Duration::from_millis(100),
        measurement: time,
        sample_size: 10,
    }
}

/// Why there is no profile, as a lower-case fragment.
#[derive(Debug, Clone)]
pub(super) struct NoProfile(pub(super) String);

/// One profile and whether threads beside the main one were at work, or why there is none.
pub(super) type Taken = Result<(Threads, Profile), NoProfile>;

impl From<SeamError> for NoProfile {
    fn from(error: SeamError) -> Self {
        NoProfile(explain(&error))
    }
}

pub(super) fn never_run() -> NoProfile {
    NoProfile("the benchmark was not run".to_owned())
}

/// Why a process ran no further.
pub(super) enum ProfilingStop {
    /// It has ended as it should.
    Over,
    /// It was ended, since it had run enough of a benchmark.
    Enough,
    /// Something went wrong.
    Fault(Fault),
    /// No profile can be taken of anything that it does.
    Blind(NoProfile),
}

impl From<Fault> for ProfilingStop {
    fn from(fault: Fault) -> Self {
        ProfilingStop::Fault(fault)
    }
}

impl From<SeamError> for ProfilingStop {
    fn from(error: SeamError) -> Self {
        ProfilingStop::Blind(error.into())
    }
}

impl ProfilingStop {
    /// The ids that would meet the same in another process, of those that are `open`; `before` were at its start.
    pub(super) fn culprits(&self, open: &[&ProfileRequest], before: usize) -> Vec<String> {
        let all = open.iter().map(|request| request.key.id.clone());
        let has_run_some = open.len() < before;
        match self {
            ProfilingStop::Enough if has_run_some => Vec::new(),
            ProfilingStop::Over | ProfilingStop::Enough | ProfilingStop::Blind(_) => all.collect(),
            ProfilingStop::Fault(fault) => match &fault.id {
                Some(id) if all.clone().any(|other| other == *id) => vec![id.clone()],
                // It broke on the way to the next one.
                _ if has_run_some => all.take(1).collect(),
                _ => all.collect(),
            },
        }
    }

    pub(super) fn why(&self) -> NoProfile {
        match self {
            ProfilingStop::Over | ProfilingStop::Enough => never_run(),
            ProfilingStop::Fault(fault) => {
                NoProfile(format!("no profile was taken: {}", fault.failure.reason))
            }
            ProfilingStop::Blind(why) => why.clone(),
        }
    }
}

impl Profiler<'_> {
    /// One process, to its end. What it has run is no longer open.
    pub(super) fn process(
        &self,
        side: Side,
        open: &mut Vec<&ProfileRequest>,
        clock: ProfileClock,
        found: &mut FoundProfiles,
    ) -> ProfilingStop {
        let mut run = Vec::new();
        let stop = self.play(side, open, clock, &mut run);
        let stop = stop.err().unwrap_or(ProfilingStop::Over);
        // A profile is whole once the next one has begun, or the process has ended.
        if let (Ok(seam), Some(executable)) =
            (&self.seam, self.target.executables.get(side).as_ref())
        {
            for (id, threads, number) in run {
                let taken = seam.take(side, number).map(|raw| {
                    let executable = executable.path.clone();
                    let profile = Profile {
                        executable,
                        clock,
                        raw,
                    };
                    (threads, profile)
                });
                found.insert(id, taken.map_err(NoProfile::from));
            }
        }
        stop
    }

    fn play(
        &self,
        side: Side,
        open: &mut Vec<&ProfileRequest>,
        clock: ProfileClock,
        run: &mut Vec<(String, Threads, ProfileNumber)>,
    ) -> Result<(), ProfilingStop> {
        let blind = |why: &str| ProfilingStop::Blind(NoProfile(why.to_owned()));
        let executable = self.target.executables.get(side).as_ref();
        let executable = executable.ok_or_else(|| blind("no executable was built"))?;
        if executable.command_line.choice() == Choice::All {
            let why =
                "no profile was taken: its executable ignores filters and runs all benchmarks";
            return Err(blind(why));
        }
        let seam = self.seam.as_ref().map_err(|why| blind(why))?;
        let longest = open
            .iter()
            .map(|request| request.time)
            .max()
            .unwrap_or_default();
        let version = *self.target.criterion.get(side);
        let invocation = Invocation {
            executable,
            side,
            filter: Invocation::filter_for(open.iter().map(|request| request.key.id.as_str())),
            timing: Some((fit(timing(longest), self.target), version)),
            length: Length::Whole,
            placement: Placement::Free,
            env: seam.env(side),
        };
        let mut player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !seam.attached(side, player.id())? {
            let why = player.kept_out_by();
            let why = format!("the loader did not let the profiler into the process{why}");
            return Err(blind(&why));
        }
        loop {
            let number = seam.begin(side, clock)?;
            if let Some(next) = open.first() {
                self.announce(side, next);
                if let Some(pace) = self.bound(seam, side, next, open.len() == 1)? {
                    player.at(pace);
                }
            }
            let report = match player.turn() {
                Ok(Turn::Complete(report) | Turn::Enough(report)) => report,
                Ok(Turn::Over) => return Ok(()),
                Err(ending) => return Err(player.into_fault(&ending).into()),
            };
            open.retain(|request| request.key.id != report.id);
            run.push((report.id, report.threads, number));
            if report.ended {
                return Err(ProfilingStop::Enough);
            }
        }
    }

    fn announce(&self, side: Side, next: &ProfileRequest) {
        // Where both sides run at the same time, once.
        if next.presence == Presence::Only(side) || side == Side::Head {
            (self.events)(Event::Measuring {
                benchmark: next.key.to_string(),
                round: 1,
            });
        }
    }

    /// How long the next benchmark is run. Its process is ended with its time where nothing follows, or where what is left
    /// would take longer than another process needs for its set-up.
    fn bound(
        &self,
        seam: &ProfileSeam,
        side: Side,
        next: &ProfileRequest,
        is_last: bool,
    ) -> Result<Option<Pace>, SeamError> {
        let (sampling, now) = (self.sampling, timing(next.time));
        let Some(together) = self.known.sampled(&next.key, sampling, self.target, now) else {
            return Ok(None);
        };
        let left = together.takes.saturating_sub(next.time);
        let ends = is_last || left > self.known.set_up(&next.key);
        let warm_up = *together.warm_up.get(side);
        // What is sampled in its warm-up counts as much.
        let enough = ends.then_some(Enough::Timed(next.time));
        seam.end_warm_up(side, warm_up, enough).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Failure;
    use crate::units::BenchmarkKey;

    fn request(id: &str) -> ProfileRequest {
        ProfileRequest {
            key: BenchmarkKey::new("p", "t", id),
            presence: Presence::Common,
            time: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_fault_costs_the_benchmark_in_which_it_was_and_the_others_a_new_start() {
        let fault = |id: Option<&str>| {
            ProfilingStop::Fault(Fault {
                id: id.map(str::to_owned),
                failure: Failure {
                    side: Side::Base,
                    reason: "it broke".into(),
                    stderr_tail: String::new(),
                },
            })
        };
        let (a, b) = (request("a"), request("b"));
        let open = [&a, &b];
        assert_eq!(fault(Some("b")).culprits(&open, 2), ["b"]);
        assert_eq!(fault(None).culprits(&open, 3), ["a"]);
        assert_eq!(fault(None).culprits(&open, 2), ["a", "b"]);
        assert_eq!(ProfilingStop::Enough.culprits(&open, 3), [""; 0]);
        assert_eq!(ProfilingStop::Over.culprits(&open, 3), ["a", "b"]);
    }
}
