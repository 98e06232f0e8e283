//! Where a change of time has another explanation than the change of the source.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crate::analyse::{Comparison, Doubt, cast_doubt};
use crate::attribute::is_documentation;
use crate::build::{Build, CriterionPackage};
use crate::discover::{DifferenceOrigin, Identity, Target};
use crate::revision;
use crate::units::Paired;

use super::ready::Ready;

/// How many functions a warning names before it says "and n more".
const NAMED: usize = 3;

/// Takes back what the comparisons say of a change of time that may be nobody's doing; what the report has
/// to say about it, as lower-case fragments.
pub(super) fn cast(ready: &Ready, comparisons: &mut [Comparison]) -> Vec<String> {
    let targets = &ready.discovery.targets;
    let differs = |target: &Target| {
        matches!(
            target.identity,
            Identity::Different(_) | Identity::SameCode(_)
        )
    };
    let same_source = targets.iter().any(differs) && has_same_source(&ready.builds);
    cast_doubt(comparisons, |key| {
        let own = |target: &&Target| target.package == key.package && target.target == key.target;
        let target = targets.iter().find(own)?;
        if let Some(names) = other_harness(target) {
            return Some(Doubt::OtherHarness(names));
        }
        same_source
            .then(|| of_same_source(&target.identity))
            .flatten()
    });
    if !same_source {
        return Vec::new();
    }
    let differing = |target: &&Target| matches!(target.identity, Identity::Different(_));
    let said = targets.iter().filter(differing);
    said.map(|target| unstable(&ready.builds, target)).collect()
}

/// What makes a change of time doubtful after a change of documentation alone. A benchmark that may read a file which
/// the revision changed, though it be Markdown, has its reason there.
fn of_same_source(identity: &Identity) -> Option<Doubt> {
    match identity {
        Identity::Different(_) => Some(Doubt::SameSource),
        Identity::SameCode(outside) if outside.origin == DifferenceOrigin::Builds => {
            Some(Doubt::SameCode(outside.reason.clone()))
        }
        Identity::SameCode(_) | Identity::Identical | Identity::OneSided => None,
    }
}

/// The names of the harnesses, where the sides have different ones. Another version is the same one.
fn other_harness(target: &Target) -> Option<Paired<String>> {
    let used = target.executables.as_ref();
    let used = used.map(|executable| executable.as_ref()?.criterion.as_ref());
    let used = Paired::new(used.base?, used.head?);
    let named = |one: &CriterionPackage| format!("{} {}", one.name, one.version);
    (used.base.name != used.head.name).then(|| used.map(named))
}

/// Whether the change is one of documentation alone.
fn has_same_source(builds: &Paired<Build>) -> bool {
    let checkouts = builds.as_ref().map(|build| &build.checkout);
    let paths = revision::changed_paths(checkouts);
    let files = revision::changed_files(checkouts);
    let (Ok(paths), Ok(files), Ok(compiled)) = (paths, files, compiled(builds)) else {
        return false;
    };
    is_documentation(&paths, &files, |path| compiled.contains(path))
}

/// The files of either checkout that the compiler read: also text that `include_str!` names.
fn compiled(builds: &Paired<Build>) -> io::Result<BTreeSet<PathBuf>> {
    let Paired { mut base, head } = builds.as_ref().try_map(Build::compiled)?;
    base.extend(head);
    Ok(base)
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
            of_same_source(&Identity::SameCode(OutsideDifference {
                reason: reason.to_owned(),
                origin,
            }))
        };
        assert_eq!(doubt(DifferenceOrigin::Checkouts), None);
        let doubt = doubt(DifferenceOrigin::Builds).unwrap();
        assert_eq!(doubt, Doubt::SameCode(reason.to_owned()));
        assert_eq!(
            doubt.to_string(),
            "code and source are the same on both sides, documentation aside; it may open corpus.md, which \
             differs, so the source did not cause this change of time"
        );
    }
}
