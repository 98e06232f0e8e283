//! The plain comparison: rounds in which both sides are loaded at a fixed rate, and as fast as they answer.

use crate::load_generator::{LoadOutcome, LoadShape};
use crate::measure::Measured;
use crate::plan::RestartMode;
use crate::units::Paired;

use super::rows::rows;
use super::stage::{LoadStage, LoadedSlice, ServerPair};
use super::{ServiceHoldings, ServiceRound, ServiceUsage, SliceEnd};

/// What the comparison of a service has found so far.
#[derive(Debug, Default)]
pub(super) struct ComparedRounds {
    pub(super) rounds: Vec<ServiceRound>,
    /// At how many requests per second latency is measured.
    pub(super) rate: Option<f64>,
}

impl ComparedRounds {
    /// Measures rounds until `is_settled` says that every row is.
    ///
    /// # Errors
    /// A side fails, or the run is to stop. What was found until then stays.
    pub(super) fn measure(
        &mut self,
        stage: &mut LoadStage<'_>,
        is_settled: &mut impl FnMut(&[Measured]) -> bool,
    ) -> Result<(), SliceEnd> {
        let mut pair = stage.start(stage.first(0))?;
        let capacity = stage.capacity(&mut pair)?.base;
        let rate = stage.load.service.rate.per_second(capacity);
        self.rate = Some(rate);
        // Both sides have answered other numbers of requests by now.
        let mut pair = match stage.load.service.restart {
            RestartMode::EachRound => {
                stage.stop(pair);
                None
            }
            RestartMode::Never => Some(pair),
        };
        for index in 0..stage.load.rounds {
            stage.may_go_on()?;
            let fresh = pair.is_none();
            let mut alive = match pair.take() {
                Some(alive) => alive,
                None => stage.start(stage.first(index))?,
            };
            stage.round_begins(stage.load.key, index);
            let done = round(stage, &mut alive, index, rate, fresh || index == 0)?;
            self.rounds.push(done);
            stage.round_ends(stage.load.key, index);
            match stage.load.service.restart {
                RestartMode::EachRound => stage.stop(alive),
                RestartMode::Never => pair = Some(alive),
            }
            let mut rows = self.rows(stage);
            // No number of rounds settles a row that has none, for example for want of requests.
            rows.retain(|row| !row.rounds.is_empty());
            if is_settled(&rows) {
                break;
            }
        }
        if let Some(alive) = pair {
            stage.stop(alive);
        }
        Ok(())
    }

    /// The rows of the rounds so far.
    pub(super) fn rows(&self, stage: &LoadStage<'_>) -> Vec<Measured> {
        let connections = stage.load.service.connections;
        rows(stage.load.key, &self.rounds, self.rate, connections)
    }
}

fn round(
    stage: &LoadStage<'_>,
    pair: &mut ServerPair,
    index: usize,
    rate: f64,
    fresh: bool,
) -> Result<ServiceRound, SliceEnd> {
    let first = stage.first(index);
    // Both sides, and both kinds, get the same requests in a round, and others in the next.
    let seed = stage.load.seed.wrapping_add(index as u64 + 1);
    let open = stage.turns(pair, first, LoadShape::Open { rate }, seed)?;
    let closed = stage.turns(pair, first, LoadShape::Closed, seed)?;
    let is_fixed = stage.load.service.restart == RestartMode::EachRound;
    let used = Paired::from_fn(|side| {
        let server = pair.0.get(side).as_ref();
        let ready = server.map(|server| server.ready).filter(|_| fresh);
        usage(open.get(side), ready, is_fixed)
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

/// What a side used in its slices; what it holds only after a number of requests that `is_fixed`.
fn usage(
    slices: &[LoadedSlice],
    ready: Option<std::time::Duration>,
    is_fixed: bool,
) -> ServiceUsage {
    let held = slices.last().filter(|_| is_fixed);
    let held = held.map(|slice| ServiceHoldings {
        resident: slice.after.resident,
        files: slice.after.files,
        threads: slice.after.threads(),
    });
    ServiceUsage {
        ready,
        processor: processor_per_request(slices),
        held,
    }
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
