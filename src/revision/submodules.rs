//! Where the repository of a submodule is.

use std::path::{Path, PathBuf};

use git2::{
    Config, ObjectType, Oid, Repository, RepositoryOpenFlags, TreeWalkMode, TreeWalkResult,
};

/// A submodule as a commit records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submodule {
    /// Where it lies, relative to the root.
    pub(super) path: PathBuf,
    /// Its commit.
    pub(super) commit: Oid,
}

/// The submodules of a commit: its gitlinks, wherever `.gitmodules` says they are. The paths come
/// from the tree itself, so their parents are real folders, never links that lead elsewhere.
pub(super) fn recorded(
    repository: &Repository,
    commit: Oid,
) -> Result<Vec<Submodule>, git2::Error> {
    let tree = repository.find_commit(commit)?.tree()?;
    let mut submodules = Vec::new();
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if entry.kind() == Some(ObjectType::Commit)
            && let Ok(name) = entry.name()
        {
            submodules.push(Submodule {
                path: Path::new(folder).join(name),
                commit: entry.id(),
            });
        }
        TreeWalkResult::Ok
    })?;
    Ok(submodules)
}

/// The repository of the submodule at `path`, as the user has it: in `modules` of the linked
/// worktree or of the repository, or in place. `root` is a checkout of the commit that records it.
pub(super) fn find(source: &Repository, root: &Path, path: &Path) -> Option<Repository> {
    let name = name_of(root, path).unwrap_or_else(|| path.to_owned());
    let in_modules = [source.path(), source.commondir()]
        .into_iter()
        .map(|git_dir| git_dir.join("modules").join(&name));
    let in_place = source.workdir().map(|workdir| workdir.join(path));
    in_modules.chain(in_place).find_map(|place| {
        let no_ceiling: [&Path; 0] = [];
        Repository::open_ext(place, RepositoryOpenFlags::NO_SEARCH, no_ceiling).ok()
    })
}

/// The submodule in the user's checkout, if it is there.
pub(super) fn in_place(source: &Repository, path: &Path) -> Option<Repository> {
    let no_ceiling: [&Path; 0] = [];
    let place = source.workdir()?.join(path);
    Repository::open_ext(place, RepositoryOpenFlags::NO_SEARCH, no_ceiling).ok()
}

/// The name that `.gitmodules` gives to a path: it stays when the submodule moves.
fn name_of(root: &Path, path: &Path) -> Option<PathBuf> {
    let file = root.join(".gitmodules");
    // A link could lead out of the tree.
    if !fs_err::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let config = Config::open(&file).ok()?;
    let mut entries = config.entries(Some("submodule\\..*\\.path")).ok()?;
    while let Some(Ok(entry)) = entries.next() {
        if entry.value().ok().map(Path::new) == Some(path) {
            let name = entry.name().ok()?;
            let name = name.strip_prefix("submodule.")?.strip_suffix(".path")?;
            let name = Path::new(name);
            let stays_inside = name
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            return stays_inside.then(|| name.to_owned());
        }
    }
    None
}
