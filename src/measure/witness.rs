//! Observes the processes of one side: which differing code they execute, and which files they open.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::file_access::{Access, RecordError, Recorder, Watched};
use crate::seam::{Enough, MarkSeam, Pace, Seam, SeamError, Settings, WarmUp};
use crate::units::{Paired, Side};

use super::batches::Gate;
use super::iterations::Shown;
use super::observed::look;
use super::reached::WhyUnknown;
use super::reported::SideReport;
use super::seams::explain;

/// Sees one process at a time.
pub(super) struct Witness {
    side: Side,
    /// Where code differs.
    marks: Option<MarkSeam>,
    /// Decides how long a process runs. Without it, the settings in the benchmarks' code decide.
    clock: Option<Seam>,
    files: Recorder,
}

impl Witness {
    /// For processes of `executable`, with breakpoints at `addresses`.
    ///
    /// # Errors
    /// If either cannot be observed.
    pub(super) fn prepare(
        run: &Path,
        side: Side,
        executable: Option<&Path>,
        addresses: &[u64],
        files: &Watched,
    ) -> Result<Witness, WhyUnknown> {
        let marks = match executable.filter(|_| !addresses.is_empty()) {
            None => None,
            Some(executable) => {
                let marks = MarkSeam::prepare(run, side, executable, addresses);
                Some(marks.map_err(|error| explain(&error))?)
            }
        };
        let clock = executable.and_then(|executable| {
            Seam::prepare(
                run,
                Paired::new(executable, executable),
                &Settings::default(),
            )
            .ok()
        });
        // After what reads the executable itself.
        let files = Recorder::start(files).map_err(|error| error.to_string())?;
        Ok(Witness {
            side,
            marks,
            clock,
            files,
        })
    }

    /// The environment variables for starting a process.
    pub(super) fn env(&self) -> Vec<(OsString, OsString)> {
        match (&self.marks, &self.clock) {
            (Some(marks), clock) => marks.env(clock.as_ref()),
            (None, Some(clock)) => clock.env(self.side),
            (None, None) => Vec::new(),
        }
    }

    /// Bounds the benchmark that begins, while the process is held. Without the clock seam, the benchmark's own
    /// settings do.
    ///
    /// # Errors
    /// If the seam's files cannot be written.
    pub(super) fn bound(
        &mut self,
        warm_up: WarmUp,
        enough: Enough,
    ) -> Result<Option<Pace>, SeamError> {
        let Some(clock) = &mut self.clock else {
            return Ok(None);
        };
        clock.observe()?;
        clock.bound(self.side, warm_up, Some(enough)).map(Some)
    }

    /// What a benchmark that was bounded and has run to its end shows of its iterations, where they can be chosen.
    ///
    /// # Errors
    /// If the seam's files cannot be read.
    pub(super) fn shown(&self, report: &SideReport) -> Result<Option<Shown>, SeamError> {
        // What is a summary does not follow from a warm-up.
        let Some(clock) = self.clock.as_ref().filter(|_| report.summary.is_none()) else {
            return Ok(None);
        };
        let (shown, _) = look(self.side, report, clock, Gate::First)?;
        Ok(shown.ok())
    }

    /// What the first call of the benchmark that was bounded has taken, of its process that stands still.
    ///
    /// # Errors
    /// If the seam's files cannot be read.
    pub(super) fn first_call(&self) -> Result<Duration, SeamError> {
        let log = self.clock.as_ref().map(|clock| clock.take_log(self.side));
        let first = log.transpose()?.and_then(|log| log.first().copied());
        Ok(first.map_or(Duration::ZERO, |call| Duration::from_nanos(call.timed_ns)))
    }

    /// A process is about to be started.
    pub(super) fn expect_start(&mut self) {
        self.files.expect_start();
    }

    /// Whether it looks for no code.
    pub(super) fn sees_files_alone(&self) -> bool {
        self.marks.is_none()
    }

    /// Whether it observes the process `pid`, which has shaken hands.
    ///
    /// # Errors
    /// As [`MarkSeam::attached`].
    pub(super) fn sees(&self, pid: u32) -> Result<bool, SeamError> {
        let marks = self.marks.as_ref();
        marks.map_or(Ok(true), |marks| marks.attached(pid))
    }

    /// The addresses that were executed since the last call.
    ///
    /// # Errors
    /// As [`MarkSeam::take`].
    pub(super) fn executed(&self, pid: u32) -> Result<Vec<u64>, SeamError> {
        let marks = self.marks.as_ref();
        marks.map_or(Ok(Vec::new()), |marks| marks.take(pid))
    }

    /// What was opened since the last call.
    ///
    /// # Errors
    /// As [`Recorder::take`].
    pub(super) fn touched(&mut self) -> Result<Vec<Access>, RecordError> {
        self.files.take()
    }
}
