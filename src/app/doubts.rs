//! Where a change of time may have another cause than the change of the source.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::analyse::{Comparison, Doubt, cast_doubt};
use crate::attribute::is_documentation;
use crate::build::{Build, CommandLine, CriterionPackage, Executable};
use crate::discover::{DifferenceOrigin, Identity, Target};
use crate::revision::{self, ChangedFile};
use crate::units::Paired;

use super::ready::Ready;

/// How many functions a warning names before it says "and n more".
const NAMED: usize = 3;

/// Withdraws verdicts on changes of time that the source may not have caused, and returns what the report has to
/// say about it, as lower-case fragments.
pub(super) fn cast(ready: &Ready, comparisons: &mut [Comparison]) -> Vec<String> {
    let targets = &ready.discovery.targets;
    let differs = |target: &Target| {
        matches!(
            target.identity,
            Identity::Different(_) | Identity::SameCode(_)
        )
    };
    let change = match targets.iter().any(differs) {
        true => ChangedPart::between(&ready.builds),
        false => ChangedPart::Program,
    };
    cast_doubt(comparisons, |comparison| {
        let key = &comparison.key;
        let own = |target: &&Target| target.package == key.package && target.target == key.target;
        let target = targets.iter().find(own)?;
        if let Some(names) = other_harness(target) {
            return Some(Doubt::OtherHarness(names));
        }
        let mut benchmarks = target.benchmarks.iter();
        let benchmark = benchmarks.find(|benchmark| benchmark.key == *key)?;
        let amounts = benchmark.throughput;
        let declared = amounts.base.zip(amounts.head);
        let other = declared
            .and_then(|(base, head)| Doubt::of_amounts(Paired::new(base, head), comparison));
        other.or_else(|| change.doubt(&target.identity))
    });
    if change != ChangedPart::Documentation {
        return Vec::new();
    }
    let differing = |target: &&Target| matches!(target.identity, Identity::Different(_));
    let said = targets.iter().filter(differing);
    said.map(|target| unstable(&ready.builds, target)).collect()
}

/// What a change of the source can explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChangedPart {
    /// Nothing: only documentation changed.
    Documentation,
    /// Code that differs: the compiler has read some of the documentation (`include_str!`).
    CompiledText,
    /// All that differs.
    Program,
}

impl ChangedPart {
    fn between(builds: &Paired<Build>) -> ChangedPart {
        let checkouts = builds.as_ref().map(|build| &build.checkout);
        let paths = revision::changed_paths(checkouts);
        let files = revision::changed_files(checkouts);
        let compiled = on_either(builds, Build::compiled);
        let read = on_either(builds, Build::script_inputs);
        let (Ok(paths), Ok(files), Ok(compiled), Ok(read)) = (paths, files, compiled, read) else {
            return ChangedPart::Program;
        };
        ChangedPart::of(&paths, &files, &compiled, &read)
    }

    /// `compiled` are files that the compiler read, `read` files and folders that build scripts may have read.
    fn of(
        paths: &[Paired<Option<PathBuf>>],
        files: &[ChangedFile],
        compiled: &BTreeSet<PathBuf>,
        read: &BTreeSet<PathBuf>,
    ) -> ChangedPart {
        let is_read = |path: &Path| read.iter().any(|input| path.starts_with(input));
        let is_input = |path: &Path| compiled.contains(path) || is_read(path);
        if is_documentation(paths, files, is_input) {
            ChangedPart::Documentation
        } else if is_documentation(paths, files, is_read) {
            ChangedPart::CompiledText
        } else {
            ChangedPart::Program
        }
    }

    /// Why a change of time is doubtful after this change. A benchmark that may read a file which the revision
    /// changed, even Markdown, has a reason to change.
    fn doubt(self, identity: &Identity) -> Option<Doubt> {
        match (self, identity) {
            (ChangedPart::Documentation, Identity::Different(_)) => Some(Doubt::SameSource),
            // Text that was compiled into the same code is not read at run time.
            (
                ChangedPart::Documentation | ChangedPart::CompiledText,
                Identity::SameCode(outside),
            ) if outside.origin == DifferenceOrigin::Builds => {
                Some(Doubt::SameCode(outside.reason.clone()))
            }
            _ => None,
        }
    }
}

/// What `of` finds in the checkout of either side.
fn on_either(
    builds: &Paired<Build>,
    of: impl Fn(&Build) -> io::Result<BTreeSet<PathBuf>>,
) -> io::Result<BTreeSet<PathBuf>> {
    let Paired { mut base, head } = builds.as_ref().try_map(of)?;
    base.extend(head);
    Ok(base)
}

/// The names of the harnesses, if the sides have different ones. Another version counts as the same harness.
fn other_harness(target: &Target) -> Option<Paired<String>> {
    let used = target.executables.as_ref();
    let used = used.map(|executable| harness(executable.as_ref()?));
    let used = Paired::new(used.base?, used.head?);
    let named = |one: CriterionPackage| format!("{} {}", one.name, one.version);
    (used.base.name != used.head.name).then(|| used.map(named))
}

/// The harness of an executable, where it is known. The built-in one comes with the compiler.
fn harness(executable: &Executable) -> Option<CriterionPackage> {
    match executable.command_line {
        CommandLine::Libtest => Some(CriterionPackage {
            name: "libtest".to_owned(),
            version: "of Rust itself".to_owned(),
        }),
        _ => executable.criterion.clone(),
    }
}

/// Which code of a target differs although its source does not.
fn unstable(builds: &Paired<Build>, target: &Target) -> String {
    let mut names: Vec<String> = match target.changed_functions(builds) {
        Ok(functions) => functions.iter().map(|one| one.name.clone()).collect(),
        Err(unclear) => vec![unclear.to_string()],
    };
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    format!(
        "the code of {} {} differs although its source does not ({}): a macro or a build script may give another \
         result at each compilation",
        target.package,
        target.target,
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::OutsideDifference;

    #[test]
    fn the_same_code_is_doubted_where_the_builds_alone_differ() {
        let reason = "it may open corpus.md, which differs";
        let doubt = |origin| {
            ChangedPart::Documentation.doubt(&Identity::SameCode(OutsideDifference {
                reason: reason.to_owned(),
                origin,
            }))
        };
        assert_eq!(doubt(DifferenceOrigin::Checkouts), None);
        let doubt = doubt(DifferenceOrigin::Builds).unwrap();
        assert_eq!(doubt, Doubt::SameCode(reason.to_owned()));
        assert_eq!(
            doubt.to_string(),
            "the benchmark is the same code, and only documentation changed; it may open corpus.md, which differs \
             because the build writes it differently each time: that may explain the change"
        );
    }

    #[test]
    fn text_that_was_compiled_explains_other_code_and_not_the_same_code() {
        let change = |compiled: &[&str], read: &[&str]| {
            let paths = Paired::new(Some("text/words.md".into()), Some("text/words.md".into()));
            let file = ChangedFile {
                paths: paths.clone(),
                texts: Paired::new("a".to_owned(), "b".to_owned()),
            };
            let set = |names: &[&str]| names.iter().map(PathBuf::from).collect();
            ChangedPart::of(&[paths], &[file], &set(compiled), &set(read))
        };
        let doubts = |change: ChangedPart| {
            let same = Identity::SameCode(OutsideDifference {
                reason: "it may open table.bin, which differs".to_owned(),
                origin: DifferenceOrigin::Builds,
            });
            let different = Identity::Different("`work` differs".to_owned());
            [different, same].map(|identity| change.doubt(&identity).is_some())
        };
        assert_eq!(
            doubts(change(&["src/lib.rs"], &["build.rs", "text/w"])),
            [true, true]
        );
        assert_eq!(doubts(change(&["text/words.md"], &[])), [false, true]);
        // A build script may have made code or an input from it: it names the file, its folder, or (by default) the
        // whole package.
        for read in ["text/words.md", "text", ""] {
            assert_eq!(doubts(change(&[], &[read])), [false, false], "{read}");
        }
    }
}
