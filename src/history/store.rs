//! Where a history is kept.

use std::path::Path;

use super::files::{Acceptance, NamedFile, RefusedFile, StoredFile, UnbuildableCommit};
use super::folder::FolderStore;
use super::parallel::in_parallel;
use super::reference::ReferenceStore;
use super::{HistoryError, ImportedRun, REFERENCE, RunRecord};
use crate::plan::HistoryPlace;

/// Where a history is kept.
pub(crate) enum HistoryStore {
    /// On a reference of the user's repository.
    Reference(ReferenceStore),
    /// In a folder.
    Folder(FolderStore),
}

/// What a store holds.
#[derive(Debug, Default)]
pub(crate) struct StoreContents {
    /// What can be used, in the order of the files' names.
    pub(crate) files: Vec<StoredFile>,
    /// What cannot.
    pub(crate) refused: Vec<RefusedFile>,
}

impl StoreContents {
    /// The runs.
    pub(crate) fn runs(&self) -> Vec<&RunRecord> {
        self.all(|file| match file {
            StoredFile::Run(run) => Some(&**run),
            _ => None,
        })
    }

    /// What other tools measured.
    pub(crate) fn imported(&self) -> Vec<&ImportedRun> {
        self.all(|file| match file {
            StoredFile::Imported(run) => Some(&**run),
            _ => None,
        })
    }

    /// The commits that a backfill could not build.
    pub(crate) fn unbuildable(&self) -> Vec<&UnbuildableCommit> {
        self.all(|file| match file {
            StoredFile::Unbuildable(commit) => Some(commit),
            _ => None,
        })
    }

    /// The steps that somebody accepted.
    pub(super) fn accepted(&self) -> Vec<&Acceptance> {
        self.all(|file| match file {
            StoredFile::Accepted(acceptance) => Some(acceptance),
            _ => None,
        })
    }

    fn all<'a, T>(&'a self, of: impl Fn(&'a StoredFile) -> Option<&'a T>) -> Vec<&'a T> {
        self.files.iter().filter_map(of).collect()
    }
}

impl HistoryStore {
    /// The store at `place`, of the repository that holds `folder`.
    pub(crate) fn open(place: &HistoryPlace, folder: &Path) -> Result<HistoryStore, HistoryError> {
        Ok(match place {
            HistoryPlace::Reference => HistoryStore::Reference(ReferenceStore::of(folder)?),
            HistoryPlace::Folder(path) => HistoryStore::Folder(FolderStore::of(path)),
        })
    }

    /// Adds files; those that are there already stay as they are.
    pub(crate) fn add(&self, files: &[StoredFile]) -> Result<(), HistoryError> {
        let named: Result<Vec<_>, _> = files.iter().map(NamedFile::of).collect();
        match self {
            HistoryStore::Reference(store) => store.add(&named?),
            HistoryStore::Folder(store) => store.add(&named?),
        }
    }

    /// Everything that is kept.
    pub(crate) fn read(&self) -> Result<StoreContents, HistoryError> {
        let mut contents = StoreContents::default();
        let named = self.named()?;
        for file in in_parallel(&named, NamedFile::read) {
            match file {
                Ok(file) => contents.files.push(file),
                Err(refused) => contents.refused.push(refused),
            }
        }
        Ok(contents)
    }

    /// Leaves out every file that is damaged or no record, and every one that `is_old` says; says how many that were.
    /// Records of a newer version stay.
    pub(crate) fn prune(
        &self,
        is_old: impl Fn(&StoredFile) -> bool,
    ) -> Result<usize, HistoryError> {
        let is_gone = |file: &NamedFile| match file.read() {
            Ok(content) => is_old(&content),
            Err(_) => !file.is_record(),
        };
        let gone = self.named()?.into_iter().filter(is_gone);
        let gone: Vec<String> = gone.map(|file| file.path).collect();
        if !gone.is_empty() {
            match self {
                HistoryStore::Reference(store) => store.remove(&gone)?,
                HistoryStore::Folder(store) => store.remove(&gone)?,
            }
        }
        Ok(gone.len())
    }

    /// The one on a reference, which has remotes.
    pub(crate) fn shared(&self) -> Result<&ReferenceStore, HistoryError> {
        match self {
            HistoryStore::Reference(store) => Ok(store),
            HistoryStore::Folder(_) => Err(HistoryError::FolderIsShared),
        }
    }

    fn named(&self) -> Result<Vec<NamedFile>, HistoryError> {
        match self {
            HistoryStore::Reference(store) => store.read(),
            HistoryStore::Folder(store) => store.read(),
        }
    }
}

impl std::fmt::Display for HistoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HistoryStore::Reference(_) => f.write_str(REFERENCE),
            HistoryStore::Folder(store) => write!(f, "{}", store.path().display()),
        }
    }
}

#[cfg(test)]
mod tests;
