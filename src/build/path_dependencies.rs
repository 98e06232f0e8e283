//! Dependencies by a path that leads out of the repository.
//!
//! Cargo only says that it cannot read a manifest, at a path where the user never had one. So when
//! it fails, perfcheck searches the checkout's manifests for a path that the message names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;
use toml::{Table, Value};

use crate::revision::Checkout;
use crate::units::normal;

use super::error::BuildError;

/// `error`; or, if a path out of the repository caused it, an error that says so.
pub(super) fn explain(error: BuildError, checkout: &Checkout) -> BuildError {
    let BuildError::ToolFailed { at, message, .. } = &error else {
        return error;
    };
    let found = manifests(&checkout.root)
        .iter()
        .find_map(|manifest| lost_path(manifest, &checkout.root, message));
    match found {
        Some(Lost {
            package,
            dependency,
            path,
        }) => BuildError::PathOutside {
            at: at.clone(),
            package,
            dependency,
            path: normal(&checkout.original_root.join(path)),
        },
        None => error,
    }
}

struct Lost {
    package: String,
    dependency: String,
    /// Relative to the repository's root.
    path: PathBuf,
}

/// The first path in a manifest that leads out of `root` to a folder that `message` names.
fn lost_path(manifest: &Path, root: &Path, message: &str) -> Option<Lost> {
    let table = fs::read_to_string(manifest).ok()?.parse::<Table>().ok()?;
    let folder = manifest.parent()?;
    let package = table.get("package").and_then(|package| package.get("name"));
    let package = package.and_then(Value::as_str).unwrap_or("the workspace");
    let mut paths = Vec::new();
    collect(&table, &mut paths);
    paths.into_iter().find_map(|(dependency, path)| {
        let place = normal(&folder.join(path));
        let named = message.contains(&*place.join("Cargo.toml").to_string_lossy());
        (named && !place.starts_with(root)).then(|| Lost {
            package: package.to_owned(),
            dependency: dependency.to_owned(),
            path: folder.strip_prefix(root).unwrap_or(folder).join(path),
        })
    })
}

/// Every `name = { path = "…" }` in a manifest, in whichever table: dependencies of all kinds and
/// platforms, the workspace's, patches.
fn collect<'a>(table: &'a Table, paths: &mut Vec<(&'a str, &'a str)>) {
    for (name, value) in table {
        let Value::Table(inner) = value else { continue };
        match inner.get("path") {
            Some(Value::String(path)) => paths.push((name, path)),
            _ => collect(inner, paths),
        }
    }
}

fn manifests(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && entry.file_name() != OsStr::new(".git") {
                open.push(entry.path());
            } else if entry.file_name() == OsStr::new("Cargo.toml") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
