//! Counting answers, failures and latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::connection::RequestFailure;
use super::outcome::{Distribution, RequestError, RequestErrorKind};

/// The longest time that a histogram holds, in nanoseconds; longer ones count as this long.
const LONGEST: u64 = 3_600_000_000_000;

/// Significant digits: a ratio of percentiles is to be exact to 0.01 %.
const DIGITS: u8 = 4;

/// What was counted.
#[derive(Debug)]
pub(super) struct Tally {
    latencies: Times,
    lag: Times,
    errors: BTreeMap<RequestErrorKind, (u64, String)>,
}

/// Many times.
#[derive(Debug)]
struct Times(Histogram<u64>);

impl Times {
    fn none() -> Option<Times> {
        let histogram = Histogram::new_with_bounds(1, LONGEST, DIGITS);
        histogram.ok().map(Times)
    }

    fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(LONGEST);
        self.0.saturating_record(nanos.max(1));
    }

    /// The distribution of the times. Percentiles are of these and of `failed` more that took at least `timeout`.
    fn distribution(&self, failed: u64, timeout: Duration) -> Option<Distribution> {
        let times = &self.0;
        let at = |quantile: f64| {
            let rank = (quantile * (times.len() + failed) as f64).ceil();
            if rank > times.len() as f64 {
                return timeout.as_nanos() as f64;
            }
            // Half a rank less, so that rounding does not reach the next one.
            let time = times.value_at_quantile((rank - 0.5) / times.len() as f64);
            // The middle of a bucket, so that a histogram's steps favour no side.
            times.median_equivalent(time) as f64
        };
        (!times.is_empty()).then(|| Distribution {
            count: times.len(),
            mean: times.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: times.max() as f64,
        })
    }
}

impl Tally {
    /// Nothing yet. `None` if the bounds of the histograms were wrong, which they are not.
    pub(super) fn none() -> Option<Tally> {
        Some(Tally {
            latencies: Times::none()?,
            lag: Times::none()?,
            errors: BTreeMap::new(),
        })
    }

    /// Counts one request.
    pub(super) fn add(&mut self, latency: Duration, answer: Result<(), RequestFailure>) {
        match answer {
            Ok(()) => self.latencies.add(latency),
            Err(RequestFailure { kind, words, .. }) => {
                self.errors.entry(kind).or_insert((0, words)).0 += 1;
            }
        }
    }

    /// Counts by how much a request was sent late.
    pub(super) fn add_lag(&mut self, lag: Duration) {
        self.lag.add(lag);
    }

    pub(super) fn answered(&self) -> u64 {
        self.latencies.0.len()
    }

    /// The latencies. A request that failed is as slow as `timeout`: failing fast makes no percentile smaller.
    pub(super) fn latency(&self, timeout: Duration) -> Option<Distribution> {
        let failed = self.errors.values().map(|(count, _)| count).sum();
        self.latencies.distribution(failed, timeout)
    }

    pub(super) fn lag(&self) -> Option<Distribution> {
        self.lag.distribution(0, Duration::ZERO)
    }

    pub(super) fn errors(&self) -> Vec<RequestError> {
        let errors = self
            .errors
            .iter()
            .map(|(kind, (count, example))| RequestError {
                kind: *kind,
                count: *count,
                example: example.clone(),
            });
        let mut errors: Vec<RequestError> = errors.collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }
}
