//! A child process that does not outlive its owner.

use std::ffi::OsString;
use std::io::{self, Read};
use std::ops::{Deref, DerefMut};
use std::process::{ExitStatus, Output};
use std::sync::Arc;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::daemons;
use super::groups::Groups;

/// A child process and its process group. It is used like [`std::process::Child`], whose pipes it
/// exposes through `Deref`. But once the child has ended, or this is dropped, its whole process
/// group has ended, too.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    group: Pid,
    groups: Arc<Groups>,
    /// The mark of its daemons, if they are to end with it.
    daemons: Option<OsString>,
    ended: Option<ExitStatus>,
}

impl Child {
    pub(super) fn new(
        inner: std::process::Child,
        group: Pid,
        groups: Arc<Groups>,
        daemons: Option<OsString>,
    ) -> Child {
        Child {
            inner,
            group,
            groups,
            daemons,
            ended: None,
        }
    }

    /// Waits until the child has ended, and kills what it started and left running.
    ///
    /// # Errors
    /// What waiting fails with.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        // The standard library does the same: a child that waits for the end of its input would never end.
        drop(self.inner.stdin.take());
        match self.reap(WaitIdOptions::EXITED)? {
            Some(status) => Ok(status),
            None => Err(io::Error::other("the child has not ended")),
        }
    }

    /// The exit status, if the child has ended; what it started and left running is then killed.
    ///
    /// # Errors
    /// What waiting fails with.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.reap(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    /// Kills the child and all of its group; [`Child::wait`] then gives the status.
    pub fn kill(&mut self) {
        self.groups.kill(self.group);
    }

    /// Asks the child and all of its group to end.
    pub fn terminate(&self) {
        self.groups.signal(self.group, Signal::TERM);
        // Who is stopped hears nothing.
        self.groups.signal(self.group, Signal::CONT);
    }

    /// Stops the child and all of its group; they can still be killed.
    pub fn pause(&self) {
        self.groups.signal(self.group, Signal::STOP);
    }

    /// Lets what was stopped go on.
    pub fn resume(&self) {
        self.groups.signal(self.group, Signal::CONT);
    }

    /// Waits until the child has ended, and returns all that it wrote to piped outputs. Unlike in
    /// the standard library, a grandchild that keeps a pipe open does not delay this.
    ///
    /// # Errors
    /// What waiting or reading fails with.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        let stdout = self.inner.stdout.take();
        let stderr = self.inner.stderr.take();
        std::thread::scope(|scope| {
            let stdout = scope.spawn(|| read_all(stdout));
            let stderr = scope.spawn(|| read_all(stderr));
            let status = self.wait();
            let finished = |reader: std::thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
                reader
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            let (stdout, stderr) = (finished(stdout)?, finished(stderr)?);
            Ok(Output {
                status: status?,
                stdout,
                stderr,
            })
        })
    }

    /// Waits without reaping first: as long as the child is a zombie, its process id, which is also
    /// its group's, cannot belong to another process, and the group can be killed safely.
    fn reap(&mut self, options: WaitIdOptions) -> io::Result<Option<ExitStatus>> {
        if let Some(status) = self.ended {
            return Ok(Some(status));
        }
        let seen = loop {
            match waitid(WaitId::Pid(self.group), options | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        if seen.is_none() {
            return Ok(None);
        }
        self.groups.end(self.group);
        self.end_daemons();
        self.ended = Some(self.inner.wait()?);
        Ok(self.ended)
    }

    /// Ends processes that left the group. The child has ended, so they are orphans by now.
    fn end_daemons(&self) {
        if let Some(mark) = &self.daemons {
            daemons::end_those_of_process(mark);
        }
    }
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl Deref for Child {
    type Target = std::process::Child;

    fn deref(&self) -> &std::process::Child {
        &self.inner
    }
}

impl DerefMut for Child {
    fn deref_mut(&mut self) -> &mut std::process::Child {
        &mut self.inner
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.groups.end(self.group);
            let _ = self.inner.wait();
            self.end_daemons();
        }
    }
}
