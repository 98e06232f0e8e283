//! Progress without a terminal: lines that are worth keeping in a log.

use std::io::Write;
use std::time::Duration;

use super::story::{RemainingTime, Story, spoken};
use crate::units::Event;

/// After this long without a step, a line says where the run stands.
const PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Lines {
    out: Box<dyn Write + Send>,
    story: Story,
    last: Duration,
}

impl Lines {
    pub(super) fn new(out: Box<dyn Write + Send>, story: Story) -> Lines {
        Lines {
            out,
            story,
            last: Duration::ZERO,
        }
    }

    pub(super) fn take(&mut self, event: &Event, now: Duration) -> std::io::Result<()> {
        if let Some(step) = self.story.take(event, now) {
            self.last = now;
            writeln!(self.out, "{:>12} {}", step.verb, step.text)?;
            return self.out.flush();
        }
        self.stand(now)
    }

    /// Time has passed. While times are measured, only their own events make perfcheck write.
    pub(super) fn tick(&mut self, now: Duration) -> std::io::Result<()> {
        match self.story.is_timing() {
            true => Ok(()),
            false => self.stand(now),
        }
    }

    /// Writes where the run stands, if no line has said so for a while.
    fn stand(&mut self, now: Duration) -> std::io::Result<()> {
        if now.saturating_sub(self.last) < PAUSE {
            return Ok(());
        }
        self.last = now;
        let at = self.story.now(now);
        let left = at.left.map(|left| match left {
            RemainingTime::AtMost(left) => format!(" (at most {} left)", spoken(left)),
            RemainingTime::About(left) => format!(" (about {} left)", spoken(left)),
        });
        writeln!(
            self.out,
            "{:>12} {}{}",
            "",
            at.text,
            left.unwrap_or_default()
        )?;
        self.out.flush()
    }
}
