//! What a workload's program prints about itself: `metrics` of a `[[workload]]`.

use super::super::PlanError;
use super::super::workload::PrintedMetric;
use super::budgets::{amount_of, expected};
use super::entry::EntryReader;
use super::limit::Limit;
use crate::units::{Better, Metric, Unit};

/// The keys of one metric, where it is written as a table.
const KEYS: [&str; 3] = ["better", "unit", "limit"];

/// Reads the metrics of one workload.
pub(super) fn read(reader: &EntryReader<'_>, key: &str) -> Result<Vec<PrintedMetric>, PlanError> {
    let entries = reader.entries(key)?.into_iter();
    let metrics = entries.map(|(name, value)| {
        metric(name, value).map_err(|problem| reader.invalid(key, format!("`{name}`: {problem}")))
    });
    metrics.collect()
}

fn metric(name: &str, value: &toml::Value) -> Result<PrintedMetric, String> {
    if name.trim() != name || name.is_empty() {
        return Err("a name begins and ends with a letter".to_owned());
    }
    let Some(table) = value.as_table() else {
        let better = better(value)?;
        return Ok(PrintedMetric {
            metric: Metric::printed(name, Unit::Count, better),
            limit: None,
        });
    };
    if let Some(strange) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "unknown key `{strange}`; there are {}",
            KEYS.join(", ")
        ));
    }
    let better = better(table.get("better").ok_or("it needs `better`")?)?;
    let unit = match table.get("unit").map(toml::Value::as_str) {
        None | Some(Some("count")) => Unit::Count,
        Some(Some("time")) => Unit::Nanoseconds,
        Some(Some("bytes")) => Unit::Bytes,
        Some(_) => return Err("its `unit` is `count`, `time` or `bytes`".to_owned()),
    };
    let limit = match table.get("limit") {
        None => None,
        Some(limit) => Some(amount_of(unit, limit).ok_or_else(|| expected(unit).to_owned())?),
    };
    Ok(PrintedMetric {
        metric: Metric::printed(name, unit, better),
        limit,
    })
}

fn better(value: &toml::Value) -> Result<Better, String> {
    match value.as_str() {
        Some("lower") => Ok(Better::Lower),
        Some("higher") => Ok(Better::Higher),
        Some("neither") => Ok(Better::Neither),
        _ => Err("which way is better is `lower`, `higher` or `neither`".to_owned()),
    }
}

/// The limits of these metrics.
pub(super) fn limits(metrics: &[PrintedMetric]) -> Vec<Limit> {
    let limits = metrics.iter().filter_map(|printed| {
        Some(Limit {
            metric: printed.metric,
            limit: printed.limit?,
            investigate: None,
        })
    });
    limits.collect()
}
