//! What the report says of what the change can reach.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::analyse::{Decision, Vote};
use crate::build::Build;
use crate::discover::{Discovery, Presence, Reached};
use crate::measure::{Reach, Uncovered};
use crate::report::{ReachSummary, UncoveredFunction};
use crate::symbols::Symbols;

/// How many functions a reason names before it says "and n more".
const NAMED: usize = 3;

/// The summary, with the changed functions that lie in the workspace of the head side.
pub(super) fn summary(reach: &Reach, discovery: &Discovery, head: &Build) -> ReachSummary {
    let benchmarks = discovery.targets.iter().flat_map(|target| {
        let common = target.benchmarks.iter();
        common
            .filter(|benchmark| benchmark.presence == Presence::Common)
            .map(move |benchmark| (target, benchmark))
    });
    let (mut reached, mut total, mut unknown) = (0, 0, 0);
    for (target, benchmark) in benchmarks {
        total += 1;
        if target.may_differ(benchmark) {
            reached += 1;
            unknown += usize::from(benchmark.reached == Reached::Unknown);
        }
    }
    ReachSummary {
        benchmarks: total,
        reached,
        unknown,
        changed_functions: reach.changed,
        uncovered: uncovered(&reach.uncovered, head),
        notes: reach.unknown.clone(),
    }
}

/// Those that lie in the workspace and are no benchmark's own.
fn uncovered(functions: &[Uncovered], head: &Build) -> Vec<UncoveredFunction> {
    let mut opened: BTreeMap<&Path, Option<Symbols>> = BTreeMap::new();
    let mut found: Vec<UncoveredFunction> = functions
        .iter()
        .filter_map(|each| {
            let symbols = opened
                .entry(&each.executable)
                .or_insert_with_key(|path| Symbols::open(path).ok());
            let frame = symbols.as_ref()?.frames(each.address).pop()?;
            let file = in_workspace(&frame.file?, head)?;
            Some(UncoveredFunction {
                function: each.function.clone(),
                location: match frame.line {
                    Some(line) => format!("{file}:{line}"),
                    None => file,
                },
            })
        })
        .collect();
    found.sort_by(|a, b| (&a.location, &a.function).cmp(&(&b.location, &b.function)));
    found.dedup_by(|a, b| a.location == b.location);
    found
}

/// The path of a source file from the checkout's root, where it is one of the workspace's libraries.
fn in_workspace(file: &Path, build: &Build) -> Option<String> {
    let root = &build.checkout.root;
    let file: PathBuf = build.workspace_root.join(file);
    let own = file.strip_prefix(root).ok()?;
    let in_benches = own.components().any(|part| part.as_os_str() == "benches");
    (!in_benches && !file.starts_with(&build.target_dir) && file.is_file())
        .then(|| own.display().to_string())
}

/// What the summary means for the vote: nobody knows what changed code does that nothing measures.
pub(super) fn weigh(mut decision: Decision, summary: &ReachSummary) -> Decision {
    let uncovered = &summary.uncovered;
    if uncovered.is_empty() {
        return decision;
    }
    let mut names: Vec<String> = uncovered
        .iter()
        .take(NAMED)
        .map(|each| format!("{} ({})", each.function, each.location))
        .collect();
    if uncovered.len() > NAMED {
        names.push(format!("{} more", uncovered.len() - NAMED));
    }
    let what = match uncovered.len() {
        1 => "1 changed function is executed by no benchmark".to_owned(),
        n => format!("{n} changed functions are executed by no benchmark"),
    };
    decision.vote = decision.vote.max(Vote::Modify);
    decision
        .reasons
        .push(format!("{what}: {}", names.join(", ")));
    decision
}
