//! One process whose functions and files are watched.
//!
//! perfcheck decides how long it runs, whatever settings the benchmark's code has. The first call of the warm-up that ends
//! after the wanted time is the last one, and Criterion then plans the fewest iterations. Where a single call takes
//! long, perfcheck ends the process behind it and notes that the benchmark is slow. The next process with that benchmark
//! ends after as many calls as a round has at most.

use std::path::Path;
use std::time::Duration;

use crate::file_access::{Access, RecordError};
use crate::harness::{Filter, Invocation, Length};
use crate::process::Placement;
use crate::seam::{Enough, SeamError, WarmUp};
use crate::units::{Event, Paired, Side};

use super::super::batches::fit;
use super::super::enough::{SLOW_CALL, samples_of_slow};
use super::super::iterations;
use super::super::player::{Fault, Player, Turn};
use super::super::reached::WhyUnknown;
use super::super::seams::explain;
use super::super::witness::Witness;
use super::{Look, Search, Seen, worse};

/// So many calls of a benchmark whose iteration takes so long are as many iterations at least as a round has: one to warm
/// up, and its samples.
fn calls_of_slow(iteration: Duration) -> u64 {
    1 + samples_of_slow(iteration)
}

/// Why a process did not run to its end.
pub(super) enum Stop {
    /// It had run enough of a benchmark.
    Ended(Ended),
    Fault(Fault),
    /// What it executes cannot be seen.
    Blind(WhyUnknown),
}

/// A process that was ended in the middle of a benchmark.
pub(super) struct Ended {
    side: Side,
    pub(super) seen: Seen,
    /// The benchmarks that it ran before.
    complete: Vec<String>,
    /// The benchmark in which it was ended.
    id: String,
    /// What its first call took.
    iteration: Duration,
    /// Whether that benchmark has run as many calls as it needs.
    suffices: bool,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Stop::Blind(error.to_string())
    }
}

impl From<SeamError> for Stop {
    fn from(error: SeamError) -> Self {
        Stop::Blind(explain(&error))
    }
}

impl Search<'_> {
    /// One process, to its end, or until it has run enough of a slow benchmark.
    pub(super) fn process(
        &mut self,
        witness: &mut Witness,
        side: Side,
        ids: &[String],
        look: Look,
    ) -> Result<Seen, Stop> {
        let timing = look.timing();
        let version = *self.target.criterion.get(side);
        let Some(executable) = self.target.executables.get(side).as_ref() else {
            return Ok(Seen::Nothing);
        };
        let invocation = Invocation {
            executable,
            side,
            filter: match ids {
                [] => Filter::Nothing,
                ids => Invocation::filter_for(ids.iter().map(String::as_str)),
            },
            timing: Some((fit(timing, self.target), version)),
            length: Length::Whole,
            placement: Placement::Free,
            env: witness.env(),
        };
        witness.expect_start();
        let mut player = Player::start(&invocation, self.scratch, self.sampling.timeout)?;
        if !witness.sees(player.id())? {
            let why = player.kept_out_by();
            let why = format!("breakpoints could not be set in the benchmark's process{why}");
            return Err(Stop::Blind(why));
        }
        let mut seen = match self.take(witness, side, player.id())? {
            true => Seen::Everything,
            false => Seen::Nothing,
        };
        let mut complete = Vec::new();
        for id in ids.iter().map(Some).chain(std::iter::repeat(None)) {
            self.announce(id);
            let slow = id.and_then(|id| self.slow.get(id));
            let enough = match slow {
                Some(iteration) => Enough::Calls(calls_of_slow(*iteration)),
                None => Enough::SlowCall(SLOW_CALL),
            };
            let planned = id.filter(|_| slow.is_none());
            let suffices = slow.is_some();
            let planned = planned.and_then(|id| self.planned(id, side, look));
            let least = timing.warm_up + timing.measurement;
            let warm_up = planned.unwrap_or(iterations::first(least));
            if let Some(pace) = witness.bound(warm_up, enough)? {
                player.at(pace);
            }
            let report = match player.turn() {
                Ok(Turn::Complete(report) | Turn::Enough(report)) => report,
                Ok(Turn::Over) => break,
                Err(ending) => return Err(player.into_fault(&ending).into()),
            };
            if self.take(witness, side, player.id())? {
                self.reached.insert(report.id.clone());
                seen = worse(seen, Seen::Something);
            }
            if report.ended {
                return Err(Stop::Ended(Ended {
                    side,
                    seen,
                    complete,
                    iteration: witness.first_call()?,
                    suffices,
                    id: report.id,
                }));
            }
            if planned.is_some() && id != Some(&report.id) {
                // It was let run as another one should have been.
                self.shown.clear();
                seen = worse(seen, Seen::Something);
            }
            if side == Side::Head
                && let Some(shown) = witness.shown(&report)?
            {
                let shown =
                    shown.asked_for(fit(timing, self.target), fit(self.round(), self.target));
                self.shown.insert(report.id.clone(), shown);
            }
            complete.push(report.id);
        }
        // A benchmark that did not run has shown nothing; whether timing can run it is for timing to say.
        let never_ran = ids.iter().filter(|id| !complete.contains(id));
        for id in never_ran {
            self.failed.insert(id.clone());
            seen = worse(seen, Seen::Something);
        }
        // After the last benchmark, nothing matters to any of them; without any benchmark, this is the set-up.
        let late = self.take(witness, side, player.id())?;
        if late && ids.is_empty() {
            seen = Seen::Everything;
        }
        Ok(seen)
    }

    /// How a benchmark is let run as long as a round, neither shorter nor longer, where it has shown what an iteration takes.
    fn planned(&self, id: &str, side: Side, look: Look) -> Option<WarmUp> {
        let Look::Proof(timing) = look else {
            return None;
        };
        let shown = self.shown.get(id).filter(|_| timing == self.round())?;
        let all = timing.warm_up + timing.measurement;
        let warm_up = iterations::plan_together(Paired::new(shown, shown), all).warm_up;
        Some(WarmUp {
            // The place lies in the executable that has shown it.
            place: warm_up.head.place.filter(|_| side == Side::Head),
            ..warm_up.head
        })
    }

    /// Takes out of `chunk` what the ended process has run. Returns a benchmark that needs a process of its own.
    pub(super) fn again(
        &mut self,
        ended: &Ended,
        look: Look,
        chunk: &mut Vec<String>,
    ) -> Option<Vec<String>> {
        let id = &ended.id;
        let was_slow = self.slow.insert(id.clone(), ended.iteration).is_some();
        let over = ended.suffices
            || match self.reached.contains(id) {
                // On the head side it may be the only one that executes some other function.
                true => ended.side == Side::Base || self.has_executed_all(),
                false => look == Look::Glance,
            };
        // Benchmarks may run in another order than they were listed in.
        let alone = was_slow && !over;
        chunk.retain(|other| !ended.complete.contains(other) && !((over || alone) && other == id));
        alone.then(|| vec![id.clone()])
    }

    /// Whether every function that is watched on the head side was executed.
    fn has_executed_all(&self) -> bool {
        let mut functions = self.watched.iter();
        functions.all(|places| places.iter().any(|place| self.executed.contains(place)))
    }

    /// Whether something that differs was executed or opened since the last call.
    fn take(&mut self, witness: &mut Witness, side: Side, pid: u32) -> Result<bool, Stop> {
        let (executed, touched) = (witness.executed(pid)?, witness.touched()?);
        let any = !touched.is_empty() || self.differing(side).any(|one| executed.contains(&one));
        let paths = touched.iter().map(Access::path);
        self.touched.extend(paths.map(Path::to_owned));
        if side == Side::Head {
            self.executed.extend(executed);
        }
        Ok(any)
    }

    fn announce(&self, id: Option<&String>) {
        let benchmarks = &self.target.benchmarks;
        let found = benchmarks
            .iter()
            .find(|benchmark| Some(&benchmark.key.id) == id);
        if let Some(benchmark) = found {
            (self.events)(Event::Measuring {
                benchmark: benchmark.key.to_string(),
                round: 1,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_a_benchmark_the_fewer_calls_of_it_are_as_many_as_a_round_has() {
        let calls = |milliseconds| calls_of_slow(Duration::from_millis(milliseconds));
        assert_eq!(calls(100), 11);
        assert_eq!(calls(500), 7);
        assert_eq!(calls(1000), 4);
        assert_eq!(calls(60_000), 4);
    }
}
