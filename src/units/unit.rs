//! Units of numbers, and how a number is shown in each.

use serde::{Deserialize, Serialize};

use super::{Bytes, Nanos, Ratio};

/// In what a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// Bytes a second.
    BytesPerSecond,
    /// Elements a second.
    ElementsPerSecond,
    /// Bits a second.
    BitsPerSecond,
    /// Requests a second.
    RequestsPerSecond,
    /// A change as a share: 0.05 is five per cent more.
    Share,
}

impl Unit {
    /// A measured amount with its unit: `2.481 ms`, `64.0 KiB`, `12.30 Melem/s`.
    #[must_use]
    pub fn show(self, amount: f64) -> String {
        match self {
            Unit::Nanoseconds => Nanos::from_nanos(amount).to_string(),
            Unit::Bytes => bytes(amount),
            Unit::BytesPerSecond => format!("{}/s", bytes(amount)),
            Unit::Count => count(amount),
            Unit::ElementsPerSecond => scaled(amount, "elem/s"),
            Unit::BitsPerSecond => scaled(amount, "bit/s"),
            Unit::RequestsPerSecond => scaled(amount, "req/s"),
            Unit::Share => Ratio::from_change(amount).to_string(),
        }
    }

    /// An amount that the user typed, without the digits that nobody would type.
    #[must_use]
    pub fn show_typed(self, amount: f64) -> String {
        let shown = self.show(amount);
        let Some((number, unit)) = shown.split_once(' ').filter(|(n, _)| n.contains('.')) else {
            return shown;
        };
        let number = number.trim_end_matches('0').trim_end_matches('.');
        format!("{number} {unit}")
    }
}

/// Four digits with a suitable prefix.
fn scaled(amount: f64, unit: &str) -> String {
    let prefixes = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let fitting = prefixes.into_iter().find(|(scale, _)| amount >= *scale);
    let (scale, prefix) = fitting.unwrap_or((1.0, ""));
    format!("{:.2} {prefix}{unit}", amount / scale)
}

/// A number of things: `3`, `1,024`, `2.5`.
fn count(n: f64) -> String {
    if (n - n.round()).abs() < 0.005 {
        return thousands(n.round());
    }
    format!("{n:.2}")
}

/// A size, which may be fractional: `512 B`, `3.0 KiB`.
fn bytes(n: f64) -> String {
    if n.abs() < 1024.0 {
        return format!("{} B", count(n));
    }
    let sign = if n < 0.0 { "-" } else { "" };
    format!("{sign}{}", Bytes::from_bytes(n.abs().round() as u64))
}

fn thousands(n: f64) -> String {
    let digits = format!("{:.0}", n.abs());
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0.0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_unit_and_no_false_digits() {
        assert_eq!(Unit::Count.show(3.0), "3");
        assert_eq!(Unit::Count.show(1_048_576.0), "1,048,576");
        assert_eq!(Unit::Count.show(2.5), "2.50");
        assert_eq!(Unit::Bytes.show(3011.0), "2.9 KiB");
        assert_eq!(Unit::Bytes.show(-96.0), "-96 B");
        assert_eq!(Unit::Nanoseconds.show(2_481_000.0), "2.481 ms");
        assert_eq!(Unit::Nanoseconds.show_typed(3_000_000.0), "3 ms");
        assert_eq!(Unit::Bytes.show_typed(65_536.0), "64 KiB");
        assert_eq!(Unit::Count.show_typed(120.0), "120");
        assert_eq!(Unit::ElementsPerSecond.show(12_300_000.0), "12.30 Melem/s");
        assert_eq!(Unit::Share.show(-0.0123), "-1.23 %");
        assert_eq!(Unit::Share.show_typed(0.05), "+5 %");
        assert_eq!(Unit::BytesPerSecond.show_typed(104_857_600.0), "100 MiB/s");
    }
}
