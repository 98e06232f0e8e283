//! The `git` program, for what our library cannot read.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;

/// The `git` program, run in one of the user's folders.
pub(super) struct Git {
    folder: PathBuf,
}

impl Git {
    pub(super) fn in_folder(folder: &Path) -> Git {
        Git {
            folder: folder.to_owned(),
        }
    }

    /// Whether there is such a program.
    pub(super) fn is_installed(&self) -> bool {
        self.command(&["--version"])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// What it prints.
    ///
    /// # Errors
    /// It fails; the error has its message.
    pub(super) fn read(&self, words: &[&str]) -> io::Result<Vec<u8>> {
        let output = self.command(words).output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let words = words.join(" ");
        Err(io::Error::other(format!("git {words}: {}", said.trim())))
    }

    /// It only reads: no lock of the index, no fetching of missing objects, and no program that the
    /// repository's configuration names.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = process::command("git");
        command
            .args(["-c", "core.fsmonitor=false", "--no-pager"])
            .args(words)
            .current_dir(&self.folder)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }
}
