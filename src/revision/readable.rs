//! Opening the user's repository, even if only the `git` program can read it and our library cannot.
//!
//! A split or sparse index, reftables and partial clones are unknown to libgit2. Where `git` is installed,
//! perfcheck asks it for the contents of such a repository, and makes a stand-in from the answer in a temporary
//! folder: a repository with the same references, the same index and working tree, and links to the same objects.
//! Nothing is written into the user's repository.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use git2::{Config, ErrorCode, Repository};

use super::error::git;
use super::program::Git;
use super::{Feature, RevisionError, stand_in};

/// A repository that can be read.
pub(crate) struct Readable {
    repository: Repository,
    common_dir: PathBuf,
    /// Where the stand-in lies, if it is one.
    _folder: Option<tempfile::TempDir>,
}

impl Readable {
    /// The folder that all worktrees of the user's repository share.
    pub(crate) fn common_dir(&self) -> &Path {
        &self.common_dir
    }
}

impl Deref for Readable {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.repository
    }
}

impl Feature {
    /// What the repository in `git_dir` uses, as its own files say.
    fn of(git_dir: &Path, common_dir: &Path) -> Feature {
        let config = Config::open(&common_dir.join("config")).ok();
        let value = |name: &str| {
            config
                .as_ref()
                .and_then(|config| config.get_string(name).ok())
        };
        let has_shared_index = fs_err::read_dir(git_dir).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                entry
                    .file_name()
                    .as_encoded_bytes()
                    .starts_with(b"sharedindex.")
            })
        });
        if value("extensions.objectformat").is_some_and(|format| format != "sha1") {
            Feature::Sha256
        } else if value("extensions.refstorage").is_some_and(|format| format != "files") {
            Feature::Reftable
        } else if value("extensions.partialclone").is_some() {
            Feature::PartialClone
        } else if has_shared_index {
            Feature::SplitIndex
        } else if git_dir.join("info/sparse-checkout").exists() {
            Feature::SparseIndex
        } else {
            Feature::Other
        }
    }
}

/// Opens the repository that holds `folder`. A stand-in is made in `place`, else in the folder for
/// temporary files.
///
/// # Errors
/// There is none, it belongs to another user, or neither the library nor `git` can read it.
pub(crate) fn open(folder: &Path, place: Option<&Path>) -> Result<Readable, RevisionError> {
    let failed = match Repository::discover(folder) {
        Ok(repository) => match repository.index() {
            Ok(_) => {
                return Ok(Readable {
                    common_dir: repository.commondir().to_owned(),
                    repository,
                    _folder: None,
                });
            }
            // A bare repository has none.
            Err(_) if repository.is_bare() => {
                return Ok(Readable {
                    common_dir: repository.commondir().to_owned(),
                    repository,
                    _folder: None,
                });
            }
            Err(error) => error,
        },
        Err(error) => error,
    };
    match failed.code() {
        ErrorCode::NotFound => Err(RevisionError::NotARepository {
            folder: folder.to_owned(),
        }),
        ErrorCode::Owner => Err(RevisionError::Ownership {
            folder: folder.to_owned(),
        }),
        _ => by_program(folder, place, failed),
    }
}

fn by_program(
    folder: &Path,
    place: Option<&Path>,
    failed: git2::Error,
) -> Result<Readable, RevisionError> {
    let no_ceiling: [&Path; 0] = [];
    let action = format!("open the repository of {}", folder.display());
    let git_dir = match Repository::discover_path(folder, no_ceiling) {
        Ok(git_dir) => git_dir,
        Err(_) => return Err(git(action, failed)),
    };
    let common_dir = match fs_err::read_to_string(git_dir.join("commondir")) {
        Ok(path) => git_dir.join(path.trim_end()),
        Err(_) => git_dir.clone(),
    };
    let feature = Feature::of(&git_dir, &common_dir);
    let unreadable = |source: Option<git2::Error>| RevisionError::Unreadable {
        folder: folder.to_owned(),
        feature,
        source,
    };
    let program = Git::in_folder(folder);
    if feature == Feature::Sha256 || !program.is_installed() {
        return Err(unreadable(Some(failed)));
    }
    let made = match place {
        Some(place) => tempfile::Builder::new()
            .prefix("repository-")
            .tempdir_in(place),
        None => tempfile::Builder::new()
            .prefix("perfcheck-repository-")
            .tempdir(),
    };
    let made = made.map_err(|source| RevisionError::StandIn {
        folder: folder.to_owned(),
        source,
    })?;
    let repository =
        stand_in::make(&program, &git_dir, &common_dir, made.path()).map_err(|source| {
            RevisionError::StandIn {
                folder: folder.to_owned(),
                source,
            }
        })?;
    Ok(Readable {
        repository,
        common_dir,
        _folder: Some(made),
    })
}
