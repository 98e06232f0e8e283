//! Values as people type them, on the command line, in the environment and in a file alike.

use std::time::Duration;

use super::{PairingRequest, Pinning};

/// A share, typed with its percent sign (`1%`, `0.5 %`), so that nobody has to guess whether `0.5`
/// is a half or half a per cent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// From a fraction: 0.01 is one per cent.
    #[must_use]
    pub const fn from_fraction(fraction: f64) -> Self {
        Share(fraction)
    }

    /// As a fraction: 0.01 is one per cent.
    #[must_use]
    pub const fn as_fraction(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Share {
    /// As it would be typed: `1%`, `0.25%`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // 0.07 * 100 is 7.000000000000001, which nobody typed.
        let percent = (self.0 * 100.0 * 1e9).round() / 1e9;
        f.pad(&format!("{percent}%"))
    }
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(number) = text.trim().strip_suffix('%') else {
            return Err("a share needs its percent sign, for example `1%`".to_owned());
        };
        match number.trim().parse::<f64>() {
            Ok(percent) if (0.0..100.0).contains(&percent) => Ok(Share(percent / 100.0)),
            Ok(_) => Err("a share lies between `0%` and `100%`".to_owned()),
            Err(_) => Err("a share is a number and a percent sign, for example `1%`".to_owned()),
        }
    }
}

/// A confidence level strictly between 0 and 1, typed as `0.95` or `95%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// The usual level of a report.
    pub const USUAL: Confidence = Confidence(0.95);

    /// The level of a thorough report.
    pub const HIGH: Confidence = Confidence(0.99);

    /// As a probability.
    #[must_use]
    pub const fn as_probability(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Confidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for Confidence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|p| p / 100.0),
            None => text.trim().parse::<f64>(),
        };
        match level {
            // Below a half, "confident" would mean the opposite.
            Ok(level) if (0.5..1.0).contains(&level) => Ok(Confidence(level)),
            _ => Err("a confidence level lies from 0.5 to below 1, for example `0.95`".to_owned()),
        }
    }
}

/// A span of time above zero, typed with its unit: `2s`, `100ms`, `1m 30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// From milliseconds; zero is for the caller to avoid.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Span(Duration::from_millis(millis))
    }

    /// As a standard duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if duration.is_zero() => {
                Err("a time must be above zero, for example `100ms`".to_owned())
            }
            Ok(duration) => Ok(Span(duration)),
            Err(_) => {
                Err("a time is a number with its unit, for example `2s` or `100ms`".to_owned())
            }
        }
    }
}

impl std::fmt::Display for Pinning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pinning::Auto => f.write_str("auto"),
            Pinning::Off => f.write_str("off"),
            Pinning::Cpu(cpu) => write!(f, "{cpu}"),
        }
    }
}

impl std::str::FromStr for Pinning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Pinning::Auto),
            "off" => Ok(Pinning::Off),
            number => number
                .parse()
                .map(Pinning::Cpu)
                .map_err(|_| "write `auto`, `off`, or the number of a processor".to_owned()),
        }
    }
}

impl std::fmt::Display for PairingRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PairingRequest::Auto => "auto",
            PairingRequest::Benchmark => "benchmark",
        })
    }
}

impl std::str::FromStr for PairingRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(PairingRequest::Auto),
            "benchmark" => Ok(PairingRequest::Benchmark),
            _ => Err("write `auto` or `benchmark`".to_owned()),
        }
    }
}

/// The filter as typed, known to be a regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdFilter(String);

impl IdFilter {
    /// The regular expression.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it accepts an id.
    #[must_use]
    pub fn accepts(&self, id: &str) -> bool {
        // It was read before.
        regex::Regex::new(&self.0).is_ok_and(|filter| filter.is_match(id))
    }
}

impl std::fmt::Display for IdFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for IdFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match regex::Regex::new(text) {
            Ok(_) => Ok(IdFilter(text.to_owned())),
            Err(error) => Err(format!(
                "{error}\nto mean the text itself, write `{}`",
                regex::escape(text)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_needs_its_percent_sign() {
        assert_eq!("1%".parse(), Ok(Share(0.01)));
        assert_eq!("0.5 %".parse(), Ok(Share(0.005)));
        assert!("0.5".parse::<Share>().unwrap_err().contains("percent sign"));
        assert!("100%".parse::<Share>().is_err());
        assert!("-1%".parse::<Share>().is_err());
        assert!("NaN%".parse::<Share>().is_err());
    }

    #[test]
    fn a_share_is_shown_as_it_was_typed() {
        for text in ["1%", "0.25%", "7%", "33.3%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_confidence_is_a_fraction_or_a_percentage() {
        assert_eq!("0.95".parse(), Ok(Confidence::USUAL));
        assert_eq!("95%".parse(), Ok(Confidence::USUAL));
        for wrong in ["95", "1", "0", "0.05", "x", "NaN"] {
            assert!(wrong.parse::<Confidence>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_needs_its_unit_and_is_never_zero() {
        assert_eq!("100ms".parse(), Ok(Span::from_millis(100)));
        assert_eq!("1m 30s".parse(), Ok(Span::from_millis(90_000)));
        assert!("2".parse::<Span>().is_err());
        assert!("0s".parse::<Span>().is_err());
    }

    #[test]
    fn a_broken_filter_shows_how_to_mean_the_text() {
        assert!("parse/.*".parse::<IdFilter>().is_ok());
        let error = "sum(".parse::<IdFilter>().unwrap_err();
        assert!(error.contains(r"`sum\(`"), "{error}");
    }

    #[test]
    fn a_processor_is_named_by_its_number() {
        assert_eq!("3".parse(), Ok(Pinning::Cpu(3)));
        assert_eq!("auto".parse(), Ok(Pinning::Auto));
        assert!("core3".parse::<Pinning>().is_err());
    }
}
