//! The files of a store: their names, and what they hold.

use git2::{ObjectType, Oid};
use serde::{Deserialize, Serialize};

use super::{HistoryError, ImportedRun, RunRecord};
use crate::units::{BenchmarkKey, Timestamp};

/// What a file of a store holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum StoredFile {
    /// A run.
    Run(Box<RunRecord>),
    /// A step that somebody accepted.
    Accepted(Acceptance),
    /// What another tool measured of a commit.
    Imported(Box<ImportedRun>),
    /// A commit that a backfill could not build.
    Unbuildable(UnbuildableCommit),
}

/// A step that somebody accepted: it stays in the trend, and is no news any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acceptance {
    /// The commit's full id.
    pub(crate) commit: String,
    /// The benchmark.
    #[serde(flatten)]
    pub(crate) key: BenchmarkKey,
    /// The reason.
    pub(crate) why: String,
    /// When.
    pub(crate) date: Timestamp,
}

/// A commit that a backfill could not build, so that the next one does not try it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnbuildableCommit {
    /// The commit's full id.
    pub(crate) commit: String,
    /// When it was tried.
    pub(crate) date: Timestamp,
}

/// A file that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedFile {
    /// Its path in the store.
    pub(crate) path: String,
    /// Why, as a lower-case fragment.
    pub(crate) why: String,
}

/// A file as bytes, with the name that its content gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NamedFile {
    /// `ab/cdef….json`: the digest by which git names the content, in folders of 256.
    pub(crate) path: String,
    /// The content: one line of JSON.
    pub(crate) bytes: Vec<u8>,
}

impl NamedFile {
    /// The file of some content.
    pub(super) fn of(content: &StoredFile) -> Result<NamedFile, HistoryError> {
        let mut bytes =
            serde_json::to_vec(content).map_err(|source| HistoryError::Encode { source })?;
        bytes.push(b'\n');
        let path = path_of(&bytes).ok_or_else(|| HistoryError::Encode {
            source: serde::ser::Error::custom("git cannot name it"),
        })?;
        Ok(NamedFile { path, bytes })
    }

    /// What it holds.
    pub(super) fn read(&self) -> Result<StoredFile, RefusedFile> {
        let refused = |why: String| RefusedFile {
            path: self.path.clone(),
            why,
        };
        if path_of(&self.bytes).as_deref() != Some(&self.path) {
            return Err(refused("its content is not what its name says".to_owned()));
        }
        let file: StoredFile = serde_json::from_slice(&self.bytes)
            .map_err(|error| refused(format!("it is no record of a run: {error}")))?;
        let known = match &file {
            StoredFile::Run(run) => run.known_version(),
            StoredFile::Imported(run) => run.known_version(),
            StoredFile::Accepted(_) | StoredFile::Unbuildable(_) => Ok(()),
        };
        let unknown =
            |version| format!("it has version {version}, which this program does not know");
        known.map_err(|version| refused(unknown(version)))?;
        Ok(file)
    }

    /// Whether it is a record as it was written, of this version or of one that this program does not know.
    pub(super) fn is_record(&self) -> bool {
        let is_whole = path_of(&self.bytes).as_deref() == Some(&self.path);
        is_whole && serde_json::from_slice::<AnyRecord>(&self.bytes).is_ok()
    }
}

/// What a record of any version has.
#[derive(Deserialize)]
struct AnyRecord {
    #[serde(rename = "kind")]
    _kind: String,
}

fn path_of(bytes: &[u8]) -> Option<String> {
    let digest = Oid::hash_object(ObjectType::Blob, bytes).ok()?.to_string();
    let (folder, name) = digest.split_at(2);
    Some(format!("{folder}/{name}.json"))
}
