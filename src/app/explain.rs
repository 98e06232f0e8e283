//! Where changes come from: profiles of what has changed, counted instructions where samples do not tell functions apart, and more
//! samples where counts do not tell either.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::early::Shortfalls;
use super::passes::Passes;
use super::ready::Ready;
use super::workloads;
use crate::analyse::Comparison;
use crate::attribute::{self, Attributed, CauseFinder, ToProfile};
use crate::judge::RunPart;
use crate::measure::{self, InstructionRun, ProfileRun};
use crate::plan::{CauseEvidence, ProfileTime};
use crate::process::{Valgrind, ValgrindError};
use crate::units::BenchmarkKey;

/// All CPU profiles together take no more than this part of the time that timing took,
const SHARE_OF_TIMING: f64 = 1.0 / 3.0;
/// or than this if that is more.
const NO_WAIT: Duration = Duration::from_secs(12);

/// The instructions of functions are counted for no longer than this part of the time that timing took,
const COUNTING_SHARE: f64 = 1.0 / 6.0;
/// or than this if that is more.
const NO_WAIT_FOR_COUNTS: Duration = Duration::from_secs(10);

impl Passes<'_> {
    /// Profiles what has changed, and says where it comes from.
    pub(super) fn explain(
        &self,
        ready: &mut Ready,
        comparisons: &[Comparison],
        shortfalls: &mut Shortfalls,
    ) -> Vec<Attributed> {
        let sampling = &self.plan.sampling;
        let budget = self.budget();
        let wanted = attribute::wanted(
            comparisons,
            sampling.profiling,
            sampling.profile_time,
            &self.plan.thresholds,
            budget,
        );
        if wanted.times.is_empty() {
            return Vec::new();
        }
        ready.skipped.extend(shortened(&wanted));
        let run = self.profile(ready, &wanted.times);
        let left = wanted.times.len() - run.profiled.len();
        shortfalls.ended(RunPart::Profiles, run.ended, (left, wanted.times.len()));
        let all = ready.workloads.among(&ready.discovery);
        let finder = CauseFinder::of(&ready.builds, &all);
        let mut attributed = finder.by_samples(comparisons, &run.profiled);
        let mut missing = None;
        if sampling.causes == CauseEvidence::Auto {
            let note = self.count_places(ready, &finder, &mut attributed, comparisons);
            missing = note;
        }
        let spent = wanted.times.values().sum();
        let rest = budget.saturating_sub(spent);
        self.sample_more(ready, &finder, &mut attributed, comparisons, rest);
        ready.skipped.extend(missing);
        ready.stages.end("profiling");
        attributed
    }

    /// How long the profiles of one side may take together.
    fn budget(&self) -> Duration {
        let sides = if measure::profiles_both_at_once() {
            1
        } else {
            2
        };
        self.timing_took.mul_f64(SHARE_OF_TIMING).max(NO_WAIT) / sides
    }

    fn profile(&self, ready: &Ready, wanted: &BTreeMap<BenchmarkKey, Duration>) -> ProfileRun {
        let end = self.deadline.end();
        let mut run = workloads::profile(
            &self.plan.sampling,
            ready,
            wanted,
            end,
            self.scratch,
            self.events,
        );
        let others = workloads::others(ready, wanted);
        if run.ended.is_none() && !others.is_empty() {
            let of_benchmarks = measure::profile(
                &self.plan.sampling,
                &ready.discovery,
                &others,
                end,
                &self.known,
                self.scratch,
                self.events,
            );
            run.profiled.extend(of_benchmarks.profiled);
            run.ended = of_benchmarks.ended;
        }
        run
    }

    /// Counts the instructions of functions that samples do not tell apart. What there is no time for stays as it is.
    /// Gives a note where it cannot.
    fn count_places(
        &self,
        ready: &Ready,
        finder: &CauseFinder<'_>,
        attributed: &mut [Attributed],
        comparisons: &[Comparison],
    ) -> Option<String> {
        let mut wanted: BTreeSet<BenchmarkKey> = attribute::unresolved(attributed, comparisons);
        // Programs are timed as a whole, and not counted here.
        let benchmarks = ready.discovery.targets.iter().flat_map(|t| &t.benchmarks);
        let benchmarks: BTreeSet<&BenchmarkKey> = benchmarks.map(|b| &b.key).collect();
        wanted.retain(|key| benchmarks.contains(key));
        if wanted.is_empty() || self.deadline.check().is_err() {
            return None;
        }
        let valgrind = match Valgrind::find() {
            Ok(valgrind) => valgrind,
            Err(error) => return Some(uncounted(wanted.len(), &error)),
        };
        let time = self
            .timing_took
            .mul_f64(COUNTING_SHARE)
            .max(NO_WAIT_FOR_COUNTS);
        let end = Instant::now() + time;
        let end = self.deadline.end().map_or(end, |last| last.min(end));
        let run = measure::locate_instructions(
            &self.plan.sampling,
            &valgrind,
            Some(end),
            &ready.discovery,
            &wanted,
            self.scratch,
            self.events,
        );
        finder.add_counts(attributed, &run.counted);
        left_out(&run)
    }

    /// Takes more samples of what is still not told apart, if those would do it and time is left for them.
    fn sample_more(
        &self,
        ready: &Ready,
        finder: &CauseFinder<'_>,
        attributed: &mut [Attributed],
        comparisons: &[Comparison],
        left: Duration,
    ) {
        if matches!(self.plan.sampling.profile_time, ProfileTime::Exactly(_)) {
            return;
        }
        let wanted = attribute::wanted_more(attributed, comparisons, left);
        if !wanted.is_empty() && self.deadline.check().is_ok() {
            let run = self.profile(ready, &wanted);
            finder.add_samples(attributed, &run.profiled);
        }
    }
}

/// A note that counts would tell what samples do not, as a lower-case fragment.
fn uncounted(benchmarks: usize, error: &ValgrindError) -> String {
    let changes = match benchmarks {
        1 => "the change of 1 benchmark comes".to_owned(),
        n => format!("the changes of {n} benchmarks come"),
    };
    format!(
        "samples do not tell which functions {changes} from, and instructions are not counted, since {error}: {}",
        error.hint()
    )
}

/// A note on benchmarks whose instructions there was no time to count, as a lower-case fragment.
fn left_out(run: &InstructionRun) -> Option<String> {
    let left = run.wanted.saturating_sub(run.counted.len());
    (run.ended.is_some() && left > 0).then(|| {
        format!(
            "samples do not tell where the changes of {} benchmarks come from, and there was no time to count the \
             instructions of {left} of them: `--profile-time 30s` takes more samples",
            run.wanted
        )
    })
}

/// Notes on profiles that were not taken or are shorter than usual, as lower-case fragments.
fn shortened(wanted: &ToProfile) -> Vec<String> {
    let count = wanted.times.len();
    let left_out = (wanted.left_out > 0).then(|| {
        format!(
            "only the {count} benchmarks that changed most were profiled, {} were not: `--profile-all` profiles all",
            wanted.left_out
        )
    });
    let shorter = wanted.instead_of.map(|usual| {
        let longest = wanted.times.values().max().copied().unwrap_or_default();
        format!(
            "{count} benchmarks were profiled for at most {:.1} s per side, so that all profiles together take less \
             time than timing: `--profile-time {}` takes as long as usual",
            longest.as_secs_f64(),
            humantime::format_duration(usual)
        )
    });
    left_out.into_iter().chain(shorter).collect()
}
