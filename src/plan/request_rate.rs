//! How fast requests are sent.

use super::value::Share;

/// How fast requests are sent in an open loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RequestRate {
    /// This share of what base can do.
    OfCapacity(Share),
    /// This many requests per second.
    PerSecond(f64),
}

impl RequestRate {
    /// Requests per second, where base can do `capacity`.
    #[must_use]
    pub fn per_second(self, capacity: f64) -> f64 {
        match self {
            RequestRate::PerSecond(rate) => rate,
            RequestRate::OfCapacity(share) => (capacity * share.as_fraction()).max(1.0),
        }
    }
}
