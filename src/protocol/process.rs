//! A live benchmark process, and the waiting for what it says.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::process::{Child, Runner, Tail};
use crate::scratch::Scratch;
use crate::units::{Paired, Side};

use super::handshake::{ANSWER_BYTES, GREETING, parse_answer};
use super::invocation::temporary;
use super::{CriterionVersion, FrameBuffer, Invocation, Message, ProtocolError, encode};

/// How long a process may live on after it closed its connection.
const LAST_BREATH: Duration = Duration::from_secs(10);

/// How often a process that has not connected yet is looked at for its end, which no file
/// descriptor tells.
const GLANCE: Duration = Duration::from_millis(10);

/// Why a process will say nothing more.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// It exited by itself.
    #[error("{}", describe(*.status))]
    Exited {
        /// How.
        status: ExitStatus,
    },
    /// Nothing was heard of it for so long that it was ended.
    #[error("no sign of life for {}", humantime::format_duration(*.waited))]
    Silent {
        /// How long.
        waited: Duration,
    },
    /// It announced that it will take too long, so it was ended.
    #[error("would take {} for one round; at most {} are allowed", humantime::format_duration(Duration::from_secs(.announced.as_secs())), humantime::format_duration(*.limit))]
    TooLong {
        /// What it announced.
        announced: Duration,
        /// What is allowed.
        limit: Duration,
    },
    /// What it sent is not Criterion's protocol.
    #[error("{}", with_hint(.0))]
    Protocol(#[from] ProtocolError),
    /// It could not be started.
    #[error("could not be started: {0}")]
    NotStarted(io::Error),
}

fn with_hint(error: &ProtocolError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => {
            let name = Signal::from_named_raw(signal).map(|name| format!(" ({name:?})"));
            format!("was killed by signal {signal}{}", name.unwrap_or_default())
        }
        (None, None) => format!("ended: {status}"),
    }
}

impl From<io::Error> for Ending {
    fn from(source: io::Error) -> Self {
        Ending::Protocol(ProtocolError::Io { source })
    }
}

/// A live benchmark process. Dropping it ends it and everything it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    listener: TcpListener,
    stream: Option<TcpStream>,
    frames: FrameBuffer,
    /// What its benchmarks are called, by its own names for them.
    names: BTreeMap<String, String>,
    stdout: Option<Tail>,
    stderr: Option<Tail>,
}

impl Process {
    /// Starts a process. It runs up to its first use of Criterion and waits there.
    ///
    /// # Errors
    /// [`Ending::NotStarted`] when the executable cannot be started or no port can be listened on.
    pub fn spawn(invocation: &Invocation<'_>, scratch: &Scratch) -> Result<Process, Ending> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Ending::NotStarted)?;
        listener.set_nonblocking(true).map_err(Ending::NotStarted)?;
        let port = listener.local_addr().map_err(Ending::NotStarted)?.port();
        let temporary = temporary(scratch.path(), invocation.side);
        std::fs::create_dir_all(temporary).map_err(Ending::NotStarted)?;
        let mut command = invocation.command(scratch.path(), port);
        let mut child = invocation
            .placement
            .apply(|| scratch.spawn_benchmark(&mut command))
            .map_err(|source| Runner::blame(invocation.executable.runner.as_ref(), source))
            .map_err(Ending::NotStarted)?;
        Ok(Process {
            stdout: child.stdout.take().map(Tail::of),
            stderr: child.stderr.take().map(Tail::of),
            child,
            listener,
            stream: None,
            frames: FrameBuffer::default(),
            names: invocation.executable.names.clone(),
        })
    }

    /// The process's id, which is that of its group, too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The port of this machine to which the process is connected.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Stops the process and everything it started, as a whole.
    pub fn pause(&self) {
        self.child.pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.child.resume();
    }

    /// Waits until the process connects; afterwards it stands still until it is greeted.
    ///
    /// # Errors
    /// [`Ending::Exited`] when it ends without connecting, [`Ending::Silent`] when it does neither.
    pub fn connect(&mut self, timeout: Duration) -> Result<(), Ending> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    self.stream = Some(stream);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if self.child.try_wait()?.is_some() {
                return Err(self.end());
            }
            if Instant::now() >= deadline {
                return Err(Ending::Silent { waited: timeout });
            }
            wait_readable(&mut [PollFd::new(&self.listener, PollFlags::IN)], GLANCE)?;
        }
    }

    /// Lets a connected process run, and learns which Criterion it is.
    ///
    /// # Errors
    /// As for [`Process::next`].
    pub fn greet(&mut self, timeout: Duration) -> Result<CriterionVersion, Ending> {
        self.send(GREETING)?;
        let deadline = Instant::now() + timeout;
        loop {
            let received = self.receive();
            if let Some(answer) = self.frames.take(ANSWER_BYTES) {
                return Ok(parse_answer(&answer)?);
            }
            received?;
            self.wait_until(deadline, timeout)?;
        }
    }

    /// Lets a process that waits after `MeasurementComplete` or `FinishedBenchmarkGroup` run on.
    ///
    /// # Errors
    /// [`Ending::Exited`] when it is gone.
    pub fn proceed(&mut self) -> Result<(), Ending> {
        self.send(&encode(&"Continue")?)
    }

    /// Asks a process that waits to word `value` in the unit of its measurement; the answer comes as
    /// [`Message::FormattedValue`] and the process goes on waiting.
    ///
    /// # Errors
    /// As for [`Process::proceed`].
    pub fn format_value(&mut self, value: f64) -> Result<(), Ending> {
        #[derive(serde::Serialize)]
        enum Question {
            FormatValue { value: f64 },
        }
        self.send(&encode(&Question::FormatValue { value })?)
    }

    /// The next message; at most `timeout` is waited for it.
    ///
    /// # Errors
    /// Why there will be none. The process is to be dropped then.
    pub fn next(&mut self, timeout: Duration) -> Result<Message, Ending> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(message) = self.poll_message()? {
                return Ok(message);
            }
            self.wait_until(deadline, timeout)?;
        }
    }

    /// Ends the process and everything it started, and gives the last lines that it wrote to
    /// stderr (or to stdout, where stderr is empty: that is where Criterion 0.3 writes its errors).
    #[must_use]
    pub fn into_last_words(mut self) -> String {
        self.kill();
        [&self.stderr, &self.stdout]
            .into_iter()
            .flatten()
            .map(Tail::last_lines)
            .find(|lines| !lines.is_empty())
            .unwrap_or_default()
    }

    /// A message that is already there.
    fn poll_message(&mut self) -> Result<Option<Message>, Ending> {
        if let Some(message) = self.frames.next_message::<Message>()? {
            return Ok(Some(message.renamed(&self.names)));
        }
        let received = self.receive();
        // What came before the end is heard first.
        match self.frames.next_message::<Message>()? {
            Some(message) => Ok(Some(message.renamed(&self.names))),
            None => received.map(|()| None),
        }
    }

    /// Takes in what has arrived, without waiting.
    fn receive(&mut self) -> Result<(), Ending> {
        let mut chunk = [0; 16 << 10];
        loop {
            let Some(stream) = &mut self.stream else {
                return Err(self.end());
            };
            match stream.read(&mut chunk) {
                Ok(0) => return Err(self.end()),
                Ok(count) => self.frames.push(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    acknowledge(stream);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(self.end());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a few bytes; the process reads them before it does anything else, so the socket's
    /// buffer always has room.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        let Some(stream) = &mut self.stream else {
            return Err(self.end());
        };
        stream.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => self.end(),
            _ => error.into(),
        })
    }

    fn wait_until(&self, deadline: Instant, timeout: Duration) -> Result<(), Ending> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Ending::Silent { waited: timeout });
        }
        if let Some(stream) = &self.stream {
            wait_readable(&mut [PollFd::new(stream, PollFlags::IN)], left)?;
        }
        Ok(())
    }

    /// How the process ended, now that its connection is closed.
    fn end(&mut self) -> Ending {
        self.stream = None;
        let deadline = Instant::now() + LAST_BREATH;
        loop {
            match self.child.try_wait() {
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

    fn kill(&mut self) {
        self.child.kill();
        // Where it cannot be waited for there is nothing to wait for.
        let _ = self.child.wait();
    }
}

/// The next message of either process, where both run; `None` when `deadline` passes. A side that
/// is `None` is not listened to.
pub fn next_of(
    processes: &mut Paired<Option<&mut Process>>,
    deadline: Instant,
) -> Option<(Side, Result<Message, Ending>)> {
    loop {
        for side in Side::BOTH {
            if let Some(process) = processes.get_mut(side)
                && let Some(heard) = process.poll_message().transpose()
            {
                return Some((side, heard));
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        let mut streams: Vec<PollFd<'_>> = [&processes.base, &processes.head]
            .into_iter()
            .flatten()
            .filter_map(|process| process.stream.as_ref())
            .map(|stream| PollFd::new(stream, PollFlags::IN))
            .collect();
        if let Err(error) = wait_readable(&mut streams, left) {
            let side = if processes.base.is_some() {
                Side::Base
            } else {
                Side::Head
            };
            return Some((side, Err(error.into())));
        }
    }
}

/// Acknowledges at once what has been read. Criterion writes the length of a message by itself, and then
/// the kernel holds the message back until the length is acknowledged (Nagle's algorithm), which
/// the receiving kernel puts off by 40 ms: for each group of benchmarks, in each process.
fn acknowledge(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    // Without it, it only takes longer. The kernel forgets the setting, so it is made each time.
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Sleeps until something can be read, or `timeout` has passed, or a signal came.
fn wait_readable(descriptors: &mut [PollFd<'_>], timeout: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(descriptors, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Length, fake};
    use super::*;
    use crate::process::Placement;

    const PATIENT: Duration = Duration::from_secs(60);

    fn start(script: &str, filter: &str) -> Process {
        let executable = fake::executable(script);
        let invocation = Invocation {
            executable: &executable,
            side: Side::Base,
            filter: filter.into(),
            timing: None,
            length: Length::Whole,
            placement: Placement::Free,
            env: Vec::new(),
        };
        Process::spawn(&invocation, fake::scratch()).unwrap()
    }

    /// Follows a process to its end, letting it proceed whenever it waits.
    fn follow(process: &mut Process) -> (Vec<Message>, Ending) {
        let mut heard = Vec::new();
        process.connect(PATIENT).unwrap();
        process.greet(PATIENT).unwrap();
        loop {
            match process.next(PATIENT) {
                Ok(message) => {
                    let waits = matches!(
                        message,
                        Message::MeasurementComplete { .. }
                            | Message::FinishedBenchmarkGroup { .. }
                    );
                    heard.push(message);
                    if waits {
                        process.proceed().unwrap();
                    }
                }
                Err(ending) => return (heard, ending),
            }
        }
    }

    #[test]
    fn a_benchmark_is_followed_from_greeting_to_exit() {
        let mut process = start("group\tg\nbench\tg/a b\nbench\tg/c", "^(?:g/a b)$");
        let (heard, ending) = follow(&mut process);
        assert!(matches!(ending, Ending::Exited { status } if status.success()));
        let ids: Vec<String> = heard
            .iter()
            .filter_map(|message| match message {
                Message::MeasurementComplete { id, times, .. } => {
                    assert_eq!(times.len(), 10);
                    Some(format!("ran {}", id.full()))
                }
                Message::SkippingBenchmark { id } => Some(format!("skipped {}", id.full())),
                _ => None,
            })
            .collect();
        assert_eq!(ids, ["ran g/a b", "skipped g/c"]);
    }

    #[test]
    fn a_panic_is_told_with_its_message() {
        let mut process = start("bench\ta\tpanic", "^(?:a)$");
        let (heard, ending) = follow(&mut process);
        assert_eq!(ending.to_string(), "exited with status 101");
        assert!(matches!(heard.last(), Some(Message::Warmup { .. })));
        let words = process.into_last_words();
        assert!(words.contains("planted panic"), "{words}");
    }

    #[test]
    fn a_crash_is_named_by_its_signal() {
        let mut process = start("bench\ta\tabort", "^(?:a)$");
        let (_, ending) = follow(&mut process);
        assert!(
            ending.to_string().starts_with("was killed by signal 6"),
            "{ending}"
        );
    }

    #[test]
    fn megabytes_of_output_on_both_streams_do_not_block() {
        let script = "bench\ta\tstderr=3000000\nbench\tb\tstdout=3000000";
        let mut process = start(script, "^(?:a|b)$");
        let (_, ending) = follow(&mut process);
        assert!(matches!(ending, Ending::Exited { status } if status.success()));
        assert!(process.into_last_words().len() < 64 << 10);
    }

    #[test]
    fn a_process_that_never_connects_is_told_from_one_that_hangs() {
        let mut process = start("do\texit=3", "$^");
        process.connect(PATIENT).unwrap();
        process.greet(PATIENT).unwrap();
        assert_eq!(
            process.next(PATIENT).unwrap_err().to_string(),
            "exited with status 3"
        );
        let mut process = start("bench\ta\thang", "^(?:a)$");
        process.connect(PATIENT).unwrap();
        process.greet(PATIENT).unwrap();
        while process
            .next(PATIENT)
            .is_ok_and(|message| !matches!(message, Message::Warmup { .. }))
        {}
        let ending = process.next(Duration::from_millis(20)).unwrap_err();
        assert_eq!(ending.to_string(), "no sign of life for 20ms");
    }

    #[test]
    fn a_child_of_the_benchmark_ends_with_it() {
        let mut process = start("bench\ta\torphan", "^(?:a)$");
        let (_, ending) = follow(&mut process);
        assert!(matches!(ending, Ending::Exited { status } if status.success()));
        // Were the child alive, it would hold the stream open.
        process.kill();
        let stderr = process.stderr.take().unwrap();
        assert!(stderr.closes_within(PATIENT));
    }

    #[test]
    fn of_two_processes_the_one_that_speaks_is_heard() {
        let mut base = start("bench\ta\thang", "^(?:a)$");
        let mut head = start("bench\ta", "^(?:a)$");
        for process in [&mut base, &mut head] {
            process.connect(PATIENT).unwrap();
            process.greet(PATIENT).unwrap();
        }
        let mut both = Paired::new(Some(&mut base), Some(&mut head));
        let deadline = Instant::now() + PATIENT;
        let complete = std::iter::from_fn(|| next_of(&mut both, deadline))
            .find(|(_, heard)| matches!(heard, Ok(Message::MeasurementComplete { .. })));
        assert_eq!(complete.unwrap().0, Side::Head);
        assert!(next_of(&mut both, Instant::now()).is_none());
    }
}
