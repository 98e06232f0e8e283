//! The manifests that git tracks, and where a package lies in a revision in which it has moved.

use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, Tree, TreeWalkMode, TreeWalkResult};

use super::error::git;
use super::{Checkout, RevisionError};

const MANIFEST: &str = "Cargo.toml";

/// The manifests in the index, relative to the top: a fresh checkout without a commit has no more.
///
/// # Errors
/// Where the index cannot be read.
pub(crate) fn in_index(repository: &Repository) -> Result<Vec<PathBuf>, git2::Error> {
    let index = repository.index()?;
    let paths = index.iter().filter_map(|entry| {
        let path = PathBuf::from(String::from_utf8(entry.path).ok()?);
        path.ends_with(MANIFEST).then_some(path)
    });
    Ok(paths.collect())
}

/// The manifests of a tree, relative to its top.
///
/// # Errors
/// Where an object is missing.
pub(crate) fn in_tree(tree: &Tree<'_>) -> Result<Vec<PathBuf>, git2::Error> {
    let mut manifests = Vec::new();
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if entry.kind() == Some(ObjectType::Blob) && entry.name_bytes() == MANIFEST.as_bytes() {
            manifests.push(Path::new(folder).join(MANIFEST));
        }
        TreeWalkResult::Ok
    })?;
    Ok(manifests)
}

/// The manifests that git tracks in a checkout, relative to its root.
///
/// # Errors
/// Where its repository cannot be read.
pub(crate) fn tracked_manifests(checkout: &Checkout) -> Result<Vec<PathBuf>, RevisionError> {
    let repository = super::changes::open(checkout)?;
    in_index(&repository).map_err(|error| git("read which manifests git tracks", error))
}

/// The name of the package that a manifest describes.
pub(super) fn package(manifest: &str) -> Option<String> {
    let table: toml::Table = manifest.parse().ok()?;
    Some(table.get("package")?.get("name")?.as_str()?.to_owned())
}

/// The only manifest of a tree that describes the package `name`.
pub(super) fn of_package(
    repository: &Repository,
    tree: &Tree<'_>,
    name: &str,
) -> Result<Option<PathBuf>, git2::Error> {
    let mut found = Vec::new();
    for path in in_tree(tree)? {
        let blob = tree
            .get_path(&path)?
            .to_object(repository)?
            .peel_to_blob()?;
        let text = String::from_utf8_lossy(blob.content()).into_owned();
        if package(&text).as_deref() == Some(name) {
            found.push(path);
        }
    }
    Ok(match found.len() {
        1 => found.pop(),
        _ => None,
    })
}
