//! Progress on stderr, from events: what happens now, how far it is, how long it will still take.
//!
//! The rooms emit [`Event`]s; nothing here reaches back. A [`Progress`] gets its output stream and
//! its clock from outside, so tests need no terminal and no waiting.

mod lines;
mod phrases;
mod screen;
mod story;
mod ticker;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::units::{Colour, Event};
use lines::Lines;
use screen::Screen;
use story::Story;
use ticker::Ticker;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressKind {
    /// A bar at the bottom of a terminal, finished steps above it.
    Terminal {
        /// Columns of the terminal.
        width: u16,
        /// Whether words are coloured.
        colour: Colour,
    },
    /// A line for every step, for logs. If a minute passes without a step, there is a line in between; while times
    /// are measured, it waits for the end of a round.
    Lines,
    /// Every event as one line of JSON.
    Json,
    /// Warnings only.
    Quiet,
}

/// Consumes events and shows progress. Drop it, or call [`Progress::finish`], before anything else
/// is written to the same stream.
pub(crate) struct Progress {
    view: Arc<ProgressView>,
    /// Checks the clock when no event comes; absent in tests, which do it themselves.
    _ticker: Option<Ticker>,
}

/// What is shown, and the time.
struct ProgressView {
    shown: Mutex<ProgressDisplay>,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
}

enum ProgressDisplay {
    Screen(Screen),
    Lines(Lines),
    Json(Box<dyn Write + Send>),
    Quiet(Box<dyn Write + Send>),
    /// Nothing any more.
    Over,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// Progress of `kind` on `out`, by the monotonic clock from now on, of a run that may take `limit`.
    pub(crate) fn new(
        kind: ProgressKind,
        limit: Option<Duration>,
        out: impl Write + Send + 'static,
    ) -> Progress {
        let start = Instant::now();
        let mut progress = Progress::with_clock(kind, limit, out, move || start.elapsed());
        let every = match kind {
            ProgressKind::Terminal { .. } => Some(Duration::from_secs(1)),
            ProgressKind::Lines => Some(Duration::from_secs(10)),
            ProgressKind::Json | ProgressKind::Quiet => None,
        };
        let view = Arc::clone(&progress.view);
        progress._ticker = every.map(|every| Ticker::start(every, move || view.tick()));
        progress
    }

    /// As [`Progress::new`], with the time since the start told by `clock`.
    pub(crate) fn with_clock(
        kind: ProgressKind,
        limit: Option<Duration>,
        out: impl Write + Send + 'static,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Progress {
        let out: Box<dyn Write + Send> = Box::new(out);
        let story = Story::new(limit);
        let shown = match kind {
            ProgressKind::Terminal { width, colour } => {
                ProgressDisplay::Screen(Screen::new(out, story, width, colour))
            }
            ProgressKind::Lines => ProgressDisplay::Lines(Lines::new(out, story)),
            ProgressKind::Json => ProgressDisplay::Json(out),
            ProgressKind::Quiet => ProgressDisplay::Quiet(out),
        };
        let view = ProgressView {
            shown: Mutex::new(shown),
            clock: Box::new(clock),
        };
        Progress {
            view: Arc::new(view),
            _ticker: None,
        }
    }

    /// Where the rooms send their events: `&progress.sink()` is an [`crate::units::EventSink`].
    pub(crate) fn sink(&self) -> impl Fn(Event) + Sync + '_ {
        move |event| self.view.take(&event)
    }

    /// Removes the bar from the terminal. From then on only finished steps are shown.
    pub(crate) fn finish(&self) {
        let mut shown = self.view.shown();
        if let ProgressDisplay::Screen(screen) = &mut *shown {
            screen.finish();
        }
        if matches!(
            *shown,
            ProgressDisplay::Screen(_) | ProgressDisplay::Lines(_)
        ) {
            *shown = ProgressDisplay::Over;
        }
    }
}

impl ProgressView {
    fn shown(&self) -> MutexGuard<'_, ProgressDisplay> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: &Event) {
        let now = (self.clock)();
        // A closed stream is no reason to stop measuring.
        let _ = match &mut *self.shown() {
            ProgressDisplay::Screen(screen) => {
                screen.take(event, now);
                Ok(())
            }
            ProgressDisplay::Lines(lines) => lines.take(event, now),
            ProgressDisplay::Json(out) => json(out, event),
            ProgressDisplay::Quiet(out) => quiet(out, event),
            ProgressDisplay::Over => Ok(()),
        };
    }

    /// Time has passed, and perhaps nothing has happened.
    fn tick(&self) {
        let now = (self.clock)();
        let _ = match &mut *self.shown() {
            ProgressDisplay::Screen(screen) => {
                screen.tick(now);
                Ok(())
            }
            ProgressDisplay::Lines(lines) => lines.tick(now),
            ProgressDisplay::Json(_) | ProgressDisplay::Quiet(_) | ProgressDisplay::Over => Ok(()),
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn json(out: &mut dyn Write, event: &Event) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

fn quiet(out: &mut dyn Write, event: &Event) -> std::io::Result<()> {
    match event {
        Event::Warning { message } => writeln!(out, "warning: {}", story::printable(message)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
