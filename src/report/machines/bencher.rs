//! Bencher Metric Format: the head side's values, for a history on bencher.dev.
//!
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::escape::{shortened, visible};
use super::super::{Report, ReportError, partial};
use super::to_json;
use crate::analyse::Comparison;
use crate::units::{Metric, MetricGroup, Side};

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
    let head = |metric: Metric| comparison.value(metric, Side::Head);
    // A history treats every value as complete.
    let is_whole = !partial::is_cut_short(comparison);
    let spread = head(Metric::MEAN).zip(head(Metric::STD_DEV));
    if let Some((mean, deviation)) = spread.filter(|_| is_whole) {
        // The mean with one standard deviation on each side, as in Bencher's own adapters for
        // harnesses without an interval of the mean. In nanoseconds.
        measures.insert(
            "latency",
            BencherMetric {
                value: mean,
                lower_value: Some((mean - deviation).max(0.0)),
                upper_value: Some(mean + deviation),
            },
        );
    }
    if let Some(change) = comparison.estimate().filter(|_| is_whole) {
        measures.insert(
            "ratio-to-base",
            BencherMetric {
                value: change.ratio.as_quotient(),
                lower_value: Some(change.lower.as_quotient()),
                upper_value: Some(change.upper.as_quotient()),
            },
        );
    }
    for group in MetricGroup::BESIDE_TIME {
        let is_printed = group == MetricGroup::Printed;
        let limited = group
            .metrics()
            .filter(|metric| is_printed || metric.limit.is_some());
        let counted = limited.filter_map(|metric| Some((measure(metric), head(metric)?)));
        measures.extend(counted.map(|(measure, value)| {
            let exact = BencherMetric {
                value,
                lower_value: None,
                upper_value: None,
            };
            (measure, exact)
        }));
    }
    measures
}

/// The name of a metric among all measures of a project on Bencher.
fn measure(metric: Metric) -> &'static str {
    let names = [
        (Metric::BYTES, "allocated-bytes"),
        (Metric::PEAK, "peak-bytes"),
    ];
    let known = names.into_iter().find(|(known, _)| *known == metric);
    let own = match metric.group {
        MetricGroup::Printed => metric.name,
        _ => metric.id,
    };
    known.map_or(own, |(_, name)| name)
}
