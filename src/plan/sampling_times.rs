//! How long things are sampled, where that depends on how many benchmarks there are.

use std::time::Duration;

use super::Sampling;

/// How long each side of a benchmark is profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileTime {
    /// Exactly this long, as the user asked.
    Exactly(Duration),
    /// At most this long; less where many benchmarks have changed.
    AtMost(Duration),
}

/// Whether rounds are as long as [`Sampling`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundLength {
    /// They are, as was asked for.
    Asked,
    /// They may be shorter where many benchmarks are compared.
    Usual,
}

/// Rounds are never shorter than this share of their usual length: each pays for starting two processes.
const SHORTEST: f64 = 0.5;

impl Sampling {
    /// The same time in shorter rounds, for reports that need so many times the usual number of rounds before a
    /// change can be believed.
    #[must_use]
    pub fn in_shorter_rounds(&self, times_as_many: f64) -> Sampling {
        let part = (1.0 / times_as_many).clamp(SHORTEST, 1.0);
        let shorter = |time: Duration| {
            let milliseconds = (time.mul_f64(part).as_secs_f64() * 1e3).round().max(1.0);
            Duration::from_millis(milliseconds as u64)
        };
        if part >= 1.0 {
            return self.clone();
        }
        let measurement = shorter(self.measurement);
        let longest = self
            .rules
            .longest_time()
            .unwrap_or(self.time)
            .max(self.time);
        let needed = (longest.as_secs_f64() / measurement.as_secs_f64()).ceil() as usize;
        Sampling {
            warm_up: shorter(self.warm_up),
            measurement,
            rounds: self.rounds.max(needed),
            ..self.clone()
        }
    }
}
