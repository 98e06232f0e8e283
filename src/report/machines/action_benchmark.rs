//! The JSON that github-action-benchmark takes as `customSmallerIsBetter`.
//!
//! <https://github.com/benchmark-action/github-action-benchmark>

use serde::Serialize;

use super::super::escape::visible;
use super::super::{Report, ReportError, partial, words};
use super::to_json;
use crate::analyse::Comparison;
use crate::units::{Metric, Side, Unit};

#[derive(Serialize)]
struct ActionEntry {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<String>,
}

pub(in crate::report) fn render(report: &Report) -> Result<String, ReportError> {
    let mut entries: Vec<ActionEntry> = report.benchmarks.iter().flat_map(entries).collect();
    if let Some(partial) = partial::sentence(report) {
        for entry in &mut entries {
            let extra = entry.extra.take().unwrap_or_default();
            entry.extra = Some(format!("{extra}\npartial report: {}", visible(&partial)));
        }
    }
    to_json("github-action-benchmark", &entries)
}

fn entries(comparison: &Comparison) -> Vec<ActionEntry> {
    let name = visible(&comparison.key.to_string());
    let mut entries = Vec::new();
    // A history treats every value as complete.
    let head = |metric: Metric| comparison.value(metric, Side::Head);
    if let (Some(mean), false) = (head(Metric::MEAN), partial::is_cut_short(comparison)) {
        entries.push(ActionEntry {
            name: name.clone(),
            unit: "ns/iter",
            value: mean,
            range: head(Metric::STD_DEV).map(|deviation| format!("± {deviation:.3}")),
            extra: Some(words::summary(comparison)),
        });
    }
    if let (Some(bytes), Some(count)) = (head(Metric::BYTES), head(Metric::ALLOCATIONS)) {
        entries.push(ActionEntry {
            name: format!("{name} (allocated)"),
            unit: "B/iter",
            value: bytes,
            range: None,
            extra: Some(format!(
                "{} per iteration",
                words::allocations(count, |count| Unit::Count.show(count))
            )),
        });
    }
    entries
}
