//! What rounds teach about how a benchmark has to be run.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::Placement;

use super::duet::{Attempt, Heard, Interleaved};
use super::threads::Threads;
use super::way::{Company, Gate, Idle, Way};
use super::{BenchmarkKey, Remark, Request, check};

/// How many rounds of one benchmark may be done again because too few iterations were planned. A
/// benchmark that times itself may always report less than planned.
const REPLANS: u32 = 3;

/// Remembered for all later rounds.
#[derive(Default)]
pub(super) struct Learnt {
    /// Benchmarks with several threads, which are not pinned.
    several_threads: BTreeSet<BenchmarkKey>,
    /// Benchmarks that cannot be paired by sample, with the reason.
    unseamed: BTreeMap<BenchmarkKey, String>,
    /// Benchmarks that would not be themselves if they stood still while the other side runs.
    restless: BTreeSet<BenchmarkKey>,
    /// Benchmarks that the sides run in different orders.
    loners: BTreeSet<BenchmarkKey>,
    /// How many rounds of a benchmark were done again because too few iterations were planned.
    replanned: BTreeMap<BenchmarkKey, u32>,
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
        let mut notes: Vec<String> = unpaired
            .map(|reason| format!("not paired sample by sample: {reason}"))
            .into_iter()
            .collect();
        if self.replanned.contains_key(key) {
            notes.push(
                "in a round, a disturbed warm-up led to far too few iterations; it was done again"
                    .into(),
            );
        }
        notes
    }

    /// What later rooms decide by.
    pub(super) fn remarks(&self, key: &BenchmarkKey) -> Vec<Remark> {
        let unpaired = self.unseamed.get(key).cloned();
        let unpaired = unpaired.map(|reason| Remark::Unpaired { reason });
        unpaired.into_iter().collect()
    }

    /// Whether a benchmark has to be run again in another way. `pins`: whether a benchmark with several
    /// threads is to be let off its processor.
    pub(super) fn of(&mut self, request: &Request, heard: &Heard, way: Way, pins: bool) -> bool {
        let reports = [&heard.reports.base, &heard.reports.head];
        let mut reports = reports.into_iter().flatten();
        if pins && reports.clone().any(|r| r.threads == Threads::Several) {
            self.several_threads.insert(request.key.clone());
            // What it gave on one processor is worth nothing.
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
        if reports.any(check::misplanned) {
            let count = self.replanned.entry(request.key.clone()).or_default();
            *count += 1;
            return *count <= REPLANS;
        }
        false
    }

    /// The same for those of which nothing was heard.
    pub(super) fn of_all(&mut self, attempt: &Attempt, unheard: &[Request], way: Way) -> bool {
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

/// Why what was heard of a benchmark cannot be trusted while both of its sides ran, by turns.
fn doubt(heard: &Heard, way: Way) -> Option<String> {
    match &heard.interleaved {
        Interleaved::InDoubt(reason) => return Some(reason.clone()),
        Interleaved::Restless(why) => return Some(why.to_string()),
        Interleaved::ByBenchmark | Interleaved::BySample(_) => {}
    }
    // Two processes at once may want the same port or lock: only what fails by itself, too, has failed.
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
