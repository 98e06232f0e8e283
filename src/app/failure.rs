//! How a run that cannot go on ends: the chain of causes, a hint, and the exit status.

use std::io::Write;

use crate::plan::{self, ExitStatus};
use crate::revision::RevisionError;

/// Why a run ended early.
#[derive(Debug)]
pub(super) struct RunFailure {
    error: anyhow::Error,
    hint: Option<String>,
    /// With which status the program ends.
    pub(super) status: ExitStatus,
}

impl RunFailure {
    /// A failure that no room has an error type for.
    pub(super) fn other(error: impl Into<anyhow::Error>) -> RunFailure {
        RunFailure {
            error: error.into(),
            hint: None,
            status: ExitStatus::Incomplete,
        }
    }

    /// The failure of a command other than a comparison.
    pub(super) fn of_command(error: anyhow::Error) -> RunFailure {
        RunFailure {
            hint: crate::commands::hint(&error),
            status: if error.is::<crate::plan::PlanError>() {
                ExitStatus::Usage
            } else {
                ExitStatus::Incomplete
            },
            error,
        }
    }

    /// A failure to find the revisions; the user may have meant a command instead.
    pub(super) fn of_revision(error: RevisionError) -> RunFailure {
        let command = match &error {
            RevisionError::Unknown { spec, near } if near.is_empty() => plan::near_command(spec),
            _ => None,
        };
        let mut failure = RunFailure::from(error);
        if let Some(command) = command {
            failure.hint = Some(format!("did you mean `cargo perfcheck {command}`?"));
        }
        failure
    }

    /// The room's own error, if it was of this type.
    pub(super) fn cause<E: std::error::Error + Send + Sync + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    /// Writes `error: …: …`, an empty line, and `hint: …`.
    pub(super) fn print(&self, err: &mut impl Write) -> std::io::Result<()> {
        writeln!(err, "error: {self}")?;
        if let Some(hint) = &self.hint {
            writeln!(err, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for RunFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Every room's error becomes a failure with the hint that the room gives.
macro_rules! failures {
    ($($error:ty => $status:expr),* $(,)?) => {
        $(impl From<$error> for RunFailure {
            fn from(error: $error) -> RunFailure {
                RunFailure { hint: error.hint(), error: error.into(), status: $status }
            }
        })*
    };
}

failures! {
    crate::plan::PlanError => ExitStatus::Usage,
    crate::scratch::ScratchError => ExitStatus::Incomplete,
    RevisionError => ExitStatus::Incomplete,
    crate::build::BuildError => ExitStatus::Incomplete,
    crate::discover::DiscoverError => ExitStatus::Incomplete,
    crate::measure::MeasureError => ExitStatus::Incomplete,
    crate::service::ServiceError => ExitStatus::Incomplete,
    crate::report::ReportError => ExitStatus::Incomplete,
    crate::history::HistoryError => ExitStatus::Incomplete,
    crate::demo::DemoError => ExitStatus::Incomplete,
}
