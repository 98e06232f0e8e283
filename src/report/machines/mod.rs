//! Formats that other programs read, each in a file of its own.

pub(super) mod action_benchmark;
pub(super) mod bencher;
pub(super) mod github;
pub(super) mod gitlab;
pub(super) mod go_bench;
pub(super) mod junit;
mod place;

use serde::Serialize;

use super::ReportError;

fn to_json(format: &'static str, value: &impl Serialize) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| ReportError::Encode {
        format,
        source: source.into(),
    })?;
    text.push('\n');
    Ok(text)
}
