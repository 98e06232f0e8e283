//! From a range to two revisions, and from those to two checkouts.

use std::path::PathBuf;

/// A revision that the range resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What was typed, or what stands for it (`working tree`, `merge base of main and HEAD`).
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

/// A revision laid out on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// What is laid out.
    pub revision: Revision,
    /// The repository's root in the copy, `…/base` or `…/head`.
    pub root: PathBuf,
    /// The manifest that the plan names, in the copy.
    pub manifest_path: PathBuf,
    /// Things about the layout that the report should say (a submodule that is missing, LFS
    /// pointers, …).
    pub notes: Vec<String>,
}
