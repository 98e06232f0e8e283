//! The executables of one side, from what cargo made.

use std::collections::BTreeMap;

use cargo_metadata::{Artifact, Package, TargetKind};

use super::compile::Compiled;
use super::relink::{self, KeptLink};
use super::side::BuildSite;
use super::workspace::{Workspace, folder};
use super::{CommandLine, CriterionPackage, Executable, lock, runtime};

impl BuildSite<'_> {
    /// The benchmark executables.
    pub(super) fn executables(
        &self,
        resolved: Option<&Workspace>,
        compiled: &Compiled,
    ) -> Vec<Executable> {
        let benches = compiled
            .artifacts
            .iter()
            .filter(|artifact| artifact.target.is_kind(TargetKind::Bench));
        let mut executables: Vec<Executable> = benches
            .filter_map(|artifact| self.executable(resolved, compiled, artifact))
            .collect();
        executables.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        relink::sweep(&self.tools, &executables);
        executables
    }

    /// One executable; `None` for what is none, or of no member.
    pub(super) fn executable(
        &self,
        resolved: Option<&Workspace>,
        compiled: &Compiled,
        artifact: &Artifact,
    ) -> Option<Executable> {
        let path = artifact.executable.clone()?.into_std_path_buf();
        let package = self.members.package(&artifact.package_id)?;
        let choice = self.toolchain.choice.as_ref();
        Some(Executable {
            package: package.name.to_string(),
            target: artifact.target.name.clone(),
            source: self.in_repository(artifact.target.src_path.as_std_path()),
            names: BTreeMap::new(),
            working_dir: folder(package),
            env: runtime::environment(
                package,
                &path,
                compiled,
                &self.library_dir,
                choice.map(|choice| choice.name.as_str()),
            ),
            criterion: self.criterion(resolved, package),
            command_line: CommandLine::default(),
            runner: None,
            link: KeptLink::of(&self.tools, &path),
            path,
        })
    }

    /// Finds it in the dependency graph; without one, in the lock file, if that locks a single
    /// version.
    fn criterion(
        &self,
        resolved: Option<&Workspace>,
        package: &Package,
    ) -> Option<CriterionPackage> {
        match resolved {
            Some(workspace) => workspace.criterion(&package.id),
            None => match lock::versions(self.members.root())
                .remove("criterion")?
                .as_slice()
            {
                [only] => Some(CriterionPackage::itself(only)),
                _ => None,
            },
        }
    }
}
