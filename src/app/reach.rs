//! What the report says of what the change can reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::analyse::{Decision, Vote};
use crate::build::Build;
use crate::discover::{Discovery, Presence, Reached};
use crate::measure::{Differing, Reach};
use crate::report::{ReachSummary, UncoveredFunction};
use crate::symbols::Symbols;

/// How many functions a reason names before it says "and n more".
const NAMED: usize = 3;

/// The summary, with the changed functions that lie in the workspace of the head side: where `whole`, and
/// where it is known of every target, since nobody knows what benchmarks execute that were left out.
pub(super) fn summary(
    reach: &Reach,
    discovery: &Discovery,
    head: &Build,
    whole: bool,
) -> ReachSummary {
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
        uncovered: match whole && reach.unknown.is_empty() {
            true => uncovered(reach, head),
            false => Vec::new(),
        },
        notes: reach.unknown.clone(),
    }
}

/// Those that lie in the workspace, are no benchmark's own, and were executed in no executable and in
/// no instance: functions are told apart by where their source begins.
fn uncovered(reach: &Reach, head: &Build) -> Vec<UncoveredFunction> {
    let mut atlas = Atlas {
        head,
        opened: BTreeMap::new(),
    };
    let covered: BTreeSet<String> = reach
        .covered
        .iter()
        .filter_map(|function| atlas.location(function))
        .collect();
    let mut found: Vec<UncoveredFunction> = reach
        .uncovered
        .iter()
        .filter_map(|function| {
            Some(UncoveredFunction {
                location: atlas.location(function)?,
                function: function.function.clone(),
            })
        })
        .filter(|function| !covered.contains(&function.location))
        .collect();
    found.sort_by(|a, b| (&a.location, &a.function).cmp(&(&b.location, &b.function)));
    found.dedup_by(|a, b| a.location == b.location);
    found
}

/// Where functions begin in the source.
struct Atlas<'a> {
    head: &'a Build,
    opened: BTreeMap<&'a Path, Option<Symbols>>,
}

impl<'a> Atlas<'a> {
    /// The path from the checkout's root and the line, where the function is one of the workspace's
    /// libraries.
    fn location(&mut self, function: &'a Differing) -> Option<String> {
        let symbols = self
            .opened
            .entry(&function.executable)
            .or_insert_with_key(|path| Symbols::open(path).ok());
        let frame = symbols.as_ref()?.frames(function.address).pop()?;
        let file = in_workspace(&frame.file?, self.head)?;
        Some(match frame.line {
            Some(line) => format!("{file}:{line}"),
            None => file,
        })
    }
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
