//! Which bench targets cargo is asked for.

use std::collections::BTreeSet;

use cargo_metadata::Package;
use globset::Glob;

use crate::plan::{BenchmarkNeed, Selection};

use super::broken::BrokenTarget;
use super::workspace::{Workspace, benches};

/// Which bench targets cargo is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Targets {
    /// These.
    Named(Vec<String>),
    /// Whatever `cargo bench` builds: benches whose features are there, and libraries and programs
    /// as benchmarks of the built-in harness, which cost time and are not used.
    Default,
}

impl Targets {
    /// The targets to ask for. They are named only if that selects what `cargo bench` selects: not
    /// if one has `required-features` (naming it would turn missing features into an error), and
    /// not if one is switched off with `bench = false` (naming it would switch it on).
    pub(super) fn of(selected: &[&Package], selection: &Selection) -> Targets {
        if selection.benchmarks == BenchmarkNeed::Unwanted {
            return Targets::Named(Vec::new());
        }
        let all: Vec<_> = selected
            .iter()
            .flat_map(|package| benches(package))
            .collect();
        if !selection.benches.is_empty() {
            let there: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
            let wanted = selection.benches.iter().filter(|wanted| {
                // A pattern is cargo's business.
                wanted.contains(['*', '?', '[']) || there.contains(&wanted.as_str())
            });
            return Targets::Named(wanted.cloned().collect());
        }
        if all
            .iter()
            .any(|target| !target.required_features.is_empty())
            || selected
                .iter()
                .any(|package| !switched_off(package).is_empty())
        {
            return Targets::Default;
        }
        let mut names: Vec<String> = all.iter().map(|target| target.name.clone()).collect();
        names.sort();
        names.dedup();
        Targets::Named(names)
    }

    /// The same selection without the broken targets; `None` if nothing is left, or if cargo would be
    /// asked for the same again.
    pub(super) fn without(
        &self,
        broken: &[BrokenTarget],
        selected: &[&Package],
        resolved: Option<&Workspace>,
    ) -> Option<Targets> {
        let there = selected.iter().flat_map(|package| {
            let features = resolved.and_then(|workspace| workspace.features(&package.id));
            let off = switched_off(package);
            benches(package)
                .filter(move |target| !off.contains(&target.name))
                .filter(move |target| {
                    let mut needed = target.required_features.iter();
                    needed.all(|one| {
                        features
                            .as_ref()
                            .is_some_and(|all| all.contains(one.as_str()))
                    })
                })
                .map(|target| target.name.clone())
        });
        let mut names: BTreeSet<String> = match self {
            Targets::Named(patterns) => there
                .filter(|name| patterns.iter().any(|pattern| matches(pattern, name)))
                .collect(),
            Targets::Default => there.collect(),
        };
        let before = names.len();
        names.retain(|name| broken.iter().all(|one| one.target != *name));
        (!names.is_empty() && names.len() < before)
            .then(|| Targets::Named(names.into_iter().collect()))
    }

    /// Whether there is nothing to build.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Targets::Named(names) if names.is_empty())
    }
}

/// The names of a manifest's `[[bench]]` sections with `bench = false`; cargo's metadata does not tell.
fn switched_off(package: &Package) -> Vec<String> {
    let manifest = fs_err::read_to_string(&package.manifest_path).unwrap_or_default();
    let manifest = manifest.parse::<toml::Table>().unwrap_or_default();
    let benches = manifest.get("bench").and_then(toml::Value::as_array);
    let off = benches.into_iter().flatten().filter(|bench| {
        let value = bench.get("bench").and_then(toml::Value::as_bool);
        value == Some(false)
    });
    let names = off.map(|bench| bench.get("name").and_then(toml::Value::as_str));
    names
        .map(|name| name.unwrap_or_default().to_owned())
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern == name || Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(name))
}
