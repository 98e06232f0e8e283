//! What a process says of a benchmark.

use std::time::Duration;

use crate::protocol::{BenchmarkConfig, SamplingMethod};

use super::enough::Announced;
use super::threads::Threads;

/// What one side reported of one benchmark.
#[derive(Debug, Clone)]
pub(super) struct SideReport {
    pub(super) id: String,
    pub(super) iterations: Vec<f64>,
    pub(super) times: Vec<f64>,
    pub(super) config: BenchmarkConfig,
    /// How the iterations of the samples grow.
    pub(super) method: SamplingMethod,
    /// Whether threads beside the main one did a noticeable part of the work.
    pub(super) threads: Threads,
    /// How the benchmark words one unit of its measurement, where it was asked.
    pub(super) unit: Option<String>,
    /// Whether the process is to be ended in the middle of the benchmark: then the times are in the seam's log, and
    /// no iterations are here where they are not known.
    pub(super) ended: bool,
}

impl SideReport {
    /// Of a benchmark in whose middle the process is ended: without times, and without a measurement time in force.
    pub(super) fn cut(
        id: String,
        announced: Option<Announced>,
        warm_up: Duration,
        threads: Threads,
    ) -> SideReport {
        let known = announced.and_then(|announced| announced.fewest_iterations());
        let (method, iterations) = known.unwrap_or((SamplingMethod::Flat, Vec::new()));
        SideReport {
            id,
            iterations,
            times: Vec::new(),
            config: BenchmarkConfig {
                measurement_time: Duration::ZERO.into(),
                sample_size: announced.map_or(0, |announced| announced.samples),
                warm_up_time: warm_up.into(),
            },
            method,
            threads,
            unit: None,
            ended: true,
        }
    }
}
