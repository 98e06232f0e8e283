//! In which workspaces of a repository a push is checked. Git runs hooks at the top of the checkout,
//! from where a workspace in a folder below is not visible.

use std::path::{Path, PathBuf};

use git2::{Repository, Tree};

use super::HookError;
use super::base::Pair;
use crate::revision;

const MANIFEST: &str = "Cargo.toml";

/// The manifest of the workspace that `cwd` is in, relative to the top of the checkout: the nearest
/// upwards that has a `[workspace]`, else the nearest. At the top of a repository whose only
/// workspace is further below, that one.
///
/// # Errors
/// There is no repository, or it is unclear which workspace is meant.
pub(crate) fn manifest_from(cwd: &Path) -> Result<PathBuf, HookError> {
    let repository = revision::open(cwd, None)?;
    let top = repository.workdir().unwrap_or(repository.path());
    let top = fs_err::canonicalize(top)?;
    let cwd = fs_err::canonicalize(cwd)?;
    let manifests: Vec<PathBuf> = cwd
        .ancestors()
        .take_while(|folder| folder.starts_with(&top))
        .map(|folder| folder.join(MANIFEST))
        .filter(|manifest| manifest.is_file())
        .collect();
    let root = manifests.iter().find(|manifest| is_workspace(manifest));
    if let Some(manifest) = root.or(manifests.first()) {
        return Ok(manifest.strip_prefix(&top).unwrap_or(manifest).to_owned());
    }
    let mut found = outermost(&revision::in_index(&repository)?);
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    Err(HookError::NoWorkspace {
        folder: cwd,
        others: found,
    })
}

/// Whether the manifest says that it is the root of a workspace. Invalid TOML counts as no.
fn is_workspace(manifest: &Path) -> bool {
    fs_err::read_to_string(manifest)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .is_some_and(|table| table.contains_key("workspace"))
}

/// The workspaces to check for a push: those that the hook was installed for and that the pushed
/// commit has. If it has none of them, all of its own (the hook may be an old one, or one for many
/// repositories). Workspaces that the base lacks cannot be compared.
pub(super) fn to_check(
    repository: &Repository,
    pair: Pair,
    installed_for: &[PathBuf],
) -> Result<Vec<PathBuf>, git2::Error> {
    let tree = |id| repository.find_commit(id)?.tree();
    let (base, head) = (tree(pair.base)?, tree(pair.head)?);
    let has = |tree: &Tree<'_>, path: &PathBuf| tree.get_path(path).is_ok();
    let mut chosen: Vec<PathBuf> = installed_for.to_vec();
    chosen.retain(|manifest| has(&head, manifest));
    if chosen.is_empty() {
        chosen = outermost(&revision::in_tree(&head)?);
    }
    chosen.retain(|manifest| has(&base, manifest));
    Ok(chosen)
}

/// Those that lie below no other.
fn outermost(manifests: &[PathBuf]) -> Vec<PathBuf> {
    let is_below_another = |manifest: &&PathBuf| {
        let folders = manifest.ancestors().skip(2);
        folders
            .map(|folder| folder.join(MANIFEST))
            .any(|above| manifests.contains(&above))
    };
    let mut outermost: Vec<PathBuf> = manifests
        .iter()
        .filter(|manifest| !is_below_another(manifest))
        .cloned()
        .collect();
    outermost.sort();
    outermost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outermost_manifests_are_workspaces_of_their_own() {
        let paths = [
            "b/Cargo.toml",
            "a/x/Cargo.toml",
            "a/Cargo.toml",
            "b/c/d/Cargo.toml",
        ];
        let all = paths.map(PathBuf::from);
        assert_eq!(
            outermost(&all),
            ["a/Cargo.toml", "b/Cargo.toml"].map(PathBuf::from)
        );
        let with_top = [all.as_slice(), &[PathBuf::from("Cargo.toml")]].concat();
        assert_eq!(outermost(&with_top), [PathBuf::from("Cargo.toml")]);
    }
}
