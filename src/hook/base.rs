//! Which commit a push is to be compared with.

use git2::{Oid, Repository};

use super::Push;

/// The two commits to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) base: Oid,
    pub(super) head: Oid,
}

/// What to compare for a push, or `None` where there is nothing to compare: a deletion, a tag,
/// commits that the remote already has, the first branch of an empty remote.
///
/// # Errors
/// The repository cannot be read.
pub(super) fn pair(
    repository: &Repository,
    remote: &str,
    push: &Push,
) -> Result<Option<Pair>, git2::Error> {
    let Some(head) = push.commit_of_branch() else {
        return Ok(None);
    };
    let head = repository.find_object(Oid::from_str(head)?, None)?;
    let Ok(head) = head.peel_to_commit().map(|commit| commit.id()) else {
        return Ok(None);
    };
    let known = match &push.remote {
        // After a forced push the remote's commit is not an ancestor, but it is still what the remote has.
        Some(id) => Oid::from_str(id)
            .ok()
            .filter(|id| repository.find_commit(*id).is_ok()),
        None => None,
    };
    let base = match known {
        Some(base) => Some(base),
        // A new branch, or one whose commit was never fetched.
        None => merge_base_with_default(repository, remote, head, push.branch())?,
    };
    Ok(base
        .filter(|base| *base != head)
        .map(|base| Pair { base, head }))
}

/// Where `head` left the default branch, preferably the remote's.
fn merge_base_with_default(
    repository: &Repository,
    remote: &str,
    head: Oid,
    pushed: &str,
) -> Result<Option<Oid>, git2::Error> {
    let configured = repository
        .config()?
        .snapshot()?
        .get_string("init.defaultBranch")
        .unwrap_or_default();
    let names = ["main", "master", configured.as_str()];
    let remote_ones = std::iter::once(format!("refs/remotes/{remote}/HEAD")).chain(
        names
            .iter()
            .map(|name| format!("refs/remotes/{remote}/{name}")),
    );
    // The branch itself does not show what the remote has.
    let local_ones = names
        .iter()
        .filter(|name| **name != pushed)
        .map(|name| format!("refs/heads/{name}"));
    for name in remote_ones.chain(local_ones) {
        let Ok(reference) = repository.find_reference(&name) else {
            continue;
        };
        let tip = reference.peel_to_commit()?.id();
        match repository.merge_base(tip, head) {
            Ok(base) => return Ok(Some(base)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
