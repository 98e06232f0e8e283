//! Services under load: from both builds to raw paired slices.
//!
//! A round starts a fresh process of each side, as for benchmarks: what a process draws once (heap, address space) is
//! drawn anew. Both are alive, and take turns, so that whatever slows the machine down slows both: each is loaded in an open
//! loop, which shows latencies at a rate that both can serve, and in a closed loop, which shows the capacity. Which side goes
//! first is drawn and balanced. The side whose turn it is not is stopped as a group, unless the service is one that this
//! changes; so the first part of each slice is not counted.

mod answers;
mod error;
mod fill;
mod generator;
mod limits;
mod matching;
mod neighbour;
mod process_end;
mod ramp_up;
mod readiness;
mod rounds;
mod row_kind;
mod rows;
mod run;
mod server;
mod soak;
mod spike;
mod stage;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::discover::Failure;
use crate::load_generator::LoadOutcome;
use crate::measure::Measured;
use crate::process::Interrupted;
use crate::units::{BenchmarkKey, Metric, Paired, Side};

pub use error::ServiceError;
pub use limits::{
    LimitCourse, LimitMeans, LimitOutcome, LimitPressure, LimitStep, LimitsResult, ServiceNeeds,
};
pub use matching::{key, target};
pub use neighbour::{NeighbourCourse, NeighbourResult, TenantView};
pub use process_end::ProcessEnd;
pub use ramp_up::{BreakReason, RampUpCourse, RampUpEnd, RampUpResult, RampUpStep};
pub use row_kind::RowKind;
pub use rows::ComparedRow;
pub use run::{check, run};
pub use soak::{MemoryGrowth, SoakBlock, SoakResult};
pub use spike::{SpikeCourse, SpikeEnd, SpikeResult};
pub use stage::ServiceLoad;

/// One round: a slice of each kind and side, with fresh processes unless the service keeps its own.
#[derive(Debug, Clone)]
pub struct ServiceRound {
    /// From zero.
    pub index: usize,
    /// The side that went first.
    pub first: Side,
    /// The slices at a fixed rate, turn by turn.
    pub open: Paired<Vec<LoadOutcome>>,
    /// Those in which each side answers as fast as it can.
    pub closed: Paired<Vec<LoadOutcome>>,
    /// What each side used of the machine.
    pub used: Paired<ServiceUsage>,
}

/// What one side of a service used of the machine in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceUsage {
    /// From its start until it took requests; `None` for processes of an earlier round.
    pub ready: Option<Duration>,
    /// Processor time per request at the fixed rate.
    pub processor: Duration,
    /// What it held after the slice at the fixed rate; `None` where the sides have answered other numbers of requests,
    /// since they live through all rounds.
    pub held: Option<ServiceHoldings>,
}

/// What one side of a service held after a fixed number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceHoldings {
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Open files.
    pub files: u64,
    /// Threads.
    pub threads: u64,
}

/// What measuring a service came to.
#[derive(Debug)]
pub struct ServiceRun {
    /// What names it: its rows have its id, and more.
    pub key: BenchmarkKey,
    /// Its rows, each like a benchmark: a round is one sample a side.
    pub rows: Vec<Measured>,
    /// The rounds of the plain comparison.
    pub rounds: Vec<ServiceRound>,
    /// What stands beside the rows of the other tests.
    pub beside: Vec<BesideRow>,
    /// What the other tests show beside their rows.
    pub tests: Vec<LoadTestResult>,
    /// What ended it early, if anything.
    pub ended: Option<Interrupted>,
}

/// A metric beside the row of a test, round by round.
#[derive(Debug, Clone)]
pub struct BesideRow {
    /// The row.
    pub row: RowKind,
    /// The metric.
    pub metric: Metric,
    /// What each side of each round shows of it, in its unit.
    pub rounds: Vec<Paired<Option<f64>>>,
    /// A smaller difference than this is none.
    pub negligible: f64,
}

/// What a test of a service shows beside the verdict of its row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "kebab-case")]
pub enum LoadTestResult {
    /// The rates at which both sides broke.
    RampUp(RampUpResult),
    /// What a spike of the load did to both sides.
    Spike(SpikeResult),
    /// What a long load did to both sides.
    Soak(SoakResult),
    /// What the heavy load of a neighbour did to a tenant of both sides.
    NoisyNeighbour(NeighbourResult),
    /// What happens to both sides with less than they need.
    Limits(LimitsResult),
}

/// Why a slice has no result.
#[derive(Debug)]
enum SliceEnd {
    /// A side of the service failed.
    Failed(Failure),
    /// A side ended by itself under load.
    Died(Failure),
    /// The run is to stop.
    Interrupted(Interrupted),
}

impl From<Interrupted> for SliceEnd {
    fn from(interrupted: Interrupted) -> SliceEnd {
        SliceEnd::Interrupted(interrupted)
    }
}
