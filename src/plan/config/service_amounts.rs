//! Rates and times that several tests of a service take.

use std::time::Duration;

use super::super::PlanError;
use super::super::request_rate::RequestRate;
use super::super::value::{Share, Span};
use super::entry::EntryReader;

/// A span from `shortest` to ten minutes.
pub(super) fn within(
    reader: &EntryReader<'_>,
    key: &str,
    usual: Duration,
    shortest: Duration,
) -> Result<Duration, PlanError> {
    let span = reader.parsed::<Span>(key)?;
    let span = span.map_or(usual, Span::as_duration);
    match (shortest..=Duration::from_secs(600)).contains(&span) {
        true => Ok(span),
        false => {
            let shortest = humantime::format_duration(shortest);
            Err(reader.invalid(key, format!("it must be from `{shortest}` to `10m`")))
        }
    }
}

/// How fast requests are sent: `60%` or `500/s`.
pub(super) fn rate(reader: &EntryReader<'_>) -> Result<Option<RequestRate>, PlanError> {
    let Some(text) = reader.text("rate")? else {
        return Ok(None);
    };
    if let Some(number) = text.strip_suffix("/s") {
        let rate = number.trim().parse::<f64>().ok();
        let rate = rate.filter(|rate| (1e-3..=1e6).contains(rate));
        return rate
            .map(|rate| Some(RequestRate::PerSecond(rate)))
            .ok_or_else(|| reader.invalid("rate", "it must be from `0.001/s` to `1000000/s`"));
    }
    let share = reader.parsed::<Share>("rate")?;
    let share = share.filter(|share| share.as_fraction() > 0.0 && share.as_fraction() < 1.0);
    share
        .map(|share| Some(RequestRate::OfCapacity(share)))
        .ok_or_else(|| reader.invalid("rate", "it must be below 100%, for example `60%`"))
}
