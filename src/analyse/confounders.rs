//! Differences between the sides, beside the source, that can change times on their own.

use std::collections::BTreeMap;

use crate::build::{Build, CriterionPackage, Executable, LockFile};
use crate::units::{Paired, Side};

/// How many packages are named before it says "and n more".
const NAMED: usize = 5;

/// Names every difference of toolchain, profile, lock file and Criterion's version between the two
/// builds, as lower-case fragments, the most important first.
#[must_use]
pub fn confounders(builds: &Paired<Build>) -> Vec<String> {
    let tools = builds.as_ref().map(|build| &build.toolchain);
    let mut found = Vec::new();
    let mut differ = |what: &str, base: &str, head: &str| {
        if base != head {
            found.push(format!("{what} differs: {base} on base, {head} on head"));
        }
    };
    differ("the compiler", &tools.base.rustc, &tools.head.rustc);
    differ("the host", &tools.base.host, &tools.head.host);
    differ("cargo", &tools.base.cargo, &tools.head.cargo);
    differ("the profile", &builds.base.profile, &builds.head.profile);
    let runners = builds
        .as_ref()
        .map(|build| build.executables.first().map_or("", Executable::starter));
    if !runners.base.is_empty() && !runners.head.is_empty() {
        differ("the runner", runners.base, runners.head);
    }
    found.extend(criterion(builds));
    found.extend(dependencies(builds));
    found.extend(lock_files(builds));
    found
}

fn criterion(builds: &Paired<Build>) -> Vec<String> {
    let versions = builds.as_ref().map(|build| {
        build
            .executables
            .iter()
            .filter_map(|e| Some((e.package.as_str(), e.criterion.as_ref()?)))
            .collect::<BTreeMap<_, _>>()
    });
    versions
        .base
        .iter()
        .filter_map(|(package, base)| {
            let head = versions.head.get(package)?;
            let named = |one: &CriterionPackage| match base.name == head.name {
                true => one.to_string(),
                false => format!("{} {}", one.name, one.version),
            };
            (base != head).then(|| {
                let (base, head) = (named(base), named(head));
                format!("the Criterion of {package} differs: {base} on base, {head} on head")
            })
        })
        .collect()
}

/// Dependencies whose locked versions differ. Criterion itself is named with its packages.
fn dependencies(builds: &Paired<Build>) -> Option<String> {
    let (base, head) = (&builds.base.locked, &builds.head.locked);
    let mut names: Vec<&String> = base.keys().chain(head.keys()).collect();
    names.sort();
    names.dedup();
    let changed: Vec<String> = names
        .into_iter()
        .filter(|name| base.get(*name) != head.get(*name))
        .map(|name| {
            let versions = Paired::new(base, head).map(|locked| match locked.get(name) {
                Some(versions) => versions.join(" and "),
                None => "none".to_owned(),
            });
            format!("{name} {} → {}", versions.base, versions.head)
        })
        .collect();
    if changed.is_empty() {
        return None;
    }
    let more = changed.len().saturating_sub(NAMED);
    let mut listed = changed[..changed.len() - more].join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    Some(format!("locked dependencies differ: {listed}"))
}

fn lock_files(builds: &Paired<Build>) -> Option<String> {
    match (builds.base.lock_file, builds.head.lock_file) {
        // A lock file that both sides share makes no difference between them.
        (LockFile::Tracked, LockFile::Tracked) | (LockFile::Shared, LockFile::Shared) => None,
        (base, _) => {
            let tracked = match base {
                LockFile::Tracked => Side::Base,
                LockFile::Shared => Side::Head,
            };
            Some(format!("Cargo.lock is tracked on {tracked} only"))
        }
    }
}
