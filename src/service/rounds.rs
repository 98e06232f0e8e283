//! The rounds of one service.

use std::path::Path;
use std::time::Instant;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::build::Build;
use crate::load_generator::{LoadOutcome, LoadShape};
use crate::measure::Measured;
use crate::plan::{IdleMode, RequestRate, RestartMode, Service};
use crate::process::{self, GroupUsage, Interrupted};
use crate::scratch::Scratch;
use crate::stats::percentile;
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Side};

use super::fill::ServiceSide;
use super::generator::Generator;
use super::rows::{failure_of_answers, rows, wrong_answers};
use super::server::Server;
use super::{ServiceError, ServiceHoldings, ServiceRound, ServiceRun, ServiceUsage, SliceEnd};

/// A service that fails this share of its requests is not compared: what it does quickly is something else.
const MOST_ERRORS: f64 = 0.01;

/// A service that fails this share of its very first requests is not measured at all.
const MOST_FIRST_ERRORS: f64 = 0.5;

/// What is loaded, and how.
#[derive(Debug, Clone, Copy)]
pub struct ServiceLoad<'a> {
    /// The service.
    pub service: &'a Service,
    /// What names it.
    pub key: &'a BenchmarkKey,
    /// Its programs.
    pub builds: &'a Paired<Build>,
    /// This program, beside which the load generator lies.
    pub own_program: &'a Path,
    /// The seed of every random choice.
    pub seed: u64,
    /// At most this many rounds.
    pub rounds: usize,
    /// After this no round begins.
    pub end: Option<Instant>,
}

/// Whether the services can be loaded at all, as far as that can be said before anything is built.
///
/// # Errors
/// The load generator is not there, a header's variable is not set, or what is to be sent is no HTTP or too much.
pub fn check(services: &[Service], own_program: &Path) -> Result<(), ServiceError> {
    let mut generators = services.iter().map(|one| Generator::of(one, own_program));
    generators.try_for_each(|generator| generator.map(drop))
}

/// Measures a service in rounds, until `is_settled` says that every row is.
///
/// # Errors
/// Nothing can be measured, for a reason outside of the service. What goes wrong with it is in the result.
pub fn run(
    load: ServiceLoad<'_>,
    mut is_settled: impl FnMut(&[Measured]) -> bool,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<ServiceRun, ServiceError> {
    let mut course = ServiceCourse {
        generator: Generator::of(load.service, load.own_program)?,
        load,
        scratch,
        events,
        rounds: Vec::new(),
        rate: None,
        notes: Vec::new(),
    };
    let ended = course.measure(&mut is_settled);
    // Whatever fails in a run that is to stop is a consequence.
    let (failure, ended) = match (ended, process::interrupted()) {
        (Ok(()), None) => (wrong_answers(&course.rounds, MOST_ERRORS), None),
        (_, Some(interrupted)) | (Err(SliceEnd::Interrupted(interrupted)), None) => {
            (None, Some(interrupted))
        }
        (Err(SliceEnd::Failed(failure)), None) => (Some(failure), None),
    };
    let failure = failure.map(|failure| course.generator.without_secrets(failure));
    if load.service.restart == RestartMode::Never {
        let note = "one pair of processes: its own luck is not in the interval";
        course.notes.push(note.to_owned());
    }
    let mut rows = course.rows();
    for row in &mut rows {
        row.failure.clone_from(&failure);
        row.notes.extend(course.notes.iter().cloned());
    }
    if let Some(first) = rows.first_mut() {
        let data = load.service.data.iter();
        first
            .notes
            .extend(data.map(|(name, value)| format!("{name}: {value}")));
    }
    Ok(ServiceRun {
        key: load.key.clone(),
        rows,
        rounds: course.rounds,
        rate: course.rate,
        ended,
    })
}

/// A service that is being measured.
struct ServiceCourse<'a> {
    load: ServiceLoad<'a>,
    generator: Generator,
    scratch: &'a Scratch,
    events: EventSink<'a>,
    rounds: Vec<ServiceRound>,
    rate: Option<f64>,
    notes: Vec<String>,
}

/// Both sides, alive.
struct ServerPair(Paired<Option<Server>>);

impl ServiceCourse<'_> {
    fn measure(
        &mut self,
        is_settled: &mut impl FnMut(&[Measured]) -> bool,
    ) -> Result<(), SliceEnd> {
        let mut pair = self.start(self.first(0))?;
        let rate = self.find_rate(&mut pair)?;
        self.rate = Some(rate);
        // Both sides have answered other numbers of requests by now.
        let mut pair = match self.load.service.restart {
            RestartMode::EachRound => {
                self.stop(pair);
                None
            }
            RestartMode::Never => Some(pair),
        };
        for index in 0..self.load.rounds {
            if self.load.end.is_some_and(|end| Instant::now() >= end) {
                return Err(Interrupted::TimeUp.into());
            }
            process::check()?;
            let fresh = pair.is_none();
            let mut alive = match pair.take() {
                Some(alive) => alive,
                None => self.start(self.first(index))?,
            };
            let (benchmark, round) = (self.load.key.to_string(), index + 1);
            (self.events)(Event::Measuring {
                benchmark: benchmark.clone(),
                round,
            });
            let done = self.round(&mut alive, index, rate, fresh || index == 0)?;
            self.rounds.push(done);
            (self.events)(Event::RoundFinished { benchmark, round });
            match self.load.service.restart {
                RestartMode::EachRound => self.stop(alive),
                RestartMode::Never => pair = Some(alive),
            }
            let mut rows = self.rows();
            // No number of rounds settles a row that has none, for example for want of requests.
            rows.retain(|row| !row.rounds.is_empty());
            if is_settled(&rows) {
                break;
            }
        }
        if let Some(alive) = pair {
            self.stop(alive);
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Measured> {
        let connections = self.load.service.connections;
        rows(self.load.key, &self.rounds, self.rate, connections)
    }

    /// The side that goes first: a coin decides, and every second round is the reverse of the one before it.
    fn first(&self, index: usize) -> Side {
        let mut random = ChaCha8Rng::seed_from_u64(self.load.seed);
        random.set_stream(index as u64 / 2);
        let drawn = match random.random::<bool>() {
            true => Side::Base,
            false => Side::Head,
        };
        match index.is_multiple_of(2) {
            true => drawn,
            false => drawn.other(),
        }
    }

    /// Starts both sides, this one first.
    fn start(&mut self, first: Side) -> Result<ServerPair, SliceEnd> {
        let mut pair = Paired::new(None, None);
        for side in [first, first.other()] {
            let of = ServiceSide {
                side,
                build: self.load.builds.get(side),
                service: self.load.service,
            };
            let server = Server::start(of, self.scratch)?;
            // It would disturb the start of the other.
            if self.load.service.idle == IdleMode::Stop {
                server.pause();
            }
            *pair.get_mut(side) = Some(server);
        }
        Ok(ServerPair(pair))
    }

    fn stop(&mut self, pair: ServerPair) {
        for server in [pair.0.base, pair.0.head].into_iter().flatten() {
            let note = server.stop(self.load.service.stop_within);
            self.notes
                .extend(note.filter(|note| !self.notes.contains(note)));
        }
    }

    /// The rate at which latency is measured. Both sides answer as fast as they can at first, which
    /// shows whether they answer at all.
    fn find_rate(&mut self, pair: &mut ServerPair) -> Result<f64, SliceEnd> {
        let first = self.turns(pair, self.first(0), LoadShape::Closed, self.load.seed)?;
        for side in Side::BOTH {
            let slices = first.get(side).iter().map(|slice| &slice.outcome);
            if let Some(failure) = failure_of_answers(side, slices, MOST_FIRST_ERRORS) {
                return Err(SliceEnd::Failed(failure));
            }
        }
        let mut capacities: Vec<f64> = first
            .base
            .iter()
            .map(|slice| slice.outcome.throughput())
            .collect();
        capacities.sort_by(f64::total_cmp);
        Ok(match self.load.service.rate {
            RequestRate::PerSecond(rate) => rate,
            RequestRate::OfCapacity(share) => {
                (percentile(&capacities, 0.5) * share.as_fraction()).max(1.0)
            }
        })
    }

    fn round(
        &mut self,
        pair: &mut ServerPair,
        index: usize,
        rate: f64,
        fresh: bool,
    ) -> Result<ServiceRound, SliceEnd> {
        let first = self.first(index);
        // Both sides, and both kinds, get the same requests in a round, and others in the next.
        let seed = self.load.seed.wrapping_add(index as u64 + 1);
        let open = self.turns(pair, first, LoadShape::Open { rate }, seed)?;
        let closed = self.turns(pair, first, LoadShape::Closed, seed)?;
        let used = Paired::from_fn(|side| {
            let slices = open.get(side);
            let server = pair.0.get(side).as_ref();
            let is_fixed = self.load.service.restart == RestartMode::EachRound;
            let held = slices.last().filter(|_| is_fixed);
            let held = held.map(|slice| ServiceHoldings {
                resident: slice.after.resident,
                files: slice.after.files,
                threads: slice.after.threads(),
            });
            ServiceUsage {
                ready: server.map(|server| server.ready).filter(|_| fresh),
                processor: processor_per_request(slices),
                held,
            }
        });
        let outcomes = |slices: Vec<LoadedSlice>| -> Vec<LoadOutcome> {
            slices.into_iter().map(|slice| slice.outcome).collect()
        };
        Ok(ServiceRound {
            index,
            first,
            open: open.map(outcomes),
            closed: closed.map(outcomes),
            used,
        })
    }

    /// Loads both sides in turns: a, b, b, a, …
    fn turns(
        &mut self,
        pair: &mut ServerPair,
        first: Side,
        shape: LoadShape,
        seed: u64,
    ) -> Result<Paired<Vec<LoadedSlice>>, SliceEnd> {
        let mut slices = Paired::new(Vec::new(), Vec::new());
        for turn in 0..Service::TURNS {
            let first = match turn % 2 {
                0 => first,
                _ => first.other(),
            };
            for side in [first, first.other()] {
                let seed = seed
                    .wrapping_mul(u64::from(Service::TURNS))
                    .wrapping_add(turn.into());
                slices
                    .get_mut(side)
                    .push(self.slice(pair, side, shape, seed)?);
            }
        }
        Ok(slices)
    }

    /// Loads one side, while the other is idle.
    fn slice(
        &mut self,
        pair: &mut ServerPair,
        side: Side,
        shape: LoadShape,
        seed: u64,
    ) -> Result<LoadedSlice, SliceEnd> {
        process::check()?;
        let stops = self.load.service.idle == IdleMode::Stop;
        let Some(server) = pair.0.get_mut(side) else {
            return Err(Interrupted::TimeUp.into());
        };
        if stops {
            server.resume();
        }
        let before = server.usage();
        let outcome = self
            .generator
            .load(&server.address, shape, seed, self.scratch);
        process::check()?;
        let after = server.usage();
        if let Some(ended) = server.has_ended() {
            let reason = format!("{ended} under load");
            return Err(self.fail(pair, side, reason));
        }
        match outcome {
            Ok(outcome) => {
                if stops {
                    server.pause();
                }
                Ok(LoadedSlice {
                    outcome,
                    before,
                    after,
                })
            }
            Err(reason) => Err(self.fail(pair, side, format!("could not be loaded: {reason}"))),
        }
    }

    fn fail(&self, pair: &mut ServerPair, side: Side, reason: String) -> SliceEnd {
        match pair.0.get_mut(side).take() {
            Some(server) => SliceEnd::Failed(server.into_failure(reason)),
            None => Interrupted::TimeUp.into(),
        }
    }
}

/// What came of a slice, and what the side used before and after it.
struct LoadedSlice {
    outcome: LoadOutcome,
    before: GroupUsage,
    after: GroupUsage,
}

/// Over whole slices, the parts that are not counted included.
fn processor_per_request(slices: &[LoadedSlice]) -> std::time::Duration {
    let used = slices
        .iter()
        .map(|slice| slice.after.processor_time_since(&slice.before));
    let used: std::time::Duration = used.sum();
    let sent: u64 = slices.iter().map(|slice| slice.outcome.sent).sum();
    used / u32::try_from(sent.max(1)).unwrap_or(u32::MAX)
}
