//! What a live benchmark process says, and how it is held.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::process::Child;

use super::{CriterionVersion, Ending, Message};

/// How long a process may live on after it has fallen silent.
const LAST_BREATH: Duration = Duration::from_secs(10);

/// How often a process is looked at for what no file descriptor tells.
pub(super) const GLANCE: Duration = Duration::from_millis(10);

/// The talk with one process. It stands still before its first benchmark until it is greeted.
pub(super) trait Conversation: std::fmt::Debug + Send {
    /// Waits until the process stands still before its first benchmark.
    fn connect(&mut self, child: &mut Child, timeout: Duration) -> Result<(), Ending>;

    /// Lets a connected process run, and learns which Criterion it is, if any.
    fn greet(
        &mut self,
        child: &mut Child,
        timeout: Duration,
    ) -> Result<Option<CriterionVersion>, Ending>;

    /// Lets a process that waits behind a benchmark run on.
    fn proceed(&mut self, child: &mut Child) -> Result<(), Ending>;

    /// Asks a process that waits to word `value` in the unit of its measurement; the answer is a
    /// [`Message::FormattedValue`].
    fn format_value(&mut self, child: &mut Child, value: f64) -> Result<(), Ending>;

    /// A message that is already there.
    fn poll(&mut self, child: &mut Child) -> Result<Option<Message>, Ending>;

    /// What becomes readable when there is more to hear.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// The port of this machine to which the process is connected, if it is to one.
    fn port(&self) -> Option<u16>;

    /// The last lines of what it wrote where only this conversation has heard it.
    fn last_lines(&self) -> String;
}

/// How a process ended that will say nothing more.
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

/// As [`wait_readable`], until `deadline`; `timeout` is how long that was from the beginning.
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
