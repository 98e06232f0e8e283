//! Whether a run is kept, and where.

use std::path::{Path, PathBuf};

/// Where a history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryPlace {
    /// On `refs/perfcheck/history` of the user's repository.
    Reference,
    /// In this folder; absolute.
    Folder(PathBuf),
}

/// Whether a run is kept, and where.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct RecordArgs {
    /// Keep what was measured, for `cargo perfcheck trend`
    ///
    /// Adds one small file to the reference `refs/perfcheck/history` of the repository, or to the folder of `--history`.
    /// Nothing is checked out. A comparison with the working tree is not kept.
    #[arg(long)]
    pub record: bool,
    /// Folder of the history, instead of the reference `refs/perfcheck/history`
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
}

impl RecordArgs {
    /// Where runs are kept.
    #[must_use]
    pub fn place(&self, cwd: &Path) -> HistoryPlace {
        match &self.history {
            Some(folder) => HistoryPlace::Folder(cwd.join(folder)),
            None => HistoryPlace::Reference,
        }
    }
}
