//! The decision in the JSON report: the vote, the reasons in words, and the same reasons as data.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reasons;
use crate::judge::{Decision, Reason, Vote};

/// As `schemas/report.v2.json` has it.
#[derive(Serialize, Deserialize)]
struct Written {
    vote: Vote,
    reasons: Vec<String>,
    /// Absent in reports from before reasons were data.
    #[serde(default)]
    typed_reasons: Option<Vec<Reason>>,
}

pub(super) fn serialize<S: Serializer>(
    decision: &Decision,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let written = Written {
        vote: decision.vote,
        reasons: decision.reasons.iter().map(reasons::words).collect(),
        typed_reasons: Some(decision.reasons.clone()),
    };
    written.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Decision, D::Error> {
    let Written {
        vote,
        reasons,
        typed_reasons,
    } = Written::deserialize(deserializer)?;
    let recorded = |text| Reason::Recorded { vote, text };
    Ok(Decision {
        vote,
        reasons: typed_reasons.unwrap_or_else(|| reasons.into_iter().map(recorded).collect()),
    })
}
