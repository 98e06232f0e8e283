//! What can go wrong with reports.

/// Why a report could not be read, merged or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A number is no number, or infinite.
    #[error("report cannot be written as {format}")]
    Encode {
        /// The format's name.
        format: &'static str,
        /// What the encoder says.
        #[source]
        source: serde_json::Error,
    },
}

impl ReportError {
    /// Something that can be typed to mend it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ReportError::Encode { .. } => None,
        }
    }
}
