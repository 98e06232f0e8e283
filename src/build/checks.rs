//! Checks that concern both sides together.

use std::path::Path;

use crate::plan::{BenchmarkNeed, Selection};
use crate::scratch::{Scratch, foreign_file};
use crate::units::{Paired, Side};

use super::Build;
use super::error::BuildError;
use super::rustc_wrapper::CrateNames;
use super::side::BuildSite;
use super::workspace::{Workspace, benches, is_plain_name, near};

/// Checks that every named package exists on both sides.
pub(super) fn check_packages(
    sites: &Paired<BuildSite<'_>>,
    selection: &Selection,
) -> Result<(), BuildError> {
    for side in Side::BOTH {
        let site = sites.get(side);
        let names = site.members.member_names();
        let missing = selection
            .packages
            .iter()
            .find(|spec| is_plain_name(spec) && !names.contains(spec.as_str()));
        if let Some(package) = missing {
            return Err(BuildError::NoSuchPackage {
                at: site.tools.at.clone(),
                package: package.clone(),
                near: near(package, names),
            });
        }
    }
    Ok(())
}

/// Checks that every named bench target exists. It may exist on one side only: its benchmarks are then added or
/// removed.
pub(super) fn check_benches(
    sites: &Paired<BuildSite<'_>>,
    selection: &Selection,
) -> Result<(), BuildError> {
    let selected = sites.as_ref().map(|site| site.members.selected(selection));
    let there: Vec<&str> = selected
        .base
        .iter()
        .chain(&selected.head)
        .flat_map(|package| benches(package))
        .map(|target| target.name.as_str())
        .collect();
    let missing = selection
        .benches
        .iter()
        .find(|bench| is_plain_name(bench) && !there.contains(&bench.as_str()));
    if let Some(bench) = missing {
        return Err(BuildError::NoSuchBench {
            bench: bench.clone(),
            near: near(bench, there),
        });
    }
    if there.is_empty() && selection.benchmarks == BenchmarkNeed::Required {
        return Err(BuildError::NoBenchTargets);
    }
    Ok(())
}

/// Who names the crates of the checkouts: one answer for both sides.
pub(super) fn names_of_crates(
    sites: &Paired<BuildSite<'_>>,
    graphs: &Paired<Option<Workspace>>,
) -> CrateNames {
    let within = |side: Side| {
        let graph = graphs.get(side).as_ref();
        graph.map(|graph| graph.places_within(&sites.get(side).checkout.root))
    };
    let places = Paired::from_fn(within);
    let workspaces = sites.as_ref().map(BuildSite::workspace_in_repository);
    let outside = Side::BOTH.into_iter().any(|side| {
        let mut places = places.get(side).iter().flatten();
        places.any(|(_, folder)| !folder.starts_with(workspaces.get(side)))
    });
    let moved = match (&places.base, &places.head) {
        (Some(base), Some(head)) => base
            .iter()
            .any(|(name, folder)| head.get(name).is_some_and(|other| other != folder)),
        _ => false,
    };
    match outside || moved {
        true => CrateNames::Wrapper,
        false => CrateNames::Cargo,
    }
}

/// Returns the builds, unless a file that cargo or rustup obey has appeared above them since the place was chosen:
/// it may have affected only one side.
pub(super) fn undisturbed(
    builds: Paired<Build>,
    original: &Path,
    scratch: &Scratch,
) -> Result<Paired<Build>, BuildError> {
    let above = scratch.path().parent().unwrap_or(scratch.path());
    match foreign_file(above, Some(original)) {
        Some(file) => Err(BuildError::Disturbed { file }),
        None => Ok(builds),
    }
}
