//! Matches the benchmarks of both sides.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use crate::build::{Build, CommandLine, Executable};
use crate::plan::{BenchmarkNeed, Renaming};
use crate::process;
use crate::revision;
use crate::scratch::Scratch;
use crate::units::{Paired, Side};

use super::broken;
use super::claim::{ListingRecord, identity};
use super::listing::{Listed, Listing, list};
use super::refused::Refused;
use super::renamed::{self, OwnWords};
use super::surroundings::InputChanges;
use super::{
    Benchmark, BenchmarkKey, DiscoverError, Discovery, Failure, FunctionDiff, Presence, Reached,
    SkippedTarget, Target, TargetOutcome,
};

/// What discovery depends on.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Only benchmarks whose id matches this regular expression.
    pub filter: Option<&'a str>,
    /// What the sides call differently.
    pub renames: &'a [Renaming],
    /// How long an executable may be silent.
    pub timeout: Duration,
    /// Whether it is an error to find none.
    pub need: BenchmarkNeed,
}

/// Finds the benchmarks of both sides and matches them by (package, target, id).
///
/// Every executable is asked, even if the code is identical: the report lists those benchmarks, too.
///
/// # Errors
/// When there is nothing to measure; see [`DiscoverError`].
pub fn discover(
    builds: &Paired<Build>,
    options: Options<'_>,
    run_folder: &Scratch,
) -> Result<Discovery, DiscoverError> {
    let filter = compile(options.filter)?;
    let mut discovery = Discovery {
        targets: Vec::new(),
        skipped: [unbuilt(builds), broken::skipped(builds)].concat(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    };
    let surroundings = InputChanges::between(builds);
    let own = Paired::from_fn(|side| OwnWords::of(builds.get(side), side));
    let pairs = pair_executables(builds, options.renames);
    discovery.notes = unpaired(builds, &pairs);
    for executables in pairs {
        process::check()?;
        let record = ListingRecord::begin(&surroundings, &executables);
        let answers = Paired::at_once(|side| {
            let executable = executables.get(side).as_ref();
            executable
                .map(|(side, executable)| list(executable, *side, options.timeout, run_folder))
        });
        // Comparing reads the same files.
        let touched = record.finish(builds);
        // A process that was interrupted did not fail.
        process::check()?;
        let executables = executables.map(|found| found.map(|(_, executable)| executable));
        let Some((package, target)) = name_of(&executables) else {
            continue;
        };
        let identity = identity(builds, &executables, &surroundings).touching(touched);
        let mut refused = Refused::new(&package, &target, &identity);
        let mut listings = refused.sort_out(answers);
        discovery.skipped.append(&mut refused.targets);
        discovery.last_words.append(&mut refused.last_words);
        let renamed = renamed::rename(&mut listings, &own, options.renames);
        discovery
            .notes
            .extend([renamed.notes, renamed.guesses].concat());
        broken::enter(builds, &package, &target, &mut listings);
        if listings.base.is_none() && listings.head.is_none() {
            continue;
        }
        let command_lines = listings
            .as_ref()
            .map(|listing| listing.as_ref().map(|l| l.command_line));
        discovery.targets.push(Target {
            benchmarks: match_benchmarks(&package, &target, &listings),
            criterion: Paired::from_fn(|side| {
                let listing = listings.get(side).as_ref();
                let runs = executables.get(side).is_some();
                listing
                    .filter(|_| runs)
                    .and_then(|listing| listing.criterion)
            }),
            package,
            target,
            executables: started(&executables, command_lines, &renamed.former),
            identity,
            function_diff: FunctionDiff::default(),
        });
    }
    match options.need {
        BenchmarkNeed::Required => {
            apply(filter, &mut discovery)?;
            something_to_measure(builds, discovery)
        }
        BenchmarkNeed::Optional | BenchmarkNeed::Unwanted => {
            // What is left is a matter of all workloads, too.
            let _ = apply(filter, &mut discovery);
            Ok(discovery)
        }
    }
}

fn compile(filter: Option<&str>) -> Result<Option<Regex>, DiscoverError> {
    filter
        .map(|filter| {
            Regex::new(filter).map_err(|source| DiscoverError::BadFilter {
                filter: filter.into(),
                source,
            })
        })
        .transpose()
}

/// The executables, with the way to start them. If one side runs all of its benchmarks whatever it is
/// asked, with the times that its code sets, the other side is started in the same way.
fn started(
    executables: &Paired<Option<&Executable>>,
    command_lines: Paired<Option<CommandLine>>,
    former: &BTreeMap<String, String>,
) -> Paired<Option<Executable>> {
    let own = Side::BOTH
        .into_iter()
        .any(|side| *command_lines.get(side) == Some(CommandLine::Own));
    Paired::from_fn(|side| {
        let executable = (*executables.get(side))?.clone();
        let command_line = match own {
            true => CommandLine::Own,
            false => command_lines.get(side).unwrap_or_default(),
        };
        let names = former.iter().map(|(new, old)| (old.clone(), new.clone()));
        Some(Executable {
            command_line,
            names: match side {
                Side::Base => names.collect(),
                Side::Head => BTreeMap::new(),
            },
            ..executable
        })
    })
}

type FoundExecutable<'a> = Option<(Side, &'a Executable)>;

/// The executables of both sides by (package, target), in the order of the head side; targets that
/// only the base side has come last.
fn pair_executables<'b>(
    builds: &'b Paired<Build>,
    renames: &[Renaming],
) -> Vec<Paired<FoundExecutable<'b>>> {
    let (base, head) = (&builds.base.executables, &builds.head.executables);
    let checkouts = builds.as_ref().map(|build| &build.checkout);
    let moved = revision::changed_paths(checkouts).unwrap_or_default();
    let other_names = renamed::pair_targets(builds, &moved, renames);
    let partner = |at: usize, new: &Executable| {
        let same = |old: &Executable| old.package == new.package && old.target == new.target;
        let old = base.iter().position(same);
        old.or_else(|| other_names.get(&at).copied())
    };
    let partners: Vec<Option<usize>> = head
        .iter()
        .enumerate()
        .map(|(at, e)| partner(at, e))
        .collect();
    let of_head = head.iter().zip(&partners).map(|(new, old)| {
        Paired::new(
            old.map(|at| (Side::Base, &base[at])),
            Some((Side::Head, new)),
        )
    });
    let gone = base
        .iter()
        .enumerate()
        .filter(|(at, _)| !partners.contains(&Some(*at)));
    of_head
        .chain(gone.map(|(_, old)| Paired::new(Some((Side::Base, old)), None)))
        .collect()
}

/// Notes about targets that only one side has, except those that the other side has but cannot build.
fn unpaired(builds: &Paired<Build>, pairs: &[Paired<FoundExecutable<'_>>]) -> Vec<String> {
    let only = |side: Side| -> Vec<(&str, &str)> {
        let alone = pairs.iter().filter(|pair| pair.get(side.other()).is_none());
        let names =
            alone.filter_map(|pair| (*pair.get(side)).map(|(_, e)| (&*e.package, &*e.target)));
        let broken = &builds.get(side.other()).broken;
        let is_broken = |name: &(&str, &str)| {
            let mut broken = broken.iter();
            broken.any(|one| (&*one.package, &*one.target) == *name)
        };
        names.filter(|name| !is_broken(name)).collect()
    };
    renamed::guess_targets(&only(Side::Base), &only(Side::Head))
}

fn name_of(executables: &Paired<Option<&Executable>>) -> Option<(String, String)> {
    let executable = executables.head.or(executables.base)?;
    Some((executable.package.clone(), executable.target.clone()))
}

fn unbuilt(builds: &Paired<Build>) -> Vec<SkippedTarget> {
    let mut sides: BTreeMap<(&str, &str, &str), Vec<Side>> = BTreeMap::new();
    for side in Side::BOTH {
        for target in &builds.get(side).unbuilt {
            let name = (
                target.package.as_str(),
                target.target.as_str(),
                target.reason.as_str(),
            );
            sides.entry(name).or_default().push(side);
        }
    }
    sides
        .into_iter()
        .map(|((package, target, reason), sides)| SkippedTarget {
            package: package.into(),
            target: target.into(),
            side: one_of(&sides),
            reason: reason.into(),
            outcome: TargetOutcome::Skipped,
        })
        .collect()
}

/// The side, or `None` for both.
fn one_of(sides: &[Side]) -> Option<Side> {
    match sides {
        [side] => Some(*side),
        _ => None,
    }
}

fn match_benchmarks(
    package: &str,
    target: &str,
    listings: &Paired<Option<Listing>>,
) -> Vec<Benchmark> {
    let listed = |side: Side| {
        let listing = listings.get(side).as_ref();
        listing.map_or(&[][..], |listing| &listing.benchmarks)
    };
    let throughputs: Paired<BTreeMap<&str, &Listed>> =
        Paired::from_fn(|side| listed(side).iter().map(|l| (l.id.as_str(), l)).collect());
    let base_only = listed(Side::Base)
        .iter()
        .filter(|listed| !throughputs.head.contains_key(listed.id.as_str()));
    listed(Side::Head)
        .iter()
        .chain(base_only)
        .map(|listed| {
            let on = |side: Side| throughputs.get(side).contains_key(listed.id.as_str());
            let (presence, failure) = judge(&listed.id, on, listings);
            Benchmark {
                key: BenchmarkKey {
                    package: package.into(),
                    target: target.into(),
                    id: listed.id.clone(),
                },
                presence,
                throughput: throughputs
                    .as_ref()
                    .map(|of_side| of_side.get(listed.id.as_str())?.throughput),
                failure,
                reached: Reached::Unknown,
            }
        })
        .collect()
}

/// On which sides a benchmark exists, and whether it already cannot be measured. A side that failed
/// before it had named all its benchmarks may have this one, too: so the benchmark counts as failed,
/// not as added or removed.
fn judge(
    id: &str,
    on: impl Fn(Side) -> bool,
    listings: &Paired<Option<Listing>>,
) -> (Presence, Option<Failure>) {
    let listing = |side: Side| listings.get(side).as_ref();
    let repeated = Side::BOTH
        .into_iter()
        .find(|side| listing(*side).is_some_and(|listing| listing.repeated.contains(id)))
        .map(|side| Failure {
            side,
            reason: "several benchmarks of this target have this id".into(),
            stderr_tail: String::new(),
        });
    let missing = Side::BOTH.into_iter().find(|side| !on(*side));
    match missing {
        None => (Presence::Common, repeated),
        Some(side) => match listing(side).and_then(|listing| listing.failure.clone()) {
            Some(failure) => (Presence::Common, repeated.or(Some(failure))),
            None => (Presence::Only(side.other()), repeated),
        },
    }
}

fn apply(filter: Option<Regex>, discovery: &mut Discovery) -> Result<(), DiscoverError> {
    let Some(filter) = filter else {
        return Ok(());
    };
    let example = discovery
        .targets
        .iter()
        .flat_map(|target| &target.benchmarks)
        .map(|benchmark| benchmark.key.id.clone())
        .next();
    for target in &mut discovery.targets {
        target
            .benchmarks
            .retain(|benchmark| filter.is_match(&benchmark.key.id));
    }
    discovery
        .targets
        .retain(|target| !target.benchmarks.is_empty());
    match example {
        Some(example) if discovery.targets.is_empty() => Err(DiscoverError::NothingMatches {
            filter: filter.as_str().into(),
            example,
        }),
        _ => Ok(()),
    }
}

fn something_to_measure(
    builds: &Paired<Build>,
    discovery: Discovery,
) -> Result<Discovery, DiscoverError> {
    let empty = |build: &Build| build.executables.is_empty() && build.unbuilt.is_empty();
    if empty(&builds.base) && empty(&builds.head) {
        return Err(DiscoverError::NoBenchTargets);
    }
    let failed = |skipped: &SkippedTarget| skipped.outcome == TargetOutcome::Failed;
    if discovery.targets.is_empty() && !discovery.skipped.iter().any(failed) {
        return Err(DiscoverError::NoCriterion {
            skipped: discovery.skipped,
        });
    }
    Ok(discovery)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::listing::Answer;
    use super::*;
    use crate::discover::Identity;
    use crate::harness::CriterionVersion;

    fn listing(ids: &[&str]) -> Listing {
        Listing {
            criterion: Some(CriterionVersion {
                major: 0,
                minor: 8,
                patch: 2,
            }),
            command_line: CommandLine::default(),
            benchmarks: ids
                .iter()
                .map(|id| Listed {
                    id: (*id).to_owned(),
                    throughput: None,
                })
                .collect(),
            repeated: BTreeSet::new(),
            failure: None,
        }
    }

    fn broken(side: Side) -> Failure {
        Failure {
            side,
            reason: "exited with status 101 before it had named all its benchmarks".into(),
            stderr_tail: "planted panic".into(),
        }
    }

    fn matched(base: Option<Listing>, head: Option<Listing>) -> Vec<Benchmark> {
        match_benchmarks("p", "t", &Paired::new(base, head))
    }

    fn described(benchmarks: &[Benchmark]) -> Vec<String> {
        benchmarks
            .iter()
            .map(|benchmark| {
                let failed = if benchmark.failure.is_some() {
                    " failed"
                } else {
                    ""
                };
                format!("{} {:?}{failed}", benchmark.key.id, benchmark.presence)
            })
            .collect()
    }

    #[test]
    fn benchmarks_are_matched_by_id_in_the_order_of_the_head_side() {
        let benchmarks = matched(
            Some(listing(&["a", "old", "b"])),
            Some(listing(&["b", "new", "a"])),
        );
        assert_eq!(
            described(&benchmarks),
            ["b Common", "new Only(Head)", "a Common", "old Only(Base)"]
        );
    }

    #[test]
    fn what_a_failing_side_did_not_name_is_failed_and_not_removed() {
        let mut head = listing(&["a"]);
        head.failure = Some(broken(Side::Head));
        let benchmarks = matched(Some(listing(&["a", "b"])), Some(head));
        assert_eq!(described(&benchmarks), ["a Common", "b Common failed"]);
        assert_eq!(benchmarks[1].failure, Some(broken(Side::Head)));
    }

    #[test]
    fn an_id_that_names_several_benchmarks_is_not_mixed_up() {
        let mut base = listing(&["a", "b"]);
        base.repeated.insert("b".into());
        let benchmarks = matched(Some(base), Some(listing(&["a", "b"])));
        assert_eq!(described(&benchmarks), ["a Common", "b Common failed"]);
        let failure = benchmarks[1].failure.clone().unwrap();
        assert_eq!(failure.side, Side::Base);
        assert!(failure.reason.contains("several benchmarks"), "{failure:?}");
    }

    fn sorted_out(
        base: Option<Answer>,
        head: Option<Answer>,
    ) -> (Paired<Option<Listing>>, Vec<SkippedTarget>) {
        let mut refused = Refused::new("p", "t", &Identity::Different(".text".into()));
        let listings = refused.sort_out(Paired::new(base, head));
        (listings, refused.targets)
    }

    #[test]
    fn one_reason_on_both_sides_is_told_once() {
        let libtest = || Some(Answer::Other("uses the default harness".into()));
        let (_, skipped) = sorted_out(libtest(), libtest());
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0].side, None);
        assert_eq!(skipped[0].outcome, TargetOutcome::Skipped);

        let speaks = || Some(Answer::Named(listing(&["a"])));
        let (listings, skipped) = sorted_out(libtest(), speaks());
        assert_eq!(skipped[0].side, Some(Side::Base));
        let benchmarks = match_benchmarks("p", "t", &listings);
        assert_eq!(described(&benchmarks), ["a Only(Head)"]);
    }

    #[test]
    fn a_target_that_fails_before_it_names_anything_is_failed_with_the_last_line() {
        let dead = |side| {
            let mut dead = listing(&[]);
            dead.failure = Some(broken(side));
            Some(Answer::Named(dead))
        };
        let (listings, failed) = sorted_out(dead(Side::Base), dead(Side::Head));
        assert_eq!(listings, Paired::new(None, None));
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0].outcome, TargetOutcome::Failed);
        assert!(failed[0].reason.ends_with(": planted panic"), "{failed:?}");
    }

    #[test]
    fn what_one_side_cannot_start_is_failed_and_neither_removed_nor_added() {
        for side in Side::BOTH {
            let broken = || Some(Answer::Failed(broken(side)));
            let speaks = || Some(Answer::Named(listing(&["a", "b"])));
            let (listings, skipped) = match side {
                Side::Base => sorted_out(broken(), speaks()),
                Side::Head => sorted_out(speaks(), broken()),
            };
            assert_eq!(skipped, []);
            let benchmarks = match_benchmarks("p", "t", &listings);
            let all = ["a Common failed", "b Common failed"];
            assert_eq!(described(&benchmarks), all, "{side}");
        }
    }

    #[test]
    fn what_neither_side_can_start_is_failed_unless_its_code_is_the_same() {
        let outcome = |identity| {
            let mut refused = Refused::new("p", "t", &identity);
            let failed = |side| Some(Answer::Failed(broken(side)));
            let failed = Paired::new(failed(Side::Base), failed(Side::Head));
            assert_eq!(refused.sort_out(failed), Paired::new(None, None));
            assert_eq!(refused.targets.len(), 1);
            refused.targets[0].outcome
        };
        let different = outcome(Identity::Different(".text".into()));
        assert_eq!(different, TargetOutcome::Failed);
        assert_eq!(outcome(Identity::Identical), TargetOutcome::Skipped);
        assert_eq!(outcome(Identity::OneSided), TargetOutcome::Failed);
    }

    fn discovery(ids: &[&str]) -> Discovery {
        Discovery {
            targets: vec![Target {
                package: "p".into(),
                target: "t".into(),
                executables: Paired::new(None, None),
                criterion: Paired::new(None, None),
                identity: Identity::OneSided,
                function_diff: FunctionDiff::default(),
                benchmarks: matched(Some(listing(ids)), Some(listing(ids))),
            }],
            skipped: Vec::new(),
            elsewhere: 0,
            notes: Vec::new(),
            last_words: Vec::new(),
        }
    }

    #[test]
    fn a_filter_keeps_what_it_matches_and_says_so_when_that_is_nothing() {
        let mut found = discovery(&["sort/10", "sum/10"]);
        apply(compile(Some("^sort")).unwrap(), &mut found).unwrap();
        assert_eq!(described(&found.targets[0].benchmarks), ["sort/10 Common"]);

        let mut found = discovery(&["sort/10"]);
        let error = apply(compile(Some("hash")).unwrap(), &mut found).unwrap_err();
        assert_eq!(error.to_string(), "no benchmark's id matches `hash`");
        assert!(error.hint().unwrap().contains("sort/10"));

        let error = compile(Some("sort(")).unwrap_err();
        assert!(error.hint().unwrap().contains(r"sort\("));
    }
}
