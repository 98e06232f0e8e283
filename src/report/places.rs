//! The places behind changes of what a program asks for, in the words that all renderers share.

use super::Report;
use super::causes;
use super::escape::{shortened, visible};
use super::words::signed;
use crate::analyse::{AllocationSite, Comparison, StatementChange, StatementPattern};
use crate::attribute::Hunk;
use crate::units::{MetricGroup, Unit};

/// Statements can be pages long; the JSON report has more of them.
const LONGEST_STATEMENT: usize = 160;

/// A place, and the piece of the change behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ToldPlace<'a> {
    /// What changed there, and where it is; harmless to print.
    pub(super) text: String,
    /// The piece of the change that is closest to it.
    pub(super) hunk: Option<&'a Hunk>,
}

/// The places behind the change of a group, most changed first.
pub(super) fn of<'a>(
    report: &'a Report,
    comparison: &Comparison,
    group: MetricGroup,
) -> Vec<ToldPlace<'a>> {
    let place = |text: String, function: &str, location: Option<&str>| {
        let hunk = hunk(report, comparison, function, location);
        let changed = hunk.map_or(String::new(), |hunk| {
            format!("; the change: {}", causes::hunk_place(hunk))
        });
        ToldPlace {
            text: format!("{text}{changed}"),
            hunk,
        }
    };
    match group {
        MetricGroup::Allocations => {
            let sites = comparison.sites.iter();
            let told = sites.filter_map(|site| {
                Some(place(
                    request(site)?,
                    &site.function,
                    site.location.as_deref(),
                ))
            });
            told.collect()
        }
        MetricGroup::Queries => {
            let statements = comparison.statements.iter();
            let told = statements.map(|one| {
                let function = one.function.as_deref().unwrap_or_default();
                place(statement(one), function, one.location.as_deref())
            });
            told.collect()
        }
        _ => Vec::new(),
    }
}

/// The pieces of the change behind these places, each once, at most `most`.
pub(super) fn hunks<'a>(places: &[ToldPlace<'a>], most: usize) -> Vec<&'a Hunk> {
    let mut found: Vec<&Hunk> = Vec::new();
    for hunk in places.iter().filter_map(|place| place.hunk) {
        let is_new = !found.iter().any(|known| known.is_same_place(hunk));
        if is_new && found.len() < most {
            found.push(hunk);
        }
    }
    found
}

/// The piece of the change behind a place.
fn hunk<'a>(
    report: &'a Report,
    comparison: &Comparison,
    function: &str,
    location: Option<&str>,
) -> Option<&'a Hunk> {
    let mut places = report.places.iter();
    let found = places.find(|place| {
        place.key == comparison.key
            && place.function == function
            && Some(place.location.as_str()) == location
    });
    found?.hunks.first()
}

/// `+1 (+32 B) in seal at src/lib.rs:12`: a place that asks for memory, or keeps more of it.
fn request(site: &AllocationSite) -> Option<String> {
    let more = site.count.head - site.count.base;
    let more_bytes = site.bytes.head - site.bytes.base;
    let more_left = site.left_behind.head - site.left_behind.base;
    // Shares of sampled stacks are never exactly equal.
    let asks = more.abs() >= 0.01 || more_bytes.abs() >= 1.0;
    let keeps = more_left.abs() >= 1.0;
    let place = || at(&site.function, site.location.as_deref());
    let left = || format!("{} left behind", bytes(more_left));
    match (asks, keeps) {
        (false, false) => None,
        (false, true) => Some(format!("{} in {}", left(), place())),
        (true, _) => {
            let left = if keeps {
                format!(", {}", left())
            } else {
                String::new()
            };
            let (count, size) = (signed(more), bytes(more_bytes));
            Some(format!("{count} ({size}{left}) in {}", place()))
        }
    }
}

/// `+32 B`.
fn bytes(more: f64) -> String {
    match more > 0.0 {
        true => format!("+{}", Unit::Bytes.show(more)),
        false => Unit::Bytes.show(more),
    }
}

/// `1 → 50 times SELECT name FROM tag WHERE post = ? in tags at src/lib.rs:12`.
pub(super) fn statement(one: &StatementChange) -> String {
    let [base, head] = [one.count.base, one.count.head].map(|count| Unit::Count.show(count));
    let place = one.function.as_deref();
    let place = place.map_or(String::new(), |function| {
        format!(" in {}", at(function, one.location.as_deref()))
    });
    let pattern = match one.pattern {
        Some(StatementPattern::NPlusOne) => " (N+1: a query in a loop)",
        None => "",
    };
    let text = shortened(&visible(&one.text), LONGEST_STATEMENT);
    format!("{base} → {head} times `{text}`{place}{pattern}")
}

/// What to do about the worst query in a loop, and how much it matters beside other changes of what is asked for.
pub(super) fn query_in_a_loop(comparison: &Comparison) -> Option<(f64, String)> {
    let is_loop = |one: &&StatementChange| one.pattern == Some(StatementPattern::NPlusOne);
    let worst = comparison.statements.iter().find(is_loop)?;
    let more = worst.count.head - worst.count.base;
    let text = format!(
        "fetch with one query what `{}` fetches with {}{}",
        shortened(&visible(&worst.text), LONGEST_STATEMENT),
        Unit::Count.show(worst.count.head),
        worst
            .location
            .as_deref()
            .map_or(String::new(), |location| format!(
                ", first at {}",
                visible(location)
            ))
    );
    // Its cost in time is already in the time, where that was seen.
    Some((2e-3 * (1.0 + more).ln(), text))
}

fn at(function: &str, location: Option<&str>) -> String {
    let function = visible(function);
    match location {
        Some(location) => format!("{function} at {}", visible(location)),
        None => function,
    }
}
