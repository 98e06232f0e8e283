//! Which commits of a range still have to be compared with the one before them.

use std::collections::BTreeSet;
use std::time::Duration;

use git2::{Oid, Repository};

use super::commits::{commit_of, no_commit};
use super::{HistoryError, RunRecord, UnbuildableCommit};
use crate::report::MachineClass;

/// A commit of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RangeCommit {
    /// The full id.
    pub(crate) id: String,
    /// The first line of its message.
    pub(crate) subject: String,
}

/// The commits of a range, each followed by its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitRange {
    /// The newest first; the last one is the one before the range.
    pub(crate) commits: Vec<RangeCommit>,
    /// Whether this clone lacks older ones.
    pub(crate) is_cut: bool,
}

impl CommitRange {
    /// What `git rev-list --first-parent base..head` lists, and the first parent of the oldest one.
    ///
    /// # Errors
    /// A name means nothing, or the range holds no commit.
    pub(crate) fn between(
        repository: &Repository,
        base: &str,
        head: &str,
    ) -> Result<CommitRange, HistoryError> {
        let (first, last) = (commit_of(repository, base)?, commit_of(repository, head)?);
        let inside = || -> Result<BTreeSet<Oid>, git2::Error> {
            let mut walk = repository.revwalk()?;
            walk.push(last)?;
            walk.hide(first)?;
            // What a shallow clone lacks is not inside.
            Ok(walk.flatten().collect())
        };
        let inside = inside().map_err(no_commit(head))?;
        let mut commits = Vec::new();
        let mut next = repository.find_commit(last).ok();
        while let Some(commit) = next {
            let is_before = !inside.contains(&commit.id());
            commits.push(RangeCommit {
                id: commit.id().to_string(),
                subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())
                    .into_owned(),
            });
            if is_before {
                break;
            }
            next = commit.parent(0).ok();
        }
        let oldest = commits.last().and_then(|one| Oid::from_str(&one.id).ok());
        match commits.len() {
            0 | 1 => Err(HistoryError::EmptyRange {
                base: base.to_owned(),
                head: head.to_owned(),
            }),
            _ => Ok(CommitRange {
                is_cut: repository.is_shallow() && oldest.is_some_and(|id| inside.contains(&id)),
                commits,
            }),
        }
    }
}

/// Two commits that are to be compared: those between them, if any, cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// The one before.
    pub(crate) older: RangeCommit,
    /// The one after.
    pub(crate) newer: RangeCommit,
    /// The full ids of those between them.
    pub(crate) bridged: Vec<String>,
}

/// A range of which some commits are recorded.
#[derive(Debug, Clone)]
pub(crate) struct Backfill {
    commits: Vec<RangeCommit>,
    /// Whether this clone lacks older ones.
    pub(crate) is_cut: bool,
    joined: BTreeSet<[String; 2]>,
    left_out: BTreeSet<String>,
}

fn pair(a: &str, b: &str) -> [String; 2] {
    let mut pair = [a.to_owned(), b.to_owned()];
    pair.sort();
    pair
}

impl Backfill {
    /// What is left of `range` where `runs` are kept. A commit that an earlier backfill had to bridge, or could not build,
    /// stays left out until somebody records a run of it.
    pub(crate) fn of(
        range: CommitRange,
        runs: &[&RunRecord],
        unbuildable: &[&UnbuildableCommit],
    ) -> Backfill {
        let ends = |run: &RunRecord| pair(&run.commits.base.id, &run.commits.head.id);
        let joined: BTreeSet<[String; 2]> = runs.iter().map(|run| ends(run)).collect();
        let measured: BTreeSet<&String> = joined.iter().flatten().collect();
        let bridged = runs.iter().flat_map(|run| &run.bridged);
        let bridged = bridged.chain(unbuildable.iter().map(|one| &one.commit));
        let left_out = bridged.filter(|id| !measured.contains(id)).cloned();
        Backfill {
            left_out: left_out.collect(),
            commits: range.commits,
            is_cut: range.is_cut,
            joined,
        }
    }

    /// The same, with the commits that were left out before.
    pub(crate) fn retried(self) -> Backfill {
        Backfill {
            left_out: BTreeSet::new(),
            ..self
        }
    }

    /// All pairs that are to be recorded or are, the newest first.
    fn all(&self) -> Vec<Neighbours> {
        let mut all: Vec<Neighbours> = Vec::new();
        let (mut newer, mut bridged): (Option<&RangeCommit>, Vec<String>) = (None, Vec::new());
        for commit in &self.commits {
            if self.left_out.contains(&commit.id) {
                bridged.push(commit.id.clone());
                continue;
            }
            let bridged = std::mem::take(&mut bridged);
            if let Some(newer) = newer.replace(commit) {
                all.push(Neighbours {
                    older: commit.clone(),
                    newer: newer.clone(),
                    bridged,
                });
            }
        }
        all
    }

    /// The pairs that no run joins, the newest first.
    pub(crate) fn missing(&self) -> Vec<Neighbours> {
        let mut all = self.all();
        all.retain(|one| !self.joined.contains(&pair(&one.older.id, &one.newer.id)));
        all
    }

    /// How many pairs are recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.all().len() - self.missing().len()
    }

    /// The commits of the range that are left out.
    pub(crate) fn left_out(&self) -> Vec<&RangeCommit> {
        let commits = self.commits.iter();
        commits
            .filter(|one| self.left_out.contains(&one.id))
            .collect()
    }

    /// A run of these two is recorded now.
    pub(crate) fn record(&mut self, neighbours: &Neighbours) {
        self.joined
            .insert(pair(&neighbours.older.id, &neighbours.newer.id));
    }

    /// This commit cannot be built: the ones around it are compared with each other.
    pub(crate) fn leave_out(&mut self, id: &str) {
        self.left_out.insert(id.to_owned());
    }
}

/// The median of how long runs took on machines of this class.
pub(crate) fn usual_duration(runs: &[&RunRecord], machine: &MachineClass) -> Option<Duration> {
    let alike = runs.iter().filter(|run| run.machine == *machine);
    let mut seconds: Vec<u64> = alike.filter_map(|run| run.seconds).collect();
    seconds.sort_unstable();
    let median = seconds.get(seconds.len().checked_sub(1)? / 2)?;
    Some(Duration::from_secs(*median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(ids: &[&str]) -> CommitRange {
        let commits = ids.iter().map(|id| RangeCommit {
            id: (*id).to_owned(),
            subject: String::new(),
        });
        CommitRange {
            commits: commits.collect(),
            is_cut: false,
        }
    }

    fn run(base: &str, head: &str, bridged: &[&str]) -> RunRecord {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/v1.json");
        let report = crate::report::load(path.as_ref()).unwrap();
        let mut run = RunRecord::of(&report).unwrap();
        run.commits.base.id = base.to_owned();
        run.commits.head.id = head.to_owned();
        run.bridged = bridged.iter().map(|id| (*id).to_owned()).collect();
        run
    }

    fn missing(backfill: &Backfill) -> Vec<String> {
        let missing = backfill.missing();
        let named = missing
            .iter()
            .map(|one| format!("{}..{}", one.older.id, one.newer.id));
        named.collect()
    }

    #[test]
    fn what_is_recorded_in_either_direction_is_not_measured_again() {
        let runs = [run("c", "b", &[]), run("d", "a", &[])];
        let mut backfill = Backfill::of(range(&["d", "c", "b", "a"]), &[&runs[0], &runs[1]], &[]);
        assert_eq!(missing(&backfill), ["c..d", "a..b"]);
        assert_eq!(backfill.recorded(), 1);
        let first = backfill.missing().remove(0);
        backfill.record(&first);
        assert_eq!(missing(&backfill), ["a..b"]);
    }

    #[test]
    fn a_commit_that_cannot_be_built_is_bridged_now_and_later() {
        let mut backfill = Backfill::of(range(&["d", "c", "b", "a"]), &[], &[]);
        backfill.leave_out("c");
        backfill.leave_out("b");
        assert_eq!(missing(&backfill), ["a..d"]);
        assert_eq!(backfill.missing()[0].bridged, ["c", "b"]);
        backfill.leave_out("a");
        assert_eq!(missing(&backfill), [""; 0]);

        let bridge = run("b", "d", &["c"]);
        let later = Backfill::of(range(&["d", "c", "b", "a"]), &[&bridge], &[]);
        assert_eq!(missing(&later), ["a..b"]);
        assert_eq!(missing(&later.retried()), ["c..d", "b..c", "a..b"]);
        let of_c = run("c", "d", &[]);
        let tried_again = Backfill::of(range(&["d", "c", "b", "a"]), &[&bridge, &of_c], &[]);
        assert_eq!(missing(&tried_again), ["b..c", "a..b"]);
    }

    #[test]
    fn a_commit_at_the_old_end_that_cannot_be_built_is_tried_once() {
        let oldest = UnbuildableCommit {
            commit: "a".to_owned(),
            date: crate::units::Timestamp::from_unix(0),
        };
        let measured = run("b", "c", &[]);
        let backfill = Backfill::of(range(&["c", "b", "a"]), &[&measured], &[&oldest]);
        assert_eq!(missing(&backfill), [""; 0]);
        assert_eq!(missing(&backfill.retried()), ["a..b"]);
        // Somebody recorded it since.
        let of_a = run("a", "c", &[]);
        let backfill = Backfill::of(range(&["c", "b", "a"]), &[&measured, &of_a], &[&oldest]);
        assert_eq!(missing(&backfill), ["a..b"]);
    }

    #[test]
    fn the_usual_duration_is_that_of_this_kind_of_machine() {
        let mut runs = [run("a", "b", &[]), run("b", "c", &[]), run("c", "d", &[])];
        let here = runs[0].machine.clone();
        assert_eq!(usual_duration(&[&runs[0]], &here), None);
        for (run, seconds) in runs.iter_mut().zip([60, 20, 1000]) {
            run.seconds = Some(seconds);
        }
        runs[2].machine.cores += 1;
        let runs: Vec<&RunRecord> = runs.iter().collect();
        assert_eq!(usual_duration(&runs, &here), Some(Duration::from_secs(20)));
    }
}
