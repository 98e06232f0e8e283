//! Progress on a terminal: finished steps scroll up, a bar stays at the bottom.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::story::{RemainingTime, Story, spoken};
use crate::units::{Colour, Event};

/// The bar counts thousandths, since only the share is known.
const WHOLE: u64 = 1000;

pub(super) struct Screen {
    bar: ProgressBar,
    story: Story,
    colour: Colour,
}

impl Screen {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        story: Story,
        width: u16,
        colour: Colour,
    ) -> Screen {
        let terminal = StreamTerminal {
            out: Mutex::new(out),
            width,
        };
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal), 10);
        let bar = ProgressBar::with_draw_target(Some(WHOLE), target).with_style(style());
        Screen { bar, story, colour }
    }

    pub(super) fn take(&mut self, event: &Event, now: Duration) {
        if let Some(step) = self.story.take(event, now) {
            let verb = self.verb(step.verb);
            self.bar.println(format!("{verb} {}", step.text));
        }
        self.show(now);
    }

    /// Time has passed: a long build shows how long it has taken so far. Nothing is redrawn while something is
    /// measured.
    pub(super) fn tick(&mut self, now: Duration) {
        if self.story.is_building() {
            self.show(now);
        }
    }

    fn show(&mut self, now: Duration) {
        let at = self.story.now(now);
        let left = at.left.map(|left| match left {
            RemainingTime::AtMost(left) => format!("≤ {} left", spoken(left)),
            RemainingTime::About(left) => format!("about {} left", spoken(left)),
        });
        let thousandths = at.done.unwrap_or(0.0) * WHOLE as f64;
        self.bar.set_prefix(left.unwrap_or_default());
        self.bar.set_message(at.text);
        self.bar.set_position(thousandths as u64);
    }

    fn verb(&self, verb: &str) -> String {
        let style = match (self.colour, verb) {
            (Colour::Never, _) => Style::new(),
            (Colour::Ansi, "Warning") => AnsiColor::Yellow.on_default().bold(),
            (Colour::Ansi, _) => AnsiColor::Green.on_default().bold(),
        };
        format!("{style}{verb:>12}{style:#}")
    }

    pub(super) fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template = "{spinner} [{bar:20}] {prefix} {wide_msg}";
    // The template is a constant; a mistake in it leaves the plain bar rather than no run.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

/// Any stream as a terminal for indicatif, with escape sequences that every terminal supports.
struct StreamTerminal {
    out: Mutex<Box<dyn Write + Send>>,
    width: u16,
}

impl StreamTerminal {
    fn put(&self, text: &str) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(text.as_bytes())
    }

    fn moved(&self, n: usize, direction: char) -> io::Result<()> {
        if n == 0 {
            return Ok(());
        }
        self.put(&format!("\x1b[{n}{direction}"))
    }
}

impl std::fmt::Debug for StreamTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl TermLike for StreamTerminal {
    fn width(&self) -> u16 {
        self.width
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.put(&format!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.put(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.out
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}
