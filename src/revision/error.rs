//! What can go wrong between a range and two checkouts.

use std::io;
use std::path::PathBuf;

use crate::process::Interrupted;
use crate::units::Side;

/// Why there are no two revisions, or no checkouts of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RevisionError {
    /// No repository holds the manifest.
    #[error("{} is not in a git repository", folder.display())]
    NotARepository {
        /// The manifest's folder.
        folder: PathBuf,
    },
    /// A bare repository has no files to work with.
    #[error("{} is a bare repository", git_dir.display())]
    Bare {
        /// The repository.
        git_dir: PathBuf,
    },
    /// Git refuses repositories of another user.
    #[error("the repository of {} belongs to somebody else", folder.display())]
    Ownership {
        /// The manifest's folder.
        folder: PathBuf,
    },
    /// A repository that only the `git` program can read, or that nothing here can read.
    #[error("the repository of {} uses {}", folder.display(), feature.name())]
    Unreadable {
        /// The manifest's folder.
        folder: PathBuf,
        /// What it uses.
        feature: Feature,
        /// What git's library said.
        source: Option<git2::Error>,
    },
    /// The `git` program could not tell what the repository holds.
    #[error("only the git program can read the repository of {}, and it failed", folder.display())]
    StandIn {
        /// The manifest's folder.
        folder: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A repository without commits.
    #[error("{} has no commits yet", root.display())]
    Unborn {
        /// The checkout.
        root: PathBuf,
    },
    /// A name that means nothing here.
    #[error("unknown revision `{spec}`")]
    Unknown {
        /// As typed.
        spec: String,
        /// Names that are spelled like it, the nearest first.
        near: Vec<String>,
    },
    /// A name that may exist in the full history.
    #[error("unknown revision `{spec}` in a shallow clone")]
    BeyondShallow {
        /// As typed.
        spec: String,
        /// The command that fixes it.
        fetch: String,
    },
    /// A short id that several commits begin with.
    #[error("`{spec}` is the beginning of several commit ids")]
    Ambiguous {
        /// As typed.
        spec: String,
        /// Some of them, longer.
        candidates: Vec<String>,
    },
    /// A name of a file or a folder, not of a commit.
    #[error("`{spec}` is a {kind}, not a commit")]
    NotACommit {
        /// As typed.
        spec: String,
        /// What it is instead.
        kind: String,
    },
    /// Histories without a common commit.
    #[error("`{base}` and `{head}` have no common ancestor")]
    NoMergeBase {
        /// The branch that was left.
        base: String,
        /// The branch that holds the change.
        head: String,
    },
    /// Histories whose common commit a shallow clone does not have.
    #[error("the common ancestor of `{base}` and `{head}` is not in this shallow clone")]
    MergeBaseBeyondShallow {
        /// The branch that was left.
        base: String,
        /// The branch that holds the change.
        head: String,
        /// The command that fixes it.
        fetch: String,
    },
    /// No branch looks like the one that changes are merged into.
    #[error("cannot tell which branch is the default one")]
    NoDefaultBranch,
    /// There is nothing to compare.
    #[error("`{base}` and `{head}` are the same commit, {short_id}")]
    Same {
        /// The base revision.
        base: String,
        /// The head revision.
        head: String,
        /// The commit.
        short_id: String,
    },
    /// There is nothing to compare.
    #[error("the working tree has no changes since {base} ({short_id})")]
    Unchanged {
        /// The base revision.
        base: String,
        /// Its commit.
        short_id: String,
    },
    /// One revision has no such package.
    #[error("{side} ({label}, {short_id}) has no {}", manifest.display())]
    NoManifest {
        /// The side.
        side: Side,
        /// The revision.
        label: String,
        /// Its commit.
        short_id: String,
        /// The manifest, relative to the repository's root.
        manifest: PathBuf,
        /// The nearest manifest in the folders above that both sides have, likewise.
        around: Option<PathBuf>,
    },
    /// The objects of a commit are not all there.
    #[error("the files of {short_id} are not all in this repository")]
    MissingObjects {
        /// The commit.
        short_id: String,
        /// What git said.
        source: git2::Error,
    },
    /// Git failed otherwise.
    #[error("cannot {action}")]
    Git {
        /// What was being done (`read the repository of /home/me/project`).
        action: String,
        /// What git said.
        source: git2::Error,
    },
    /// A file could not be read or written.
    #[error("cannot lay out {side}")]
    Io {
        /// The side.
        side: Side,
        /// What the system said, with the path.
        source: io::Error,
    },
    /// The run was told to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Any other failure of git.
pub(super) fn git(action: impl Into<String>, source: git2::Error) -> RevisionError {
    RevisionError::Git {
        action: action.into(),
        source,
    }
}

impl RevisionError {
    /// What the user can do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            RevisionError::NotARepository { .. } => {
                "go to a git repository, or name one with --manifest-path".to_owned()
            }
            RevisionError::Bare { .. } => {
                "make a checkout of it: git worktree add ../checkout".to_owned()
            }
            RevisionError::Ownership { folder } => format!(
                "if you trust it: git config --global --add safe.directory '{}'",
                folder.display()
            ),
            RevisionError::Unreadable { feature, .. } => feature.remedy().to_owned(),
            RevisionError::StandIn { folder, .. } => {
                format!(
                    "see whether git can read it: git -C '{}' status",
                    folder.display()
                )
            }
            RevisionError::Unborn { .. } => {
                "commit something first: git add --all && git commit".to_owned()
            }
            RevisionError::Unknown { near, .. } if near.is_empty() => {
                "git branch --all lists all names".to_owned()
            }
            RevisionError::Unknown { near, .. } => format!("did you mean {}?", near.join(", or ")),
            RevisionError::BeyondShallow { fetch, .. }
            | RevisionError::MergeBaseBeyondShallow { fetch, .. } => fetch.clone(),
            RevisionError::Ambiguous { candidates, .. } => {
                format!("type more of it: {}", candidates.join(", "))
            }
            RevisionError::NotACommit { .. } => {
                "name a branch, a tag or a commit: cargo perfcheck main..HEAD".to_owned()
            }
            RevisionError::NoMergeBase { base, head } => {
                format!("compare them directly: cargo perfcheck {base}..{head}")
            }
            RevisionError::NoDefaultBranch => {
                "name the base: cargo perfcheck <branch>, or: git remote set-head origin --auto"
                    .to_owned()
            }
            RevisionError::Same { .. } | RevisionError::Unchanged { .. } => {
                "name an older base: cargo perfcheck HEAD~1".to_owned()
            }
            RevisionError::NoManifest {
                around: Some(around),
                ..
            } => format!(
                "choose a base that has it, or compare the workspace around it, at the top of the repository: \
                 cargo perfcheck --manifest-path {}",
                around.display()
            ),
            RevisionError::NoManifest { around: None, .. } => {
                "choose a base that has it, or name another package with --manifest-path".to_owned()
            }
            RevisionError::MissingObjects { short_id, .. } => {
                format!("fetch what is missing: git archive --output=/dev/null {short_id}")
            }
            RevisionError::Io { source, .. } => return io_hint(source),
            // libgit2 reports this only in the message's text.
            RevisionError::Git { source, .. } if source.message().contains("No space left") => {
                ANOTHER_DISK.to_owned()
            }
            RevisionError::Git { .. } | RevisionError::Interrupted(_) => return None,
        })
    }
}

const ANOTHER_DISK: &str = "name a folder on a disk with more space with --target-dir";

fn io_hint(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(ANOTHER_DISK.to_owned()),
        io::ErrorKind::PermissionDenied => {
            Some("make it readable, or name it in .gitignore if it is no source".to_owned())
        }
        _ => None,
    }
}

/// What libgit2 does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Object ids of 256 bits.
    Sha256,
    /// References in reftables.
    Reftable,
    /// A clone without all its objects.
    PartialClone,
    /// An index in two files.
    SplitIndex,
    /// An index that holds whole folders.
    SparseIndex,
    /// Another one.
    Other,
}

impl Feature {
    /// Its name, for a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Feature::Sha256 => "SHA-256 object ids",
            Feature::Reftable => "reftables",
            Feature::PartialClone => "a partial clone",
            Feature::SplitIndex => "a split index",
            Feature::SparseIndex => "a sparse index",
            Feature::Other => "a feature of git that perfcheck cannot read",
        }
    }

    /// How the user can make the repository readable.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Feature::Sha256 => {
                "compare in a copy with SHA-1 ids: git init ../copy && git fast-export --all | \
                 git -C ../copy fast-import && git -C ../copy checkout main"
            }
            Feature::Reftable => "install git, or: git refs migrate --ref-format=files",
            Feature::SplitIndex => "install git, or: git update-index --no-split-index",
            Feature::SparseIndex => {
                "install git, or: git sparse-checkout reapply --no-sparse-index"
            }
            Feature::PartialClone | Feature::Other => "install the git program",
        }
    }
}
