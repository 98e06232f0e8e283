//! Measuring, round by round: which benchmarks share a pair of processes, what is done again, and
//! what is learnt for later rounds.

use crate::build::{Choice, Executable};
use crate::discover::{Failure, Presence, Target};
use crate::plan::{PairingRequest, Pinning, Sampling};
use crate::protocol::{Invocation, Placement, Timing};
use crate::scratch::Scratch;
use crate::seam::Seam;
use crate::units::{Event, EventSink, Paired, Side};

use super::duet::{Attempt, alternate};
use super::learnt::Learnt;
use super::outcome::{self, never_ran};
use super::player::Player;
use super::seams::Seams;
use super::way::{Company, Gate, Idle, Way, fit, take_chunk};
use super::woven::{observe, weave};
use super::{BenchmarkKey, Remark, Round, affinity};

/// How the scout runs a benchmark: just long enough to see which threads work.
const SCOUT: Timing = Timing {
    warm_up: std::time::Duration::from_millis(50),
    measurement: std::time::Duration::from_millis(50),
    sample_size: 10,
};

/// How benchmarks are run whose executable does not heed its command line.
const TOGETHER: &str = "its executable reads no options of Criterion: each process runs all benchmarks of the \
    target, for as long as their code asks";

/// One benchmark that is to have one more round.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which.
    pub key: BenchmarkKey,
    /// Where it exists. With one side only, that side is measured alone.
    pub presence: Presence,
    /// Which round, from zero.
    pub round: usize,
    /// Which side is to go first.
    pub first: Side,
}

/// What a round gave.
#[derive(Debug, Clone)]
pub struct RoundOutcome {
    /// Of which benchmark.
    pub key: BenchmarkKey,
    /// The samples, or why there are none.
    pub result: Result<Round, Failure>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// What later rooms decide by.
    pub remarks: Vec<Remark>,
}

/// Runs rounds, and remembers how each benchmark has to be run.
pub struct Session<'a> {
    sampling: &'a Sampling,
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// Where benchmarks of one thread are put.
    home: Placement,
    seams: Seams,
    learnt: Learnt,
}

impl<'a> Session<'a> {
    /// A session. With [`Pinning::Auto`] the processors are watched for a moment to choose one.
    #[must_use]
    pub fn new(sampling: &'a Sampling, scratch: &'a Scratch, events: EventSink<'a>) -> Self {
        let home = match sampling.pinning {
            Pinning::Off => Placement::Free,
            Pinning::Cpu(cpu) => Placement::On(cpu),
            Pinning::Auto => affinity::quietest().map_or(Placement::Free, Placement::On),
        };
        Session {
            sampling,
            scratch,
            events,
            home,
            seams: Seams::new(sampling),
            learnt: Learnt::default(),
        }
    }

    /// Which processors benchmark processes may use, in words.
    #[must_use]
    pub fn pinning(&self) -> String {
        match (self.home, self.sampling.pinning) {
            (Placement::Free, _) => "not pinned".into(),
            (Placement::On(cpu), Pinning::Auto) => format!(
                "both sides on processor {cpu}; benchmarks with several threads are not pinned"
            ),
            (Placement::On(cpu), _) => format!("both sides on processor {cpu}"),
        }
    }

    /// The benchmarks that were seen to have several threads.
    pub fn unpinned(&self) -> impl Iterator<Item = &BenchmarkKey> {
        self.learnt.unpinned()
    }

    /// Runs each benchmark once, shortly and unpinned, to see whether it has several threads: a pool
    /// that is sized by the processors it may use would be strangled on one. Nothing is done where
    /// that question does not arise.
    ///
    /// Returns the benchmarks that cannot be run at all.
    pub fn scout(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        requests: &[Request],
    ) -> Vec<RoundOutcome> {
        let is_needed = self.sampling.pinning == Pinning::Auto && self.home != Placement::Free;
        // To look at all of its benchmarks would take as long as to measure them.
        if !is_needed || target.choice() == Choice::All {
            return Vec::new();
        }
        let way = |_: &Self, request: &Request| Way {
            placement: Placement::Free,
            presence: request.presence,
            timing: Timing {
                sample_size: SCOUT.sample_size,
                ..fit(SCOUT, target)
            },
            gate: Gate::Protocol,
            company: company(target, Company::Shared),
            idle: Idle::Stopped,
        };
        let outcomes = self.run(target, executables, requests, way);
        outcomes
            .into_iter()
            .filter(|outcome| outcome.result.is_err())
            .collect()
    }

    /// Runs one round of each requested benchmark of a target, in fresh processes. `executables` are
    /// those of `target`, or others made from the same sources.
    ///
    /// A benchmark that fails costs the others a new start, and nothing else.
    pub fn run_round(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        requests: &[Request],
    ) -> Vec<RoundOutcome> {
        let asked = Timing {
            warm_up: self.sampling.warm_up,
            measurement: self.sampling.measurement,
            sample_size: self.sampling.sample_size,
        };
        let way = |session: &Self, request: &Request| Way {
            placement: session.placement(&request.key),
            presence: request.presence,
            timing: fit(asked, target),
            gate: session.gate(request),
            company: company(target, session.learnt.company(&request.key)),
            idle: session.learnt.idle(&request.key),
        };
        self.run(target, executables, requests, way)
    }

    fn placement(&self, key: &BenchmarkKey) -> Placement {
        match self.learnt.has_several_threads(key) {
            true => Placement::Free,
            false => self.home,
        }
    }

    fn gate(&self, request: &Request) -> Gate {
        let common = request.presence == Presence::Common;
        let seam = common && self.learnt.may_be_paired_by_sample(&request.key);
        match self.sampling.pairing {
            PairingRequest::Auto if seam => Gate::Seam,
            PairingRequest::Benchmark if seam && self.sampling.inject.is_some() => {
                Gate::ProtocolObserved
            }
            _ => Gate::Protocol,
        }
    }

    fn run(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        requests: &[Request],
        way: impl Fn(&Self, &Request) -> Way,
    ) -> Vec<RoundOutcome> {
        let mut open = requests.to_vec();
        let mut outcomes = Vec::new();
        while let Some((chosen, chunk)) = take_chunk(&mut open, |request| way(self, request)) {
            let attempt = self.attempt(target, executables, &chunk, chosen);
            let (mut done, again) = self.sort_out(attempt, chunk, chosen);
            if target.choice() == Choice::All {
                let measured = done.iter_mut().filter(|outcome| outcome.result.is_ok());
                measured.for_each(|outcome| outcome.notes.push(TOGETHER.to_owned()));
            }
            outcomes.append(&mut done);
            open.extend(again);
        }
        outcomes
    }

    /// Runs a chunk in one pair of processes.
    fn attempt(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        chunk: &[Request],
        way: Way,
    ) -> Attempt {
        let mut attempt = Attempt::default();
        let seam = match (way.gate, executables.base, executables.head) {
            (Gate::Protocol, _, _) | (_, None, _) | (_, _, None) => None,
            (_, Some(base), Some(head)) => {
                match self.seams.of(self.scratch, Paired::new(base, head)) {
                    Ok(seam) => Some(seam),
                    Err(reason) => {
                        attempt.seam_failure = Some(reason.to_owned());
                        return attempt;
                    }
                }
            }
        };
        let filter = Invocation::filter_for(chunk.iter().map(|request| request.key.id.as_str()));
        let all = target.choice() == Choice::All;
        let order = target.benchmarks.iter().filter(|_| all);
        let order: Vec<&str> = order.map(|benchmark| benchmark.key.id.as_str()).collect();
        let mut players = Paired::from_fn(|side| {
            let takes_part = way.presence != Presence::Only(side.other());
            let invocation = Invocation {
                executable: (*executables.get(side)).filter(|_| takes_part)?,
                side,
                filter: filter.clone(),
                timing: Some((way.timing, (*target.criterion.get(side))?)),
                placement: way.placement,
                env: seam.as_ref().map_or_else(Vec::new, |seam| seam.env(side)),
            };
            Player::start(&invocation, self.scratch, self.sampling.timeout)
                .map(|player| player.while_idle(way.idle))
                .map_err(|fault| attempt.fault(fault))
                .ok()
        });
        play(&mut players, seam, way.gate, &mut attempt, &mut |step| {
            let request = match order.get(step) {
                // It runs others, too.
                Some(id) => chunk.iter().find(|request| request.key.id == *id),
                None => chunk.get(step),
            };
            announce(self.events, request)
        });
        attempt
    }

    /// Splits a chunk into what is done and what has to be run again. Each attempt finishes a
    /// benchmark or learns of one that it has to be run in another way, so that there is an end.
    fn sort_out(
        &mut self,
        mut attempt: Attempt,
        chunk: Vec<Request>,
        way: Way,
    ) -> (Vec<RoundOutcome>, Vec<Request>) {
        let mut done = Vec::new();
        let mut again = Vec::new();
        let mut unheard = Vec::new();
        let pins = self.sampling.pinning == Pinning::Auto;
        for request in chunk {
            match attempt.heard.remove(&request.key.id) {
                Some(heard) if self.learnt.of(&request, &heard, way, pins) => again.push(request),
                Some(heard) => match outcome::of_heard(&request, heard, way.timing) {
                    Some(outcome) => done.push(outcome),
                    None => unheard.push(request),
                },
                None => unheard.push(request),
            }
        }
        if self.learnt.of_all(&attempt, &unheard, way) {
            again.append(&mut unheard);
        }
        let stray = attempt.stray.into_iter().next();
        if done.is_empty() && again.is_empty() {
            // Nothing was achieved: it would be the same the next time.
            let all = unheard.drain(..);
            done.extend(all.map(|request| never_ran(request, stray.clone())));
        } else if stray.is_some() && !unheard.is_empty() {
            // It broke on the way to the next one.
            done.push(never_ran(unheard.remove(0), stray));
        }
        for outcome in &mut done {
            self.finish(outcome);
        }
        again.append(&mut unheard);
        (done, again)
    }

    fn finish(&self, outcome: &mut RoundOutcome) {
        if let Ok(round) = &outcome.result {
            outcome.notes.extend(self.learnt.notes(&outcome.key));
            outcome.remarks = self.learnt.remarks(&outcome.key);
            (self.events)(Event::RoundFinished {
                benchmark: outcome.key.to_string(),
                round: round.index + 1,
            });
        }
    }
}

/// Runs both processes to their ends.
fn play(
    players: &mut Paired<Option<Player>>,
    seam: Option<&mut Seam>,
    gate: Gate,
    attempt: &mut Attempt,
    begin: &mut dyn FnMut(usize) -> Side,
) {
    let result = match seam {
        Some(seam) if gate == Gate::Seam => weave(players, seam, attempt, begin),
        Some(seam) => observe(players, seam, attempt, begin),
        None => {
            alternate(players, attempt, 0.., begin);
            Ok(())
        }
    };
    attempt.seam_failure = result.err().map(|error| error.to_string());
}

/// Whether benchmarks share a process, where the target lets them.
fn company(target: &Target, learnt: Company) -> Company {
    match target.choice() {
        Choice::One => Company::Alone,
        Choice::Any | Choice::All => learnt,
    }
}

/// Says that a step begins; the side that goes first in it.
fn announce(events: EventSink<'_>, request: Option<&Request>) -> Side {
    let Some(request) = request else {
        return Side::Base;
    };
    (events)(Event::Measuring {
        benchmark: request.key.to_string(),
        round: request.round + 1,
    });
    request.first
}
