//! The step of GitHub Actions that a run may be.

use std::path::PathBuf;

/// A step of GitHub Actions. Its summary and annotations are written in addition to the reports that
/// the user asked for. A user who asks for one of these formats with `--format` takes care of it, and
/// perfcheck does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// The file of the step's summary, unless the user asked for that format.
    pub summary: Option<PathBuf>,
    /// Who writes annotations.
    pub annotations: Annotations,
}

/// Who writes the annotations of GitHub Actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotations {
    /// The run, on stderr.
    Ours,
    /// The user who asked for the format.
    TakenInHand,
}
