//! The standard output of a program, passed on, and when a certain line of it was seen.

use std::ffi::OsStr;
use std::io::{self, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// No line is longer: what is behind that is taken for the next one.
const LONGEST: usize = 1 << 16;

/// How long to wait for the rest of the output once the program has ended: only a process that it left running can hold
/// it open longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the thread that passes it on has to say.
enum OutputEvent {
    /// The line was seen.
    Line(Instant),
    /// All of it was passed on.
    End,
}

/// The output of a program, on a thread of its own.
pub(super) struct HeardOutput(Receiver<OutputEvent>);

impl HeardOutput {
    /// Begins to pass it on to our own standard output, and looks for the first line with `wanted` in it.
    pub(super) fn of(output: impl Read + Send + 'static, wanted: &OsStr) -> HeardOutput {
        let (tell, heard) = channel();
        let wanted = wanted.as_bytes().to_vec();
        std::thread::spawn(move || pass_on(output, LineSearch::new(wanted), &tell));
        HeardOutput(heard)
    }

    /// When the line was seen, once the program has ended and its output was passed on.
    pub(super) fn line(self) -> Option<Instant> {
        let mut line = None;
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.0.recv_timeout(left) {
                Ok(OutputEvent::Line(at)) => line = line.or(Some(at)),
                Ok(OutputEvent::End) | Err(_) => return line,
            }
        }
    }
}

fn pass_on(mut output: impl Read, mut search: LineSearch, tell: &Sender<OutputEvent>) {
    let mut chunk = vec![0; LONGEST];
    loop {
        let read = match output.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        // Nobody may be there to hear it any more, which is fine, as it is where nobody reads what is passed on.
        if search.take(&chunk[..read]) {
            let _ = tell.send(OutputEvent::Line(Instant::now()));
        }
        let _ = io::stdout().lock().write_all(&chunk[..read]);
    }
    let _ = io::stdout().lock().flush();
    let _ = tell.send(OutputEvent::End);
}

/// Looks for a line in what comes piece by piece.
struct LineSearch {
    wanted: Vec<u8>,
    line: Vec<u8>,
}

impl LineSearch {
    fn new(wanted: Vec<u8>) -> LineSearch {
        LineSearch {
            wanted,
            line: Vec::new(),
        }
    }

    /// Whether a line that ends in this piece has the text in it.
    fn take(&mut self, piece: &[u8]) -> bool {
        let mut found = false;
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() >= LONGEST {
                let mut windows = self.line.windows(self.wanted.len().max(1));
                found |= windows.any(|window| window == self.wanted);
                self.line.clear();
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_once_it_is_complete_however_it_is_cut() {
        let mut search = LineSearch::new(b"ready".to_vec());
        assert!(!search.take(b"not yet\nrea"));
        assert!(!search.take(b"dy to serve"));
        assert!(search.take(b" you\nmore"));
        assert!(!search.take(b" of it\n"));
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let mut search = LineSearch::new(b"ready".to_vec());
        for _ in 0..4 {
            assert!(!search.take(&[b'x'; LONGEST]));
            assert!(search.line.len() < LONGEST);
        }
        assert!(search.take(b"ready\n"));
    }
}
