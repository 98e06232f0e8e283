//! Where a comparison that has just been made stands in what was recorded.

use git2::Repository;

use super::benchmark_runs::{BenchmarkRuns, RunEnd, built};
use super::parallel::in_parallel;
use super::present_names::PresentNames;
use super::record::RecordedBenchmark;
use super::trends::ALPHA;
use super::{CommitOrder, StoreContents, commit_of};
use crate::analyse::{Comparison, Verdict};
use crate::plan::Renaming;
use crate::report::{HistoryStanding, MachineClass, SinceCommit, StandingKind};
use crate::stats::trend::{Level, Trend};
use crate::units::{Metric, Paired};

/// The run that has just been made.
#[derive(Debug, Clone)]
pub(crate) struct FreshRun {
    /// The full ids of the commits.
    pub(crate) commits: Paired<String>,
    /// Whether the head side is a commit, or has changes on top of one.
    pub(crate) head: HeadKind,
    /// The compiler of each side.
    pub(crate) rustc: Paired<String>,
    /// The host triple.
    pub(crate) host: String,
    /// The cargo profile.
    pub(crate) profile: String,
    /// What kind of machine measured.
    pub(crate) machine: MachineClass,
    /// What benchmarks were called before.
    pub(crate) renames: Vec<Renaming>,
}

/// What the head side of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadKind {
    /// A commit.
    Commit,
    /// The working tree: newer than every commit.
    WorkingTree,
}

/// What was recorded up to the base side of a fresh run, and that run on top of it.
pub(crate) struct RecordedHistory {
    contents: StoreContents,
    order: CommitOrder,
    renames: Vec<Renaming>,
    ends: Paired<RunEnd>,
    class: MachineClass,
}

/// The levels of both sides, relative to a commit of the past.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LevelsSince {
    /// The level of the base side.
    pub(crate) base: Level,
    /// That of the head side.
    pub(crate) head: Level,
    /// The commit.
    pub(crate) since: SinceCommit,
    /// The place of that commit: of the first one up to the base side that runs lead to.
    pub(crate) anchor: usize,
    trend: Trend,
}

impl RecordedHistory {
    /// What is recorded of the ancestors of `fresh`; `None` where its base side was never measured.
    pub(crate) fn beneath(
        fresh: &FreshRun,
        contents: StoreContents,
        repository: &Repository,
    ) -> Option<RecordedHistory> {
        let runs = contents.runs();
        let order = CommitOrder::of(&runs, Some(repository), &fresh.commits.head).ok()?;
        let base = order.place(&fresh.commits.base)?;
        let recorded = order.place(&fresh.commits.head);
        let head = match fresh.head {
            HeadKind::Commit => recorded.unwrap_or(order.commits.len()),
            HeadKind::WorkingTree => order.commits.len(),
        };
        let how = fresh
            .rustc
            .as_ref()
            .map(|rustc| built(rustc, &fresh.host, &fresh.profile));
        let end = |commit, how| RunEnd { commit, how };
        Some(RecordedHistory {
            ends: Paired::new(end(base, how.base), end(head, how.head)),
            class: fresh.machine.clone(),
            renames: fresh.renames.clone(),
            contents,
            order,
        })
    }

    /// The last release up to the base side, or else the oldest commit that was measured.
    pub(crate) fn last_release(&self) -> usize {
        let up_to_base = self.order.commits.iter().take(self.ends.base.commit + 1);
        let places = up_to_base.enumerate();
        let releases = places.filter(|(_, commit)| !commit.tags.is_empty());
        releases.map(|(place, _)| place).next_back().unwrap_or(0)
    }

    /// The place of a commit, if runs measured it.
    pub(crate) fn place_of(&self, repository: &Repository, spec: &str) -> Option<usize> {
        let id = commit_of(repository, spec).ok()?;
        self.order.place(&id.to_string())
    }

    /// The levels of a benchmark relative to the commit at `anchor`, or to the first one after it that has a run of it.
    pub(crate) fn levels(&self, comparison: &Comparison, anchor: usize) -> Option<LevelsSince> {
        let mut found = BenchmarkRuns::default();
        let mut classes = vec![&self.class];
        let runs = self.contents.runs();
        let names = PresentNames::of(&runs, Some(&comparison.key), &self.renames);
        for run in runs {
            let places = run
                .commits
                .as_ref()
                .map(|commit| self.order.place(&commit.id));
            let (Some(base), Some(head)) = (places.base, places.head) else {
                continue;
            };
            let is_own = |one: &&RecordedBenchmark| *names.of_key(&one.key) == comparison.key;
            let own = run.benchmarks.iter().rfind(is_own);
            let Some(own) = own else { continue };
            let class = classes.iter().position(|class| **class == run.machine);
            let class = class.unwrap_or_else(|| {
                classes.push(&run.machine);
                classes.len() - 1
            });
            let places = Paired::new(base, head);
            let ends = Paired::from_fn(|side| RunEnd::of(run, side, *places.get(side)));
            found.take_in(own, Metric::TIME, &ends, class);
        }
        let before = found.measured.commits.iter();
        let anchor = before.filter(|commit| **commit >= anchor).min().copied()?;
        let fresh = RecordedBenchmark::of(comparison);
        found.take_in(&fresh, Metric::TIME, &self.ends, 0);
        let trend = found.trend(Metric::TIME, anchor, ALPHA);
        let level = |place: usize| trend.levels.get(place).copied().flatten();
        let commit = self.order.commits.get(anchor)?;
        Some(LevelsSince {
            base: level(self.ends.base.commit)?,
            head: level(self.ends.head.commit)?,
            since: SinceCommit {
                commit: commit.id.clone(),
                tag: commit.tags.first().cloned(),
            },
            anchor,
            trend,
        })
    }

    /// Where these changes stand since the last release.
    pub(crate) fn standings(&self, changed: &[&Comparison]) -> Vec<HistoryStanding> {
        let found = in_parallel(changed, |comparison| self.standing(comparison));
        found.into_iter().flatten().collect()
    }

    /// Where the change of a benchmark stands since the last release; `None` where it did not change, or nothing is
    /// recorded.
    fn standing(&self, comparison: &Comparison) -> Option<HistoryStanding> {
        let change = match comparison.verdict {
            Verdict::Slower => StandingKind::Slowdown,
            Verdict::Faster => StandingKind::Speedup,
            _ => return None,
        };
        let levels = self.levels(comparison, self.last_release())?;
        let base = self.ends.base.commit;
        if levels.anchor >= base {
            return None;
        }
        let earlier = levels.trend.steps.iter().filter(|step| {
            let is_since = step.commit > levels.anchor && step.commit <= base;
            is_since && (step.ln_ratio > 0.0) == (change == StandingKind::Slowdown)
        });
        let [lower, upper] = levels.head.bounds();
        Some(HistoryStanding {
            key: comparison.key.clone(),
            change,
            count: 1 + earlier.count(),
            since: levels.since,
            ratio: levels.head.ratio(),
            lower,
            upper,
        })
    }
}
