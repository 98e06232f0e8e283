//! Where both sides of a service come to life, are loaded in turns, and end.

use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::build::Build;
use crate::discover::Failure;
use crate::load_generator::{Address, LoadOutcome, LoadShape};
use crate::measure::Measured;
use crate::plan::{IdleMode, Service};
use crate::process::{self, GroupUsage, Interrupted, ProcessLimits};
use crate::scratch::Scratch;
use crate::stats::percentile;
use crate::units::{BenchmarkKey, Event, EventSink, Paired, Side};

use super::answers::failure_of_answers;
use super::fill::ServiceSide;
use super::generator::{Generator, SliceOrder};
use super::server::Server;
use super::{BesideRow, LoadTestResult, ServiceError, SliceEnd};

/// A service that fails this share of its very first requests is not measured at all.
const MOST_FIRST_ERRORS: f64 = 0.5;

/// How long a noisy neighbour loads a side before anyone is watched, and after.
const HEAD_START: Duration = Duration::from_millis(100);

/// The neighbour of a side sent nothing that was answered.
pub(super) fn not_loaded(reason: &str) -> String {
    format!("could not be loaded by its neighbour: {reason}")
}

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

/// A test of a service with a row of its own.
pub(super) trait RowTest {
    /// Makes the test, as the service asks for.
    ///
    /// # Errors
    /// A side fails, or the run is to stop. What was found until then stays.
    fn measure(&mut self, stage: &mut LoadStage<'_>) -> Result<(), SliceEnd>;

    /// A side that answers more than a share of `most` requests otherwise than expected, where that is not what is tested.
    fn wrong_answers(&self, _most: f64) -> Option<Failure> {
        None
    }

    /// Its row.
    fn row(&self, stage: &LoadStage<'_>) -> Measured;

    /// What stands beside the row.
    fn beside(&self, stage: &LoadStage<'_>) -> Vec<BesideRow>;

    /// What else it shows; `None` without a round.
    fn result(&self, stage: &LoadStage<'_>) -> Option<LoadTestResult>;
}

/// Both sides, alive.
pub(super) struct ServerPair(pub(super) Paired<Option<Server>>);

/// What came of a slice, and what the side used before and after it.
pub(super) struct LoadedSlice {
    pub(super) outcome: LoadOutcome,
    pub(super) before: GroupUsage,
    pub(super) after: GroupUsage,
}

/// Where both sides of a service come to life, are loaded in turns, and end.
pub(super) struct LoadStage<'a> {
    pub(super) load: ServiceLoad<'a>,
    pub(super) generator: Generator,
    /// What sends the requests of a noisy neighbour, if the service has one.
    neighbour: Option<Generator>,
    pub(super) scratch: &'a Scratch,
    events: EventSink<'a>,
    /// What the reader should know of the sides, for every row.
    pub(super) notes: Vec<String>,
}

impl<'a> LoadStage<'a> {
    /// A stage without anyone on it.
    ///
    /// # Errors
    /// As [`Generator::of`].
    pub(super) fn of(
        load: ServiceLoad<'a>,
        scratch: &'a Scratch,
        events: EventSink<'a>,
    ) -> Result<LoadStage<'a>, ServiceError> {
        Ok(LoadStage {
            generator: Generator::of(load.service, load.own_program)?,
            neighbour: Generator::of_neighbour(load.service, load.own_program)?,
            load,
            scratch,
            events,
            notes: Vec::new(),
        })
    }

    /// Whether the run may go on.
    ///
    /// # Errors
    /// Its time is up, or it is to stop.
    pub(super) fn may_go_on(&self) -> Result<(), SliceEnd> {
        if self.load.end.is_some_and(|end| Instant::now() >= end) {
            return Err(Interrupted::TimeUp.into());
        }
        Ok(process::check()?)
    }

    /// Says that a round of a row of the service begins.
    pub(super) fn round_begins(&self, row: &BenchmarkKey, index: usize) {
        let (benchmark, round) = (row.to_string(), index + 1);
        (self.events)(Event::Measuring { benchmark, round });
    }

    /// Says that it has ended.
    pub(super) fn round_ends(&self, row: &BenchmarkKey, index: usize) {
        let (benchmark, round) = (row.to_string(), index + 1);
        (self.events)(Event::RoundFinished { benchmark, round });
    }

    /// The side that goes first: a coin decides, and every second round is the reverse of the one before it.
    pub(super) fn first(&self, index: usize) -> Side {
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
    pub(super) fn start(&self, first: Side) -> Result<ServerPair, SliceEnd> {
        let mut pair = ServerPair(Paired::new(None, None));
        for side in [first, first.other()] {
            self.start_side(&mut pair, side)?;
        }
        Ok(pair)
    }

    /// Starts one side, which then is idle.
    pub(super) fn start_side(&self, pair: &mut ServerPair, side: Side) -> Result<(), SliceEnd> {
        let server = Server::start(self.side(side, None), self.scratch)?;
        // It would disturb the start of the other.
        if self.load.service.idle == IdleMode::Stop {
            server.pause();
        }
        *pair.0.get_mut(side) = Some(server);
        Ok(())
    }

    /// Where a side comes from, and what it may use.
    pub(super) fn side<'b>(
        &'b self,
        side: Side,
        limits: Option<&'b ProcessLimits>,
    ) -> ServiceSide<'b> {
        ServiceSide {
            side,
            build: self.load.builds.get(side),
            service: self.load.service,
            limits,
        }
    }

    /// Ends both sides.
    pub(super) fn stop(&mut self, pair: ServerPair) {
        for server in [pair.0.base, pair.0.head].into_iter().flatten() {
            self.stop_side(server);
        }
    }

    /// Ends one side.
    pub(super) fn stop_side(&mut self, server: Server) {
        let note = server.stop(self.load.service.stop_within);
        self.notes
            .extend(note.filter(|note| !self.notes.contains(note)));
    }

    /// How many requests per second each side answers as fast as it can, which shows whether it answers at all.
    pub(super) fn capacity(&self, pair: &mut ServerPair) -> Result<Paired<f64>, SliceEnd> {
        let first = self.turns(pair, self.first(0), LoadShape::Closed, self.load.seed)?;
        for side in Side::BOTH {
            let slices = first.get(side).iter().map(|slice| &slice.outcome);
            if let Some(failure) = failure_of_answers(side, slices, MOST_FIRST_ERRORS) {
                return Err(SliceEnd::Failed(failure));
            }
        }
        Ok(first.map(|slices| {
            let throughputs = slices.iter().map(|slice| slice.outcome.throughput());
            let mut throughputs: Vec<f64> = throughputs.collect();
            throughputs.sort_by(f64::total_cmp);
            percentile(&throughputs, 0.5)
        }))
    }

    /// The same of processes that live for this alone.
    pub(super) fn capacity_of_fresh(&mut self) -> Result<Paired<f64>, SliceEnd> {
        let mut pair = self.start(self.first(0))?;
        let capacity = self.capacity(&mut pair)?;
        self.stop(pair);
        Ok(capacity)
    }

    /// Loads both sides in turns: a, b, b, a, …
    pub(super) fn turns(
        &self,
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
                let lasting = self.load.service.slice / Service::TURNS;
                let order = SliceOrder::lasting(lasting, shape, seed);
                slices.get_mut(side).push(self.slice(pair, side, &order)?);
            }
        }
        Ok(slices)
    }

    /// Loads one side, while the other is idle.
    pub(super) fn slice(
        &self,
        pair: &mut ServerPair,
        side: Side,
        order: &SliceOrder,
    ) -> Result<LoadedSlice, SliceEnd> {
        self.slice_by(pair, side, |address| {
            self.generator.load(address, order, self.scratch)
        })
    }

    /// The same while the noisy neighbour loads it as fast as it answers. Also gives what came of that; `None` without a
    /// neighbour.
    pub(super) fn slice_beside_neighbour(
        &self,
        pair: &mut ServerPair,
        side: Side,
        order: &SliceOrder,
    ) -> Result<(LoadedSlice, Option<LoadOutcome>), SliceEnd> {
        let Some(neighbour) = &self.neighbour else {
            return Ok((self.slice(pair, side, order)?, None));
        };
        let whole = order.warm_up + order.counted;
        let heavy = SliceOrder {
            shape: LoadShape::Closed,
            warm_up: HEAD_START,
            counted: whole + HEAD_START,
            ..*order
        };
        let mut beside = Err(String::new());
        let slice = self.slice_by(pair, side, |address| {
            std::thread::scope(|scope| {
                let heavy = scope.spawn(|| neighbour.load(address, &heavy, self.scratch));
                std::thread::sleep(HEAD_START);
                let outcome = self.generator.load(address, order, self.scratch);
                beside = heavy
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome
            })
        })?;
        match beside {
            Ok(beside) => Ok((slice, Some(beside))),
            Err(reason) => Err(self.fail(pair, side, not_loaded(&reason))),
        }
    }

    fn slice_by(
        &self,
        pair: &mut ServerPair,
        side: Side,
        load: impl FnOnce(&Address) -> Result<LoadOutcome, String>,
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
        let outcome = load(&server.address);
        process::check()?;
        let after = server.usage();
        if let Some(ended) = server.has_ended() {
            let reason = format!("{ended} under load");
            return Err(match self.fail(pair, side, reason) {
                SliceEnd::Failed(failure) => SliceEnd::Died(failure),
                other => other,
            });
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
