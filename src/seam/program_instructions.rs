//! Exact counts of the instructions that whole programs execute, from their start to their end, in all threads.
//!
//! Valgrind runs the process, with its tool callgrind. The probe gives the program the same random numbers each time, and does
//! nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::channel::Room;
use super::{
    INSTRUCTION_PROBE, ProbeBuild, ProbedSubject, Seam, SeamError, Settings, callgrind, layout,
};
use crate::units::{Paired, Side};

/// The seam of the pass that counts the instructions of programs.
#[derive(Debug)]
pub struct ProgramInstructionSeam {
    seam: Seam,
}

impl ProgramInstructionSeam {
    /// As [`Seam::prepare`].
    ///
    /// # Errors
    /// Where the probe cannot be preloaded: see [`SeamError`].
    pub fn prepare(
        run_dir: &Path,
        executables: Paired<&Path>,
    ) -> Result<ProgramInstructionSeam, SeamError> {
        let kind = ProbeBuild {
            probe: INSTRUCTION_PROBE,
            room: Room {
                record_words: layout::TIMING_WORDS,
                stacks: 0,
                statements: 0,
            },
            subject: ProbedSubject::Program,
        };
        let (seam, _) = Seam::of_kind(run_dir, executables, &Settings::default(), kind)?;
        Ok(ProgramInstructionSeam { seam })
    }

    /// As [`Seam::env`].
    #[must_use]
    pub fn env(&self, side: Side) -> Vec<(OsString, OsString)> {
        self.seam.env(side)
    }

    /// Valgrind's arguments in front of the program's command line; the user's own settings do not count. `None` where
    /// its arguments cannot express the name of the file to write, one for each process.
    #[must_use]
    pub fn arguments(&self, side: Side) -> Option<Vec<String>> {
        // Valgrind puts something in the place of a percent sign.
        let counts = self.counts(side).to_str()?.replace('%', "%%");
        let fixed = [
            "--command-line-only=yes",
            "--tool=callgrind",
            "--quiet",
            "--vgdb=no",
            "--dump-line=no",
        ];
        let file = format!("--callgrind-out-file={counts}.%p");
        Some(fixed.map(str::to_owned).into_iter().chain([file]).collect())
    }

    /// Begins to count a process of `side`, which has not been started.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn begin(&mut self, side: Side) -> Result<(), SeamError> {
        self.seam.generation += 1;
        let generation = self.seam.generation;
        self.seam.start_side(side, layout::MODE_OFF, generation)
    }

    /// What the process `pid` of `side`, which has ended, executed; `None` where callgrind has not written it down.
    ///
    /// # Errors
    /// If there is a file that cannot be read.
    pub fn take(&self, side: Side, pid: u32) -> Result<Option<u64>, SeamError> {
        let mut name = self.counts(side).into_os_string();
        name.push(format!(".{pid}"));
        let text = match fs_err::read_to_string(&name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        fs_err::remove_file(&name)?;
        Ok(callgrind::instructions(&text))
    }

    /// Where callgrind writes its counts, the number of the process behind the name.
    fn counts(&self, side: Side) -> PathBuf {
        self.seam.folder.path().join(format!("{side}.program"))
    }
}
