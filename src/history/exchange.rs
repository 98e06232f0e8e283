//! Sharing a history: `git` pushes and fetches, since it has the user's credentials.

use std::path::Path;
use std::process::Stdio;

use git2::{ErrorCode, Oid};

use super::reference::ReferenceStore;
use super::{HistoryError, REFERENCE};
use crate::process;

/// How often a push is tried again when somebody else was faster.
const ATTEMPTS: usize = 10;

/// Where what a remote has is put, so that it is there before it is united: a reference of this process alone.
fn fetched() -> String {
    format!("refs/perfcheck/fetched-{}", std::process::id())
}

/// What came of talking to a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemoteHistory {
    /// It had a history, which is part of ours now.
    United,
    /// It had none, or showed none.
    Absent,
}

/// The `git` program on one repository.
struct GitProgram<'a> {
    folder: &'a Path,
    remote: &'a str,
}

/// What the program said.
struct GitAnswer {
    out: String,
    said: String,
    succeeded: bool,
}

impl GitProgram<'_> {
    fn run(&self, words: &[&str]) -> Result<GitAnswer, HistoryError> {
        let mut command = process::command("git");
        command
            .args(words)
            .current_dir(self.folder)
            .stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|source| HistoryError::NoGit { source })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Ok(GitAnswer {
            out: text(&output.stdout),
            said: text(&output.stderr),
            succeeded: output.status.success(),
        })
    }

    fn must(&self, words: &[&str]) -> Result<String, HistoryError> {
        let answer = self.run(words)?;
        match answer.succeeded {
            true => Ok(answer.out),
            false => Err(HistoryError::Git {
                command: format!("git {}", words.join(" ")),
                said: answer.said,
            }),
        }
    }

    /// Where the remote's history is, if it shows one.
    fn tip(&self) -> Result<Option<String>, HistoryError> {
        let listed = self.must(&["ls-remote", "--", self.remote, REFERENCE])?;
        // It lists every reference that ends so.
        let mut references = listed.lines().filter_map(|line| line.split_once('\t'));
        let ours = references.find(|(_, name)| *name == REFERENCE);
        Ok(ours.map(|(id, _)| id.to_owned()))
    }
}

impl ReferenceStore {
    fn git<'a>(&'a self, remote: &'a str) -> GitProgram<'a> {
        let repository = self.repository();
        GitProgram {
            folder: repository.workdir().unwrap_or(repository.path()),
            remote,
        }
    }

    /// Unites what `remote` has with what is here.
    pub(crate) fn fetch(&self, remote: &str) -> Result<RemoteHistory, HistoryError> {
        let git = self.git(remote);
        match git.tip()? {
            Some(_) => self.fetch_and_unite(&git).map(|()| RemoteHistory::United),
            None => Ok(RemoteHistory::Absent),
        }
    }

    fn fetch_and_unite(&self, git: &GitProgram<'_>) -> Result<(), HistoryError> {
        let fetched = fetched();
        let united = self.fetch_to(&fetched, git).and_then(|id| self.unite(id));
        let deleted = match self.repository().find_reference(&fetched) {
            Ok(mut reference) => reference.delete(),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        let action = "write";
        united.and(deleted.map_err(|source| HistoryError::Reference { action, source }))
    }

    /// Nothing else of the repository changes, whatever its configuration wants of a fetch.
    fn fetch_to(&self, reference: &str, git: &GitProgram<'_>) -> Result<Oid, HistoryError> {
        let refspec = format!("+{REFERENCE}:{reference}");
        git.must(&[
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--refmap=",
            "--",
            git.remote,
            &refspec,
        ])?;
        let action = "read";
        let fetched = self.repository().refname_to_id(reference);
        fetched.map_err(|source| HistoryError::Reference { action, source })
    }

    /// Gives `remote` what is here, united with what it has. Where somebody else pushes at the same time, that is
    /// united, too, and the push tried again.
    ///
    /// The user's pre-push hook is not run: no branch is pushed.
    pub(crate) fn push(&self, remote: &str) -> Result<(), HistoryError> {
        let git = self.git(remote);
        let refspec = format!("{REFERENCE}:{REFERENCE}");
        for _ in 0..ATTEMPTS {
            let before = git.tip()?;
            if before.is_some() {
                self.fetch_and_unite(&git)?;
            }
            let answer = git.run(&[
                "push",
                "--quiet",
                "--no-verify",
                "--no-recurse-submodules",
                "--",
                remote,
                &refspec,
            ])?;
            if answer.succeeded {
                return Ok(());
            }
            // If somebody else has pushed meanwhile, try again on top of that. Otherwise the remote refuses.
            if git.tip()? == before {
                return Err(HistoryError::Refused {
                    remote: remote.to_owned(),
                    said: answer.said,
                });
            }
        }
        Err(HistoryError::Contended { attempts: ATTEMPTS })
    }

    /// Where the reference is.
    pub(crate) fn is_empty(&self) -> bool {
        let tip: Result<Oid, _> = self.repository().refname_to_id(REFERENCE);
        tip.is_err()
    }
}
