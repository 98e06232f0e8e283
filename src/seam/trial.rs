//! Whether libraries can be preloaded here. perfcheck tries it with a child process: an embedded probe
//! does not help against a file system mounted `noexec`, a sandbox, or a loader that refuses, and the
//! started program does not notice any of these.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;

use crate::process;

use super::{PROFILE_PROBE, SeamError, TIMING_PROBE, preload_list, unpack};

/// The outcome of preloading a library into a child process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// The child had it in its memory.
    Seen,
    /// The child did not have it.
    Missing {
        /// The first line of the loader's message; empty if there was none.
        said: String,
    },
}

impl Trial {
    /// The command of the child process: it prints its own memory mappings.
    pub const COMMAND: &'static str = "cat /proc/self/maps";
}

/// Preloads the probe that answers the clock into a child process, from a folder of its own in
/// `folder`, which is removed again.
///
/// # Errors
/// [`SeamError::Unsupported`] if none was embedded; [`SeamError::Io`] if it could not be tried.
pub fn try_preloading(folder: &Path) -> Result<Trial, SeamError> {
    try_library(TIMING_PROBE, folder)
}

/// The same with the probe that takes CPU profiles.
///
/// # Errors
/// As [`try_preloading`].
pub fn try_profiling(folder: &Path) -> Result<Trial, SeamError> {
    try_library(PROFILE_PROBE, folder)
}

fn try_library(probe: &[u8], folder: &Path) -> Result<Trial, SeamError> {
    if probe.is_empty() {
        return Err(SeamError::Unsupported);
    }
    let folder = tempfile::Builder::new()
        .prefix("trial-")
        .tempdir_in(fs_err::canonicalize(folder)?)?;
    let library = unpack(probe, folder.path())?;
    let mut words = Trial::COMMAND.split(' ');
    let program = words.next().unwrap_or_default();
    let output = process::command(program)
        .args(words)
        .env("LD_PRELOAD", preload_list(&[&library]))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    if runs_code_of(library.path().as_os_str(), &output.stdout) {
        return Ok(Trial::Seen);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(Trial::Missing {
        said: said.lines().next().unwrap_or_default().trim().to_owned(),
    })
}

/// Whether code of a file is among these mappings (proc_pid_maps(5)): `address permissions … file`. A
/// loader that fails to map the code leaves its earlier mappings, which are read-only.
fn runs_code_of(file: &OsStr, maps: &[u8]) -> bool {
    let mut lines = maps.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let permissions = line.split(|byte| *byte == b' ').nth(1);
        line.ends_with(file.as_bytes()) && permissions.is_some_and(|each| each.contains(&b'x'))
    })
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn both_probes_are_seen_in_a_child_process_and_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(try_preloading(folder.path()).unwrap(), Trial::Seen);
        assert_eq!(try_profiling(folder.path()).unwrap(), Trial::Seen);
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_path_that_the_loader_would_split_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let spaced = folder.path().join("a place");
        fs_err::create_dir(&spaced).unwrap();
        assert_eq!(try_preloading(&spaced).unwrap(), Trial::Seen);
    }

    #[test]
    fn what_the_loader_refuses_is_missing_and_its_reason_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut compressed = Vec::new();
        std::io::copy(
            &mut flate2::read::GzEncoder::new(&b"no library"[..], flate2::Compression::fast()),
            &mut compressed,
        )
        .unwrap();
        match try_library(&compressed, folder.path()).unwrap() {
            Trial::Missing { said } => assert!(said.contains("preload"), "{said}"),
            Trial::Seen => panic!("this is no library"),
        }
    }

    #[test]
    fn what_is_left_of_a_library_that_failed_to_load_is_no_code() {
        // What glibc leaves on a file system mounted `noexec`.
        let read = b"7f538cdb4000-7f538cdbf000 r--p 00000000 00:28 2    /a place/probe.so\n";
        let code = b"7f538cdbf000-7f538cdc1000 r-xp 0000b000 00:28 2    /a place/probe.so\n";
        let other = b"7f538cdbf000-7f538cdc1000 r-xp 0000b000 00:28 3    /lib/libc.so.6\n";
        let seen = |maps: &[&[u8]]| runs_code_of(OsStr::new("/a place/probe.so"), &maps.concat());
        assert!(!seen(&[read, other]));
        assert!(seen(&[read, code, other]));
    }

    #[test]
    fn without_an_embedded_probe_nothing_is_tried() {
        let tried = try_library(b"", Path::new("/nonexistent"));
        assert!(matches!(tried, Err(SeamError::Unsupported)));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_no_verdict_on_preloading() {
        let tried = try_preloading(Path::new("/nonexistent"));
        assert!(matches!(tried, Err(SeamError::Io(_))));
    }
}
