//! From two builds to benchmarks that are matched across the sides.

mod broken;
mod changes;
mod claim;
mod error;
mod listing;
mod matching;
mod part;
mod refused;
mod renamed;
mod surroundings;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::build::{Choice, Executable};
use crate::harness::CriterionVersion;
use crate::units::{BenchmarkKey, Event, Paired, Side, Throughput};

pub use changes::{Changes, FunctionDiff, TargetChanges};
pub use claim::identities;
pub use error::DiscoverError;
pub use matching::{Options, discover};

/// Everything that was found.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The targets that speak the protocol on at least one side.
    pub targets: Vec<Target>,
    /// Targets that were skipped, with the reason.
    pub skipped: Vec<SkippedTarget>,
    /// How many benchmarks to be measured are in other parts of the partition. They share the
    /// report's error rate with the ones here.
    pub elsewhere: usize,
    /// Notes about names that differ between the sides, as lower-case fragments.
    pub notes: Vec<String>,
    /// The last output of executables that named no benchmark.
    pub last_words: Vec<LastWords>,
}

/// The last output of an executable that named no benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// Of which side.
    pub side: Side,
    /// Several lines.
    pub text: String,
}

impl Discovery {
    /// Whether the list is complete: the benchmarks of a target that failed are unknown.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let mut skipped = self.skipped.iter();
        skipped.all(|target| target.outcome == TargetOutcome::Skipped)
    }

    /// What was found, in numbers.
    #[must_use]
    pub fn summary(&self) -> Event {
        let count = |wanted: &dyn Fn(&Target, &Benchmark) -> bool| {
            let all = self.targets.iter().flat_map(|target| {
                target
                    .benchmarks
                    .iter()
                    .map(move |benchmark| (target, benchmark))
            });
            all.filter(|(target, benchmark)| wanted(target, benchmark))
                .count()
        };
        let common = |benchmark: &Benchmark| benchmark.presence == Presence::Common;
        let identical = |target: &Target| target.identity == Identity::Identical;
        Event::Discovered {
            measured: count(&|target, benchmark| common(benchmark) && !identical(target)),
            identical: count(&|target, benchmark| common(benchmark) && identical(target)),
            added: count(&|_, benchmark| benchmark.presence == Presence::Only(Side::Head)),
            removed: count(&|_, benchmark| benchmark.presence == Presence::Only(Side::Base)),
            skipped_targets: self.skipped.len(),
        }
    }
}

/// A bench target and its benchmarks.
#[derive(Debug, Clone)]
pub struct Target {
    /// The package's name.
    pub package: String,
    /// The target's name.
    pub target: String,
    /// The executable of each side that has it.
    pub executables: Paired<Option<Executable>>,
    /// The Criterion in the executable of each side, as the executable reports it.
    pub criterion: Paired<Option<CriterionVersion>>,
    /// Whether both executables have the same loadable code, and nothing else differs.
    pub identity: Identity,
    /// Which functions differ.
    pub function_diff: FunctionDiff,
    /// The benchmarks in the order in which the head side (then the base side) runs them.
    pub benchmarks: Vec<Benchmark>,
}

impl Target {
    /// Which benchmarks a process of either side can be asked for by name.
    #[must_use]
    pub fn choice(&self) -> Choice {
        let executables = [&self.executables.base, &self.executables.head];
        let choices = executables
            .into_iter()
            .flatten()
            .map(|e| e.command_line.choice());
        choices.fold(Choice::Any, |one, other| match (one, other) {
            (Choice::All, _) | (_, Choice::All) => Choice::All,
            (Choice::One, _) | (_, Choice::One) => Choice::One,
            _ => Choice::Any,
        })
    }

    /// Whether something that `benchmark`, which both sides have, executes may have changed.
    #[must_use]
    pub fn may_differ(&self, benchmark: &Benchmark) -> bool {
        self.identity != Identity::Identical && benchmark.reached != Reached::No
    }
}

/// Whether two executables have the same loadable code, and run in the same surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nothing that is loaded differs, apart from source paths and panic locations.
    Identical,
    /// Something differs, as a message for the user (`.text: 312 bytes`).
    Different(String),
    /// Nothing that is loaded differs, but something else does that benchmarks depend on or may depend on.
    SameCode(OutsideDifference),
    /// One side has no such executable.
    OneSided,
}

/// What differs besides the code of two executables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideDifference {
    /// A message for the user (`it may open data/1.json, which differs`).
    pub reason: String,
    /// Where it comes from, of everything that may matter.
    pub origin: DifferenceOrigin,
}

/// Where a difference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceOrigin {
    /// Only the builds: files that build scripts made, and other artefacts.
    Builds,
    /// The checkouts, or unknown.
    Checkouts,
}

impl DifferenceOrigin {
    /// Of what lies at these paths.
    pub(crate) fn of<'a>(
        builds: Paired<&Path>,
        mut paths: impl Iterator<Item = &'a Path>,
    ) -> DifferenceOrigin {
        let is_made = |path: &Path| path.starts_with(builds.base) || path.starts_with(builds.head);
        match paths.all(is_made) {
            true => DifferenceOrigin::Builds,
            false => DifferenceOrigin::Checkouts,
        }
    }
}

/// A benchmark and on which sides it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name.
    pub key: BenchmarkKey,
    /// Where it exists.
    pub presence: Presence,
    /// What one iteration processes, as each side declares it.
    pub throughput: Paired<Option<Throughput>>,
    /// Why it cannot be measured, if that is already known: a side that ends before it names the
    /// benchmark, or an id that names several.
    pub failure: Option<Failure>,
    /// Whether it executes what has changed.
    pub reached: Reached,
}

/// Whether a benchmark executes anything that differs between the sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reached {
    /// Unknown: it may.
    #[default]
    Unknown,
    /// It does, on one side at least.
    Yes,
    /// It does not, so the change of code cannot have changed its time.
    No,
}

/// Why a benchmark has no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The side that failed.
    pub side: Side,
    /// What happened, as a lower-case fragment (`exited with status 101`, `no sign of life for 60s`).
    pub reason: String,
    /// The last lines it wrote to stderr.
    pub stderr_tail: String,
}

/// On which sides a benchmark exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// On both.
    Common,
    /// On this one only.
    Only(Side),
}

/// A bench target that is not measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedTarget {
    /// The package's name.
    pub package: String,
    /// The target's name.
    pub target: String,
    /// The side, or `None` for both.
    pub side: Option<Side>,
    /// Why, as a lower-case fragment.
    pub reason: String,
    /// What that means.
    #[serde(default, skip_serializing_if = "TargetOutcome::is_skipped")]
    pub outcome: TargetOutcome,
}

/// What it means that a bench target is not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetOutcome {
    /// There is nothing that could be measured: another harness, a feature that is off, or the same
    /// code on both sides.
    #[default]
    Skipped,
    /// It has benchmarks, but they could not be run.
    Failed,
}

impl TargetOutcome {
    fn is_skipped(&self) -> bool {
        *self == TargetOutcome::Skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_checkout_holds_is_no_difference_of_the_builds_alone() {
        let builds = Paired::new(Path::new("/run/target/base"), Path::new("/run/target/head"));
        let origin = |paths: &[&'static str]| {
            let paths = paths.iter().copied().map(Path::new);
            DifferenceOrigin::of(builds, paths)
        };
        let made = "/run/target/base/release/build/a-1/out/count.txt";
        let tracked = "/run/head/benches/corpus.md";
        assert_eq!(origin(&[made]), DifferenceOrigin::Builds);
        assert_eq!(origin(&[made, tracked]), DifferenceOrigin::Checkouts);
    }
}
