//! Which of certain instructions a benchmark process executes.
//!
//! A third build of the probe puts a breakpoint on each of them, which the first hit removes; never
//! used while timing.
//!
//! ```text
//! let marks = MarkSeam::prepare(run_dir, side, &executable, &addresses)?;
//! // spawn with marks.env(None), shake hands
//! marks.attached(pid)?;
//! // … whenever the process is held:
//! for address in marks.take(pid)? { … } // what was executed since the last time
//! ```

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use fs_err::File;
use object::{Object as _, ObjectSection as _};
use tempfile::TempDir;

use super::symbols::check_preloadable;
use super::{Seam, SeamError, layout, unpack, variables};
use crate::units::Side;

/// The probe; empty where it is not supported.
static MARKING_PROBE: &[u8] = include_bytes!(env!("EMBEDDED_MARKING_PROBE"));

/// `int3`.
const BREAKPOINT: u8 = 0xcc;

/// The seam between the host and the processes of one executable, one at a time.
#[derive(Debug)]
pub struct MarkSeam {
    side: Side,
    folder: TempDir,
    library: File,
    shared: File,
    /// Sorted, each once.
    addresses: Vec<u64>,
}

impl MarkSeam {
    /// Makes the files of the seam in a folder of its own in `run_dir`, removed when the seam is
    /// dropped. `instructions` are addresses of instructions, as in the file.
    ///
    /// # Errors
    /// If this is not possible: see [`SeamError`].
    pub fn prepare(
        run_dir: &Path,
        side: Side,
        executable: &Path,
        instructions: &[u64],
    ) -> Result<MarkSeam, SeamError> {
        if MARKING_PROBE.is_empty() {
            return Err(SeamError::Unsupported);
        }
        let executable = fs_err::canonicalize(executable)?;
        let bytes = fs_err::read(&executable)?;
        check_preloadable(&executable, &bytes)?;
        let mut addresses = instructions.to_vec();
        addresses.sort_unstable();
        addresses.dedup();
        let first_bytes = first_bytes(&executable, &bytes, &addresses)?;
        let folder = tempfile::Builder::new()
            .prefix("marks-")
            .tempdir_in(fs_err::canonicalize(run_dir)?)?;
        let library = unpack(MARKING_PROBE, folder.path())?;
        let shared = folder.path().join(format!("{side}.shared"));
        fs_err::write(&shared, lay_out(&executable, &addresses, &first_bytes)?)?;
        Ok(MarkSeam {
            side,
            library,
            shared: File::from_parts(
                OpenOptions::new().read(true).write(true).open(&shared)?,
                shared,
            ),
            folder,
            addresses,
        })
    }

    /// The environment variables for starting a process, as with [`super::Seam::env`]; with `clock`, for both
    /// seams.
    #[must_use]
    pub fn env(&self, clock: Option<&Seam>) -> Vec<(OsString, OsString)> {
        let mut libraries = vec![&self.library];
        let mut env = Vec::new();
        if let Some(clock) = clock {
            libraries.push(&clock.library);
            env.extend(clock.env(self.side));
            env.retain(|(name, _)| name == layout::VARIABLE);
        }
        let name = layout::MARKS_VARIABLE;
        env.extend(variables(name, self.folder.path(), self.side, &libraries));
        env
    }

    /// Whether every breakpoint is set in the process `pid`, which has shaken hands.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn attached(&self, pid: u32) -> Result<bool, SeamError> {
        Ok(self.word(layout::ATTACHED_PID * 8)? == u64::from(pid))
    }

    /// The addresses of the instructions that were executed since the last call; they are armed again, if the
    /// system allows it. The process is held, or has ended.
    ///
    /// # Errors
    /// If the shared file cannot be read or written.
    pub fn take(&self, pid: u32) -> Result<Vec<u64>, SeamError> {
        let mut marks = vec![0; self.addresses.len() * 8];
        let at = marks_offset(self.addresses.len());
        self.shared.file().read_exact_at(&mut marks, at as u64)?;
        let (marks, _) = marks.as_chunks::<8>();
        let executed: Vec<u64> = self
            .addresses
            .iter()
            .zip(marks)
            .filter(|(_, mark)| **mark != [0; 8])
            .map(|(address, _)| *address)
            .collect();
        if !executed.is_empty() {
            let clean = vec![0; self.addresses.len() * 8];
            self.shared.file().write_all_at(&clean, at as u64)?;
            self.arm(pid, &executed)?;
        }
        Ok(executed)
    }

    /// If this fails, an instruction is seen only once per process: a caller that needs certainty starts a fresh
    /// process.
    fn arm(&self, pid: u32, instructions: &[u64]) -> Result<(), SeamError> {
        let bias = self.word(layout::BIAS * 8)?;
        let memory = OpenOptions::new()
            .write(true)
            .open(format!("/proc/{pid}/mem"));
        if let Ok(memory) = memory {
            for address in instructions {
                let _ = memory.write_all_at(&[BREAKPOINT], bias.wrapping_add(*address));
            }
        }
        Ok(())
    }

    fn word(&self, offset: usize) -> std::io::Result<u64> {
        let mut word = [0; 8];
        self.shared.file().read_exact_at(&mut word, offset as u64)?;
        Ok(u64::from_ne_bytes(word))
    }
}

fn marks_offset(count: usize) -> usize {
    layout::RANGES_OFFSET + count * 16
}

/// The shared file: each instruction's address and first byte, and room for its mark.
fn lay_out(executable: &Path, addresses: &[u64], first_bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let path = executable.as_os_str().as_bytes();
    if path.len() >= layout::PATH_BYTES {
        return Err(std::io::ErrorKind::InvalidFilename.into());
    }
    let log = marks_offset(addresses.len());
    let mut file = vec![0; log + addresses.len() * 8];
    let mut put = |at: usize, word: u64| file[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    put(layout::MAGIC_WORD * 8, layout::MAGIC);
    put(layout::FILE_BYTES * 8, (log + addresses.len() * 8) as u64);
    put(layout::RANGE_COUNT * 8, addresses.len() as u64);
    put(layout::LOG_OFFSET * 8, log as u64);
    put(layout::LOG_CAPACITY * 8, addresses.len() as u64);
    put(layout::RECORD_WORDS * 8, 1);
    for (index, (address, byte)) in addresses.iter().zip(first_bytes).enumerate() {
        let at = layout::RANGES_OFFSET + index * 16;
        put(at, *address);
        put(at + 8, u64::from(*byte));
    }
    file[layout::PATH_OFFSET..layout::PATH_OFFSET + path.len()].copy_from_slice(path);
    Ok(file)
}

fn first_bytes(path: &Path, bytes: &[u8], addresses: &[u64]) -> Result<Vec<u8>, SeamError> {
    let unreadable = |source| SeamError::Symbols {
        path: path.to_owned(),
        source,
    };
    let file = object::File::parse(bytes).map_err(unreadable)?;
    let mut found = Vec::with_capacity(addresses.len());
    for address in addresses {
        let byte = file.sections().find_map(|section| {
            let code = section.kind() == object::SectionKind::Text;
            let range = Some(address).filter(|_| code)?;
            Some(*section.data_range(*range, 1).ok()??.first()?)
        });
        found.push(byte.ok_or(SeamError::NotPreloadable {
            path: path.to_owned(),
            reason: "an instruction lies outside its code",
        })?);
    }
    Ok(found)
}
