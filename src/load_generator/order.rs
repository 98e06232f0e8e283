//! What the generator is asked for.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LoadError;

/// More connections than this are an attack, or a mistake.
const MOST_CONNECTIONS: usize = 10_000;

/// The longest load.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// The most requests.
const MOST_REQUESTS: u64 = 1_000_000_000;

/// The most windows of an outcome.
const MOST_WINDOWS: u64 = 10_000;

/// The lowest rate of an open loop, in requests per second.
const LOWEST_RATE: f64 = 1e-3;

/// The highest rate of an open loop, in requests per second.
const HIGHEST_RATE: f64 = 1e6;

/// One load: what is sent where, how, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadOrder {
    /// Where the server listens.
    pub address: Address,
    /// What is sent: which one comes next is drawn by weight.
    pub requests: Vec<PlannedRequest>,
    /// The seed of that drawing: one seed is one sequence of requests.
    pub seed: u64,
    /// How requests follow one another.
    pub shape: LoadShape,
    /// The most connections.
    pub connections: usize,
    /// How long requests are sent without being counted, in milliseconds.
    #[serde(default)]
    pub warm_up_ms: u64,
    /// How long requests are sent and counted, in milliseconds.
    pub duration_ms: u64,
    /// The most requests that are sent, those of the warm-up included.
    #[serde(default = "most_requests")]
    pub most_requests: u64,
    /// How long a request may take, in milliseconds.
    #[serde(default = "timeout")]
    pub timeout_ms: u64,
    /// If the outcome is to tell how the load went over time: the length of a window, in milliseconds.
    #[serde(default)]
    pub window_ms: Option<u64>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// A port.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
    },
}

/// How requests follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadShape {
    /// A connection sends when it has the answer to its last request.
    Closed,
    /// Requests are sent at equal distances of time.
    Open {
        /// How many per second.
        rate: f64,
    },
    /// The same, with a time in between in which more are sent.
    Spike {
        /// How many per second before and after it.
        rate: f64,
        /// How many per second in it.
        high: f64,
        /// When it begins, from the first request on, in milliseconds.
        from_ms: u64,
        /// How long it takes, in milliseconds.
        lasting_ms: u64,
    },
}

impl LoadShape {
    /// When a request is due after the first, in an open loop; from zero.
    pub(super) fn due(&self, request: u64) -> Option<Duration> {
        let request = request as f64;
        let seconds = match *self {
            LoadShape::Closed => return None,
            LoadShape::Open { rate } => request / rate,
            LoadShape::Spike {
                rate,
                high,
                from_ms,
                lasting_ms,
            } => {
                let (from, lasting) = (from_ms as f64 / 1e3, lasting_ms as f64 / 1e3);
                let (before, within) = (from * rate, lasting * high);
                match request {
                    request if request < before => request / rate,
                    request if request < before + within => from + (request - before) / high,
                    request => from + lasting + (request - before - within) / rate,
                }
            }
        };
        Some(Duration::from_secs_f64(seconds))
    }

    /// The highest rate that it has, in an open loop.
    pub(super) fn highest(&self) -> Option<f64> {
        match *self {
            LoadShape::Closed => None,
            LoadShape::Open { rate } => Some(rate),
            LoadShape::Spike { rate, high, .. } => Some(rate.max(high)),
        }
    }

    /// The lowest rate that it has, in an open loop.
    fn lowest(&self) -> Option<f64> {
        match *self {
            LoadShape::Closed => None,
            LoadShape::Open { rate } => Some(rate),
            LoadShape::Spike { rate, high, .. } => Some(rate.min(high)),
        }
    }
}

/// A request, and what is expected of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRequest {
    /// `GET`, `POST`, …
    #[serde(default = "get")]
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// Headers, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// How often it is sent, relative to the others.
    #[serde(default = "one")]
    pub weight: u32,
    /// The status that the answer must have.
    #[serde(default = "ok")]
    pub status: u16,
    /// What the answer's body must contain.
    #[serde(default)]
    pub contains: Option<String>,
}

fn most_requests() -> u64 {
    MOST_REQUESTS
}

fn timeout() -> u64 {
    10_000
}

fn get() -> String {
    "GET".to_owned()
}

fn one() -> u32 {
    1
}

fn ok() -> u16 {
    200
}

impl PlannedRequest {
    /// `GET` of a path, answered with status 200.
    #[must_use]
    pub fn get(path: impl Into<String>) -> PlannedRequest {
        PlannedRequest {
            method: get(),
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
            weight: one(),
            status: ok(),
            contains: None,
        }
    }
}

impl fmt::Display for PlannedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix { path } => write!(f, "{}", path.display()),
        }
    }
}

impl Address {
    /// What the `Host` header says.
    #[must_use]
    pub(super) fn authority(&self) -> String {
        match self {
            Address::Tcp { .. } => self.to_string(),
            Address::Unix { .. } => "localhost".to_owned(),
        }
    }
}

impl LoadOrder {
    /// How long requests are sent without being counted.
    #[must_use]
    pub fn warm_up(&self) -> Duration {
        Duration::from_millis(self.warm_up_ms)
    }

    /// How long requests are sent and counted.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }

    /// How long a request may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Checks that every number is within its bounds.
    ///
    /// # Errors
    /// [`LoadError::OutOfBounds`] with the first that is not.
    pub fn check(&self) -> Result<(), LoadError> {
        let beyond = |asked: String, bound| Err(LoadError::OutOfBounds { asked, bound });
        let weights = self.requests.iter().map(|r| u64::from(r.weight));
        if weights.sum::<u64>() == 0 {
            return beyond(
                "no request".to_owned(),
                "at least one with a weight above 0",
            );
        }
        if !(1..=MOST_CONNECTIONS).contains(&self.connections) {
            let asked = format!("{} connections", self.connections);
            return beyond(asked, "from 1 to 10000 are possible");
        }
        if self.duration_ms == 0 || self.warm_up() + self.duration() > LONGEST {
            let asked = format!("{} ms", self.warm_up_ms.saturating_add(self.duration_ms));
            return beyond(asked, "more than 0 ms and at most 4 hours are possible");
        }
        if !(1..=MOST_REQUESTS).contains(&self.most_requests) {
            let asked = format!("{} requests", self.most_requests);
            return beyond(asked, "from 1 to 1000000000 are possible");
        }
        if self.timeout_ms == 0 || self.timeout() > LONGEST {
            let asked = format!("a time limit of {} ms", self.timeout_ms);
            return beyond(asked, "from 1 ms to 4 hours are possible");
        }
        let windows = self
            .window_ms
            .map(|window| self.duration_ms / window.max(1));
        if let Some(windows) = windows.filter(|windows| *windows > MOST_WINDOWS) {
            return beyond(format!("{windows} windows"), "at most 10000 are possible");
        }
        let is_impossible = |rate: &f64| !(LOWEST_RATE..=HIGHEST_RATE).contains(rate);
        let rates = [self.shape.lowest(), self.shape.highest()];
        match rates.into_iter().flatten().find(is_impossible) {
            Some(rate) => beyond(
                format!("{rate} requests per second"),
                "from 0.001 to 1000000 are possible",
            ),
            None => Ok(()),
        }
    }
}
