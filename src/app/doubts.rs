//! Where a change of time has another explanation than the change of the source.

use crate::analyse::{Comparison, Doubt, cast_doubt};
use crate::attribute::is_documentation;
use crate::build::{Build, CriterionPackage};
use crate::discover::{Identity, Target};
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
        match &target.identity {
            Identity::Different(_) if same_source => Some(Doubt::SameSource),
            Identity::SameCode(reason) if same_source => Some(Doubt::SameCode(reason.clone())),
            _ => None,
        }
    });
    if !same_source {
        return Vec::new();
    }
    let differing = |target: &&Target| matches!(target.identity, Identity::Different(_));
    let said = targets.iter().filter(differing);
    said.map(|target| unstable(&ready.builds, target)).collect()
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
    matches!((paths, files), (Ok(paths), Ok(files)) if is_documentation(&paths, &files))
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
