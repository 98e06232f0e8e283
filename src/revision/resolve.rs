//! From a range to two revisions.

use std::path::{Path, PathBuf};

use git2::{Commit, ErrorCode, ObjectType, StatusOptions};

use super::error::git;
use super::{
    Readable, Resolved, Revision, RevisionError, Source, ancestry, manifests, open, overlay,
    suggest,
};
use crate::plan::RangeSpec;
use crate::units::{Paired, Side};

/// The label of the files as they lie in the user's checkout.
const WORKING_TREE: &str = "working tree";

/// Finds the two revisions that `range` means in the repository that holds `manifest_path`.
/// Nothing is written, and `GIT_DIR` and its kin, as hooks set them, are not looked at.
///
/// # Errors
/// No (usable) repository, an unknown or ambiguous name, no merge base, twice the same revision, or
/// a revision without the manifest; see [`RevisionError`].
pub(crate) fn resolve(manifest_path: &Path, range: &RangeSpec) -> Result<Resolved, RevisionError> {
    let place = RepositoryPlace::find(manifest_path)?;
    let revisions = place.revisions(range)?;
    place.refuse_same(&revisions)?;
    place.resolved(revisions)
}

/// Like [`resolve`], for a revision that is to be compared with itself.
///
/// # Errors
/// As [`resolve`], except that the revisions may be the same.
pub(crate) fn resolve_with_itself(
    manifest_path: &Path,
    spec: &str,
) -> Result<Resolved, RevisionError> {
    let place = RepositoryPlace::find(manifest_path)?;
    let commit = place.commit(spec)?;
    let revision = revision(spec, &commit, Source::Commit);
    place.resolved(Paired::new(revision.clone(), revision))
}

/// The manifest and its repository.
struct RepositoryPlace {
    repository: Readable,
    root: PathBuf,
    manifest: PathBuf,
}

impl RepositoryPlace {
    fn find(manifest_path: &Path) -> Result<RepositoryPlace, RevisionError> {
        let folder = manifest_path.parent().unwrap_or(Path::new("."));
        let folder = if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        };
        let missing = || RevisionError::NotARepository {
            folder: folder.to_owned(),
        };
        let folder = fs_err::canonicalize(folder).map_err(|_| missing())?;
        let repository = open(&folder, None)?;
        let root = repository.workdir().ok_or_else(|| RevisionError::Bare {
            git_dir: repository.path().to_owned(),
        })?;
        let root = fs_err::canonicalize(root).map_err(|_| missing())?;
        let manifest = folder
            .strip_prefix(&root)
            .map_err(|_| missing())?
            .join(manifest_path.file_name().unwrap_or("Cargo.toml".as_ref()));
        Ok(RepositoryPlace {
            repository,
            root,
            manifest,
        })
    }

    fn revisions(&self, range: &RangeSpec) -> Result<Paired<Revision>, RevisionError> {
        let head_commit = || self.commit("HEAD");
        Ok(match range {
            RangeSpec::Between { base, head } => {
                let (base, head) = (self.named(base)?, self.named(head)?);
                Paired::new(base, head)
            }
            RangeSpec::SinceMergeBase { base, head } => {
                let (left, right) = (self.commit(base)?, self.commit(head)?);
                let id =
                    ancestry::merge_base(&self.repository, (base, left.id()), (head, right.id()))?;
                let fork = self.commit(&id.to_string())?;
                let label = format!("merge base of {base} and {head}");
                Paired::new(
                    revision(&label, &fork, Source::Commit),
                    revision(head, &right, Source::Commit),
                )
            }
            RangeSpec::ToWorkingTree { base } => Paired::new(
                self.named(base)?,
                revision(WORKING_TREE, &head_commit()?, Source::WorkingTree),
            ),
            RangeSpec::Default => {
                let head = head_commit()?;
                let (branch, fork) = ancestry::fork_point(&self.repository, &head)?;
                let label = format!("merge base of {branch} and HEAD");
                Paired::new(
                    revision(&label, &fork, Source::Commit),
                    revision(WORKING_TREE, &head, Source::WorkingTree),
                )
            }
        })
    }

    fn named(&self, spec: &str) -> Result<Revision, RevisionError> {
        Ok(revision(spec, &self.commit(spec)?, Source::Commit))
    }

    fn commit(&self, spec: &str) -> Result<Commit<'_>, RevisionError> {
        let object = self
            .repository
            .revparse_single(spec)
            .map_err(|error| self.not_found(spec, error))?;
        object
            .peel_to_commit()
            .map_err(|_| RevisionError::NotACommit {
                spec: spec.to_owned(),
                kind: match object.kind() {
                    Some(ObjectType::Tree) => "folder",
                    Some(ObjectType::Tag) => "tag of something else",
                    _ => "file",
                }
                .to_owned(),
            })
    }

    fn not_found(&self, spec: &str, error: git2::Error) -> RevisionError {
        let head = self.repository.head();
        let unborn = head.is_err_and(|error| error.code() == ErrorCode::UnbornBranch);
        let spec = spec.to_owned();
        match error.code() {
            ErrorCode::NotFound | ErrorCode::UnbornBranch if unborn => RevisionError::Unborn {
                root: self.root.clone(),
            },
            ErrorCode::Ambiguous => RevisionError::Ambiguous {
                candidates: suggest::commits_that_begin_with(&self.repository, &spec),
                spec,
            },
            ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::UnbornBranch => {
                let near = suggest::near_names(&self.repository, &spec);
                // The name exists, but its target does not exist in this clone: the full history may have it.
                let stem = spec.split(['~', '^', '@']).next().unwrap_or(&spec);
                let known = stem != spec && self.repository.revparse_single(stem).is_ok();
                if self.repository.is_shallow() && (known || near.is_empty()) {
                    let fetch = suggest::fetch_for(&self.repository, &spec);
                    RevisionError::BeyondShallow { spec, fetch }
                } else {
                    RevisionError::Unknown { spec, near }
                }
            }
            _ => git(format!("read the revision `{spec}`"), error),
        }
    }

    fn refuse_same(&self, revisions: &Paired<Revision>) -> Result<(), RevisionError> {
        let (base, head) = (&revisions.base, &revisions.head);
        if base.commit != head.commit {
            return Ok(());
        }
        match head.source {
            Source::Commit => Err(RevisionError::Same {
                base: base.label.clone(),
                head: head.label.clone(),
                short_id: head.short_id.clone(),
            }),
            Source::WorkingTree if self.is_clean()? => Err(RevisionError::Unchanged {
                base: base.label.clone(),
                short_id: base.short_id.clone(),
            }),
            Source::WorkingTree => Ok(()),
        }
    }

    fn is_clean(&self) -> Result<bool, RevisionError> {
        let mut options = StatusOptions::new();
        // Without `update_index`: the user's index is not ours to refresh.
        options.include_untracked(true).update_index(false);
        let statuses = self.repository.statuses(Some(&mut options));
        let statuses = statuses
            .map_err(|source| git(format!("read the state of {}", self.root.display()), source))?;
        let outside = overlay::not_checked_out(&self.repository)
            .map_err(|source| git(format!("read the index of {}", self.root.display()), source))?;
        let is_change = |entry: git2::StatusEntry<'_>| {
            entry.status() != git2::Status::WT_DELETED || !outside.contains(entry.path_bytes())
        };
        Ok(!statuses.iter().any(is_change))
    }

    fn resolved(&self, revisions: Paired<Revision>) -> Result<Resolved, RevisionError> {
        let manifests = Paired::try_from_fn(|side| self.manifest_of(side, &revisions))?;
        Ok(Resolved {
            root: self.root.clone(),
            manifests,
            revisions,
        })
    }

    /// Where a side has the manifest: at the same path, or else where it has a package of that name.
    fn manifest_of(
        &self,
        side: Side,
        revisions: &Paired<Revision>,
    ) -> Result<PathBuf, RevisionError> {
        let revision = revisions.get(side);
        let here = fs_err::read_to_string(self.root.join(&self.manifest));
        let found = match revision.source {
            Source::WorkingTree => here.is_ok().then(|| self.manifest.clone()),
            Source::Commit => match self.commit(&revision.commit)?.tree() {
                Ok(tree) if tree.get_path(&self.manifest).is_ok() => Some(self.manifest.clone()),
                Ok(tree) => {
                    let name = here.ok().and_then(|text| manifests::package(&text));
                    let moved =
                        name.map(|name| manifests::of_package(&self.repository, &tree, &name));
                    let moved = moved.transpose().map_err(|source| {
                        git(
                            format!("read the manifests of {}", revision.short_id),
                            source,
                        )
                    })?;
                    moved.flatten()
                }
                Err(_) => None,
            },
        };
        found.ok_or_else(|| RevisionError::NoManifest {
            side,
            label: revision.label.clone(),
            short_id: revision.short_id.clone(),
            around: self.around(revisions),
            manifest: self.manifest.clone(),
        })
    }

    /// The nearest manifest in the folders above that both sides have.
    fn around(&self, revisions: &Paired<Revision>) -> Option<PathBuf> {
        let there = |side: Side, path: &Path| {
            let revision = revisions.get(side);
            match revision.source {
                Source::WorkingTree => self.root.join(path).is_file(),
                Source::Commit => {
                    let commit = self.commit(&revision.commit).ok();
                    let tree = commit.and_then(|commit| commit.tree().ok());
                    tree.is_some_and(|tree| tree.get_path(path).is_ok())
                }
            }
        };
        let above = self.manifest.ancestors().skip(2);
        let mut above = above.map(|folder| folder.join("Cargo.toml"));
        above.find(|path| Side::BOTH.into_iter().all(|side| there(side, path)))
    }
}

fn revision(label: &str, commit: &Commit<'_>, source: Source) -> Revision {
    let id = commit.id().to_string();
    let short = commit.as_object().short_id();
    let short_id = short
        .ok()
        .and_then(|short| short.as_str().ok().map(str::to_owned));
    Revision {
        label: label.to_owned(),
        short_id: short_id.unwrap_or_else(|| id.chars().take(7).collect()),
        commit: id,
        subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned(),
        committed_at: commit.time().seconds(),
        source,
    }
}
