//! What git tells a pre-push hook on stdin (githooks(5)): one line per ref, `<local ref> <local id>
//! <remote ref> <remote id>`; an id of zeros is "none".

use super::HookError;

/// One ref that is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    /// Its name on the remote.
    pub(super) remote_ref: String,
    /// The commit that is pushed; `None` deletes the ref.
    pub(super) local: Option<String>,
    /// The commit that the remote has; `None` is a new ref.
    pub(super) remote: Option<String>,
}

impl Push {
    /// Reads everything that git says.
    ///
    /// # Errors
    /// A line that has another shape.
    pub(crate) fn parse(text: &str) -> Result<Vec<Push>, HookError> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(Push::parse_line).collect()
    }

    fn parse_line(line: &str) -> Result<Push, HookError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote_ref, remote] = words[..] else {
            return Err(HookError::BadLine {
                line: line.to_owned(),
            });
        };
        let none_if_zeros =
            |id: &str| (!id.bytes().all(|digit| digit == b'0')).then(|| id.to_owned());
        Ok(Push {
            remote_ref: remote_ref.to_owned(),
            local: none_if_zeros(local),
            remote: none_if_zeros(remote),
        })
    }

    /// The commit to check. Deletions have none; tags and notes change no branch's performance.
    pub(super) fn commit_of_branch(&self) -> Option<&str> {
        let local = self.local.as_deref()?;
        self.remote_ref.starts_with("refs/heads/").then_some(local)
    }

    /// The branch's name without `refs/heads/`.
    pub(super) fn branch(&self) -> &str {
        let name = self.remote_ref.strip_prefix("refs/heads/");
        name.unwrap_or(&self.remote_ref)
    }
}
