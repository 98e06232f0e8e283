//! Bencher Metric Format: the head side's values, for a history on bencher.dev.
//!
//! <https://bencher.dev/docs/reference/bencher-metric-format/>

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::escape::{shortened, visible};
use super::super::{Report, ReportError, partial};
use super::to_json;
use crate::analyse::Comparison;
use crate::units::{BenchmarkKey, Metric, MetricGroup, Side};

/// Bencher refuses longer names of benchmarks.
const LONGEST_NAME: usize = 1024;

/// A number of a benchmark, as Bencher takes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct BencherMetric {
    /// The number.
    pub(crate) value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The lower end of its interval.
    pub(crate) lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The upper end.
    pub(crate) upper_value: Option<f64>,
}

impl BencherMetric {
    /// A number without an interval.
    pub(crate) fn exactly(value: f64) -> BencherMetric {
        BencherMetric {
            value,
            lower_value: None,
            upper_value: None,
        }
    }
}

type Measures = BTreeMap<&'static str, BencherMetric>;

pub(in crate::report) fn render(report: &Report) -> Result<String, ReportError> {
    let all: BTreeMap<String, Measures> = report
        .benchmarks
        .iter()
        .map(|c| (bencher_name(&c.key), measures(c)))
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
        let metrics = group.metrics();
        let counted = metrics.filter_map(|metric| Some((bencher_measure(metric)?, head(metric)?)));
        measures.extend(counted.map(|(measure, value)| (measure, BencherMetric::exactly(value))));
    }
    measures
}

/// The name of a benchmark, as long as Bencher takes.
pub(crate) fn bencher_name(key: &BenchmarkKey) -> String {
    shortened(&visible(&key.to_string()), LONGEST_NAME)
}

/// The name of a metric beside time among all measures of a project on Bencher; `None` for what is none of them.
pub(crate) fn bencher_measure(metric: Metric) -> Option<&'static str> {
    let is_printed = metric.group == MetricGroup::Printed;
    let is_told = MetricGroup::BESIDE_TIME.contains(&metric.group);
    if !is_told || !is_printed && metric.limit.is_none() {
        return None;
    }
    Some(match metric {
        bytes if bytes == Metric::BYTES => "allocated-bytes",
        peak if peak == Metric::PEAK => "peak-bytes",
        metric if is_printed => metric.name,
        metric => metric.id,
    })
}
