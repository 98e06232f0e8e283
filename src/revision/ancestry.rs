//! Merge bases, and the branch that changes are merged into.

use git2::{BranchType, Commit, ErrorCode, Oid, Repository};

use super::RevisionError;
use super::error::git;
use super::suggest::unshallow;

/// Where two histories part.
pub(super) fn merge_base(
    repository: &Repository,
    base: (&str, Oid),
    head: (&str, Oid),
) -> Result<Oid, RevisionError> {
    match repository.merge_base(base.1, head.1) {
        Ok(id) => Ok(id),
        Err(error) if error.code() == ErrorCode::NotFound => {
            let (base, head) = (base.0.to_owned(), head.0.to_owned());
            Err(if repository.is_shallow() {
                RevisionError::MergeBaseBeyondShallow {
                    base,
                    head,
                    fetch: unshallow(repository),
                }
            } else {
                RevisionError::NoMergeBase { base, head }
            })
        }
        Err(source) => Err(git(
            format!("find where {} left {}", head.0, base.0),
            source,
        )),
    }
}

/// The fork point of HEAD. The default branch may differ here and on the remote: the one that HEAD
/// left later counts. Returns the branch's name and the commit.
pub(super) fn fork_point<'r>(
    repository: &'r Repository,
    head: &Commit<'r>,
) -> Result<(String, Commit<'r>), RevisionError> {
    let mut nearest: Option<(String, Oid)> = None;
    let mut failure = RevisionError::NoDefaultBranch;
    for (name, tip) in default_branches(repository) {
        match merge_base(repository, (&name, tip), ("HEAD", head.id())) {
            Ok(id) => {
                let later = nearest.as_ref().is_none_or(|(_, known)| {
                    repository.graph_descendant_of(id, *known).unwrap_or(false)
                });
                if later {
                    nearest = Some((name, id));
                }
            }
            Err(error) => failure = error,
        }
    }
    let Some((name, id)) = nearest else {
        return Err(failure);
    };
    let commit = repository
        .find_commit(id)
        .map_err(|source| git(format!("read the commit {id}"), source))?;
    Ok((name, commit))
}

/// The default branch, here and on the remote, where they exist. The checked-out branch itself is
/// the last resort: its fork point with HEAD is HEAD.
fn default_branches(repository: &Repository) -> Vec<(String, Oid)> {
    let mut names: Vec<String> = Vec::new();
    if let Ok(reference) = repository.find_reference("refs/remotes/origin/HEAD")
        && let Ok(Some(target)) = reference.symbolic_target()
        && let Some(name) = target.strip_prefix("refs/remotes/origin/")
    {
        names.push(name.to_owned());
    }
    let configured = repository
        .config()
        .and_then(|config| config.get_string("init.defaultBranch"));
    names.extend(configured);
    names.extend(["main".to_owned(), "master".to_owned()]);
    for name in names {
        let remote = format!("origin/{name}");
        let remote = tip(repository, &remote, BranchType::Remote).map(|id| (remote, id));
        let local = tip(repository, &name, BranchType::Local).map(|id| (name.clone(), id));
        let checked_out = repository
            .head()
            .is_ok_and(|head| head.is_branch() && head.shorthand().ok() == Some(name.as_str()));
        let found: Vec<_> = match (remote, local) {
            (Some(remote), Some(_)) if checked_out => vec![remote],
            (remote, local) => remote.into_iter().chain(local).collect(),
        };
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn tip(repository: &Repository, name: &str, kind: BranchType) -> Option<Oid> {
    let branch = repository.find_branch(name, kind).ok()?;
    Some(branch.get().peel_to_commit().ok()?.id())
}
