//! The last output of a process: everything is read, so that the process never blocks, but only the end is kept.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How much is kept of a stream. A benchmark may print megabytes.
const KEPT_BYTES: usize = 16 << 10;

/// How many lines of it are shown.
const SHOWN_LINES: usize = 20;

/// How long to wait for the rest of a stream once its process is dead. Only a grandchild that left
/// the process group can hold it open longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads a stream on a thread of its own and keeps its end.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    closed: Receiver<()>,
}

impl Tail {
    /// Begins to read `stream`.
    pub(crate) fn of(mut stream: impl Read + Send + 'static) -> Tail {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (announce, closed) = channel();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut chunk = [0; 8 << 10];
            while let Ok(count) = stream.read(&mut chunk)
                && count > 0
            {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..count]);
                let surplus = kept.len().saturating_sub(KEPT_BYTES);
                kept.drain(..surplus);
            }
            // The receiver may be gone, which is fine.
            let _ = announce.send(());
        });
        Tail { kept, closed }
    }

    /// Whether the last process that could write to the stream is gone within `patience`.
    #[cfg(test)]
    pub(crate) fn closes_within(&self, patience: Duration) -> bool {
        self.closed.recv_timeout(patience).is_ok()
    }

    /// The last lines, once the process is dead.
    pub(crate) fn last_lines(&self) -> String {
        // This only bounds the waiting: whatever has arrived by then is the answer.
        let _ = self.closed.recv_timeout(PATIENCE);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        last_lines(kept.make_contiguous())
    }
}

/// The last lines of a text.
pub(crate) fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.trim().lines().collect();
    shown(&lines).join("\n")
}

/// The last lines; or, if a long backtrace would push out the message of a panic, that message
/// without the backtrace.
fn shown<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let last = lines.len().saturating_sub(SHOWN_LINES);
    let Some(panic) = lines.iter().rposition(|line| line.contains("panicked at ")) else {
        return lines[last..].to_vec();
    };
    let message = lines[panic..].iter().take(SHOWN_LINES);
    message
        .take_while(|line| **line != "stack backtrace:")
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_long_stream_is_kept() {
        let text: Vec<u8> = (0..500_000)
            .flat_map(|line| format!("line {line}\n").into_bytes())
            .collect();
        let tail = Tail::of(std::io::Cursor::new(text));
        let lines = tail.last_lines();
        assert_eq!(lines.lines().count(), SHOWN_LINES);
        assert!(lines.ends_with("line 499999"), "{lines}");
    }

    #[test]
    fn a_backtrace_does_not_push_the_panics_message_out() {
        let mut text = "setting up\nthread 'main' panicked at benches/it.rs:3:5:\nno such hour\n\
                        stack backtrace:\n"
            .to_owned();
        for frame in 0..40 {
            text.push_str(&format!("  {frame}: some::function\n"));
        }
        let tail = Tail::of(std::io::Cursor::new(text.into_bytes()));
        let expected = "thread 'main' panicked at benches/it.rs:3:5:\nno such hour";
        assert_eq!(tail.last_lines(), expected);
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_all_the_same() {
        let tail = Tail::of(&b"panicked at \xff\xfe\n"[..]);
        assert_eq!(tail.last_lines(), "panicked at \u{fffd}\u{fffd}");
    }
}
