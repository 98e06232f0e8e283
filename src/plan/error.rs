//! Why there is no plan.

use std::path::PathBuf;
use std::time::Duration;

use crate::process::ValgrindError;

/// Why there is no plan. The user can fix each of them before anything is run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The current folder is gone or unreadable.
    #[error("the current folder cannot be read")]
    NoCurrentFolder {
        /// What the system said.
        source: std::io::Error,
    },
    /// No manifest from here upwards.
    #[error("no `Cargo.toml` in `{}` or any folder above it", folder.display())]
    NoManifest {
        /// Where the search began.
        folder: PathBuf,
    },
    /// `--manifest-path` names something that is no manifest.
    #[error("`{}` is not a `Cargo.toml` file", path.display())]
    NotAManifest {
        /// As typed, made absolute.
        path: PathBuf,
    },
    /// A file's extension names no format.
    #[error("the extension of `{}` names no report format", path.display())]
    UnknownExtension {
        /// As typed.
        path: PathBuf,
    },
    /// Two reports would be mixed on stdout.
    #[error("more than one report would go to stdout")]
    SeveralReportsOnStdout,
    /// A number is outside of the sensible range.
    #[error("{setting} is {value}, but {why}")]
    OutOfRange {
        /// The setting and where it was set.
        setting: String,
        /// The value.
        value: String,
        /// What it must be.
        why: &'static str,
        /// What can be typed instead.
        instead: String,
    },
    /// `--pin` names a processor that does not exist or that this process may not use.
    #[error("processor {cpu} cannot be used; {}", there_are(.allowed))]
    NoProcessor {
        /// The processor.
        cpu: usize,
        /// The processors that this process may use, in ascending order.
        allowed: Vec<usize>,
    },
    /// `--only instructions` needs a program that is not there.
    #[error("instructions cannot be counted")]
    NoValgrind {
        /// What is wrong with it.
        #[from]
        source: ValgrindError,
    },
    /// The configuration has no service.
    #[error("the configuration has no service that could be loaded")]
    NoService,
    /// Nobody said what the noisy neighbour of a service sends.
    #[error("the noisy neighbour of `{name}` has no request")]
    NoNeighbour {
        /// The service.
        name: String,
    },
    /// A side is not watched as long as it may take to recover, so the limit can never be exceeded.
    #[error("`recovery-time` of `{row}` may be {}, but after the spike the sides are watched for {}", time(*limit), time(*watched))]
    WatchedTooBriefly {
        /// The row whose limit it is.
        row: String,
        /// How long it may take.
        limit: Duration,
        /// How long the sides are watched.
        watched: Duration,
    },
    /// There is no service of that name.
    #[error("there is no service `{name}`")]
    NoSuchService {
        /// As typed.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A value cannot be understood.
    #[error("{origin} has `{value}`: {problem}")]
    InvalidValue {
        /// Where it was set.
        origin: String,
        /// The value.
        value: String,
        /// Why it cannot be understood.
        problem: String,
    },
    /// A configuration file cannot be read.
    #[error("the configuration cannot be read")]
    ConfigUnreadable {
        /// What the system said, with the path.
        source: std::io::Error,
    },
    /// A configuration file is no TOML.
    #[error("`{}` is not valid TOML: {problem}", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// Settings from files and variables exclude one another.
    #[error("the configuration contradicts itself: {problem}")]
    Contradiction {
        /// Which settings.
        problem: String,
    },
}

impl PlanError {
    /// What to type to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            PlanError::NoCurrentFolder { .. } => Some("change to a folder that exists".to_owned()),
            PlanError::NoManifest { .. } => Some(
                "run it in a Rust workspace, name one with `--manifest-path path/to/Cargo.toml`, \
                 or see it work with `cargo perfcheck demo`"
                    .to_owned(),
            ),
            PlanError::NotAManifest { path } => Some(if path.is_dir() {
                format!("`--manifest-path {}`", path.join("Cargo.toml").display())
            } else {
                "`--manifest-path path/to/Cargo.toml`".to_owned()
            }),
            PlanError::UnknownExtension { path } => {
                Some(format!("`--format json --output {}`", path.display()))
            }
            PlanError::NoService => Some(
                "add a `[[service]]` to perfcheck.toml: its command and a request are enough"
                    .to_owned(),
            ),
            PlanError::NoNeighbour { .. } => Some(
                "add a `[[service.noisy-neighbour.request]]` with a `path`, and a header that names its tenant"
                    .to_owned(),
            ),
            PlanError::WatchedTooBriefly { limit, .. } => Some(format!(
                "set `watched = \"{}\"` in `[service.spike]`, or lower `recovery-time`",
                time(*limit * 2)
            )),
            PlanError::NoSuchService { known, .. } => {
                Some(format!("`cargo perfcheck load {}`", known.first()?))
            }
            PlanError::SeveralReportsOnStdout => Some(
                "give each format its file: `--format json --output perf.json --format markdown \
                 --output perf.md`"
                    .to_owned(),
            ),
            PlanError::OutOfRange { instead, .. } => Some(format!("`{instead}`")),
            PlanError::NoProcessor { allowed, .. } => {
                allowed.last().map(|cpu| format!("`--pin {cpu}`"))
            }
            PlanError::NoValgrind { source } => Some(source.hint().to_owned()),
            PlanError::ConfigUnreadable { .. } | PlanError::ConfigSyntax { .. } => None,
            PlanError::InvalidValue { .. } | PlanError::Contradiction { .. } => {
                Some("`cargo perfcheck config --schema` says what is allowed".to_owned())
            }
        }
    }
}

fn time(time: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(time)
}

/// `this process may use 0-3 and 8`.
fn there_are(allowed: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for cpu in allowed {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => ranges.push((*cpu, *cpu)),
        }
    }
    let ranges: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        })
        .collect();
    format!("this process may use {}", ranges.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_that_is_not_there_is_answered_with_those_that_are() {
        let allowed = vec![0, 1, 2, 3, 8];
        let error = PlanError::NoProcessor { cpu: 5000, allowed };
        assert_eq!(
            error.to_string(),
            "processor 5000 cannot be used; this process may use 0 to 3, 8"
        );
        assert_eq!(error.hint().as_deref(), Some("`--pin 8`"));
    }
}
