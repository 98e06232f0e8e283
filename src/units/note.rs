//! Notes: what the reader should know about a benchmark, or about one group of its metrics.

use serde::{Deserialize, Serialize};

use super::MetricGroup;

/// Something that the reader should know about a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Which of its metrics it is about; `None` if it is about the benchmark as a whole.
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
