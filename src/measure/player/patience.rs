//! How long a process may be silent.

use std::time::{Duration, Instant};

use crate::build::CommandLine;
use crate::harness::Ending;

use super::super::threads::ThreadTimes;
use super::Player;

/// How much longer than announced a phase may last before it counts as hung. Criterion estimates
/// from the warm-up, whose iterations may be faster than those that follow.
const OVERRUN: f64 = 4.0;

/// The longest round of one benchmark. Settings in a benchmark's code can ask for days.
pub(in crate::measure) const LONGEST_ROUND: Duration = Duration::from_secs(3600);

impl Player {
    /// Until when it may be silent.
    pub(in crate::measure) fn deadline(&self) -> Instant {
        self.heard_at + self.patience
    }

    /// It was silent for a good reason: it waited for its turn.
    pub(in crate::measure) fn excuse(&mut self) {
        self.heard_at = Instant::now();
    }

    /// Whether it is silent because it works on something of unannounced length: a set-up outside of all
    /// benchmarks, or any benchmark of libtest. These may take as long as the longest round.
    pub(in crate::measure) fn sets_up(&mut self) -> bool {
        let now = ThreadTimes::of(self.worker);
        let before = std::mem::replace(&mut self.at_work, now);
        (self.current.is_none() || self.command_line == CommandLine::Libtest)
            && before.has_worked(now)
            && self.released_at.elapsed() < LONGEST_ROUND
    }

    /// It was silent for too long.
    pub(in crate::measure) fn silence(&self) -> Ending {
        Ending::Silent {
            waited: self.patience,
        }
    }

    /// How long a phase really lasts that was announced with `nanos` nanoseconds.
    pub(in crate::measure) fn real(&self, nanos: f64) -> Duration {
        let announced = Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::MAX);
        let pace = self.pace.as_ref();
        pace.map_or(announced, |pace| pace.real(announced))
    }

    /// Allows the time that a phase takes. A phase that `ends` early is allowed no more than the longest round.
    pub(in crate::measure) fn allow(&mut self, takes: Duration, ends: bool) -> Result<(), Ending> {
        if takes > LONGEST_ROUND && !ends {
            return Err(Ending::TooLong {
                announced: takes,
                limit: LONGEST_ROUND,
            });
        }
        self.patience = self.timeout + takes.min(LONGEST_ROUND).mul_f64(OVERRUN);
        Ok(())
    }
}
