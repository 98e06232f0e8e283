//! The pre-push hook: compares what is pushed with what the remote has.

mod base;
mod check;
mod error;
mod folder;
mod refs;
mod script;
mod workspaces;

pub(crate) use check::{Check, Comparer, check};
pub(crate) use error::HookError;
pub(crate) use folder::{HookFolder, Sharing};
pub(crate) use refs::Push;
pub(crate) use workspaces::manifest_from;

use std::path::PathBuf;

/// What is in the place of the pre-push hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installed {
    /// Nothing.
    No,
    /// Somebody else's hook.
    Other(PathBuf),
    /// Ours.
    Ours {
        /// The hook.
        path: PathBuf,
        /// The manifests of the workspaces that it checks, relative to the top of a checkout.
        manifests: Vec<PathBuf>,
        /// The hook that was there before, which ours runs first.
        chained: Option<PathBuf>,
    },
}
