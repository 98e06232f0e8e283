//! What can go wrong around a hook.

use std::path::{Path, PathBuf};

use crate::revision::RevisionError;

/// What can go wrong around a hook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HookError {
    /// There is no repository here, or it cannot be read.
    #[error(transparent)]
    NoRepository(#[from] RevisionError),
    /// The repository cannot be read.
    #[error("the repository cannot be read")]
    Git(#[from] git2::Error),
    /// There is no workspace, or it is unclear which one is meant.
    #[error("{}", no_workspace(.folder, .others))]
    NoWorkspace {
        /// Where it was looked for.
        folder: PathBuf,
        /// The manifests further below, relative to the top of the checkout.
        others: Vec<PathBuf>,
    },
    /// The hooks' folder belongs to more than this repository.
    #[error("`core.hooksPath` is `{}`, which this repository shares with others", folder.display())]
    SharedFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A hook from before another installation is still there.
    #[error("`{}` is in the way: it holds a hook from before an earlier installation", path.display())]
    ChainOccupied {
        /// The file.
        path: PathBuf,
    },
    /// The hook is somebody else's.
    #[error("`{}` was not installed by this program", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A file of the hook cannot be read or written.
    #[error("a file of the hook cannot be read or written")]
    Io(#[from] std::io::Error),
    /// Git sends something that is not a list of refs.
    #[error("`{line}` is not a line that git gives to a pre-push hook")]
    BadLine {
        /// The line.
        line: String,
    },
}

impl HookError {
    /// What to type to fix it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            HookError::NoRepository(RevisionError::NotARepository { .. }) => {
                Some("change to a clone, or `git init`".to_owned())
            }
            HookError::NoRepository(error) => error.hint(),
            HookError::NoWorkspace { others, .. } => Some(match others.first().and_then(|m| m.parent()) {
                Some(first) => format!(
                    "install it from within each one to be checked: `(cd {} && cargo perfcheck hook install)`",
                    first.display()
                ),
                None => "change to the workspace's folder, then `cargo perfcheck hook install`".to_owned(),
            }),
            HookError::SharedFolder { .. } => Some(
                "`cargo perfcheck hook install --shared` installs it for all of them; or add the line \
                 `cargo perfcheck hook run \"$@\"` to a hook of your own"
                    .to_owned(),
            ),
            HookError::ChainOccupied { path } => Some(format!(
                "look at it, then `mv {0} {0}.old`",
                path.display()
            )),
            HookError::NotOurs { path } => Some(format!("look at it: `cat {}`", path.display())),
            HookError::BadLine { .. } => Some(
                "this command is for git to call; `cargo perfcheck hook install` sees to that"
                    .to_owned(),
            ),
            HookError::Git(_) | HookError::Io(_) => None,
        }
    }
}

fn no_workspace(folder: &Path, others: &[PathBuf]) -> String {
    let others: Vec<String> = others
        .iter()
        .map(|manifest| format!("`{}`", manifest.display()))
        .collect();
    let folder = folder.display();
    match others.is_empty() {
        true => format!("`{folder}` is in no Rust workspace, and git tracks none below it"),
        false => format!(
            "`{folder}` is in no Rust workspace, and the repository has several: {}",
            others.join(", ")
        ),
    }
}
