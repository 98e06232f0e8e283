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
        compiled.add(made.map_err(|failure| *failure.error)?);
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

fn is_program(target: &cargo_metadata::Target) -> bool {
    let is_library = |kind: &cargo_metadata::CrateType| *kind != cargo_metadata::CrateType::Bin;
    let is_example =
        target.is_kind(TargetKind::Example) && !target.crate_types.iter().any(is_library);
    target.is_bin() || is_example
}
