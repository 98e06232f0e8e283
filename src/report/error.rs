//! What can go wrong with reports.

use std::path::PathBuf;

use super::SCHEMA_VERSION;

/// Why a report could not be read, merged or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The report cannot be written in this format.
    #[error("report cannot be written as {format}")]
    Encode {
        /// The format's name.
        format: &'static str,
        /// What the encoder says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file cannot be read.
    #[error("saved report cannot be read")]
    Read {
        /// With the path.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("`{path}` is not a report of cargo perfcheck")]
    NoReport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The report has another version, or none.
    #[error("`{path}` has {}, this program reads version {SCHEMA_VERSION}", version(*.found))]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it names.
        found: Option<u32>,
    },
    /// There is nothing to merge.
    #[error("no report to merge")]
    Nothing,
    /// The reports are about different things.
    #[error("reports do not belong together: {}", .differences.join("; "))]
    Mismatch {
        /// One lower-case fragment for each thing that differs.
        differences: Vec<String>,
    },
}

impl ReportError {
    /// Something to type that fixes it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ReportError::Encode { .. } => None,
            ReportError::Read { .. } | ReportError::NoReport { .. } | ReportError::Nothing => {
                Some("`cargo perfcheck --format json --output report.json` saves one".to_owned())
            }
            ReportError::Version { .. } => {
                Some("run the version of cargo-perfcheck that wrote it".to_owned())
            }
            ReportError::Mismatch { .. } => Some(
                "`cargo perfcheck report FILE` renders each on its own; shards of one comparison come from the same command with another `--partition`"
                    .to_owned(),
            ),
        }
    }
}

fn version(found: Option<u32>) -> String {
    found.map_or_else(
        || "no `schema_version`".to_owned(),
        |version| format!("version {version}"),
    )
}
