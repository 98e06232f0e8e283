//! What came of a load.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Up to here the generator's own lag is no part of a latency that matters, in nanoseconds.
const LAG: f64 = 1e5;

/// The part of a percentile of the latency that the same percentile of the lag may make up.
const LAG_SHARE: f64 = 0.25;

/// So many requests have to lie beyond a percentile.
pub const FEWEST_BEYOND: f64 = 10.0;

/// What came of a load. Counts and latencies are of requests after the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadOutcome {
    /// How many requests were answered as expected.
    pub answered: u64,
    /// How many answers came while requests were counted and were as expected, whenever their requests were due: what was
    /// achieved of an open loop's rate, where `answered` also has those that came later.
    pub completed: u64,
    /// How many were sent in all, those of the warm-up included.
    pub sent: u64,
    /// For how long they were counted, in seconds.
    pub seconds: f64,
    /// The latencies of those that were answered as expected, in nanoseconds: in an open loop from the moment at which a
    /// request was to be sent, in a closed loop from the moment at which it was sent. Percentiles include those that
    /// failed, as if they had taken as long as they may. `None` without an answer.
    pub latency: Option<Distribution>,
    /// Those that were not answered as expected, by kind; the most frequent first.
    pub errors: Vec<RequestError>,
    /// How the load went over time, if that was wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<LoadWindow>,
    /// What the generator itself needed.
    pub generator: GeneratorUse,
    /// Why the numbers describe the generator and not the server, if they do.
    pub not_usable: Option<NotUsable>,
}

/// The requests that were due in one window of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoadWindow {
    /// How many.
    pub counted: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The median of their latencies, in nanoseconds; one that failed is as slow as it may be. `None` without a request.
    pub p50: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
}

/// A distribution of times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The largest: one stall of the machine decides it, so it is never judged.
    pub max: f64,
}

/// A percentile that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Percentile {
    /// The median.
    P50,
    /// The 95th.
    P95,
    /// The 99th.
    P99,
}

impl Percentile {
    /// The highest percentile that so many requests support: at least ten have to lie beyond it, or one stall of the machine
    /// decides it. The median is the lowest.
    #[must_use]
    pub fn supported(requests: u64) -> Percentile {
        let all = [Percentile::P99, Percentile::P95];
        let is_supported = |one: &Percentile| requests as f64 >= one.fewest_requests();
        all.into_iter()
            .find(is_supported)
            .unwrap_or(Percentile::P50)
    }

    /// How many requests it takes.
    #[must_use]
    pub fn fewest_requests(self) -> f64 {
        FEWEST_BEYOND / self.beyond()
    }

    /// Which share of all times lies beyond it.
    #[must_use]
    pub fn beyond(self) -> f64 {
        match self {
            Percentile::P50 => 0.5,
            Percentile::P95 => 0.05,
            Percentile::P99 => 0.01,
        }
    }
}

impl Distribution {
    /// A percentile.
    #[must_use]
    pub fn at(&self, percentile: Percentile) -> f64 {
        match percentile {
            Percentile::P50 => self.p50,
            Percentile::P95 => self.p95,
            Percentile::P99 => self.p99,
        }
    }
}

/// Requests that failed in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestError {
    /// In which way.
    pub kind: RequestErrorKind,
    /// How many.
    pub count: u64,
    /// The first of them, in words.
    pub example: String,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestErrorKind {
    /// No connection could be opened.
    Connect,
    /// The connection ended before the answer was complete.
    Closed,
    /// The answer did not come in time.
    Timeout,
    /// The answer is no HTTP.
    Protocol,
    /// The answer says that there is too much to do: status 429 or 503, where another was expected.
    Refused,
    /// The answer has another status than was expected.
    Status,
    /// The body does not contain what was expected.
    Body,
}

impl fmt::Display for RequestErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            RequestErrorKind::Connect => "no connection",
            RequestErrorKind::Closed => "connection closed",
            RequestErrorKind::Timeout => "no answer in time",
            RequestErrorKind::Protocol => "not HTTP",
            RequestErrorKind::Refused => "refused",
            RequestErrorKind::Status => "unexpected status",
            RequestErrorKind::Body => "unexpected body",
        })
    }
}

/// What the generator itself needed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GeneratorUse {
    /// Its processor time while it counted, in seconds. It has one thread.
    pub processor_seconds: f64,
    /// How late it woke, as often as requests were due, whether or not a connection was free, in nanoseconds; open loops only.
    pub lag: Option<Distribution>,
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Percentile::P50 => "p50",
            Percentile::P95 => "p95",
            Percentile::P99 => "p99",
        })
    }
}

/// Why numbers describe the generator and not the server.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NotUsable {
    /// It used up its processor, or did not get one: the server may be able to do more.
    Saturated {
        /// Which share of the time it used a processor or waited for one (0 to 1).
        share: f64,
    },
    /// It was late itself: the tail of the latencies is partly its own.
    Lagged {
        /// How late, in nanoseconds: the 99th percentile.
        p99_ns: f64,
    },
}

impl fmt::Display for NotUsable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotUsable::Saturated { share } => write!(
                f,
                "the load generator used or waited for a processor for {:.0} % of the time, so the server may be able to do more",
                share * 100.0
            ),
            NotUsable::Lagged { p99_ns } => write!(
                f,
                "the load generator sent requests {:.1} ms late (99th percentile), so the tail of the latencies is partly \
                 its own",
                p99_ns / 1e6
            ),
        }
    }
}

impl LoadOutcome {
    /// A percentile of the latency; `None` without an answer, or where too much of it is the generator's own lag.
    #[must_use]
    pub fn latency_at(&self, percentile: Percentile) -> Option<f64> {
        let latency = self.latency?.at(percentile);
        let lag = self.generator.lag.map_or(0.0, |lag| lag.at(percentile));
        (lag <= LAG.max(LAG_SHARE * latency)).then_some(latency)
    }

    /// How many requests failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    /// How many requests were counted, answered as expected or not.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.answered + self.failed()
    }

    /// How many requests were answered as expected per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.answered as f64 / self.seconds
    }
}
