//! The check itself: one comparison per pushed branch, each in its own process with a time limit.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use git2::Repository;

use super::base::{self, Pair};
use super::{HookError, Push, workspaces};
use crate::plan::ExitStatus;
use crate::process;
use crate::revision;

/// How often a running comparison is polled. Nobody notices a twentieth of a second at the end.
const POLL: Duration = Duration::from_millis(50);

/// How long a comparison that was told to stop may take to clean up.
const GRACE: Duration = Duration::from_secs(15);

/// Who compares, and how long it may take.
#[derive(Debug)]
pub(crate) struct Comparer {
    /// This program, or one that stands in for it.
    pub(crate) program: PathBuf,
    /// The manifests of the workspaces to check, relative to the top of the checkout; empty means all that the
    /// pushed commit has.
    pub(crate) manifests: Vec<PathBuf>,
    /// Options of the comparison.
    pub(crate) options: Vec<String>,
    /// The time for all comparisons of one push together.
    pub(crate) limit: Duration,
}

/// What became of one pushed branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing speaks against the push.
    Passed,
    /// The comparison rejects it; its report.
    Rejected {
        /// What was compared, `<base>..<head>`, with the manifest's option if the workspace is not at the top.
        range: String,
        /// The report, rendered.
        report: String,
    },
    /// The comparison could not be completed, which does not stop the push.
    Unchecked {
        /// What was to be compared.
        range: String,
        /// Why not.
        reason: String,
    },
}

/// Compares what is pushed with what the remote has, each pair of commits once in each workspace.
/// `folder` is the top of the checkout, where git runs hooks.
///
/// # Errors
/// The repository or a temporary file cannot be read.
pub(crate) fn check(
    folder: &Path,
    remote: &str,
    pushes: &[Push],
    comparer: &Comparer,
) -> Result<Vec<Check>, HookError> {
    // Git sets GIT_DIR when it runs hooks; otherwise the folder determines the repository.
    let named = Repository::open_from_env();
    let found;
    let repository: &Repository = match &named {
        Ok(repository) => repository,
        Err(_) => {
            found = revision::open(folder, None)?;
            &found
        }
    };
    let mut pairs: Vec<Pair> = Vec::new();
    for push in pushes {
        if let Some(pair) = base::pair(repository, remote, push)?
            && !pairs.contains(&pair)
        {
            pairs.push(pair);
        }
    }
    let end = Instant::now() + comparer.limit;
    let mut checks = Vec::new();
    for pair in pairs {
        for manifest in workspaces::to_check(repository, pair, &comparer.manifests)? {
            checks.push(compare(
                comparer,
                &folder.join(&manifest),
                &manifest,
                pair,
                end,
            )?);
        }
    }
    Ok(checks)
}

fn compare(
    comparer: &Comparer,
    place: &Path,
    manifest: &Path,
    pair: Pair,
    end: Instant,
) -> Result<Check, HookError> {
    let short = |id: git2::Oid| id.to_string()[..10].to_owned();
    let mut range = format!("{}..{}", short(pair.base), short(pair.head));
    let below_the_top = manifest
        .parent()
        .is_some_and(|folder| folder != Path::new(""));
    if below_the_top {
        range += &format!(" --manifest-path {}", manifest.display());
    }
    let Some(folder) = place.parent().filter(|_| place.is_file()) else {
        return Ok(Check::Unchecked {
            range,
            reason: format!("`{}` is not in this checkout", manifest.display()),
        });
    };
    let mut report = tempfile::tempfile()?;
    let mut complaints = tempfile::tempfile()?;
    let mut command = process::command(&comparer.program);
    command
        .arg(format!("{}..{}", pair.base, pair.head))
        .arg("--quiet")
        .args(&comparer.options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(report.try_clone()?)
        .stderr(complaints.try_clone()?);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let program = comparer.program.display();
            return Ok(Check::Unchecked {
                range,
                reason: format!("`{program}` cannot be started: {error}"),
            });
        }
    };
    let Some(status) = wait(child, end)? else {
        return Ok(Check::Unchecked {
            range,
            reason: "it did not end within the time limit of the hook".to_owned(),
        });
    };
    let code = status.code().unwrap_or_default();
    if status.success() {
        Ok(Check::Passed)
    } else if code == i32::from(ExitStatus::Rejected.code()) {
        Ok(Check::Rejected {
            range,
            report: read_all(&mut report)?,
        })
    } else {
        Ok(Check::Unchecked {
            range,
            reason: format!("{status}\n{}", read_all(&mut complaints)?.trim_end()),
        })
    }
}

/// Waits until `end`; then asks the comparison to stop, and finally kills it.
fn wait(mut child: Child, end: Instant) -> Result<Option<std::process::ExitStatus>, HookError> {
    if let Some(status) = wait_until(&mut child, end)? {
        return Ok(Some(status));
    }
    // It removes its folders and ends its children on this signal.
    let pid = rustix::process::Pid::from_child(&child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    if wait_until(&mut child, Instant::now() + GRACE)?.is_none() {
        child.kill()?;
        child.wait()?;
    }
    Ok(None)
}

fn wait_until(
    child: &mut Child,
    end: Instant,
) -> Result<Option<std::process::ExitStatus>, HookError> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

fn read_all(file: &mut std::fs::File) -> Result<String, HookError> {
    std::io::Seek::rewind(file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
