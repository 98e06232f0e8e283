//! The commits of a history, in the order in which they follow one another.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository, Sort};

use super::record::RecordedCommit;
use super::{HistoryError, RunRecord, short};
use crate::units::{Timestamp, plural};

/// A commit that was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeasuredCommit {
    /// The full id.
    pub(crate) id: String,
    /// When its author wrote it; where the repository does not have it, when it was committed.
    pub(crate) date: Option<Timestamp>,
    /// The first line of its message; empty where the repository does not have it.
    pub(crate) subject: String,
    /// The name of its author; empty where the repository does not have it.
    pub(crate) author: String,
    /// Tags that name it.
    pub(crate) tags: Vec<String>,
}

/// The measured commits, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct CommitOrder {
    /// The commits.
    pub(crate) commits: Vec<MeasuredCommit>,
    /// What a reader should know of the others, as whole sentences.
    pub(crate) notes: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl CommitOrder {
    /// The measured commits that `branch` contains, each after its ancestors: whatever their dates say. Commits
    /// that a shallow clone lacks come first, by the dates that were recorded; without a repository all do.
    pub(crate) fn of(
        runs: &[&RunRecord],
        repository: Option<&Repository>,
        branch: &str,
    ) -> Result<CommitOrder, HistoryError> {
        let sides = runs
            .iter()
            .flat_map(|run| [&run.commits.base, &run.commits.head]);
        CommitOrder::of_commits(sides, repository, branch)
    }

    /// The same, of any commits.
    pub(super) fn of_commits<'a>(
        commits: impl Iterator<Item = &'a RecordedCommit>,
        repository: Option<&Repository>,
        branch: &str,
    ) -> Result<CommitOrder, HistoryError> {
        let recorded = commits.map(|commit| (&*commit.id, commit));
        let recorded: BTreeMap<&str, &RecordedCommit> = recorded.collect();
        let mut order = CommitOrder::default();
        let found = match repository {
            Some(repository) => contained(repository, branch, recorded.keys().copied())?,
            None => Vec::new(),
        };
        let known: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        let mut rest: Vec<_> = recorded
            .values()
            .filter(|c| !known.contains(&*c.id))
            .collect();
        rest.sort_by_key(|commit| commit.date);
        let is_shallow = repository.is_none_or(Repository::is_shallow);
        let is_here = |commit: &&&RecordedCommit| {
            let id = Oid::from_str(&commit.id);
            repository.is_some_and(|r| id.is_ok_and(|id| r.find_commit(id).is_ok()))
        };
        let beyond: Vec<_> = rest.iter().filter(|c| is_shallow && !is_here(c)).collect();
        let left_out = rest.len() - beyond.len();
        for commit in beyond {
            order.push(MeasuredCommit {
                id: commit.id.clone(),
                date: commit.date,
                subject: String::new(),
                author: String::new(),
                tags: Vec::new(),
            });
        }
        let tags = repository.map(tags).unwrap_or_default();
        for id in &found {
            let commit = repository.and_then(|r| described(r, id, &tags));
            order.commits.extend(commit);
            order.places.insert(id.clone(), order.commits.len() - 1);
        }
        if left_out > 0 {
            let them = if left_out == 1 { "it" } else { "them" };
            let are = plural(left_out, "measured commit is", "measured commits are");
            order.notes.push(format!(
                "{are} not in the history of `{branch}`: on another branch, or rewritten away. To see {them}, name \
                 that branch: `--branch {}`.",
                rest.last().map_or("BRANCH".to_owned(), |commit| short(&commit.id))
            ));
        }
        if repository.is_some_and(Repository::is_shallow) {
            order.notes.push(
                "This clone is shallow: commits that it lacks are in the order of their dates. \
                 `git fetch --unshallow` gets them."
                    .to_owned(),
            );
        }
        Ok(order)
    }

    fn push(&mut self, commit: MeasuredCommit) {
        self.places.insert(commit.id.clone(), self.commits.len());
        self.commits.push(commit);
    }

    /// The place of a commit.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }
}

/// Those of `wanted` that `branch` contains, the oldest first.
fn contained<'a>(
    repository: &Repository,
    branch: &str,
    wanted: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, HistoryError> {
    let mut wanted: BTreeSet<Oid> = wanted.filter_map(|id| Oid::from_str(id).ok()).collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let tip = commit_of(repository, branch)?;
    let walk = || -> Result<git2::Revwalk<'_>, git2::Error> {
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(tip)?;
        Ok(walk)
    };
    // What cannot be walked to (a shallow clone's end) is none of the branch's.
    for id in walk().map_err(no_commit(branch))?.flatten() {
        if wanted.remove(&id) {
            found.push(id.to_string());
        }
        if wanted.is_empty() {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

pub(super) fn no_commit(spec: &str) -> impl Fn(git2::Error) -> HistoryError {
    move |source| HistoryError::NoCommit {
        spec: spec.to_owned(),
        source,
    }
}

/// The commit that a revision names.
pub(crate) fn commit_of(repository: &Repository, spec: &str) -> Result<Oid, HistoryError> {
    let object = repository.revparse_single(spec).map_err(no_commit(spec))?;
    let commit = object.peel_to_commit().map_err(no_commit(spec))?;
    Ok(commit.id())
}

fn described(
    repository: &Repository,
    id: &str,
    tags: &BTreeMap<Oid, Vec<String>>,
) -> Option<MeasuredCommit> {
    let oid = Oid::from_str(id).ok()?;
    let commit = repository.find_commit(oid).ok()?;
    let subject = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default());
    Some(MeasuredCommit {
        id: id.to_owned(),
        date: Some(Timestamp::from_unix(commit.author().when().seconds())),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        subject: subject.into_owned(),
        tags: tags.get(&oid).cloned().unwrap_or_default(),
    })
}

fn tags(repository: &Repository) -> BTreeMap<Oid, Vec<String>> {
    let mut tags: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
    let references = repository.references_glob("refs/tags/*").ok();
    for reference in references.into_iter().flatten().flatten() {
        let name = String::from_utf8_lossy(reference.shorthand_bytes()).into_owned();
        if let Ok(commit) = reference.peel_to_commit() {
            tags.entry(commit.id()).or_default().push(name);
        }
    }
    tags
}
