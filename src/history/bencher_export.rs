//! Runs for bencher.dev: a report for each, with its results in Bencher Metric Format.
//!
//! A line is the body of a request that adds a report to a project, `POST /v0/projects/{project}/reports`:
//! <https://bencher.dev/docs/api/projects/reports/>

use std::collections::BTreeMap;

use serde::Serialize;

use super::absolute::{RunHead, class_name, heads, known_metrics};
use super::record::SampledChange;
use super::{CommitOrder, HistoryError, RunRecord};
use crate::report::{BencherMetric, bencher_measure, bencher_name, shortened, visible};
use crate::stats::Estimate;
use crate::units::{Metric, Timestamp};

/// Bencher refuses longer names of testbeds and branches.
const LONGEST_NAME: usize = 64;

#[derive(Serialize)]
struct BencherReport<'a> {
    branch: &'a str,
    hash: &'a str,
    testbed: String,
    start_time: Timestamp,
    end_time: Timestamp,
    results: [String; 1],
    settings: BencherSettings,
}

#[derive(Serialize)]
struct BencherSettings {
    adapter: &'static str,
}

type Results = BTreeMap<String, BTreeMap<&'static str, BencherMetric>>;

/// A line for each run whose head side is in `order`, in the order of those commits.
pub(crate) fn bencher_lines(
    runs: &[&RunRecord],
    order: &CommitOrder,
    branch: &str,
) -> Result<String, HistoryError> {
    let branch = shortened(&visible(branch), LONGEST_NAME);
    let mut text = String::new();
    for head in heads(runs, order) {
        let results = results(head.run);
        if !results.is_empty() {
            let line = line(&head, &branch, &results);
            text += &line.map_err(|source| HistoryError::Encode { source })?;
            text.push('\n');
        }
    }
    Ok(text)
}

fn line(head: &RunHead<'_>, branch: &str, results: &Results) -> Result<String, serde_json::Error> {
    // A backfill measures commits long after they were made, and in another order.
    let when = head.run.commits.head.date.or(head.commit.date);
    let when = when.or(head.run.date).unwrap_or(Timestamp::from_unix(0));
    serde_json::to_string(&BencherReport {
        branch,
        hash: &head.commit.id,
        testbed: shortened(&visible(&class_name(&head.run.machine)), LONGEST_NAME),
        start_time: when,
        end_time: when,
        results: [serde_json::to_string(results)?],
        settings: BencherSettings { adapter: "json" },
    })
}

fn results(run: &RunRecord) -> Results {
    let mut results = Results::new();
    for benchmark in &run.benchmarks {
        let of = results.entry(bencher_name(&benchmark.key)).or_default();
        for (metric, change) in known_metrics(benchmark) {
            if metric == Metric::TIME {
                of.insert("latency", BencherMetric::exactly(change.head));
                let ratio = change
                    .sampled
                    .map(|sampled| ratio(&sampled, run.confidence));
                of.extend(ratio.map(|ratio| ("ratio-to-base", ratio)));
            } else if let Some(measure) = bencher_measure(metric) {
                of.insert(measure, BencherMetric::exactly(change.head));
            }
        }
    }
    results.retain(|_, measures| !measures.is_empty());
    results
}

/// The quotient of the sides with its interval at this confidence.
fn ratio(sampled: &SampledChange, confidence: f64) -> BencherMetric {
    let estimate = Estimate {
        rounds: sampled.rounds,
        ln_ratio: sampled.ln,
        std_error: sampled.se,
        freedom: sampled.df,
    };
    let interval = estimate.interval(1.0 - confidence);
    BencherMetric {
        value: sampled.ln.exp(),
        lower_value: Some(interval.lower.exp()),
        upper_value: Some(interval.upper.exp()),
    }
}
