//! Which of certain files any process opens, and which of certain folders it lists.
//!
//! The kernel reports this (inotify), so nothing evades it: no program without the C library, no raw system call,
//! no program that another one starts. It reports files, not processes: an editor that opens one meanwhile counts
//! as well. It does not report processes that only ask whether a file exists, or how large it is.
//!
//! ```text
//! let mut recorder = Recorder::start(&watched)?;
//! recorder.expect_start();          // each time before a process is started
//! // … whenever the process is held:
//! for access in recorder.take()? { … } // what was touched since the last time
//! ```

#[cfg(target_os = "linux")]
mod inotify;

use std::io;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
pub(crate) use inotify::Recorder;

/// What a [`Recorder`] watches. A missing path is not an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Files, and folders with everything in them. Symbolic links are followed.
    pub opened: Vec<PathBuf>,
    /// Folders whose entries are read.
    pub listed: Vec<PathBuf>,
    /// An executable that perfcheck itself starts: its first start after `expect_start` is not reported.
    pub program: Option<PathBuf>,
}

/// Something that a process did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// It opened, loaded or started this file.
    Opened(PathBuf),
    /// It read the entries of this folder.
    Listed(PathBuf),
    /// It started or read [`Watched::program`], which was running already.
    StartedAgain(PathBuf),
}

impl Access {
    /// The file or folder.
    #[must_use]
    pub(crate) fn path(&self) -> &std::path::Path {
        match self {
            Access::Opened(path) | Access::Listed(path) | Access::StartedAgain(path) => path,
        }
    }
}

/// Why nothing is known of what processes open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RecordError {
    /// The kernel cannot watch the file; it may be out of watches, say.
    #[error("the kernel does not say who opens {}: {source}", .path.display())]
    Watch {
        /// The file or folder.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// There is no recorder.
    #[error("the kernel does not say which files are opened: {0}")]
    Refused(#[source] io::Error),
    /// More happened than it keeps.
    #[error("more files were opened than the kernel keeps a record of")]
    Overflow,
    /// Too much differs.
    #[error("{files} files would have to be watched; at most {most} are")]
    TooMany {
        /// How many.
        files: usize,
        /// The limit.
        most: usize,
    },
}

/// Elsewhere there is none.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(crate) struct Recorder;

#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::unused_self,
    clippy::needless_pass_by_ref_mut,
    reason = "as where there is one"
)]
impl Recorder {
    /// Never begins.
    ///
    /// # Errors
    /// Always: the system is not supported.
    pub(crate) fn start(_: &Watched) -> Result<Recorder, RecordError> {
        Err(RecordError::Refused(io::ErrorKind::Unsupported.into()))
    }

    /// Nothing.
    pub(crate) fn expect_start(&mut self) {}

    /// Nothing.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn take(&mut self) -> Result<Vec<Access>, RecordError> {
        Err(RecordError::Refused(io::ErrorKind::Unsupported.into()))
    }
}
