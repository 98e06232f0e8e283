//! Bencher Metric Format: the head side's values, for a history on bencher.dev.
//!
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::escape::{shortened, visible};
use super::super::{Report, ReportError, partial};
use super::to_json;
use crate::analyse::Comparison;

/// Bencher refuses longer names of benchmarks.
const LONGEST_NAME: usize = 1024;

#[derive(Serialize)]
struct BencherMetric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

type Measures = BTreeMap<&'static str, BencherMetric>;

pub(in crate::report) fn render(report: &Report) -> Result<String, ReportError> {
    let all: BTreeMap<String, Measures> = report
        .benchmarks
        .iter()
        .map(|c| {
            (
                shortened(&visible(&c.key.to_string()), LONGEST_NAME),
                measures(c),
            )
        })
        .filter(|(_, measures)| !measures.is_empty())
        .collect();
    to_json("Bencher metrics", &all)
}

fn measures(comparison: &Comparison) -> Measures {
    let mut measures = Measures::new();
    // A history takes every value for a whole one.
    let time = comparison.time.as_ref();
    let time = time.filter(|_| !partial::is_cut_short(comparison));
    if let Some(head) = time.and_then(|time| time.head) {
        // The mean with one standard deviation to each side, as Bencher's own adapters for
        // harnesses without an interval of the mean have it. Nanoseconds.
        let (mean, deviation) = (head.mean_ns.as_nanos(), head.std_dev_ns.as_nanos());
        measures.insert(
            "latency",
            BencherMetric {
                value: mean,
                lower_value: Some((mean - deviation).max(0.0)),
                upper_value: Some(mean + deviation),
            },
        );
    }
    if let Some(change) = time.and_then(|time| time.change) {
        measures.insert(
            "ratio-to-base",
            BencherMetric {
                value: change.ratio.as_quotient(),
                lower_value: Some(change.lower.as_quotient()),
                upper_value: Some(change.upper.as_quotient()),
            },
        );
    }
    if let Some(head) = comparison
        .allocations
        .as_ref()
        .and_then(|a| a.head.as_ref())
    {
        let exact = |value| BencherMetric {
            value,
            lower_value: None,
            upper_value: None,
        };
        measures.insert("allocations", exact(head.count));
        measures.insert("allocated-bytes", exact(head.bytes));
        measures.insert("peak-bytes", exact(head.peak_bytes as f64));
    }
    measures
}
