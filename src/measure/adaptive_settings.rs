//! What earlier rounds have shown about how a benchmark has to be run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::build::Choice;
use crate::discover::Target;
use crate::harness::CriterionVersion;
use crate::process::Placement;
use crate::units::Paired;

use super::batches::{Company, Gate, Idle, RunMode};
use super::benchmark_pairing::{Attempt, Heard, Interleaved};
use super::iterations::{self, LeftAlone, Planned, Shown, Wanted};
use super::known::Known;
use super::set_ups::SetUps;
use super::threads::Threads;
use super::{BenchmarkKey, Remark, Request};

/// The largest ratio of the sides' iterations. If the sides plan them themselves, a warm-up that lost the processor
/// in its first iteration takes a nanosecond for milliseconds, and its samples measure the clock.
const LOPSIDED: f64 = 20.0;

/// How many rounds of one benchmark may be repeated for that reason: one side may really be that much slower.
const REPLANS: u32 = 2;

/// Remembered for all later rounds.
#[derive(Default)]
pub(super) struct Learnt {
    /// Benchmarks with several threads, which are not pinned.
    several_threads: BTreeSet<BenchmarkKey>,
    /// Benchmarks that cannot be paired by sample, with the reason.
    unseamed: BTreeMap<BenchmarkKey, String>,
    /// Benchmarks that being stopped while the other side runs would disturb.
    restless: BTreeSet<BenchmarkKey>,
    /// Benchmarks that the sides run in different orders.
    loners: BTreeSet<BenchmarkKey>,
    /// What the first processes showed. From this perfcheck ends later warm-ups so that a benchmark runs the
    /// iterations that a round wants; or why it leaves them alone.
    shown: BTreeMap<BenchmarkKey, Result<Paired<Shown>, LeftAlone>>,
    /// The kind of first process for a benchmark, if it is not [`Gate::Glance`].
    first_looks: BTreeMap<BenchmarkKey, Gate>,
    /// How many rounds of a benchmark were repeated because its sides planned too different iterations.
    replanned: BTreeMap<BenchmarkKey, u32>,
    /// What a round of a benchmark takes according to its settings, if its warm-ups are left alone.
    asked_for: BTreeMap<BenchmarkKey, Duration>,
}

impl Learnt {
    pub(super) fn unpinned(&self) -> impl Iterator<Item = &BenchmarkKey> {
        self.several_threads.iter()
    }

    pub(super) fn has_several_threads(&self, key: &BenchmarkKey) -> bool {
        self.several_threads.contains(key)
    }

    pub(super) fn may_be_paired_by_sample(&self, key: &BenchmarkKey) -> bool {
        !self.unseamed.contains_key(key)
    }

    /// For the passes behind timing.
    pub(super) fn into_known(self, set_ups: SetUps) -> Known {
        let shown = self.shown.into_iter();
        let shown = shown.filter_map(|(key, shown)| Some((key, shown.ok()?)));
        Known::of(shown.collect(), self.several_threads, set_ups)
    }

    /// How its processes are to run, if known.
    pub(super) fn plan(&self, key: &BenchmarkKey, wanted: Wanted) -> Option<Planned> {
        let shown = self.shown.get(key)?.as_ref().ok()?;
        Some(iterations::plan(shown.as_ref(), wanted))
    }

    /// Why its iterations are those that its settings ask for, if they are.
    pub(super) fn left_alone(&self, key: &BenchmarkKey) -> Option<LeftAlone> {
        self.shown.get(key)?.as_ref().err().copied()
    }

    /// How long a round takes, as far as a first process has shown it.
    pub(super) fn round(&self, key: &BenchmarkKey, wanted: Wanted) -> Option<Duration> {
        let planned = self.plan(key, wanted).map(|planned| planned.round);
        planned.or_else(|| self.asked_for.get(key).copied())
    }

    pub(super) fn company(&self, key: &BenchmarkKey) -> Company {
        if self.loners.contains(key) {
            Company::Alone
        } else {
            Company::Shared
        }
    }

    pub(super) fn idle(&self, key: &BenchmarkKey) -> Idle {
        if self.restless.contains(key) {
            Idle::Running
        } else {
            Idle::Stopped
        }
    }

    /// What the reader of a benchmark's result should know.
    pub(super) fn notes(&self, key: &BenchmarkKey) -> Vec<String> {
        let unpaired = self.unseamed.get(key);
        unpaired
            .map(|reason| format!("not paired sample by sample: {reason}"))
            .into_iter()
            .collect()
    }

    /// Takes in what the processes of a benchmark showed about its iterations.
    fn of_iterations(&mut self, key: &BenchmarkKey, heard: &Heard, way: RunMode) {
        if let Err(why) = heard.kept {
            self.shown.insert(key.clone(), Err(why));
        }
        let configs = [&heard.reports.base, &heard.reports.head];
        let settings = configs.into_iter().flatten().map(|report| {
            let (warm_up, measurement): (Duration, Duration) = (
                report.config.warm_up_time.into(),
                report.config.measurement_time.into(),
            );
            warm_up + measurement
        });
        self.asked_for.insert(key.clone(), settings.sum());
        if let (Some(base), Some(head)) = (&heard.shown.base, &heard.shown.head) {
            let shown = match (base, head) {
                (Ok(base), Ok(head)) if !iterations::agree(base, head) => {
                    Err(LeftAlone::SidesDiffer)
                }
                (Ok(base), Ok(head)) if way.gate == Gate::Quick => {
                    let asked = |shown: &Shown| shown.asked_for(way.timing.quick(), way.timing);
                    Ok(Paired::new(asked(base), asked(head)))
                }
                (Ok(base), Ok(head)) => Ok(Paired::new(base.clone(), head.clone())),
                (Err(why), _) | (_, Err(why)) => Err(*why),
            };
            self.shown.insert(key.clone(), shown);
        }
    }

    /// What later rooms decide by.
    pub(super) fn remarks(&self, key: &BenchmarkKey) -> Vec<Remark> {
        let unpaired = self.unseamed.get(key).cloned();
        let unpaired = unpaired.map(|reason| Remark::Unpaired { reason });
        unpaired.into_iter().collect()
    }

    /// How the first process of a benchmark is run.
    pub(super) fn first_look(&self, key: &BenchmarkKey, target: &Target) -> Gate {
        let versions = [target.criterion.base, target.criterion.head];
        let mut versions = versions.into_iter().flatten();
        let usual = match target.choice() {
            Choice::Any if versions.all(CriterionVersion::has_quick_mode) => Gate::Glance,
            _ => Gate::First,
        };
        self.first_looks.get(key).copied().unwrap_or(usual)
    }

    /// Removes from a chunk the benchmarks that need another kind of first process: slow ones run in quick mode,
    /// and those that quick mode did not show run as a whole process, however long that takes.
    pub(super) fn look_again(
        &mut self,
        attempt: &mut Attempt,
        chunk: &mut Vec<Request>,
        way: RunMode,
    ) -> Vec<Request> {
        let is_shown = |heard: &Heard| {
            let shown = [&heard.shown.base, &heard.shown.head];
            shown.into_iter().all(|shown| matches!(shown, Some(Ok(_))))
        };
        let (taken, next): (&dyn Fn(&str) -> bool, Gate) = match way.gate {
            Gate::Glance => (&|id| attempt.slow.contains(id), Gate::Quick),
            Gate::Quick => (
                &|id| !attempt.heard.get(id).is_some_and(is_shown),
                Gate::First,
            ),
            _ => return Vec::new(),
        };
        let taken: Vec<Request> = chunk
            .extract_if(.., |request| taken(&request.key.id))
            .collect();
        for request in &taken {
            attempt.heard.remove(&request.key.id);
            self.first_looks.insert(request.key.clone(), next);
        }
        taken
    }

    /// Whether a benchmark has to be run again in another way. `pins`: whether a benchmark with several
    /// threads must be freed from its processor.
    pub(super) fn of(
        &mut self,
        request: &Request,
        heard: &Heard,
        way: RunMode,
        pins: bool,
    ) -> bool {
        self.of_iterations(&request.key, heard, way);
        let reports = [&heard.reports.base, &heard.reports.head];
        let mut reports = reports.into_iter().flatten();
        if pins && reports.any(|r| r.threads == Threads::Several) {
            self.several_threads.insert(request.key.clone());
            // What it gave on one processor is worthless.
            if way.placement != Placement::Free {
                return true;
            }
        }
        if let Interleaved::Restless(_) = &heard.interleaved {
            self.restless.insert(request.key.clone());
        }
        if let Some(reason) = doubt(heard, way) {
            self.unseamed.insert(request.key.clone(), reason);
            return true;
        }
        if is_lopsided(heard) {
            let count = self.replanned.entry(request.key.clone()).or_default();
            *count += 1;
            return *count <= REPLANS;
        }
        false
    }

    /// The same for benchmarks that reported nothing.
    pub(super) fn of_all(&mut self, attempt: &Attempt, unheard: &[Request], way: RunMode) -> bool {
        let keys = unheard.iter().map(|request| request.key.clone());
        if let Some(reason) = &attempt.seam_failure {
            self.unseamed.extend(keys.map(|key| (key, reason.clone())));
            true
        } else if attempt.disordered && way.company == Company::Shared {
            self.loners.extend(keys);
            true
        } else if attempt.disordered {
            let reason = "the sides run different benchmarks under one name";
            self.unseamed.extend(keys.map(|key| (key, reason.into())));
            true
        } else {
            false
        }
    }
}

fn is_lopsided(heard: &Heard) -> bool {
    let (Some(base), Some(head)) = (&heard.reports.base, &heard.reports.head) else {
        return false;
    };
    let [base, head] = [base, head].map(|report| report.iterations.iter().sum::<f64>());
    base.max(head) > LOPSIDED * base.min(head)
}

/// Why the reports of a benchmark cannot be trusted although both of its sides ran in turns.
fn doubt(heard: &Heard, way: RunMode) -> Option<String> {
    match &heard.interleaved {
        Interleaved::InDoubt(reason) => return Some(reason.clone()),
        Interleaved::Restless(why) => return Some(why.to_string()),
        Interleaved::ByBenchmark | Interleaved::BySample(_) => {}
    }
    // Two processes at once may want the same port or lock: a benchmark has failed only if it also fails by itself.
    let failures = [&heard.failures.base, &heard.failures.head];
    let failure = failures.into_iter().flatten().next()?;
    (way.gate == Gate::Seam).then(|| {
        let side = failure.side;
        format!(
            "the {side} side fails while the other one is in the same benchmark ({}), and did not when it ran \
             by itself",
            failure.reason
        )
    })
}
