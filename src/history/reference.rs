//! The store on a reference of the user's repository.
//!
//! A commit for each file, whose tree gains it; nothing is checked out, and neither the index nor any other reference
//! is touched. A reference outside of `refs/heads` and `refs/tags` is fetched by nobody who does not ask for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use git2::{Commit, ErrorCode, ObjectType, Oid, Repository, Signature, Time, Tree, TreeWalkMode};

use super::files::NamedFile;
use super::{HistoryError, REFERENCE};
use crate::units::Timestamp;

/// How often a write is tried again when somebody else was faster.
const ATTEMPTS: usize = 50;

/// Who writes: nobody's name is kept.
const WRITER: [&str; 2] = ["cargo-perfcheck", "cargo-perfcheck@invalid"];

/// The modes of a tree's entries.
const FILE: i32 = 0o100_644;
const FOLDER: i32 = 0o040_000;

/// The store on [`REFERENCE`].
pub(crate) struct ReferenceStore {
    repository: Repository,
}

fn failed(action: &'static str) -> impl Fn(git2::Error) -> HistoryError {
    move |source| HistoryError::Reference { action, source }
}

impl ReferenceStore {
    /// That of the repository that holds `folder`.
    pub(super) fn of(folder: &Path) -> Result<ReferenceStore, HistoryError> {
        match Repository::discover(folder) {
            Ok(repository) => Ok(ReferenceStore { repository }),
            Err(source) => Err(HistoryError::Repository {
                folder: folder.to_owned(),
                source,
            }),
        }
    }

    /// The repository.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Every file.
    pub(super) fn read(&self) -> Result<Vec<NamedFile>, HistoryError> {
        match self.tip().map_err(failed("read"))? {
            Some(tip) => self.files_of(&tip).map_err(failed("read")),
            None => Ok(Vec::new()),
        }
    }

    fn tip(&self) -> Result<Option<Commit<'_>>, git2::Error> {
        match self.repository.find_reference(REFERENCE) {
            Ok(reference) => reference.peel_to_commit().map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn files_of(&self, commit: &Commit<'_>) -> Result<Vec<NamedFile>, git2::Error> {
        let mut found = Vec::new();
        commit
            .tree()?
            .walk(TreeWalkMode::PreOrder, |folder, entry| {
                if entry.kind() == Some(ObjectType::Blob) {
                    let name = String::from_utf8_lossy(entry.name_bytes());
                    found.push((format!("{folder}{name}"), entry.id()));
                }
                git2::TreeWalkResult::Ok
            })?;
        let read = |(path, id): (String, Oid)| {
            let bytes = self.repository.find_blob(id)?.content().to_vec();
            Ok(NamedFile { path, bytes })
        };
        found.into_iter().map(read).collect()
    }

    /// Adds files, all in one commit.
    pub(super) fn add(&self, files: &[NamedFile]) -> Result<(), HistoryError> {
        self.update(|tree| self.with(tree, files))
    }

    /// Removes the files with these paths. Whatever was added meanwhile stays.
    pub(super) fn remove(&self, paths: &[String]) -> Result<(), HistoryError> {
        self.update(|tree| {
            let mut left = self.with(tree, &[])?;
            for path in paths {
                left = self.without(left, path)?;
            }
            Ok(left)
        })
    }

    /// Unites the reference with another commit that holds a history.
    pub(super) fn unite(&self, other: Oid) -> Result<(), HistoryError> {
        let unite = || -> Result<Oid, git2::Error> {
            let other = self.repository.find_commit(other)?;
            let Some(tip) = self.tip()? else {
                return self.move_to(None, other.id()).map(|()| other.id());
            };
            let base = self.repository.merge_base(tip.id(), other.id()).ok();
            if base == Some(other.id()) {
                return Ok(tip.id());
            }
            if base == Some(tip.id()) {
                return self
                    .move_to(Some(tip.id()), other.id())
                    .map(|()| other.id());
            }
            let base = base.map(|base| self.files_of(&self.repository.find_commit(base)?));
            let base = base.transpose()?.unwrap_or_default();
            let files = united(base, self.files_of(&tip)?, self.files_of(&other)?);
            let tree = self.repository.find_tree(self.with(None, &files)?)?;
            let united = self.commit(&tree, &[&tip, &other])?;
            self.move_to(Some(tip.id()), united).map(|()| united)
        };
        again_where_moved(unite).map(|_| ())
    }

    /// Moves the reference to a commit with the tree that `change` makes of the present one.
    fn update(
        &self,
        change: impl Fn(Option<Tree<'_>>) -> Result<Oid, git2::Error>,
    ) -> Result<(), HistoryError> {
        let update = || -> Result<(), git2::Error> {
            let tip = self.tip()?;
            let tree = tip.as_ref().map(Commit::tree).transpose()?;
            let before = tree.as_ref().map(Tree::id);
            let changed = change(tree)?;
            if before == Some(changed) {
                return Ok(());
            }
            let parents: Vec<&Commit<'_>> = tip.iter().collect();
            let commit = self.commit(&self.repository.find_tree(changed)?, &parents)?;
            self.move_to(tip.as_ref().map(Commit::id), commit)
        };
        again_where_moved(update)
    }

    fn commit(&self, tree: &Tree<'_>, parents: &[&Commit<'_>]) -> Result<Oid, git2::Error> {
        let [name, mail] = WRITER;
        let now = Time::new(Timestamp::now().as_unix(), 0);
        let writer = Signature::new(name, mail, &now)?;
        let message = "Record performance\n";
        let repository = &self.repository;
        repository.commit(None, &writer, &writer, message, tree, parents)
    }

    /// Compares and swaps: fails where the reference is no longer at `from`.
    fn move_to(&self, from: Option<Oid>, to: Oid) -> Result<(), git2::Error> {
        let from = from.unwrap_or(Oid::ZERO_SHA1);
        let repository = &self.repository;
        repository.reference_matching(REFERENCE, to, true, from, "cargo perfcheck")?;
        Ok(())
    }

    /// The tree without this file, nor the folders that it leaves empty.
    fn without(&self, tree: Oid, path: &str) -> Result<Oid, git2::Error> {
        let tree = self.repository.find_tree(tree)?;
        let mut builder = self.repository.treebuilder(Some(&tree))?;
        let (name, rest) = match path.split_once('/') {
            Some((folder, rest)) => (folder, Some(rest)),
            None => (path, None),
        };
        let Some(entry) = builder.get(name)?.map(|entry| entry.id()) else {
            return Ok(tree.id());
        };
        let left = rest.map(|rest| self.without(entry, rest)).transpose()?;
        match left {
            Some(left) if !self.repository.find_tree(left)?.is_empty() => {
                builder.insert(name, left, FOLDER)?;
            }
            _ => builder.remove(name)?,
        }
        builder.write()
    }

    /// The tree with these files in it.
    fn with(&self, tree: Option<Tree<'_>>, files: &[NamedFile]) -> Result<Oid, git2::Error> {
        let mut root = self.repository.treebuilder(tree.as_ref())?;
        for file in files {
            let Some((folder, name)) = file.path.split_once('/') else {
                continue;
            };
            let inside = root.get(folder)?.map(|entry| entry.id());
            let inside = inside.map(|id| self.repository.find_tree(id)).transpose()?;
            let mut builder = self.repository.treebuilder(inside.as_ref())?;
            builder.insert(name, self.repository.blob(&file.bytes)?, FILE)?;
            root.insert(folder, builder.write()?, FOLDER)?;
        }
        root.write()
    }
}

/// Tries again where somebody else moved the reference meanwhile, or is about to.
fn again_where_moved<T>(attempt: impl Fn() -> Result<T, git2::Error>) -> Result<T, HistoryError> {
    for tried in 0..ATTEMPTS {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if is_race(&error) => {
                let pause = 2 + 3 * tried.min(20) as u64;
                std::thread::sleep(Duration::from_millis(pause));
            }
            Err(source) => return Err(failed("write")(source)),
        }
    }
    Err(HistoryError::Contended { attempts: ATTEMPTS })
}

fn is_race(error: &git2::Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::Modified | ErrorCode::Locked | ErrorCode::Exists
    )
}

/// What both have or either added, without what either removed since they parted.
fn united(before: Vec<NamedFile>, ours: Vec<NamedFile>, theirs: Vec<NamedFile>) -> Vec<NamedFile> {
    let (ours, theirs) = (BTreeSet::from_iter(ours), BTreeSet::from_iter(theirs));
    let is_removed = |file: &NamedFile| !ours.contains(file) || !theirs.contains(file);
    let removed: BTreeSet<NamedFile> = before.into_iter().filter(is_removed).collect();
    let all = ours.union(&theirs);
    all.filter(|file| !removed.contains(*file))
        .cloned()
        .collect()
}
