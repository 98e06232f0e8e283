//! The workspace's programs and examples, built as their users build them, for workloads.

use cargo_metadata::{Artifact, Package, TargetKind};

use crate::plan::{BenchmarkNeed, ProgramName, Selection};
use crate::units::{EventSink, Paired, Side};

use super::compile::{self, Compiled};
use super::error::BuildError;
use super::side::{BuildSite, Wish};
use super::workspace::near;
use super::{Executable, tool};

/// A program or example of one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundProgram<'a> {
    package: &'a Package,
    target: &'a cargo_metadata::Target,
}

/// Checks that every program that a workload names is one program only, and on one side at least where it was typed: the
/// configuration of today may be compared with revisions that have not got it yet.
pub(super) fn check_programs(
    sites: &Paired<BuildSite<'_>>,
    selection: &Selection,
) -> Result<(), BuildError> {
    for name in &selection.programs {
        let found = sites.as_ref().map(|site| site.programs(name));
        for side in Side::BOTH {
            let [first, second, ..] = &found.get(side)[..] else {
                continue;
            };
            return Err(BuildError::AmbiguousProgram {
                at: sites.get(side).tools.at.clone(),
                program: name.to_string(),
                packages: [first, second].map(|one| one.package.name.to_string()),
            });
        }
        let is_typed = selection.benchmarks == BenchmarkNeed::Unwanted;
        if is_typed && found.base.is_empty() && found.head.is_empty() {
            let there = sites.head.all_programs();
            let names: Vec<&str> = there.iter().map(|one| one.target.name.as_str()).collect();
            return Err(BuildError::NoSuchProgram {
                program: name.to_string(),
                near: near(&name.name, names),
            });
        }
    }
    Ok(())
}

impl BuildSite<'_> {
    /// What a name means on this side.
    fn programs(&self, name: &ProgramName) -> Vec<FoundProgram<'_>> {
        let mut all = self.all_programs();
        all.retain(|one| {
            let package = name.package.as_deref();
            one.target.name == name.name
                && package.is_none_or(|package| package == one.package.name.as_str())
        });
        all
    }

    fn all_programs(&self) -> Vec<FoundProgram<'_>> {
        let packages = self.members.member_packages();
        let all = packages.flat_map(|package| {
            let targets = package.targets.iter();
            targets.map(move |target| FoundProgram { package, target })
        });
        all.filter(|one| is_program(one.target)).collect()
    }

    /// Builds the programs that workloads name and this side has, after its benchmarks, and adds them to what these
    /// made.
    ///
    /// # Errors
    /// Where one does not compile, or cargo fails in another way.
    pub(super) fn add_programs(
        &self,
        wish: &Wish<'_>,
        compiled: &mut Compiled,
        events: EventSink<'_>,
    ) -> Result<(), BuildError> {
        let names = wish.selection.programs.iter();
        let found: Vec<FoundProgram<'_>> = names.flat_map(|name| self.programs(name)).collect();
        if found.is_empty() {
            return Ok(());
        }
        let packages = found.iter().map(|one| one.package.name.to_string());
        let targets = found.iter().map(|one| {
            let flag = match one.target.is_bin() {
                true => "--bin",
                false => "--example",
            };
            [flag.to_owned(), one.target.name.clone()]
        });
        let target_dir = tool::target_dir(self.tools.place(), self.tools.at.side);
        let ask = compile::ask_for_programs(
            wish.selection,
            packages.collect(),
            targets.flatten().collect(),
            &target_dir,
        );
        let made = compile::run(
            &self.tools,
            &ask,
            wish.names,
            None,
            |package| self.package_name(wish.resolved, package),
            events,
        );
        let made = made.map_err(|failure| *failure.error)?;
        if let Some([one, other]) = clash(&made.artifacts) {
            let package = |artifact: &Artifact| {
                let package = self.members.package(&artifact.package_id);
                package.map_or_else(
                    || artifact.package_id.to_string(),
                    |package| package.name.to_string(),
                )
            };
            return Err(BuildError::ClashingPrograms {
                at: self.tools.at.clone(),
                program: one.target.name.clone(),
                packages: [package(one), package(other)],
            });
        }
        compiled.add(made);
        Ok(())
    }

    /// The programs that workloads name, of what was made.
    pub(super) fn built_programs(&self, wish: &Wish<'_>, compiled: &Compiled) -> Vec<Executable> {
        let names = wish.selection.programs.iter();
        let found: Vec<FoundProgram<'_>> = names.flat_map(|name| self.programs(name)).collect();
        let is_wanted = |artifact: &Artifact| {
            found.iter().any(|one| {
                one.package.id == artifact.package_id
                    && one.target.name == artifact.target.name
                    && one.target.kind == artifact.target.kind
            })
        };
        let made = compiled.artifacts.iter().rev().filter(|one| is_wanted(one));
        let mut programs: Vec<Executable> = made
            .filter_map(|artifact| self.executable(wish.resolved, compiled, artifact))
            .collect();
        // A benchmark's build makes the package's programs, too: what was built last is what lies there.
        programs.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        programs.dedup_by(|a, b| a.package == b.package && a.target == b.target);
        programs
    }
}

/// Two artifacts of different packages whose executable lies at the same path: cargo builds all named programs of all named
/// packages, and its last link wins.
fn clash(made: &[Artifact]) -> Option<[&Artifact; 2]> {
    let mut programs = made.iter().filter(|one| one.executable.is_some());
    programs.find_map(|one| {
        let mut others = made.iter();
        let other = others.find(|other| {
            other.executable == one.executable && other.package_id != one.package_id
        })?;
        Some([one, other])
    })
}

fn is_program(target: &cargo_metadata::Target) -> bool {
    let is_library = |kind: &cargo_metadata::CrateType| *kind != cargo_metadata::CrateType::Bin;
    let is_example =
        target.is_kind(TargetKind::Example) && !target.crate_types.iter().any(is_library);
    target.is_bin() || is_example
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(package: &str, program: &str, path: &str) -> Artifact {
        let text = format!(
            r#"{{"package_id": "path+file:///w/{package}#0.1.0", "manifest_path": "/w/{package}/Cargo.toml",
                "target": {{"kind": ["bin"], "crate_types": ["bin"], "name": "{program}", "src_path": "/w/{package}/src/main.rs",
                    "edition": "2024", "doc": true, "doctest": false, "test": true}},
                "profile": {{"opt_level": "3", "debuginfo": 0, "debug_assertions": false, "overflow_checks": false, "test": false}},
                "features": [], "filenames": ["{path}"], "executable": "{path}", "fresh": false}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn programs_of_two_packages_at_one_path_clash() {
        let (first, other) = (made("a", "x", "/t/x"), made("b", "x", "/t/x"));
        let beside = made("b", "y", "/t/y");
        assert!(clash(&[first.clone(), beside.clone(), first.clone()]).is_none());
        let all = [first, beside, other];
        let [one, other] = clash(&all).unwrap();
        assert_ne!(one.package_id, other.package_id);
        assert_eq!(one.executable, other.executable);
    }
}
