//! What runs recorded of the past, beneath what was just measured.

use std::path::Path;

use super::assemble::machine_class;
use crate::analyse::{Comparison, Verdict};
use crate::build::Build;
use crate::environment::Machine;
use crate::history::{FreshRun, HeadKind, HistoryStore, RecordedHistory, in_parallel};
use crate::judge::{self, BudgetCheck, Drift, NoDrift};
use crate::plan::Plan;
use crate::plan::config::Limit;
use crate::report::HistoryStanding;
use crate::revision::{self, Readable, Resolved, Source};
use crate::service::RowKind;
use crate::units::{Metric, Paired};

/// So many of the largest changes are looked up: each takes up to a fifth of a second.
const MOST: usize = 24;

/// What the recorded history says of a run.
#[derive(Default)]
pub(super) struct Past {
    /// Where changes stand in it.
    pub(super) standings: Vec<HistoryStanding>,
    /// The budgets of drift.
    pub(super) drifts: Vec<BudgetCheck>,
}

/// Looks up what is recorded of the ancestors of the head side, where anything is to be said of it. A comparison needs no
/// history: without one, or with one that cannot be read, only budgets of drift speak of that.
pub(super) fn look_up(
    plan: &Plan,
    resolved: &Resolved,
    builds: &Paired<Build>,
    machine: &Machine,
    comparisons: &[Comparison],
) -> Past {
    let changed = changed(comparisons);
    let limited = limited(plan, comparisons);
    if changed.is_empty() && limited.is_empty() {
        return Past::default();
    }
    let recorded = beneath(plan, resolved, builds, machine);
    let standings = recorded.as_ref();
    Past {
        standings: standings.map_or(Vec::new(), |(history, _)| history.standings(&changed)),
        drifts: drifts(plan, limited, recorded.as_ref()),
    }
}

/// The benchmarks that changed, the largest changes first.
fn changed(comparisons: &[Comparison]) -> Vec<&Comparison> {
    let has_changed = |one: &&Comparison| matches!(one.verdict, Verdict::Slower | Verdict::Faster);
    let mut changed: Vec<&Comparison> = comparisons.iter().filter(has_changed).collect();
    let size = |one: &Comparison| one.estimate().map_or(0.0, |change| change.ratio.ln().abs());
    changed.sort_by(|a, b| size(b).total_cmp(&size(a)));
    changed.truncate(MOST);
    changed
}

/// The benchmarks and programs whose drift is limited.
fn limited<'a>(plan: &Plan, comparisons: &'a [Comparison]) -> Vec<(&'a Comparison, Limit)> {
    let there = comparisons
        .iter()
        .filter(|one| one.verdict != Verdict::Removed && RowKind::of(&one.key).is_none());
    let limits = there.flat_map(|one| {
        let limits = plan.budgets.of_benchmark(&one.key).into_iter();
        limits.map(move |limit| (one, limit))
    });
    limits
        .filter(|(_, limit)| limit.metric == Metric::DRIFT)
        .collect()
}

fn drifts(
    plan: &Plan,
    limited: Vec<(&Comparison, Limit)>,
    recorded: Option<&(RecordedHistory, Readable)>,
) -> Vec<BudgetCheck> {
    let alpha = (1.0 - plan.thresholds.confidence) / limited.len().max(1) as f64;
    let sought: Vec<SoughtDrift<'_>> = limited
        .into_iter()
        .map(|(comparison, limit)| {
            let since = plan.budgets.drift_since(&comparison.key);
            SoughtDrift {
                comparison,
                limit,
                since,
                // What was not measured has no level.
                from: recorded.filter(|_| comparison.estimate().is_some()).map(
                    |(history, repository)| {
                        let place = |since| history.place_of(repository, since);
                        let anchor = since.map_or(Some(history.last_release()), place);
                        (history, anchor)
                    },
                ),
            }
        })
        .collect();
    in_parallel(&sought, |one| {
        judge::check_drift(one.comparison, one.limit, one.drift(), alpha)
    })
}

/// A limit of drift, and where the drift is counted from.
struct SoughtDrift<'a> {
    comparison: &'a Comparison,
    limit: Limit,
    /// As typed.
    since: Option<&'a str>,
    /// The place of that commit in what is recorded.
    from: Option<(&'a RecordedHistory, Option<usize>)>,
}

impl SoughtDrift<'_> {
    fn drift(&self) -> Result<Drift, NoDrift> {
        let (history, anchor) = self.from.ok_or(NoDrift::NoHistory)?;
        let nothing = || match self.since {
            Some(since) => NoDrift::NoRunSince(since.to_owned()),
            None => NoDrift::NoHistory,
        };
        let anchor = anchor.ok_or_else(nothing)?;
        let levels = history.levels(self.comparison, anchor);
        // A commit that was asked for is not replaced by a later one.
        let levels = levels.filter(|levels| self.since.is_none() || levels.anchor == anchor);
        let levels = levels.ok_or_else(nothing)?;
        Ok(Drift {
            base: levels.base,
            head: levels.head,
            since: levels.since.to_string(),
        })
    }
}

/// What is recorded of the ancestors of the head side.
fn beneath(
    plan: &Plan,
    resolved: &Resolved,
    builds: &Paired<Build>,
    machine: &Machine,
) -> Option<(RecordedHistory, Readable)> {
    let folder = plan.manifest_path.parent().unwrap_or(Path::new("."));
    let store = HistoryStore::open(&plan.history, folder).ok()?;
    let contents = store.read().ok()?;
    if contents.files.is_empty() {
        return None;
    }
    let revisions = &resolved.revisions;
    let fresh = FreshRun {
        commits: revisions.as_ref().map(|one| one.commit.clone()),
        head: match revisions.head.source {
            Source::Commit => HeadKind::Commit,
            Source::WorkingTree => HeadKind::WorkingTree,
        },
        rustc: builds.as_ref().map(|build| build.toolchain.rustc.clone()),
        host: builds.head.toolchain.host.clone(),
        profile: builds.head.profile.clone(),
        machine: machine_class(machine),
        renames: plan.renames.clone(),
    };
    let repository = revision::open(folder, None).ok()?;
    let history = RecordedHistory::beneath(&fresh, contents, &repository)?;
    Some((history, repository))
}
