//! The JSON report, as `schemas/report.v2.json` describes it.

use super::{Report, ReportError};

pub(super) fn render(report: &Report) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(report).map_err(|source| ReportError::Encode {
        format: "JSON",
        source: source.into(),
    })?;
    text.push('\n');
    Ok(text)
}
