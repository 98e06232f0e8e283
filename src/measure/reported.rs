//! What a process reports about a benchmark.

use std::time::Duration;

use crate::harness::{BenchmarkConfig, LibtestSummary, SamplingMethod};
use crate::seam::SampleRecord;

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
    /// The summary, if the harness reports one, until its samples are known. The times are then one sample made
    /// from it.
    pub(super) summary: Option<LibtestSummary>,
    /// Whether threads beside the main one did a noticeable part of the work.
    pub(super) threads: Threads,
    /// How the benchmark formats one unit of its measurement, if it was asked.
    pub(super) unit: Option<String>,
    /// Whether the process is to be ended in the middle of the benchmark: then the times are in the seam's log, and
    /// the iterations are empty if unknown.
    pub(super) ended: bool,
}

impl SideReport {
    /// Whether its samples are known while its process is held.
    ///
    /// # Errors
    /// Why not, as a lower-case fragment.
    pub(super) fn is_explained(&self) -> Result<(), String> {
        match self.summary {
            None => Ok(()),
            Some(_) => Err(
                "which of its samples are reported could not be shown in advance (it calls `Bencher::iter` more than \
                 once, or reads the clock itself)"
                    .to_owned(),
            ),
        }
    }

    /// Replaces a summary by its samples, if they are those of this log. Returns how often the function that times
    /// was called.
    pub(super) fn explain(&mut self, log: &[SampleRecord]) -> Option<usize> {
        let timed: Vec<u64> = log.iter().map(|sample| sample.timed_ns).collect();
        let samples = self.summary?.samples(&timed)?;
        self.summary = None;
        self.iterations = vec![samples.iterations as f64; samples.times.len()];
        self.times = samples.times;
        Some(samples.calls)
    }

    /// The report of a benchmark in the middle of which the process is ended: without times, and without a
    /// measurement time in force.
    pub(super) fn cut(
        id: String,
        announced: Option<Announced>,
        planned: Option<Vec<f64>>,
        warm_up: Duration,
        threads: Threads,
    ) -> SideReport {
        let known = announced.and_then(|announced| announced.fewest_iterations());
        let known = planned
            .map(|iterations| (SamplingMethod::Flat, iterations))
            .or(known);
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
            summary: None,
            threads,
            unit: None,
            ended: true,
        }
    }
}
