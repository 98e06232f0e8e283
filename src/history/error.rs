//! What can go wrong with a history.

use std::path::PathBuf;

use super::REFERENCE;

/// What can go wrong with a history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HistoryError {
    /// There is no repository here, or none that can be written to.
    #[error("the repository of `{}` cannot keep a history", folder.display())]
    Repository {
        /// Where it was looked for.
        folder: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// An object or the reference cannot be read or written.
    #[error("cannot {action} `{REFERENCE}`")]
    Reference {
        /// What was attempted.
        action: &'static str,
        /// Why.
        source: git2::Error,
    },
    /// Others write to the reference all the time.
    #[error("`{REFERENCE}` moved {attempts} times while this run was being recorded")]
    Contended {
        /// How often it was tried.
        attempts: usize,
    },
    /// A revision is unknown.
    #[error("`{spec}` is not a commit of this repository")]
    NoCommit {
        /// As typed.
        spec: String,
        /// Why.
        source: git2::Error,
    },
    /// A range without a commit.
    #[error("`{base}..{head}` holds no commit that has another before it")]
    EmptyRange {
        /// As typed.
        base: String,
        /// As typed.
        head: String,
    },
    /// No run is of this commit.
    #[error("no run that is shown measured {commit}")]
    NotMeasured {
        /// Its short id.
        commit: String,
    },
    /// No run has this metric.
    #[error("no run that is kept has the metric `{metric}`")]
    NoMetric {
        /// As typed.
        metric: String,
        /// Those that runs have.
        known: Vec<String>,
    },
    /// There is nothing to show.
    #[error("{why}")]
    Nothing {
        /// Why, as a lower-case fragment.
        why: String,
    },
    /// No benchmark, or several, can be meant.
    #[error("{} benchmarks of the history have `{part}` in their name", .names.len())]
    Ambiguous {
        /// As typed.
        part: String,
        /// Those that have.
        names: Vec<String>,
    },
    /// There is no `git`.
    #[error("`git` cannot be started")]
    NoGit {
        /// Why.
        source: std::io::Error,
    },
    /// `git` failed.
    #[error("`{command}` failed: {said}")]
    Git {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// The remote does not take the reference.
    #[error("`{remote}` refuses `{REFERENCE}`: {said}")]
    Refused {
        /// The remote.
        remote: String,
        /// What `git` said.
        said: String,
    },
    /// A history in a folder has no remote.
    #[error("a history in a folder is shared as its files are")]
    FolderIsShared,
    /// A file of the folder cannot be read or written.
    #[error("the history in `{}` cannot be used", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why, with the path.
        source: std::io::Error,
    },
    /// Another tool's data cannot be read.
    #[error("`{}` cannot be imported: {why}", path.display())]
    Import {
        /// The file or folder.
        path: PathBuf,
        /// Why, as a lower-case fragment.
        why: String,
    },
    /// The record cannot be written as JSON.
    #[error("the run cannot be recorded")]
    Encode {
        /// Why.
        source: serde_json::Error,
    },
}

impl HistoryError {
    /// Something to type that fixes it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            HistoryError::Repository { .. } => {
                Some("keep the history in a folder: `--history DIR`".to_owned())
            }
            HistoryError::Contended { .. } => Some("run it again".to_owned()),
            HistoryError::Reference { .. } => {
                Some(format!("`git show-ref {REFERENCE}` and `git fsck` say more"))
            }
            HistoryError::Nothing { .. } => Some(
                "keep what a commit did with `cargo perfcheck main~1..main --record`, or get what others kept with \
                 `cargo perfcheck history fetch`"
                    .to_owned(),
            ),
            HistoryError::EmptyRange { base, head } => Some(format!(
                "`git log --first-parent {base}..{head}` lists its commits; the older end comes first"
            )),
            HistoryError::NoCommit { .. } => Some(
                "`git log --oneline` lists the commits; of a shallow clone, `git fetch --unshallow --tags` gets the others"
                    .to_owned(),
            ),
            HistoryError::NotMeasured { commit } => {
                Some(format!("`cargo perfcheck {commit}..HEAD --record`"))
            }
            HistoryError::NoMetric { known, .. } => {
                (!known.is_empty()).then(|| format!("one of: {}", known.join(", ")))
            }
            HistoryError::Ambiguous { names, .. } => {
                (!names.is_empty()).then(|| format!("one of: {}", names.join(", ")))
            }
            HistoryError::Refused { .. } => Some(format!(
                "some hosts take branches only. Keep the history in a folder that you store as an artifact \
                 (`--history DIR`), or push it as an orphan branch: \
                 `git push REMOTE {REFERENCE}:refs/heads/perfcheck-history`"
            )),
            HistoryError::Import { .. } => Some(
                "import a JSON report, what `history export` wrote, a folder of Criterion (`target/criterion`), or the \
                 `data.js` of github-action-benchmark"
                    .to_owned(),
            ),
            HistoryError::FolderIsShared => {
                Some("leave out `--history` for the one in the repository".to_owned())
            }
            HistoryError::NoGit { .. }
            | HistoryError::Git { .. }
            | HistoryError::Folder { .. }
            | HistoryError::Encode { .. } => None,
        }
    }
}
