//! A process between perfcheck and a program that is measured as a whole: its only child is the program, so the
//! kernel's figures for its children are those of the program and of the children that the program waited for.
//!
//! A process starts with the memory of the one that starts it, and the kernel counts that among its peak. So
//! perfcheck itself, which may hold hundreds of megabytes, must not start a program whose memory is measured; and what
//! lies below the launcher's own peak is not known.
//!
//! So the launcher is a small program of its own, `perfcheck-launcher`. Where it was not installed beside this one, this one
//! launches, and sees less: it must dispatch its first argument [`SUBCOMMAND`] to [`run`] before it parses anything else.
//! The launcher's standard input is a socket, on which it says how the program ended; its other streams are the program's.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::{Deserialize, Serialize};

use super::heard_output::HeardOutput;
use super::limits::{self, ProcessLimits};

/// The hidden subcommand that makes this program a launcher.
pub const SUBCOMMAND: &str = "__launch";

/// The name of the small program.
const NAME: &str = "perfcheck-launcher";

/// The word for an empty standard input.
const NOTHING: &str = "-";

/// In what the system counts the peak.
const UNIT_OF_PEAK: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };

/// How a program ended, and what it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Launched {
    /// It ran.
    Ended(ProgramUsage),
    /// It ran, and did not print the line from which on its time counts: the time is that of all of it.
    Unheard(ProgramUsage),
    /// It could not be started; what the system said.
    NotStarted(String),
}

/// What a run of a program took from the machine: itself, all its threads, and the children that it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramUsage {
    /// The status, as the system has it.
    status: i32,
    /// From just before it was started, or from the line from which on its time counts, until it had ended.
    pub wall: Duration,
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in system mode.
    pub system: Duration,
    /// The most bytes that one of the processes had resident; `None` where that is less than can be seen.
    pub peak: Option<u64>,
    /// Page faults, all of them.
    pub faults: u64,
    /// Those that waited for input or output.
    pub major_faults: u64,
    /// How often it waited for something.
    pub waits: u64,
    /// How often its processor was taken away.
    pub preemptions: u64,
    /// Bytes read and written through system calls, where the system tells.
    pub moved: Option<MovedBytes>,
}

/// Bytes that went through system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedBytes {
    /// From files, pipes and sockets.
    pub read: u64,
    /// To them.
    pub written: u64,
}

impl ProgramUsage {
    /// How it ended.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        ExitStatus::from_raw(self.status)
    }
}

/// The program that launches others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    program: PathBuf,
    /// What it has to be told first.
    subcommand: Option<&'static str>,
}

impl Launcher {
    /// The launcher that was installed beside this program, or else this program.
    ///
    /// # Errors
    /// When it is not known where this program is.
    pub fn find() -> io::Result<Launcher> {
        let own = std::env::current_exe()?;
        let beside = own.with_file_name(NAME);
        Ok(match beside.is_file() {
            true => Launcher {
                program: beside,
                subcommand: None,
            },
            false => Launcher {
                program: own,
                subcommand: Some(SUBCOMMAND),
            },
        })
    }

    /// Limits that this launcher sets; there are none yet.
    pub(crate) fn limits(&self) -> ProcessLimits {
        ProcessLimits {
            launcher: self.program.clone(),
            subcommand: self.subcommand,
            address_space: None,
            files: None,
            groups: Vec::new(),
        }
    }

    /// A command that starts `program`, which reads `stdin`, if there is a file for it, and whose time counts `from` the
    /// first line with this text on its standard output. What the launcher has to say can be read from the socket; it
    /// ends when the launcher does, once the command is dropped.
    ///
    /// # Errors
    /// When no socket can be made.
    pub(crate) fn command(
        &self,
        program: &Path,
        stdin: Option<&Path>,
        from: Option<&str>,
    ) -> io::Result<(Command, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        command
            .args(self.subcommand)
            .arg(stdin.unwrap_or(Path::new(NOTHING)))
            .arg(from.unwrap_or_default())
            .arg(program)
            .stdin(Stdio::from(OwnedFd::from(theirs)));
        Ok((command, ours))
    }
}

/// What the launcher says, if it does so before `deadline`.
///
/// # Errors
/// The kind `TimedOut` where it does not; other kinds where it ended without a word.
pub(crate) fn outcome(socket: &mut UnixStream, deadline: Instant) -> io::Result<Launched> {
    let mut said = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // How a time limit shows differs between systems; the next lap knows.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => return Err(error),
        }
    }
    serde_json::from_slice(&said).map_err(io::Error::other)
}

/// The launcher: starts the program that `words` name, waits for it, and says what it took.
///
/// If the first word asks for limits, it sets them on itself and then becomes the program. It measures and reports nothing
/// in that case.
pub fn run(words: &[OsString]) -> ExitCode {
    if let [word, words @ ..] = words
        && word == limits::WORD
    {
        let error = limits::become_limited(words);
        // perfcheck reports the last lines of stderr as the service's own.
        let _ = writeln!(
            io::stderr(),
            "the limited program could not be started: {error}"
        );
        return ExitCode::from(limits::STATUS);
    }
    let told = std::io::stdin().as_fd().try_clone_to_owned();
    let Ok(socket) = told else {
        return ExitCode::FAILURE;
    };
    let launched = match launch(words) {
        Ok(launched) => launched,
        Err(error) => Launched::NotStarted(error.to_string()),
    };
    // Where nobody listens any more, the run is over.
    let said = serde_json::to_vec(&launched).unwrap_or_default();
    match UnixStream::from(socket).write_all(&said) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn launch(words: &[OsString]) -> io::Result<Launched> {
    let [stdin, from, program, arguments @ ..] = words else {
        return Err(io::Error::other("there is no program to start"));
    };
    let stdin = match stdin.to_str() {
        Some(NOTHING) => Stdio::null(),
        _ => Stdio::from(File::open(stdin).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("its standard input, {}: {error}", stdin.display()),
            )
        })?),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin);
    if !from.is_empty() {
        command.stdout(Stdio::piped());
    }
    let floor = own_peak();
    let began = Instant::now();
    let mut child = command.spawn()?;
    let output = child
        .stdout
        .take()
        .map(|output| HeardOutput::of(output, from));
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let ended = id.and_then(wait_until_ended).map(|()| Instant::now());
    // Before it is reaped: a process that is gone has no folder below `/proc`.
    let moved = ended.and_then(|_| moved_bytes(child.id()));
    let status = child.wait()?;
    let ended = ended.unwrap_or_else(Instant::now);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(io::Error::from)?;
    let usage = |since: Instant| {
        let wall = ended.saturating_duration_since(since);
        usage_of(&usage, floor, wall, status, moved)
    };
    Ok(match output.map(HeardOutput::line) {
        None => Launched::Ended(usage(began)),
        Some(Some(heard)) => Launched::Ended(usage(heard)),
        Some(None) => Launched::Unheard(usage(began)),
    })
}

/// The launcher's own peak, in the system's unit. What the system says of its usage has the peak of the process that started
/// it in it, too, so its memory is asked first.
fn own_peak() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    kibibytes.unwrap_or_else(|| getrusage(UsageWho::RUSAGE_SELF).map_or(0, |own| own.max_rss()))
}

/// Waits until a child has ended, and leaves it as it is.
fn wait_until_ended(id: Pid) -> Option<()> {
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(id), options) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.ok().map(|_| ()),
        }
    }
}

/// What `/proc` says of a child that has ended: its children that it waited for are in it.
fn moved_bytes(id: u32) -> Option<MovedBytes> {
    let text = std::fs::read_to_string(format!("/proc/{id}/io")).ok()?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some(MovedBytes {
        read: value("rchar:")?,
        written: value("wchar:")?,
    })
}

fn usage_of(
    usage: &Usage,
    floor: i64,
    wall: Duration,
    status: ExitStatus,
    moved: Option<MovedBytes>,
) -> ProgramUsage {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let time = |seconds: i64, micros: i64| {
        Duration::from_secs(count(seconds)) + Duration::from_micros(count(micros))
    };
    let (user, system) = (usage.user_time(), usage.system_time());
    let peak = usage.max_rss();
    ProgramUsage {
        status: status.into_raw(),
        wall,
        user: time(user.tv_sec(), user.tv_usec()),
        system: time(system.tv_sec(), system.tv_usec()),
        peak: (peak > floor).then(|| count(peak) * UNIT_OF_PEAK),
        faults: count(usage.minor_page_faults() + usage.major_page_faults()),
        major_faults: count(usage.major_page_faults()),
        waits: count(usage.voluntary_context_switches()),
        preemptions: count(usage.involuntary_context_switches()),
        moved,
    }
}
