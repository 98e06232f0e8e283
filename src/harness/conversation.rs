//! Listening to a live benchmark process, and holding it.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::process::Child;

use super::{CriterionVersion, Ending, Message};

/// How long a process may live on after it has fallen silent.
const LAST_BREATH: Duration = Duration::from_secs(10);

/// How often to poll a process for what no file descriptor reports.
pub(super) const GLANCE: Duration = Duration::from_millis(10);

/// The conversation with one process. The process waits before its first benchmark until it is greeted.
pub(super) trait Conversation: std::fmt::Debug + Send {
    /// Waits until the process is held before its first benchmark.
    fn connect(&mut self, child: &mut Child, timeout: Duration) -> Result<(), Ending>;

    /// Lets a connected process run, and learns which Criterion it is, if any.
    fn greet(
        &mut self,
        child: &mut Child,
        timeout: Duration,
    ) -> Result<Option<CriterionVersion>, Ending>;

    /// Lets a process continue that waits after a benchmark.
    fn proceed(&mut self, child: &mut Child) -> Result<(), Ending>;

    /// Asks a waiting process to format `value` in the unit of its measurement; the answer is a
    /// [`Message::FormattedValue`].
    fn format_value(&mut self, child: &mut Child, value: f64) -> Result<(), Ending>;

    /// A message that is already there.
    fn poll(&mut self, child: &mut Child) -> Result<Option<Message>, Ending>;

    /// The file descriptor that becomes readable when there is more to read.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// The local port to which the process is connected, if it is connected to one.
    fn port(&self) -> Option<u16>;

    /// The last lines that it wrote, if only this conversation has read them.
    fn last_lines(&self) -> String;
}

/// How a process ended, once it will send nothing more.
pub(super) fn end_of(child: &mut Child) -> Ending {
    let deadline = Instant::now() + LAST_BREATH;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ending::Exited { status },
            Ok(None) if Instant::now() < deadline => std::thread::sleep(GLANCE),
            Ok(None) => {
                return Ending::Silent {
                    waited: LAST_BREATH,
                };
            }
            Err(error) => return error.into(),
        }
    }
}

/// Sleeps until something can be read, or `timeout` has passed, or a signal came.
pub(super) fn wait_readable(descriptors: &mut [PollFd<'_>], timeout: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(descriptors, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Like [`wait_readable`], until `deadline`; `timeout` is the full length of the wait, for the error.
///
/// # Errors
/// [`Ending::Silent`] once it has passed.
pub(super) fn wait_until(
    descriptor: Option<BorrowedFd<'_>>,
    deadline: Instant,
    timeout: Duration,
) -> Result<(), Ending> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Ending::Silent { waited: timeout });
    }
    if let Some(descriptor) = descriptor {
        let mut stream = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
        wait_readable(&mut stream, left)?;
    }
    Ok(())
}
