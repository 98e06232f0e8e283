//! From two revisions to two checkouts.

use std::path::Path;

use git2::{ErrorCode, Oid, Repository};

use super::error::git;
use super::standalone::{self, CheckoutFailure};
use super::{Checkout, Resolved, Revision, RevisionError, Source, filters, overlay, submodules};
use crate::process;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Side};

/// Submodules in submodules: deeper nesting than this is a cycle.
const DEEPEST: usize = 16;

/// Lays both revisions out in the run's folder, as `base` and `head`: standalone repositories with
/// HEAD detached at the commit, submodules and uncommitted changes included. The base side is
/// written first, so no file of it is newer than the head side's.
///
/// # Errors
/// The disk is full, a file cannot be read, an object is missing, or the run is interrupted.
pub(crate) fn check_out(
    resolved: &Resolved,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Paired<Checkout>, RevisionError> {
    let source = super::open(&resolved.root, Some(scratch.path()))?;
    Paired::try_from_fn(|side| {
        events(Event::CheckingOut { side });
        let revision = resolved.revisions.get(side);
        let root = scratch.path().join(side.name());
        let manifest = resolved.manifests.get(side);
        let mut notes = Vec::new();
        if manifest != resolved.manifests.get(side.other()) {
            notes.push(format!("the package lies at {}", manifest.display()));
        }
        let commit = Oid::from_str(&revision.commit)
            .map_err(|source| git(format!("read the commit id {}", revision.commit), source))?;
        let layer = Layer {
            source: &source,
            commit: Some(commit),
            kind: revision.source,
            place: Path::new(""),
        };
        layer
            .lay_out(&root, 0, &mut notes)
            .map_err(|failure| named(failure, side, revision))?;
        Ok(Checkout {
            revision: revision.clone(),
            original_root: resolved.root.clone(),
            manifest_path: root.join(manifest),
            root,
            notes,
        })
    })
}

fn named(failure: CheckoutFailure, side: Side, revision: &Revision) -> RevisionError {
    match failure {
        CheckoutFailure::Io(source) => RevisionError::Io { side, source },
        CheckoutFailure::Interrupted(interrupted) => RevisionError::Interrupted(interrupted),
        CheckoutFailure::Git(source) if source.code() == ErrorCode::NotFound => {
            RevisionError::MissingObjects {
                short_id: revision.short_id.clone(),
                source,
            }
        }
        CheckoutFailure::Git(source) => git(
            format!("lay out {side} ({}, {})", revision.label, revision.short_id),
            source,
        ),
    }
}

/// One repository to lay out: the user's, or one within it.
struct Layer<'r> {
    source: &'r Repository,
    /// `None` if it has no commits yet, so that only its files count.
    commit: Option<Oid>,
    kind: Source,
    /// Where it lies within the outermost one, for notes.
    place: &'r Path,
}

impl Layer<'_> {
    fn lay_out(
        &self,
        root: &Path,
        depth: usize,
        notes: &mut Vec<String>,
    ) -> Result<(), CheckoutFailure> {
        process::check()?;
        if depth > DEEPEST {
            notes.push(format!("{} is nested too deeply", self.place.display()));
            return Ok(());
        }
        let checkout = standalone::create(self.source, root)?;
        if let Some(commit) = self.commit {
            standalone::populate(&checkout, commit)?;
        }
        let mut nested = Vec::new();
        if self.kind == Source::WorkingTree {
            let extras = overlay::apply(self.source, root)?;
            nested = extras.nested;
            notes.extend(extras.caches.iter().map(|cache| {
                format!(
                    "the untracked cache folder {} is not copied",
                    self.place.join(cache).display()
                )
            }));
        }
        for (filter, example, count) in filters::materialise(self.source, &checkout, self.kind)? {
            notes.push(format!(
                "laid out as git stores them: {} of the filter `{filter}`, such as {}",
                crate::units::plural(count, "file", "files"),
                self.place.join(example).display()
            ));
        }
        if let Some(commit) = self.commit {
            for submodule in submodules::recorded(&checkout, commit)? {
                self.lay_out_submodule(&submodule, root, depth, notes)?;
            }
        }
        for path in nested {
            if let Some(repository) = submodules::in_place(self.source, &path) {
                let inner = Layer {
                    source: &repository,
                    commit: head_of(&repository),
                    kind: self.kind,
                    place: &self.place.join(&path),
                };
                inner.lay_out(&overlay::make_way(root, &path)?, depth + 1, notes)?;
            }
        }
        Ok(())
    }

    fn lay_out_submodule(
        &self,
        submodule: &submodules::Submodule,
        root: &Path,
        depth: usize,
        notes: &mut Vec<String>,
    ) -> Result<(), CheckoutFailure> {
        let place = self.place.join(&submodule.path);
        let (repository, commit) = match self.kind {
            Source::Commit => (
                submodules::find(self.source, root, &submodule.path),
                Some(submodule.commit),
            ),
            Source::WorkingTree => {
                let repository = submodules::in_place(self.source, &submodule.path);
                let commit = repository.as_ref().and_then(head_of);
                (repository, commit)
            }
        };
        let Some(repository) = repository else {
            notes.push(format!(
                "the submodule {} is left empty: it is not initialised (git submodule update --init)",
                place.display()
            ));
            return Ok(());
        };
        if let Some(commit) = commit
            && repository.find_commit(commit).is_err()
        {
            notes.push(format!(
                "the submodule {} is left empty: its commit {commit} is not here \
                 (git submodule update --init)",
                place.display()
            ));
            return Ok(());
        }
        let inner = Layer {
            source: &repository,
            commit,
            kind: self.kind,
            place: &place,
        };
        inner.lay_out(&overlay::make_way(root, &submodule.path)?, depth + 1, notes)
    }
}

fn head_of(repository: &Repository) -> Option<Oid> {
    Some(repository.head().ok()?.peel_to_commit().ok()?.id())
}
