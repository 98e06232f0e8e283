//! A process of libtest, held and followed through what it writes to stdout.
//!
//! Before it runs anything, libtest announces how many tests there are, and then names the one that it begins. Its
//! stdout is a pipe that perfcheck has filled beforehand, with room only for the announcement. The process writes
//! that, and blocks in the next write until perfcheck greets it by emptying the pipe. This needs no library in the
//! process.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::super::conversation::{Conversation, GLANCE, end_of};
use super::super::{
    BenchmarkConfig, BenchmarkId, CriterionVersion, Ending, Invocation, Message, SamplingMethod,
};
use super::LibtestSummary;
use crate::process::{Child, last_lines};

/// The longest announcement that libtest makes for zero or one test.
const ANNOUNCEMENT: &[u8] = b"\nrunning 0 tests\n";

/// How many of the last bytes are kept for messages.
const KEPT_BYTES: usize = 16 << 10;

/// What libtest writes about a test before its result.
const TEST: &str = "test ";
const BEFORE_RESULT: &str = " ... ";

/// The talk with one process.
#[derive(Debug)]
pub(super) struct Console {
    stdout: File,
    /// How many of the next bytes are our own filling.
    filling: usize,
    /// The settings that perfcheck wants, which libtest does not know.
    config: BenchmarkConfig,
    /// The line that is being written.
    line: String,
    /// The benchmark that the process has begun.
    begun: Option<String>,
    heard: VecDeque<Message>,
    /// The last of all it wrote.
    tail: Vec<u8>,
}

impl Console {
    /// Gives a filled pipe to the process that is about to be started.
    pub(super) fn open(invocation: &Invocation<'_>, command: &mut Command) -> io::Result<Console> {
        let (reader, writer) = full_pipe()?;
        command.stdout(Stdio::from(writer));
        let asked = invocation.timing.as_ref();
        let (measurement, warm_up, sample_size) = asked.map_or_else(Default::default, |(it, _)| {
            (it.measurement, it.warm_up, it.sample_size)
        });
        Ok(Console {
            stdout: reader.0,
            filling: reader.1,
            config: BenchmarkConfig {
                measurement_time: measurement.into(),
                sample_size: sample_size as u64,
                warm_up_time: warm_up.into(),
            },
            line: String::new(),
            begun: None,
            heard: VecDeque::new(),
            tail: Vec::new(),
        })
    }

    /// Reads what has arrived, without waiting.
    fn receive(&mut self, child: &mut Child) -> Result<(), Ending> {
        let mut chunk = [0; 4 << 10];
        let mut over = false;
        loop {
            match self.stdout.read(&mut chunk) {
                Ok(0) => return Err(end_of(child)),
                Ok(count) => {
                    let own = self.filling.min(count);
                    self.filling -= own;
                    self.take(&chunk[own..count]);
                }
                // Something that it has started may keep the pipe open.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match over {
                    true => return Err(end_of(child)),
                    false if child.try_wait()?.is_none() => return Ok(()),
                    // It may have written after the pipe was found empty, and then ended.
                    false => over = true,
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(KEPT_BYTES);
        self.tail.drain(..surplus);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.push_str(&String::from_utf8_lossy(part));
            self.read_line();
            if part.ends_with(b"\n") {
                self.line.clear();
                self.begun = None;
            }
        }
    }

    /// Looks at the line so far.
    fn read_line(&mut self) {
        let test = self.line.strip_prefix(TEST);
        let Some((name, result)) = test.and_then(|rest| rest.split_once(BEFORE_RESULT)) else {
            return;
        };
        let id = BenchmarkId::of_name(name.trim_end().to_owned());
        if self.begun.is_none() {
            self.begun = Some(id.full());
            self.heard
                .push_back(Message::BeginningBenchmark { id: id.clone() });
        }
        if !self.line.ends_with('\n') {
            return;
        }
        if let Some(summary) = LibtestSummary::parse(result) {
            self.heard.push_back(Message::MeasurementComplete {
                id,
                iters: vec![1.0],
                times: vec![summary.median_ns],
                sampling_method: SamplingMethod::Flat,
                benchmark_config: self.config.clone(),
                summary: Some(summary),
            });
        }
    }
}

impl Conversation for Console {
    fn connect(&mut self, child: &mut Child, timeout: Duration) -> Result<(), Ending> {
        let deadline = Instant::now() + timeout;
        loop {
            // Check this first: a process that has ended will not write any more.
            let over = child.try_wait()?.is_some();
            let there = rustix::io::ioctl_fionread(&self.stdout).map_err(io::Error::from)?;
            if there > self.filling as u64 {
                return Ok(());
            }
            if over {
                return Err(end_of(child));
            }
            if Instant::now() >= deadline {
                return Err(Ending::Silent { waited: timeout });
            }
            std::thread::sleep(GLANCE / 10);
        }
    }

    fn greet(
        &mut self,
        child: &mut Child,
        _: Duration,
    ) -> Result<Option<CriterionVersion>, Ending> {
        match self.receive(child) {
            // A process that ends as soon as it may run is still read like any other; its end is reported after
            // that.
            Err(_) if !self.heard.is_empty() => Ok(None),
            received => received.map(|()| None),
        }
    }

    /// It does not wait.
    fn proceed(&mut self, _: &mut Child) -> Result<(), Ending> {
        Ok(())
    }

    fn format_value(&mut self, _: &mut Child, value: f64) -> Result<(), Ending> {
        let value = format!("{value} ns");
        self.heard.push_front(Message::FormattedValue { value });
        Ok(())
    }

    fn poll(&mut self, child: &mut Child) -> Result<Option<Message>, Ending> {
        if let Some(message) = self.heard.pop_front() {
            return Ok(Some(message));
        }
        let received = self.receive(child);
        // Messages that came before the end are handled first.
        match self.heard.pop_front() {
            Some(message) => Ok(Some(message)),
            None => received.map(|()| None),
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.stdout.as_fd())
    }

    fn port(&self) -> Option<u16> {
        None
    }

    fn last_lines(&self) -> String {
        last_lines(&self.tail)
    }
}

/// A pipe with room for [`ANNOUNCEMENT`] only: its reading end with the number of bytes in it, and its writing end.
#[cfg(target_os = "linux")]
fn full_pipe() -> io::Result<((File, usize), File)> {
    use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    // One page: a write is appended to the page if it fits.
    let room = fcntl_setpipe_size(&writer, 1)?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    let filling = room.saturating_sub(ANNOUNCEMENT.len());
    let mut writer = File::from(writer);
    writer.write_all(&vec![b'\n'; filling])?;
    Ok(((File::from(reader), filling), writer))
}

#[cfg(not(target_os = "linux"))]
fn full_pipe() -> io::Result<((File, usize), File)> {
    let reason = "benchmarks of the built-in harness are run on Linux only";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::super::super::{Length, Process, fake};
    use super::*;
    use crate::build::{CommandLine, Executable};
    use crate::process::Placement;
    use crate::units::Side;

    const PATIENT: Duration = Duration::from_secs(60);

    /// A process that writes as libtest does. A benchmark that runs creates a file.
    fn start(folder: &Path, result: &str) -> Process {
        let script = format!(
            "printf '\\nrunning 1 test\\n'\nprintf 'test a::b ... '\n: > '{}'\n\
             printf bench\nprintf '{result}'\nprintf '\\n\\ntest result: ok.\\n'\n",
            folder.join("ran").display()
        );
        start_script(folder, &script)
    }

    fn start_script(folder: &Path, script: &str) -> Process {
        let path = folder.join("bench");
        let script = format!("#!/bin/sh\n{script}");
        fs_err::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let executable = Executable {
            path,
            command_line: CommandLine::Libtest,
            ..fake::executable("")
        };
        let invocation = Invocation {
            executable: &executable,
            side: Side::Base,
            filter: Invocation::filter_for(["a::b"]),
            timing: None,
            length: Length::Whole,
            placement: Placement::Free,
            env: Vec::new(),
        };
        let mut process = Process::spawn(&invocation, fake::scratch()).unwrap();
        process.connect(PATIENT).unwrap();
        process
    }

    #[test]
    fn a_process_stands_still_before_its_benchmark_until_it_is_greeted() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = start(folder.path(), ":  1,234.50 ns/iter (+/- 6.78)");
        // However long it is let wait.
        std::thread::sleep(Duration::from_millis(50));
        assert!(!folder.path().join("ran").exists());
        process.greet(PATIENT).unwrap();
        let begins = process.next(PATIENT).unwrap();
        assert!(matches!(begins, Message::BeginningBenchmark { id } if id.full() == "a::b"));
        let complete = process.next(PATIENT).unwrap();
        let Message::MeasurementComplete { times, summary, .. } = complete else {
            panic!("{complete:?}");
        };
        assert_eq!(times, [1234.5]);
        assert_eq!(summary.unwrap().spread_ns, 6.78);
        assert!(folder.path().join("ran").exists());
        let ending = process.next(PATIENT).unwrap_err();
        assert!(matches!(ending, Ending::Exited { status } if status.success()));
    }

    #[test]
    fn a_process_that_is_over_before_it_is_greeted_is_heard_first() {
        let folder = tempfile::tempdir().unwrap();
        let over = folder.path().join("over");
        // So little that the process need not block.
        let script = format!("printf 'test a ... b'\n: > '{}'\n", over.display());
        let mut process = start_script(folder.path(), &script);
        while !over.exists() {
            std::thread::sleep(GLANCE);
        }
        std::thread::sleep(Duration::from_millis(50));
        process.greet(PATIENT).unwrap();
        let begins = process.next(PATIENT).unwrap();
        assert!(matches!(begins, Message::BeginningBenchmark { id } if id.full() == "a"));
        assert!(matches!(process.next(PATIENT), Err(Ending::Exited { .. })));
    }

    #[test]
    fn what_is_no_result_is_the_process_s_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = start(folder.path(), "FAILED");
        process.greet(PATIENT).unwrap();
        let begins = process.next(PATIENT).unwrap();
        assert!(matches!(begins, Message::BeginningBenchmark { .. }));
        assert!(matches!(process.next(PATIENT), Err(Ending::Exited { .. })));
        assert!(process.into_last_words().contains("benchFAILED"));
    }
}
