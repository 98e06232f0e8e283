//! The tests of services under load, in the words that every renderer for people shares.

mod limits;
mod neighbour;
mod ramp_up;
mod soak;
mod spike;

use super::Report;
use super::words::Naming;
use crate::load_generator::NotUsable;
use crate::service::LoadTestResult;
use crate::units::{Paired, Unit};

/// One test of a service: printable, but not yet escaped for any markup.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestSection {
    /// The row that it belongs to.
    pub(super) subject: String,
    /// What was tested, as a fragment.
    pub(super) what: String,
    /// What both sides show.
    pub(super) table: TestTable,
    /// What else is to be known, as fragments.
    pub(super) remarks: Vec<String>,
    /// How it went, in detail.
    pub(super) detail: Option<TestDetail>,
    /// The same as a picture, for those that can show one.
    pub(super) plot: Option<TestPlot>,
}

/// A table whose first column names a side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestTable {
    pub(super) headings: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A table that only some readers want.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestDetail {
    pub(super) title: String,
    pub(super) table: TestTable,
}

/// A curve for each side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestPlot {
    pub(super) title: String,
    /// The units of both axes.
    pub(super) units: PlotUnits,
    pub(super) curves: Paired<Vec<PlotPoint>>,
}

/// The units of the axes of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlotUnits {
    pub(super) across: Unit,
    pub(super) up: Unit,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlotPoint {
    pub(super) across: f64,
    pub(super) up: f64,
}

/// Every test of the report.
pub(super) fn sections(report: &Report) -> Vec<TestSection> {
    let naming = Naming::of(report);
    let tests = report.load_tests.iter();
    tests
        .map(|test| match test {
            LoadTestResult::RampUp(result) => ramp_up::section(result, naming),
            LoadTestResult::Spike(result) => spike::section(result, naming),
            LoadTestResult::Soak(result) => soak::section(result, naming),
            LoadTestResult::NoisyNeighbour(result) => neighbour::section(result, naming),
            LoadTestResult::Limits(result) => limits::section(result, naming),
        })
        .collect()
}

fn rate(rate: f64) -> String {
    Unit::RequestsPerSecond.show(rate)
}

/// The median of sorted values.
fn middle(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    Some(match sorted.len() % 2 {
        1 => upper,
        _ => f64::midpoint(sorted[half - 1], upper),
    })
}

fn range(sorted: &[f64], unit: Unit) -> String {
    match sorted {
        [] => String::new(),
        [only] => unit.show(*only),
        [first, .., last] => format!("{} … {}", unit.show(*first), unit.show(*last)),
    }
}

/// Why a test shows nothing of a side.
fn gave_out(because: NotUsable) -> &'static str {
    match because {
        NotUsable::Saturated { .. } => "not known, since the load generator used up its processor",
        NotUsable::Lagged { .. } => "not known, since the load generator was late itself",
    }
}

/// Each of the texts with how often it is there among `all`, the most frequent first.
fn counted(texts: impl IntoIterator<Item = String>, all: usize) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for text in texts {
        match counts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counts.push((text, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let told = counts.into_iter().map(|(text, count)| match count == all {
        true => text,
        false => format!("{text} ({count} of {all})"),
    });
    told.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_two_middle_values() {
        assert_eq!(middle(&[0.0, 0.0, 0.5, 1.0]), Some(0.25));
        assert_eq!(middle(&[0.0, 0.5, 1.0]), Some(0.5));
        assert_eq!(middle(&[]), None);
    }
}
