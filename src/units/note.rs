//! What the reader should know, and of which part of a benchmark.

use serde::{Deserialize, Serialize};

use super::MetricGroup;

/// Something the reader should know of a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Of which of its metrics; `None` where it is about the benchmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<MetricGroup>,
    /// A lower-case fragment.
    pub text: String,
}

impl Note {
    /// About these metrics.
    pub fn about(group: MetricGroup, text: impl Into<String>) -> Note {
        Note {
            about: Some(group),
            text: text.into(),
        }
    }
}

impl From<String> for Note {
    /// About the benchmark.
    fn from(text: String) -> Note {
        Note { about: None, text }
    }
}
