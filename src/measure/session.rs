//! Measuring, round by round: which benchmarks share a pair of processes, what is repeated, and
//! what is learnt for later rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::build::{Choice, Executable};
use crate::discover::{Presence, Target};
use crate::harness::{Invocation, Length, Timing};
use crate::plan::{PairingRequest, Pinning, Sampling};
use crate::process::Placement;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired};

use super::adaptive_settings::Learnt;
use super::batches::{Company, Gate, Idle, RunMode, company, fit, take_chunk};
use super::benchmark_pairing::Attempt;
use super::iterations::{self, Wanted};
use super::known::{Known, asked};
use super::outcome::{self, never_ran};
use super::player::Player;
use super::seams::Seams;
use super::set_ups::SetUps;
use super::steps::{announce, play, step_of};
use super::{BenchmarkKey, Request, RoundOutcome, affinity};

/// How the scout (the first process) runs a benchmark: just long enough to see which threads work.
const SCOUT: Timing = Timing {
    warm_up: Duration::from_millis(50),
    measurement: Duration::from_millis(50),
    sample_size: 10,
};

/// A note about benchmarks whose executable ignores its command line.
const TOGETHER: &str = "its executable ignores Criterion's options: each process runs all benchmarks of the \
    target, for as long as their code asks";

/// Runs rounds, and remembers how each benchmark has to be run.
pub struct Session<'a> {
    sampling: &'a Sampling,
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// The processor for single-threaded benchmarks.
    home: Placement,
    seams: Seams,
    learnt: Learnt,
    set_ups: SetUps,
    /// What reading the clock takes.
    clock: Duration,
}

impl<'a> Session<'a> {
    /// Starts a session. With [`Pinning::Auto`] it watches the processors for a moment to choose one.
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
            set_ups: SetUps::default(),
            clock: iterations::cost_of_clock(),
        }
    }

    /// The benchmarks that were seen to have several threads.
    pub fn unpinned(&self) -> impl Iterator<Item = &BenchmarkKey> {
        self.learnt.unpinned()
    }

    /// How long a round of a benchmark takes, as far as it is known.
    pub(super) fn round(&self, key: &BenchmarkKey) -> Option<Duration> {
        self.learnt.round(key, self.wanted(key))
    }

    /// What it has learnt, for later passes.
    pub(super) fn into_known(self) -> Known {
        self.learnt.into_known(self.set_ups)
    }

    /// The time of a benchmark's share of its processes' set-up in a round.
    pub(super) fn set_up(&self, key: &BenchmarkKey) -> Duration {
        self.set_ups.share_of(key)
    }

    /// Shares the set-up of each target's processes among the rounds of its benchmarks that are `open`: rounds
    /// become longer and fewer, so that no more than half of the time goes into set-up.
    pub(super) fn share_set_ups<'k>(&mut self, open: impl Iterator<Item = &'k BenchmarkKey>) {
        let mut rounds: BTreeMap<&BenchmarkKey, Duration> = BTreeMap::new();
        for key in open {
            rounds.insert(key, self.round(key).unwrap_or_default());
        }
        self.set_ups.share(&rounds, self.sampling.rounds);
    }

    /// Runs each benchmark once, briefly and unpinned, to see its settings, the time of an iteration, and whether
    /// it has several threads: a thread pool would be sized for a single processor if it were pinned. Does nothing
    /// if there is nothing to find out.
    ///
    /// Returns the benchmarks that cannot be run at all.
    pub fn scout(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        requests: &[Request],
    ) -> Vec<RoundOutcome> {
        // Running all of its benchmarks first would take as long as measuring them.
        if target.choice() == Choice::All {
            return Vec::new();
        }
        let pins = self.pins();
        let asked = fit(self.asked(), target);
        let watches = |session: &Self, request: &Request| {
            session.sampling.pairing == PairingRequest::Auto
                && request.presence == Presence::Common
                && session.learnt.may_be_paired_by_sample(&request.key)
        };
        let requests: Vec<Request> = requests
            .iter()
            .filter(|request| pins || watches(self, request))
            .cloned()
            .collect();
        let way = |session: &Self, request: &Request| {
            let watched = watches(session, request);
            let short = Timing {
                sample_size: SCOUT.sample_size,
                ..fit(SCOUT, target)
            };
            RunMode {
                placement: Placement::Free,
                presence: request.presence,
                // The settings in force must be those of the rounds.
                timing: if watched { asked } else { short },
                gate: match watched {
                    true => session.learnt.first_look(&request.key, target),
                    false => Gate::Protocol,
                },
                company: company(target, Company::Shared),
                idle: Idle::Stopped,
            }
        };
        let outcomes = self.run(target, executables, &requests, way);
        outcomes
            .into_iter()
            .filter(|outcome| outcome.result.is_err())
            .collect()
    }

    /// Runs one round of each requested benchmark of a target, in fresh processes. `executables` are
    /// those of `target`, or others made from the same sources.
    ///
    /// A benchmark that fails costs the others a restart, and nothing else.
    pub fn run_round(
        &mut self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        requests: &[Request],
    ) -> Vec<RoundOutcome> {
        let asked = fit(self.asked(), target);
        let way = |session: &Self, request: &Request| RunMode {
            placement: session.placement(&request.key),
            presence: request.presence,
            timing: asked,
            gate: session.gate(request),
            company: company(target, session.learnt.company(&request.key)),
            idle: session.learnt.idle(&request.key),
        };
        self.run(target, executables, requests, way)
    }

    /// Removes what was made for these executables, which no later round uses.
    pub(super) fn forget(&mut self, executables: Paired<&Executable>) {
        self.seams.forget(executables);
    }

    /// Whether single-threaded benchmarks are pinned to a processor.
    fn pins(&self) -> bool {
        self.sampling.pinning == Pinning::Auto && self.home != Placement::Free
    }

    fn asked(&self) -> Timing {
        asked(self.sampling)
    }

    fn wanted(&self, key: &BenchmarkKey) -> Wanted {
        Wanted {
            stretch: self.set_ups.stretch(key),
            set_up: self.set_ups.longest(key),
            warm_up: self.sampling.warm_up,
            measurement: self.sampling.measurement,
            clock: self.clock,
        }
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
        way: impl Fn(&Self, &Request) -> RunMode,
    ) -> Vec<RoundOutcome> {
        let mut open = requests.to_vec();
        let mut outcomes = Vec::new();
        while let Some((chosen, chunk)) = take_chunk(&mut open, |request| way(self, request)) {
            let attempt = self.attempt(target, executables, &chunk, chosen);
            if let Some(set_up) = attempt.set_up.filter(|_| chosen.gate != Gate::Seam) {
                self.set_ups.see(target, set_up);
            }
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
        way: RunMode,
    ) -> Attempt {
        let wanted: Vec<Wanted> = chunk
            .iter()
            .map(|request| self.wanted(&request.key))
            .collect();
        // Threads show in the kernel's ticks only.
        let least = match self.pins() {
            true => SCOUT.warm_up,
            false => self.sampling.warm_up.min(SCOUT.warm_up),
        };
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
                timing: Some((way.timing, *target.criterion.get(side))),
                length: match way.gate {
                    Gate::Quick => Length::Quick,
                    _ => Length::Whole,
                },
                placement: way.placement,
                env: seam.as_ref().map_or_else(Vec::new, |seam| seam.env(side)),
            };
            Player::start(&invocation, self.scratch, self.sampling.timeout)
                .map(|player| player.while_idle(way.idle))
                .map_err(|fault| attempt.fault(fault))
                .ok()
        });
        let (events, learnt) = (self.events, &self.learnt);
        play(&mut players, seam, way.gate, &mut attempt, &mut |step| {
            let at = match order.get(step) {
                // It runs others, too.
                Some(id) => chunk.iter().position(|request| request.key.id == *id),
                None => Some(step),
            };
            let request = at.and_then(|at| chunk.get(at));
            let wanted = at.and_then(|at| wanted.get(at).copied());
            announce(events, request);
            step_of(request.zip(wanted), way.gate, learnt, least)
        });
        attempt
    }

    /// Splits a chunk into what is done and what has to be run again. Each attempt finishes a
    /// benchmark, or learns that one has to be run in another way, so this ends.
    fn sort_out(
        &mut self,
        mut attempt: Attempt,
        mut chunk: Vec<Request>,
        way: RunMode,
    ) -> (Vec<RoundOutcome>, Vec<Request>) {
        let mut done = Vec::new();
        let mut again = self.learnt.look_again(&mut attempt, &mut chunk, way);
        let mut unheard = Vec::new();
        let pins = self.sampling.pinning == Pinning::Auto;
        for request in chunk {
            match attempt.heard.remove(&request.key.id) {
                Some(heard) if self.learnt.of(&request, &heard, way, pins) => again.push(request),
                Some(heard) => {
                    let left_alone = self.learnt.left_alone(&request.key);
                    match outcome::of_heard(&request, heard, way.timing, left_alone) {
                        Some(outcome) => done.push(outcome),
                        None => unheard.push(request),
                    }
                }
                None => unheard.push(request),
            }
        }
        if self.learnt.of_all(&attempt, &unheard, way) {
            again.append(&mut unheard);
        }
        let stray = attempt.stray.into_iter().next();
        if done.is_empty() && again.is_empty() {
            // Nothing was achieved, and the next attempt would be the same.
            let all = unheard.drain(..);
            done.extend(all.map(|request| never_ran(request, stray.clone())));
        } else if stray.is_some() && !unheard.is_empty() {
            // It broke on the way to the next benchmark.
            done.push(never_ran(unheard.remove(0), stray));
        }
        for outcome in &mut done {
            self.finish(outcome, way.gate);
        }
        again.append(&mut unheard);
        (done, again)
    }

    fn finish(&self, outcome: &mut RoundOutcome, gate: Gate) {
        if let Ok(round) = &outcome.result {
            outcome.notes.extend(self.learnt.notes(&outcome.key));
            outcome.notes.extend(self.set_ups.note(&outcome.key));
            outcome.remarks = self.learnt.remarks(&outcome.key);
            // A first process is no round.
            if !gate.is_first_look() {
                (self.events)(Event::RoundFinished {
                    benchmark: outcome.key.to_string(),
                    round: round.index + 1,
                });
            }
        }
    }
}
