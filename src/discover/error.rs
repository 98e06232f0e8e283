//! Why there may be nothing to measure.

use super::SkippedTarget;
use crate::process::Interrupted;

/// Nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// No bench target at all.
    #[error("neither side has a bench target")]
    NoBenchTargets,
    /// There are bench targets, but none with a harness that perfcheck drives.
    #[error("none of the bench targets has benchmarks of Criterion or with `#[bench]`: {}", name_all(.skipped))]
    NoCriterion {
        /// Each with its reason.
        skipped: Vec<SkippedTarget>,
    },
    /// There are benchmarks, but none that matches the filter.
    #[error("no benchmark's id matches `{filter}`")]
    NothingMatches {
        /// The filter.
        filter: String,
        /// An id that is there.
        example: String,
    },
    /// A claim that matches no benchmark.
    #[error("the claim `{claim}` matches no benchmark")]
    ClaimInVain {
        /// As it was typed.
        claim: String,
        /// An id that is there.
        example: String,
    },
    /// The user ended the run.
    #[error("interrupted while looking for benchmarks")]
    Interrupted(#[from] Interrupted),
    /// The filter cannot be read.
    #[error("`{filter}` is not a regular expression")]
    BadFilter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        source: regex::Error,
    },
}

impl DiscoverError {
    /// What the user can try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            DiscoverError::Interrupted(_) => return None,
            DiscoverError::NoBenchTargets => {
                "name the package with `-p`, or take all with `--workspace`; or compare a program: `--run '{bin:NAME}'`; \
                 a first benchmark: `cargo add --dev criterion`, then a `[[bench]]` with `harness = false`"
                    .into()
            }
            DiscoverError::NoCriterion { .. } => {
                "cargo-perfcheck drives Criterion's benchmarks and functions with `#[bench]`: `cargo add --dev \
                 criterion`, then a `[[bench]]` with `harness = false`"
                    .into()
            }
            DiscoverError::NothingMatches { example, .. }
            | DiscoverError::ClaimInVain { example, .. } => {
                format!("the expression may match any part of an id; one of them is `{example}`")
            }
            DiscoverError::BadFilter { filter, .. } => {
                format!("to match it literally: '{}'", regex::escape(filter))
            }
        })
    }
}

fn name_all(skipped: &[SkippedTarget]) -> String {
    let named: Vec<String> = skipped
        .iter()
        .map(|skipped| {
            format!(
                "{}::{} ({})",
                skipped.package, skipped.target, skipped.reason
            )
        })
        .collect();
    named.join(", ")
}
