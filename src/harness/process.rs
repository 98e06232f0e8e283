//! A live benchmark process, and waiting for its messages.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::process::{Child, Runner, Tail};
use crate::scratch::Scratch;
use crate::units::{Paired, Side};

use super::conversation::{Conversation, wait_readable, wait_until};
use super::invocation::temporary;
use super::{CriterionVersion, Ending, Invocation, Message, of};

/// A live benchmark process. Dropping it ends it and everything it started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    conversation: Box<dyn Conversation>,
    /// The report's names for its benchmarks, by its own names for them.
    names: BTreeMap<String, String>,
    stdout: Option<Tail>,
    stderr: Option<Tail>,
}

impl Process {
    /// Starts a process. It runs up to its first benchmark, or the first use of its harness, and waits there.
    ///
    /// # Errors
    /// [`Ending::NotStarted`] when the executable cannot be started or cannot be talked to.
    pub fn spawn(invocation: &Invocation<'_>, scratch: &Scratch) -> Result<Process, Ending> {
        let temporary = temporary(scratch.path(), invocation.side);
        std::fs::create_dir_all(temporary).map_err(Ending::NotStarted)?;
        let harness = of(invocation.executable.command_line);
        let mut command = invocation.command(harness, scratch.path());
        let conversation = harness.open(invocation, &mut command)?;
        let mut child = invocation
            .placement
            .apply(|| scratch.spawn_benchmark(&mut command))
            .map_err(|source| Runner::blame(invocation.executable.runner.as_ref(), source))
            .map_err(Ending::NotStarted)?;
        Ok(Process {
            stdout: child.stdout.take().map(Tail::of),
            stderr: child.stderr.take().map(Tail::of),
            child,
            conversation,
            names: invocation.executable.names.clone(),
        })
    }

    /// The process's id, which is that of its group, too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The port of this machine to which the process is connected, if it is to one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.conversation.port()
    }

    /// Stops the process and everything it started, as a whole.
    pub fn pause(&self) {
        self.child.pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.child.resume();
    }

    /// Waits until the process is held before its first benchmark, where it stays until it is greeted.
    ///
    /// # Errors
    /// [`Ending::Exited`] if it ends instead, [`Ending::Silent`] if it does neither.
    pub fn connect(&mut self, timeout: Duration) -> Result<(), Ending> {
        self.conversation.connect(&mut self.child, timeout)
    }

    /// Lets a connected process run, and learns which Criterion it is, if any.
    ///
    /// # Errors
    /// As for [`Process::next`].
    pub fn greet(&mut self, timeout: Duration) -> Result<Option<CriterionVersion>, Ending> {
        self.conversation.greet(&mut self.child, timeout)
    }

    /// Lets a process continue that waits after `MeasurementComplete` or `FinishedBenchmarkGroup`.
    ///
    /// # Errors
    /// [`Ending::Exited`] when it is gone.
    pub fn proceed(&mut self) -> Result<(), Ending> {
        self.conversation.proceed(&mut self.child)
    }

    /// Asks a waiting process to format `value` in the unit of its measurement; the answer comes as
    /// [`Message::FormattedValue`], and the process continues to wait.
    ///
    /// # Errors
    /// As for [`Process::proceed`].
    pub fn format_value(&mut self, value: f64) -> Result<(), Ending> {
        self.conversation.format_value(&mut self.child, value)
    }

    /// The next message; waits at most `timeout` for it.
    ///
    /// # Errors
    /// Why there will be none; the process should then be dropped.
    pub fn next(&mut self, timeout: Duration) -> Result<Message, Ending> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(message) = self.poll_message()? {
                return Ok(message);
            }
            wait_until(self.conversation.descriptor(), deadline, timeout)?;
        }
    }

    /// Ends the process and everything it started, and gives the last lines that it wrote to
    /// stderr (or to stdout, where stderr is empty: that is where Criterion 0.3 writes its errors).
    #[must_use]
    pub fn into_last_words(mut self) -> String {
        self.kill();
        let heard = [&self.stderr, &self.stdout];
        let heard = heard.into_iter().flatten().map(Tail::last_lines);
        heard
            .chain([self.conversation.last_lines()])
            .find(|lines| !lines.is_empty())
            .unwrap_or_default()
    }

    /// A message that is already there.
    fn poll_message(&mut self) -> Result<Option<Message>, Ending> {
        let message = self.conversation.poll(&mut self.child)?;
        Ok(message.map(|message| message.renamed(&self.names)))
    }

    fn kill(&mut self) {
        self.child.kill();
        // If waiting fails, there is nothing to wait for.
        let _ = self.child.wait();
    }
}

/// The next message of either process, where both run; `None` when `deadline` passes. A side that
/// is `None` is ignored.
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
            .filter_map(|process| process.conversation.descriptor())
            .map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::IN))
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
        // A live child would hold the stream open.
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
