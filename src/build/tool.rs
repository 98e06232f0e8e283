//! Running cargo and rustc for one side.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::process;
use crate::revision::Checkout;
use crate::scratch::Scratch;
use crate::units::Side;

use super::error::{BuildError, Where};
use super::rustup::{Chooser, ChosenToolchain};

/// How many of the last lines of a tool's stderr are kept for messages.
const TAIL_LINES: usize = 60;

/// Runs tools in one side's checkout.
#[derive(Debug, Clone)]
pub(super) struct Tools<'a> {
    scratch: &'a Scratch,
    /// Which side, for messages.
    pub(super) at: Where,
    /// Where tools are run: the manifest's folder, so that its toolchain file and cargo's
    /// configuration files apply.
    pub(super) dir: PathBuf,
    place: PathBuf,
    /// The toolchain, where that is not left to the revision.
    choice: Option<ChosenToolchain>,
}

/// A call of a tool: the arguments that a user would type, and those that perfcheck adds.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    program: &'static str,
    words: Vec<OsString>,
    ours: Vec<OsString>,
    env: Vec<(String, OsString)>,
}

impl Ask {
    pub(super) fn new<S: AsRef<OsStr>>(
        program: &'static str,
        words: impl IntoIterator<Item = S>,
    ) -> Ask {
        Ask {
            program,
            words: words.into_iter().map(|w| w.as_ref().to_owned()).collect(),
            ours: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Adds arguments that messages leave out.
    pub(super) fn ours<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Ask {
        self.ours
            .extend(words.into_iter().map(|w| w.as_ref().to_owned()));
        self
    }

    /// Sets a variable that messages leave out.
    pub(super) fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Ask {
        self.env.push((name.into(), value.into()));
        self
    }

    /// What a person would type.
    pub(super) fn typed(&self) -> String {
        let mut typed = self.program.to_owned();
        for word in &self.words {
            let word = word.to_string_lossy();
            typed.push(' ');
            if word.is_empty()
                || word.contains(|c: char| !(c.is_alphanumeric() || "-_=/.,:@+".contains(c)))
            {
                typed.push_str(&format!("'{}'", word.replace('\'', r"'\''")));
            } else {
                typed.push_str(&word);
            }
        }
        typed
    }
}

impl<'a> Tools<'a> {
    pub(super) fn new(scratch: &'a Scratch, side: Side, checkout: &Checkout) -> Tools<'a> {
        Tools {
            scratch,
            at: Where::new(side, &checkout.revision),
            dir: checkout
                .manifest_path
                .parent()
                .unwrap_or(&checkout.root)
                .to_owned(),
            place: checkout.root.parent().unwrap_or(&checkout.root).to_owned(),
            choice: None,
        }
    }

    /// The same tools from the toolchain that was chosen, if one was.
    pub(super) fn of_toolchain(self, choice: Option<&ChosenToolchain>) -> Tools<'a> {
        Tools {
            choice: choice.cloned(),
            ..self
        }
    }

    /// Runs a tool to its end.
    ///
    /// # Errors
    /// Where it cannot be started or is interrupted; not where it fails.
    pub(super) fn output(&self, ask: &Ask) -> Result<Output, BuildError> {
        let child = self.spawn(ask)?;
        let output = child.wait_with_output();
        process::check()?;
        output.map_err(|source| self.io("read what a tool says", source))
    }

    /// Runs a tool to its end and gives its stdout.
    ///
    /// # Errors
    /// Where it cannot be started, is interrupted or fails.
    pub(super) fn stdout(&self, ask: &Ask) -> Result<String, BuildError> {
        let output = self.output(ask)?;
        if !output.status.success() {
            return Err(self.failed(
                ask,
                String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a tool to its end, hands each line of its stdout to `line` as it comes, and gives
    /// whether it succeeded and the last lines of its stderr.
    ///
    /// # Errors
    /// Where it cannot be started or is interrupted; not where it fails.
    pub(super) fn lines(
        &self,
        ask: &Ask,
        mut line: impl FnMut(&str),
    ) -> Result<Finished, BuildError> {
        let mut child = self.spawn(ask)?;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let finished = std::thread::scope(|scope| {
            let tail = scope.spawn(|| tail(stderr));
            for text in stdout.into_iter().flat_map(lossy_lines) {
                line(&text?);
            }
            let status = child.wait()?;
            let stderr = tail
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Finished {
                success: status.success(),
                stderr,
            })
        });
        process::check()?;
        finished.map_err(|source| self.io("read what a tool says", source))
    }

    fn spawn(&self, ask: &Ask) -> Result<process::Child, BuildError> {
        // Start cargo by its name, not from $CARGO, which is the user's toolchain: rustup's proxy
        // on the PATH honours this revision's toolchain file.
        let mut command = process::command(ask.program);
        let choice = self.choice.iter();
        command.envs(choice.map(|choice| ("RUSTUP_TOOLCHAIN", &choice.name)));
        if !ask.ours.iter().any(|word| word == "--target-dir") {
            // Even `cargo metadata` writes into the target folder, which in a checkout may be a link
            // to anywhere.
            let none = self.scratch.path().join("target/none");
            command.env("CARGO_TARGET_DIR", none);
        }
        command
            .args(&ask.words)
            .args(&ask.ours)
            .envs(ask.env.iter().map(|(name, value)| (name, value)))
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let spawned = self.scratch.spawn(&mut command);
        process::check()?;
        spawned.map_err(|source| BuildError::ToolMissing {
            at: self.at.clone(),
            program: ask.program.to_owned(),
            source,
        })
    }

    /// The error for a tool that failed with `message` on its stderr.
    pub(super) fn failed(&self, ask: &Ask, message: String) -> BuildError {
        if message.contains("No space left on device") {
            return BuildError::DiskFull {
                folder: self.scratch.path().to_owned(),
            };
        }
        // Cargo has no error code for this, but names the flag in every such message.
        if ask.has("--locked", "--frozen") && message.contains("lock file") {
            return BuildError::LockFile {
                at: self.at.clone(),
                message,
            };
        }
        BuildError::ToolFailed {
            at: self.at.clone(),
            command: self.typed(ask),
            message,
        }
    }

    /// What a user would type to run the same tool of the chosen toolchain.
    pub(super) fn typed(&self, ask: &Ask) -> String {
        let typed = ask.typed();
        let chosen = self
            .choice
            .as_ref()
            .filter(|choice| choice.origin != Chooser::Default);
        match (chosen, typed.split_once(' ')) {
            (Some(choice), Some((program, words))) => format!("{program} +{} {words}", choice.name),
            _ => typed,
        }
    }

    /// The error for a file.
    pub(super) fn io(&self, doing: &'static str, source: io::Error) -> BuildError {
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            return BuildError::DiskFull {
                folder: self.scratch.path().to_owned(),
            };
        }
        BuildError::Io {
            at: self.at.clone(),
            doing,
            source,
        }
    }

    /// The folder that contains both checkouts and both target folders.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }
}

impl Ask {
    fn has(&self, one: &str, other: &str) -> bool {
        self.words.iter().any(|word| word == one || word == other)
    }
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) success: bool,
    /// The last lines.
    pub(super) stderr: String,
}

fn lossy_lines(from: impl Read) -> impl Iterator<Item = io::Result<String>> {
    BufReader::new(from)
        .split(b'\n')
        .map(|line| line.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The first error and the last lines: the output of a build script may lie between them.
fn tail(from: Option<impl Read>) -> io::Result<String> {
    let mut last = VecDeque::with_capacity(TAIL_LINES + 1);
    let mut error = None;
    for line in from.into_iter().flat_map(lossy_lines) {
        last.push_back(line?);
        if last.len() > TAIL_LINES {
            let before = last.pop_front();
            error = error.or(before.filter(|line| line.starts_with("error")));
        }
    }
    let lines = error.into_iter().chain(last);
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// A side's target folder: both paths have the same length.
pub(super) fn target_dir(place: &Path, side: Side) -> PathBuf {
    place.join("target").join(side.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_script_writes_does_not_push_out_whose_script_it_is() {
        let said = "error: failed to run custom build command for `gmp-mpfr-sys v1.7.1`";
        let mut text = format!("   Compiling gmp-mpfr-sys v1.7.1\n{said}\n");
        for check in 0..500 {
            text.push_str(&format!("checking for function {check}... yes\n"));
        }
        text.push_str("configure: error: No usable m4\nerror: a later one");
        let kept = tail(Some(text.as_bytes())).unwrap();
        assert_eq!(kept.lines().count(), TAIL_LINES + 1);
        assert_eq!(kept.lines().next(), Some(said));
        assert!(kept.ends_with("error: a later one"), "{kept}");
        assert_eq!(tail(Some(&b"one\ntwo"[..])).unwrap(), "one\ntwo");
    }
}
