//! One run of one command on one side.

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::discover::Failure;
use crate::harness::Ending;
use crate::process::{
    Child, Launched, Launcher, Placement, ProgramUsage, Tail, launcher, without_session,
};
use crate::scratch::Scratch;
use crate::units::{Metric, Side};

use super::ProgramRun;
use super::fill::{FilledCommand, FilledWorkload};
use super::printed::PrintedOutput;
use super::terminal;

/// How often a program of which nothing is measured is looked at.
pub(super) const GLANCE: Duration = Duration::from_millis(2);

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
    /// It failed, and said why.
    #[error(
        "{0}, and asked for a terminal, which no workload has: give it the option that does without, or start it with \
         `shell = true` as `script -qec 'COMMAND' /dev/null`"
    )]
    NeedsTerminal(Ending),
    /// It had not ended in time.
    #[error(
        "had not ended after {}, so perfcheck ended it; a workload's `timeout` allows more",
        humantime::format_duration(*.0)
    )]
    TimedOut(Duration),
    /// It did not print the line from which on its time counts.
    #[error("printed no line with `{0}`, from which on its time counts (`from`)")]
    Unheard(String),
    /// What it printed about itself cannot be read.
    #[error("{0}")]
    Printed(String),
}

/// What a run has to be like to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) exit_codes: &'a [i32],
    pub(super) timeout: Duration,
    /// The text of the line of its output from which on its time counts, where that is not its start.
    pub(super) from: Option<&'a str>,
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
        let started = self.start(workload, command, expected.from, is_heard);
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
            Ok(Launched::Ended(usage)) => match self::ended(usage, expected, &told()) {
                Ok(()) => {
                    let printed = stdout.map_or(Ok(Vec::new()), |stdout| stdout.values());
                    match printed {
                        Ok(printed) => return Ok(ProgramRun { usage, printed }),
                        Err(problem) => LaunchError::Printed(problem),
                    }
                }
                Err(error) => error,
            },
            // Where it failed, that is why.
            Ok(Launched::Unheard(usage)) => match self::ended(usage, expected, &told()) {
                Ok(()) => LaunchError::Unheard(expected.from.unwrap_or_default().to_owned()),
                Err(error) => error,
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

    /// Runs a command to its end without a launcher, with more variables: nothing is measured of it. The result is the
    /// number of its process, which has ended.
    ///
    /// # Errors
    /// Why it did not end as it should, as a lower-case fragment.
    pub(super) fn run_unmeasured(
        self,
        workload: &FilledWorkload,
        command: &FilledCommand,
        expected: Expected<'_>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<u32, String> {
        let told = |error: io::Error| Ending::NotStarted(error).to_string();
        let mut child = self
            .start_unmeasured(workload, command, env)
            .map_err(told)?;
        let end = Instant::now() + expected.timeout;
        loop {
            match child.try_wait().map_err(told)? {
                Some(status) => match status.code() {
                    Some(code) if expected.exit_codes.contains(&code) => return Ok(child.id()),
                    _ => return Err(Ending::Exited { status }.to_string()),
                },
                None if Instant::now() >= end => {
                    return Err(LaunchError::TimedOut(expected.timeout).to_string());
                }
                None => std::thread::sleep(GLANCE),
            }
        }
    }

    /// Starts a command without a launcher, with more variables.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start_unmeasured(
        self,
        workload: &FilledWorkload,
        command: &FilledCommand,
        env: Vec<(OsString, OsString)>,
    ) -> io::Result<Child> {
        let mut running = Command::new(&command.program);
        running.stdin(match &workload.stdin {
            Some(file) => Stdio::from(std::fs::File::open(file)?),
            None => Stdio::null(),
        });
        self.surround(&mut running, workload, command)?;
        running
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .envs(env);
        self.scratch.spawn_benchmark(&mut running)
    }

    /// The arguments, the folder and the environment of a command.
    fn surround(
        self,
        starting: &mut Command,
        workload: &FilledWorkload,
        command: &FilledCommand,
    ) -> io::Result<()> {
        let temporary = self
            .scratch
            .path()
            .join("temporary")
            .join(workload.side.name());
        fs_err::create_dir_all(&temporary)?;
        without_session(starting)
            .args(&command.arguments)
            .current_dir(&workload.folder)
            .env("TMPDIR", temporary)
            .envs(workload.env.iter().map(|(name, value)| (name, value)));
        Ok(())
    }

    fn start(
        self,
        workload: &FilledWorkload,
        command: &FilledCommand,
        from: Option<&str>,
        is_heard: bool,
    ) -> io::Result<(Child, std::os::unix::net::UnixStream)> {
        let stdin = workload.stdin.as_deref();
        let (mut launching, socket) = self.launcher.command(&command.program, stdin, from)?;
        self.surround(&mut launching, workload, command)?;
        launching
            .stdout(match is_heard {
                true => Stdio::piped(),
                false => Stdio::null(),
            })
            .stderr(Stdio::piped());
        let child = self
            .placement
            .apply(|| self.scratch.spawn_benchmark(&mut launching))?;
        // The launcher's end of the socket is closed with the command.
        drop(launching);
        Ok((child, socket))
    }
}

/// Whether a program ended as it should.
fn ended(
    usage: ProgramUsage,
    expected: Expected<'_>,
    stderr_tail: &str,
) -> Result<(), LaunchError> {
    let status = usage.status();
    let is_expected = |code: i32| expected.exit_codes.contains(&code);
    match status.code().is_some_and(is_expected) {
        true => Ok(()),
        false if terminal::is_needed(stderr_tail) => {
            Err(LaunchError::NeedsTerminal(Ending::Exited { status }))
        }
        false => Err(Ending::Exited { status }.into()),
    }
}

fn failure(side: Side, error: &LaunchError, stderr_tail: &str) -> Failure {
    Failure {
        side,
        reason: error.to_string(),
        stderr_tail: stderr_tail.to_owned(),
    }
}
