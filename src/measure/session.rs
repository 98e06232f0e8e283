//! Measuring, round by round: which benchmarks share a pair of processes, what is done again, and
//! what is learnt for later rounds.

use std::collections::BTreeMap;

use crate::build::Executable;
use crate::discover::{Failure, Presence, Target};
use crate::plan::{Pinning, Sampling};
use crate::protocol::{CriterionVersion, Invocation, Placement, Timing};
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Side};

use super::affinity;
use super::duet::{Attempt, Heard, alternate};
use super::player::{Player, Threads};
use super::{BenchmarkKey, Pairing, Round, Samples, check};

/// At most so many benchmarks share a pair of processes: a crash costs the others of its pair a new
/// start, and an expression of many alternatives takes Criterion time to compile.
const CHUNK_BENCHMARKS: usize = 50;

/// At most so long is the expression that selects them; an argument may have 128 KiB on Linux.
const CHUNK_BYTES: usize = 32 << 10;

/// How the scout runs a benchmark: just long enough to see which threads work.
const SCOUT: Timing = Timing {
    warm_up: std::time::Duration::from_millis(50),
    measurement: std::time::Duration::from_millis(50),
    sample_size: 10,
};

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
}

/// How a benchmark is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    placement: Placement,
    presence: Presence,
    timing: Timing,
}

/// Runs rounds, and remembers how each benchmark has to be run.
pub struct Session<'a> {
    sampling: &'a Sampling,
    scratch: &'a Scratch,
    events: EventSink<'a>,
    /// Where benchmarks of one thread are put.
    home: Placement,
    placements: BTreeMap<BenchmarkKey, Placement>,
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
            placements: BTreeMap::new(),
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
        let free = self
            .placements
            .iter()
            .filter(|(_, placement)| **placement == Placement::Free);
        free.map(|(key, _)| key)
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
        if self.sampling.pinning != Pinning::Auto || self.home == Placement::Free {
            return Vec::new();
        }
        let way = |_: &Self, request: &Request| Way {
            placement: Placement::Free,
            presence: request.presence,
            timing: fit(SCOUT, target),
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
        };
        self.run(target, executables, requests, way)
    }

    fn placement(&self, key: &BenchmarkKey) -> Placement {
        self.placements.get(key).copied().unwrap_or(self.home)
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
        while let Some(request) = open.first() {
            let chosen = way(self, request);
            let same: Vec<bool> = open.iter().map(|r| way(self, r) == chosen).collect();
            let chunk = take_chunk(&mut open, &same);
            let attempt = self.attempt(target, executables, &chunk, chosen);
            let (mut done, again) = self.sort_out(attempt, chunk, chosen);
            outcomes.append(&mut done);
            open.extend(again);
        }
        outcomes
    }

    /// Runs a chunk in one pair of processes.
    fn attempt(
        &self,
        target: &Target,
        executables: Paired<Option<&Executable>>,
        chunk: &[Request],
        way: Way,
    ) -> Attempt {
        let mut attempt = Attempt::default();
        let filter = Invocation::filter_for(chunk.iter().map(|request| request.key.id.as_str()));
        let mut players = Paired::from_fn(|side| {
            let takes_part = way.presence != Presence::Only(side.other());
            let executable = (*executables.get(side)).filter(|_| takes_part)?;
            let criterion = (*target.criterion.get(side))?;
            let invocation = Invocation {
                executable,
                side,
                filter: filter.clone(),
                timing: Some((way.timing, criterion)),
                placement: way.placement,
                env: Vec::new(),
            };
            Player::start(&invocation, self.scratch, self.sampling.timeout)
                .map_err(|fault| attempt.fault(fault))
                .ok()
        });
        alternate(&mut players, &mut attempt, |step| {
            let Some(request) = chunk.get(step) else {
                return Side::Base;
            };
            (self.events)(Event::Measuring {
                benchmark: request.key.to_string(),
                round: request.round + 1,
            });
            request.first
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
        for request in chunk {
            match attempt.heard.remove(&request.key.id) {
                Some(heard) if self.strangled(&request, &heard, way) => again.push(request),
                Some(heard) => match outcome(&request, heard, way) {
                    Some(outcome) => done.push(outcome),
                    None => unheard.push(request),
                },
                None => unheard.push(request),
            }
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
        for outcome in &done {
            self.tell(outcome);
        }
        again.append(&mut unheard);
        (done, again)
    }

    /// Whether a benchmark turned out to have several threads; remembered if so. What it gave on one
    /// processor is worth nothing then, unless the user wants it there.
    fn strangled(&mut self, request: &Request, heard: &Heard, way: Way) -> bool {
        let several = [&heard.reports.base, &heard.reports.head]
            .into_iter()
            .flatten()
            .any(|report| report.threads == Threads::Several);
        if !several || self.sampling.pinning != Pinning::Auto {
            return false;
        }
        self.placements.insert(request.key.clone(), Placement::Free);
        way.placement != Placement::Free
    }

    fn tell(&self, outcome: &RoundOutcome) {
        if let Ok(round) = &outcome.result {
            (self.events)(Event::RoundFinished {
                benchmark: outcome.key.to_string(),
                round: round.index + 1,
            });
        }
    }
}

/// The timing that both sides understand: where one takes whole seconds only, both get them.
fn fit(timing: Timing, target: &Target) -> Timing {
    let versions = [target.criterion.base, target.criterion.head];
    if versions
        .into_iter()
        .flatten()
        .any(CriterionVersion::wants_whole_seconds)
    {
        timing.in_whole_seconds()
    } else {
        timing
    }
}

/// Takes from `open` the benchmarks that are marked, as many as may share a process.
fn take_chunk(open: &mut Vec<Request>, same: &[bool]) -> Vec<Request> {
    let mut bytes = 0;
    let mut count = 0;
    let mut same = same.iter();
    open.extract_if(.., |request| {
        let fits = same.next() == Some(&true)
            && count < CHUNK_BENCHMARKS
            && (count == 0 || bytes + request.key.id.len() < CHUNK_BYTES);
        if fits {
            count += 1;
            bytes += request.key.id.len();
        }
        fits
    })
    .collect()
}

/// The outcome of a benchmark that ran; `None` when a side has yet to run it.
fn outcome(request: &Request, heard: Heard, way: Way) -> Option<RoundOutcome> {
    let takes_part = |side: Side| request.presence != Presence::Only(side.other());
    let mut notes = check::notes(way.timing, &heard.reports);
    let result = match first_failure(&heard, &mut notes) {
        Some(failure) => Err(failure),
        None => {
            let missing = |side: Side| takes_part(side) && heard.reports.get(side).is_none();
            if Side::BOTH.into_iter().any(missing) {
                return None;
            }
            round(request, &heard)
        }
    };
    Some(RoundOutcome {
        key: request.key.clone(),
        result,
        notes,
    })
}

/// The failure to tell, and a note on how the other side fared.
fn first_failure(heard: &Heard, notes: &mut Vec<String>) -> Option<Failure> {
    // Where both fail, the head side's is the one that can still be mended.
    let side = [Side::Head, Side::Base]
        .into_iter()
        .find(|side| heard.failures.get(*side).is_some())?;
    let other = side.other();
    if let Some(failure) = heard.failures.get(other) {
        notes.push(format!("the {other} side fails, too: {}", failure.reason));
    } else if heard.reports.get(other).is_some() {
        notes.push(format!("the {other} side ran it without a failure"));
    }
    heard.failures.get(side).clone()
}

fn round(request: &Request, heard: &Heard) -> Result<Round, Failure> {
    let samples = Paired::try_from_fn(|side| match heard.reports.get(side) {
        None => Ok(Samples::none()),
        Some(report) => check::samples(report).map_err(|reason| Failure {
            side,
            reason,
            stderr_tail: String::new(),
        }),
    })?;
    Ok(Round {
        index: request.round,
        first: heard.first,
        pairing: Pairing::Benchmark,
        samples,
    })
}

fn never_ran(request: Request, stray: Option<Failure>) -> RoundOutcome {
    let result = Err(stray.unwrap_or_else(|| Failure {
        side: match request.presence {
            Presence::Only(side) => side,
            Presence::Common => Side::Head,
        },
        reason: "was named by its executable and then not run by it".into(),
        stderr_tail: String::new(),
    }));
    RoundOutcome {
        key: request.key,
        result,
        notes: Vec::new(),
    }
}
