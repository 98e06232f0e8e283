//! The guardian: a second process of this program that outlives the run by a moment. When the run
//! dies suddenly (`kill -9`, out of memory), it kills the run's process groups and the daemons of
//! its benchmarks, and removes the run's folder.
//!
//! The program must dispatch its first argument [`SUBCOMMAND`] to [`run`] before it parses
//! anything else: `guardian::run(std::io::stdin().lock())`.

use std::io::{self, BufRead, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{KEPT, LOCK, PREFIX, ScratchError, remove::remove_tree};
use crate::process::{self, end_those_of_dead_run};

/// The hidden subcommand that makes this program a guardian.
pub const SUBCOMMAND: &str = "__guardian";

/// How often the processes of a dead run are looked for and its folder is removed.
const ATTEMPTS: u32 = 5;

/// Reads messages, each ended by a NUL: `folder <path>`, then `done` when the run has cleaned up
/// by itself. The end of input without `done` means that the run is dead.
pub fn run(input: impl BufRead) -> ExitCode {
    // What ends the run must not end its guardian.
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    let mut folder = None;
    for message in input.split(0) {
        match message {
            Ok(message) if message == b"done" => return ExitCode::SUCCESS,
            Ok(message) => {
                if let Some(path) = message.strip_prefix(b"folder ") {
                    folder = Some(PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())));
                }
            }
            Err(_) => break,
        }
    }
    match folder.as_deref().map(end_dead_run) {
        None | Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::FAILURE,
    }
}

/// Kills the process groups of a dead run and the daemons of its benchmarks, and removes its folder.
pub(super) fn end_dead_run(folder: &Path) -> io::Result<()> {
    if !is_run_folder(folder) {
        return Ok(());
    }
    for _ in 1..ATTEMPTS {
        end_those_of_dead_run(folder);
        // A process that began at the moment of the death, and was not found then, writes into it.
        if remove_tree(folder, Some(LOCK)).is_ok() {
            return Ok(());
        }
    }
    end_those_of_dead_run(folder);
    remove_tree(folder, Some(LOCK))
}

/// Only a folder that looks like one of ours may be removed, whatever the message says.
fn is_run_folder(folder: &Path) -> bool {
    let named = folder
        .file_name()
        .is_some_and(|name| name.as_bytes().starts_with(PREFIX.as_bytes()));
    named
        && fs_err::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir())
        // The run may have died between keeping its folder and reporting that it is done.
        && !folder.join(KEPT).exists()
}

/// The run's end of the pipe to its guardian.
#[derive(Debug)]
pub(super) struct Guardian {
    process: std::process::Child,
}

impl Guardian {
    /// Starts `program` as a guardian that knows of no folder yet.
    pub(super) fn start(program: &Path) -> Result<Guardian, ScratchError> {
        // A group of its own: the terminal's Ctrl-C is for the run. Its current folder must not be
        // one that the user may want to unmount.
        let started = process::command(program)
            .arg(SUBCOMMAND)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(process) => Ok(Guardian { process }),
            Err(source) => Err(ScratchError::Guardian {
                program: program.to_owned(),
                source,
            }),
        }
    }

    /// Tells it that the run will be in `folder`, in place of the folder that it was told before.
    pub(super) fn watch(&mut self, folder: &Path) -> io::Result<()> {
        let message = [b"folder ", folder.as_os_str().as_bytes(), b"\0"].concat();
        match &mut self.process.stdin {
            Some(pipe) => pipe.write_all(&message),
            None => Ok(()),
        }
    }
}

impl Drop for Guardian {
    /// The run has cleaned up by itself.
    fn drop(&mut self) {
        if let Some(mut pipe) = self.process.stdin.take() {
            let _ = pipe.write_all(b"done\0");
        }
        let _ = self.process.wait();
    }
}
