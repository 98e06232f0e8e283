//! What the report says of what the change can reach.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::Build;
use crate::discover::{Discovery, Presence, Reached};
use crate::judge::UncoveredFunction;
use crate::measure::{Differing, Reach};
use crate::report::ReachSummary;
use crate::symbols::Symbols;

/// The summary. Which changed functions no benchmark executes is entered where that is known.
pub(super) fn summary(reach: &Reach, discovery: &Discovery) -> ReachSummary {
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
        uncovered: Vec::new(),
        notes: reach.unknown.clone(),
    }
}

/// The changed functions of the workspace's libraries, apart by whether a benchmark executed them.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    pub(super) covered: Vec<UncoveredFunction>,
    pub(super) uncovered: Vec<UncoveredFunction>,
}

/// Which changed functions benchmarks execute. Nothing is claimed where that is not known of every
/// target.
pub(super) fn coverage(reach: &Reach, head: &Build) -> Coverage {
    if !reach.unknown.is_empty() {
        return Coverage::default();
    }
    let mut atlas = Atlas {
        head,
        opened: BTreeMap::new(),
    };
    Coverage {
        covered: atlas.functions(&reach.covered),
        uncovered: atlas.functions(&reach.uncovered),
    }
}

/// Where functions begin in the source.
struct Atlas<'a> {
    head: &'a Build,
    opened: BTreeMap<&'a Path, Option<Symbols>>,
}

impl<'a> Atlas<'a> {
    /// Those that lie in the workspace's libraries, and where.
    fn functions(&mut self, all: &'a [Differing]) -> Vec<UncoveredFunction> {
        let located = all.iter().filter_map(|function| {
            Some(UncoveredFunction {
                location: self.location(function)?,
                function: function.function.clone(),
            })
        });
        located.collect()
    }

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
