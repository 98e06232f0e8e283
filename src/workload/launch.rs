//! One run of one command on one side.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::discover::Failure;
use crate::harness::Ending;
use crate::process::{Launched, Launcher, Placement, Tail, launcher, without_session};
use crate::scratch::Scratch;
use crate::units::{Metric, Side};

use super::ProgramRun;
use super::fill::{FilledCommand, FilledWorkload};
use super::printed::PrintedOutput;

/// What starts commands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch<'a> {
    pub(super) launcher: &'a Launcher,
    pub(super) scratch: &'a Scratch,
    pub(super) placement: Placement,
}

/// Why a command did not count.
#[derive(Debug, thiserror::Error)]
enum LaunchError {
    /// It ended in another way than it should.
    #[error(transparent)]
    Ended(#[from] Ending),
    /// It had not ended in time.
    #[error(
        "had not ended after {}, so perfcheck ended it; a workload's `timeout` allows more",
        humantime::format_duration(*.0)
    )]
    TimedOut(Duration),
    /// What it printed about itself cannot be read.
    #[error("{0}")]
    Printed(String),
}

/// What a run has to be like to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) exit_codes: &'a [i32],
    pub(super) timeout: Duration,
    /// What it prints about itself.
    pub(super) metrics: &'a [Metric],
}

impl Launch<'_> {
    /// Runs a command of a workload to its end, and everything that it leaves running.
    ///
    /// # Errors
    /// Why it has no result, with the last lines that it wrote to stderr. A run that was interrupted fails, too.
    pub(super) fn run(
        self,
        workload: &FilledWorkload,
        command: &FilledCommand,
        expected: Expected<'_>,
    ) -> Result<ProgramRun, Failure> {
        let side = workload.side;
        let not_started = |error| failure(side, &Ending::NotStarted(error).into(), "");
        let is_heard = !expected.metrics.is_empty();
        let started = self.start(workload, command, is_heard);
        let (mut child, mut socket) = started.map_err(not_started)?;
        let stderr = child.stderr.take().map(Tail::of);
        let stdout = child.stdout.take();
        let stdout = stdout.map(|stream| PrintedOutput::of(stream, expected.metrics));
        let heard = launcher::outcome(&mut socket, Instant::now() + expected.timeout);
        if heard.is_err() {
            child.kill();
        }
        // What it left running ends here.
        let ended = child.wait();
        let told = || stderr.as_ref().map_or_else(String::new, Tail::last_lines);
        let error = match heard {
            Ok(Launched::Ended(usage)) => match usage.status().code() {
                Some(code) if expected.exit_codes.contains(&code) => {
                    let printed = stdout.map_or(Ok(Vec::new()), |stdout| stdout.values());
                    match printed {
                        Ok(printed) => return Ok(ProgramRun { usage, printed }),
                        Err(problem) => LaunchError::Printed(problem),
                    }
                }
                _ => Ending::Exited {
                    status: usage.status(),
                }
                .into(),
            },
            Ok(Launched::NotStarted(error)) => Ending::NotStarted(io::Error::other(error)).into(),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                LaunchError::TimedOut(expected.timeout)
            }
            Err(error) => match ended {
                Ok(status) => Ending::Exited { status }.into(),
                Err(_) => Ending::NotStarted(error).into(),
            },
        };
        Err(failure(side, &error, &told()))
    }

    fn start(
        self,
        workload: &FilledWorkload,
        command: &FilledCommand,
        is_heard: bool,
    ) -> io::Result<(crate::process::Child, std::os::unix::net::UnixStream)> {
        let temporary = self
            .scratch
            .path()
            .join("temporary")
            .join(workload.side.name());
        fs_err::create_dir_all(&temporary)?;
        let stdin = workload.stdin.as_deref();
        let (mut launching, socket) = self.launcher.command(&command.program, stdin)?;
        without_session(&mut launching)
            .args(&command.arguments)
            .current_dir(&workload.folder)
            .stdout(match is_heard {
                true => Stdio::piped(),
                false => Stdio::null(),
            })
            .stderr(Stdio::piped())
            .env("TMPDIR", temporary)
            .envs(workload.env.iter().map(|(name, value)| (name, value)));
        let child = self
            .placement
            .apply(|| self.scratch.spawn_benchmark(&mut launching))?;
        // The launcher's end of the socket is closed with the command.
        drop(launching);
        Ok((child, socket))
    }
}

fn failure(side: Side, error: &LaunchError, stderr_tail: &str) -> Failure {
    Failure {
        side,
        reason: error.to_string(),
        stderr_tail: stderr_tail.to_owned(),
    }
}
