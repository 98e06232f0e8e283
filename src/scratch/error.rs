//! What can go wrong with the run's folder.

use std::io;
use std::path::PathBuf;

/// Why the run's private folder could not be made, used or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// The folder, or something in it, could not be made.
    #[error("cannot make the run's private folder in {}", parent.display())]
    Create {
        /// Where it should have been.
        parent: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No folder is left for checkouts and builds.
    #[error("no folder can hold checkouts and builds\n\n{reasons}")]
    NoPlace {
        /// Each folder with the reason why it cannot be used, one per line.
        reasons: String,
    },
    /// The file system refuses locks.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process that cleans up after a sudden death could not be started.
    #[error("cannot start {} as the guardian of this run", program.display())]
    Guardian {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder could not be removed at the end.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The folder that is still there.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ScratchError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ScratchError::Create { parent, source } => Some(match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!(
                    "free some space in {}, or name a folder on another disk with --target-dir",
                    parent.display()
                ),
                _ => "name a folder that you can write to with --target-dir".to_owned(),
            }),
            ScratchError::NoPlace { .. } => Some(
                "name a folder outside the repository: XDG_CACHE_HOME=/path/of/yours cargo perfcheck …"
                    .to_owned(),
            ),
            ScratchError::Lock { .. } => {
                Some("name a folder on a local disk with --target-dir".to_owned())
            }
            ScratchError::Guardian { .. } => None,
            ScratchError::Remove { path, .. } => Some(format!("rm -rf '{}'", path.display())),
        }
    }
}
