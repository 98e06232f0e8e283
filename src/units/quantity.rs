//! Quantities whose unit is in their type.

use serde::{Deserialize, Serialize};

/// A duration in nanoseconds; fractional, because it may be a mean over many iterations.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(f64);

impl Nanos {
    /// From a number of nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: f64) -> Self {
        Nanos(nanos)
    }

    /// The number of nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Nanos {
    /// Four significant digits in the unit that suits: `25.31 ns`, `1.204 ms`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scale, unit) = match self.0.abs() {
            n if n < 1e3 => (1.0, "ns"),
            n if n < 1e6 => (1e3, "µs"),
            n if n < 1e9 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        let value = self.0 / scale;
        let decimals = match value.abs() {
            v if v >= 1000.0 => 0,
            v if v >= 100.0 => 1,
            v if v >= 10.0 => 2,
            _ => 3,
        };
        f.pad(&format!("{value:.decimals$} {unit}"))
    }
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// From a number of bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Bytes(bytes)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Bytes {
    /// `512 B`, `1.5 KiB`, `3.2 MiB`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut value = self.0 as f64;
        let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
        let mut unit = units.next().unwrap_or("B");
        while value >= 1024.0 {
            let Some(next) = units.next() else { break };
            value /= 1024.0;
            unit = next;
        }
        if unit == "B" {
            f.pad(&format!("{value:.0} B"))
        } else {
            f.pad(&format!("{value:.1} {unit}"))
        }
    }
}

/// Head divided by base: above 1 the head is slower (or hungrier).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ratio(f64);

impl Ratio {
    /// From the quotient head ÷ base.
    #[must_use]
    pub const fn from_quotient(quotient: f64) -> Self {
        Ratio(quotient)
    }

    /// From a natural logarithm of head ÷ base, the scale on which the statistics work.
    #[must_use]
    pub fn from_ln(ln: f64) -> Self {
        Ratio(ln.exp())
    }

    /// From a relative change: 0.02 is two per cent slower.
    #[must_use]
    pub const fn from_change(change: f64) -> Self {
        Ratio(1.0 + change)
    }

    /// The quotient head ÷ base.
    #[must_use]
    pub const fn as_quotient(self) -> f64 {
        self.0
    }

    /// The natural logarithm of head ÷ base.
    #[must_use]
    pub fn ln(self) -> f64 {
        self.0.ln()
    }

    /// The relative change: 0.02 is two per cent slower.
    #[must_use]
    pub const fn as_change(self) -> f64 {
        self.0 - 1.0
    }
}

impl std::fmt::Display for Ratio {
    /// The change in per cent with its sign: `+2.31 %`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = self.as_change() * 100.0;
        let decimals = if percent.abs() >= 99.95 {
            0
        } else if percent.abs() >= 9.995 {
            1
        } else {
            2
        };
        f.pad(&format!("{percent:+.decimals$} %"))
    }
}
