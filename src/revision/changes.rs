//! What a range changed in the sources, and in which of its commits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{BlameOptions, Delta, DiffDelta, DiffFindOptions, DiffOptions, Oid, Repository};

use super::error::git;
use super::{Checkout, RevisionError, Source};
use crate::units::Paired;

/// Nobody writes larger source files by hand.
const LARGEST_FILE: u64 = 4 << 20;

/// A file that differs between the sides, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path from the repository's root on each side that has it; they differ where it was renamed.
    pub paths: Paired<Option<PathBuf>>,
    /// Its text on each side; empty where there is none.
    pub texts: Paired<String>,
}

/// A commit of the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    /// The first characters of its id.
    pub short_id: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed, in seconds since the epoch.
    pub committed_at: i64,
}

/// The files that differ between two checkouts, renames recognised, uncommitted changes of the head
/// side included. Files that are not text, or too large to be source, are left out.
///
/// # Errors
/// [`RevisionError`] if the repositories cannot be read.
pub(crate) fn changed_files(
    checkouts: Paired<&Checkout>,
) -> Result<Vec<ChangedFile>, RevisionError> {
    let files = changed_paths(checkouts)?.into_iter().filter_map(|paths| {
        let read = |checkout: &Checkout, path: &Option<PathBuf>| match path {
            Some(path) => text(&checkout.root.join(path)),
            None => Some(String::new()),
        };
        let texts = Paired::new(
            read(checkouts.base, &paths.base)?,
            read(checkouts.head, &paths.head)?,
        );
        (texts.base != texts.head).then_some(ChangedFile { paths, texts })
    });
    Ok(files.collect())
}

/// The paths of everything that differs between two checkouts, on each side that has it: files of any kind, links,
/// permissions.
///
/// # Errors
/// [`RevisionError`] if the repositories cannot be read.
pub(crate) fn changed_paths(
    checkouts: Paired<&Checkout>,
) -> Result<Vec<Paired<Option<PathBuf>>>, RevisionError> {
    let repository = open(checkouts.head)?;
    let failed = |error| git("comparing the two revisions", error);
    let base = Oid::from_str(&checkouts.base.revision.commit)
        .and_then(|id| repository.find_commit(id))
        .and_then(|commit| commit.tree())
        .map_err(failed)?;
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true);
    let mut diff = repository
        .diff_tree_to_workdir_with_index(Some(&base), Some(&mut options))
        .map_err(failed)?;
    let mut similar = DiffFindOptions::new();
    similar.renames(true).for_untracked(true);
    diff.find_similar(Some(&mut similar)).map_err(failed)?;
    let own = |delta: &DiffDelta<'_>| !is_laid_on_both(checkouts, delta);
    let paths = diff.deltas().filter(own).map(|delta| {
        Paired::new(
            (delta.status() != Delta::Added && delta.status() != Delta::Untracked)
                .then(|| delta.old_file().path().map(Path::to_owned))
                .flatten(),
            (delta.status() != Delta::Deleted)
                .then(|| delta.new_file().path().map(Path::to_owned))
                .flatten(),
        )
    });
    Ok(paths.collect())
}

/// Whether the file is in neither revision, and the same in both checkouts: the lock file that both sides
/// are built from, where the repository has none.
fn is_laid_on_both(checkouts: Paired<&Checkout>, delta: &DiffDelta<'_>) -> bool {
    let Some(path) = delta.new_file().path() else {
        return false;
    };
    let read = |checkout: &Checkout| {
        let path = checkout.root.join(path);
        let is_file = path.symlink_metadata().is_ok_and(|meta| meta.is_file());
        is_file.then(|| fs_err::read(path).ok()).flatten()
    };
    let texts = checkouts.map(read);
    delta.status() == Delta::Untracked && texts.base.is_some() && texts.base == texts.head
}

/// The file's text; `None` if it is not text, and for a link, which could lead anywhere.
fn text(path: &Path) -> Option<String> {
    let metadata = fs_err::symlink_metadata(path).ok()?;
    let is_source = metadata.is_file() && metadata.len() <= LARGEST_FILE;
    is_source
        .then(|| fs_err::read_to_string(path).ok())
        .flatten()
}

/// Which commit of the range last touched each line of `path` on the head side, by line from 1. Lines
/// that the range did not touch, and uncommitted ones, are missing.
///
/// # Errors
/// [`RevisionError`] if the history cannot be read.
pub(crate) fn touched_lines(
    checkouts: Paired<&Checkout>,
    path: &Path,
    text: &str,
) -> Result<BTreeMap<u32, Touch>, RevisionError> {
    let repository = open(checkouts.head)?;
    let failed = |error| {
        git(
            format!("reading the history of `{}`", path.display()),
            error,
        )
    };
    let id = |checkout: &Checkout| Oid::from_str(&checkout.revision.commit);
    let (base, head) = (
        id(checkouts.base).map_err(failed)?,
        id(checkouts.head).map_err(failed)?,
    );
    if base == head {
        return Ok(BTreeMap::new());
    }
    let mut options = BlameOptions::new();
    options.newest_commit(head).oldest_commit(base);
    let blame = repository
        .blame_file(path, Some(&mut options))
        .map_err(failed)?;
    let blame = match checkouts.head.revision.source {
        Source::Commit => blame,
        Source::WorkingTree => blame.blame_buffer(text.as_bytes()).map_err(failed)?,
    };
    let mut lines = BTreeMap::new();
    for hunk in blame.iter() {
        let commit = hunk.final_commit_id();
        let in_range = !hunk.is_boundary()
            && !commit.is_zero()
            && commit != base
            && !repository
                .graph_descendant_of(base, commit)
                .unwrap_or(false);
        if !in_range {
            continue;
        }
        let Some(touch) = touch(&repository, commit) else {
            continue;
        };
        let first = hunk.final_start_line();
        for line in first..first + hunk.lines_in_hunk() {
            lines.insert(u32::try_from(line).unwrap_or(u32::MAX), touch.clone());
        }
    }
    Ok(lines)
}

fn touch(repository: &Repository, id: Oid) -> Option<Touch> {
    let commit = repository.find_commit(id).ok()?;
    let subject = commit
        .summary()
        .ok()
        .flatten()
        .unwrap_or_default()
        .to_owned();
    let short = commit.as_object().short_id().ok()?;
    Some(Touch {
        short_id: short.as_str().unwrap_or_default().to_owned(),
        subject,
        committed_at: commit.time().seconds(),
    })
}

pub(super) fn open(checkout: &Checkout) -> Result<Repository, RevisionError> {
    Repository::open(&checkout.root)
        .map_err(|error| git(format!("opening `{}`", checkout.root.display()), error))
}
