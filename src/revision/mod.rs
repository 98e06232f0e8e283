//! From a range to two revisions, and from those to two checkouts.
//!
//! [`resolve()`] reads the user's repository and decides which two commits are meant; [`check_out`]
//! lays both out as standalone repositories beside each other in the run's folder. They borrow the
//! user's objects (`objects/info/alternates`), so nothing is copied twice, and nothing at all is
//! written into the user's repository or checkout.

mod ancestry;
mod carry;
mod changes;
mod checkout;
mod error;
mod filters;
mod manifests;
mod overlay;
mod program;
mod readable;
mod resolve;
mod stand_in;
mod standalone;
mod submodules;
mod suggest;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::units::Paired;

pub(crate) use carry::{CarriedFiles, carry, ignored_input, left_behind};
pub(crate) use changes::{ChangedFile, Touch, changed_files, changed_paths, touched_lines};
pub(crate) use checkout::check_out;
pub(crate) use error::{Feature, RevisionError};
pub(crate) use manifests::tracked_manifests;
pub(crate) use manifests::{in_index, in_tree};
pub(crate) use readable::{Readable, open};
pub(crate) use resolve::{resolve, resolve_with_itself};

/// A revision that the range resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What was typed, or a description (`working tree`, `merge base of main and HEAD`).
    pub label: String,
    /// The full commit id; for the working tree, the commit it stands on.
    pub commit: String,
    /// The first seven or more characters that name the commit.
    pub short_id: String,
    /// The first line of the commit message.
    pub subject: String,
    /// When it was committed, in seconds since the epoch.
    pub committed_at: i64,
    /// What kind of source it is.
    pub source: Source,
}

/// What kind of source a revision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The commit's tree.
    Commit,
    /// The files as they lie in the user's checkout, uncommitted and untracked ones included.
    WorkingTree,
}

/// Two revisions of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The root of the user's checkout (of the linked worktree, where it is one); absolute,
    /// without symbolic links.
    pub root: PathBuf,
    /// The manifest on each side, relative to [`Resolved::root`]: they differ where the package lies elsewhere.
    pub manifests: Paired<PathBuf>,
    /// The two revisions.
    pub revisions: Paired<Revision>,
}

/// A revision laid out on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// What is laid out.
    pub revision: Revision,
    /// The root of the user's checkout: what [`Checkout::root`] is a copy of. A path that leads out
    /// of the repository would lead elsewhere from the copy.
    pub original_root: PathBuf,
    /// The repository's root in the copy, `…/base` or `…/head`.
    pub root: PathBuf,
    /// The manifest that the plan names, in the copy.
    pub manifest_path: PathBuf,
    /// Notes on the checkout for the report (a submodule that is missing, LFS pointers, …).
    pub notes: Vec<String>,
}

impl Checkout {
    /// The manifest's folder, relative to the root.
    #[must_use]
    pub fn folder(&self) -> &Path {
        let folder = self.manifest_path.parent().unwrap_or(&self.root);
        folder.strip_prefix(&self.root).unwrap_or(Path::new(""))
    }
}
