//! What a build makes besides benchmark executables, and what these may load, start or read.

use std::path::PathBuf;

use cargo_metadata::{Artifact, CrateType, Package, PackageId, TargetKind};

use super::compile::Compiled;
use super::workspace::folder;

/// The by-products of one build, without what earlier builds have left in the target folder.
#[derive(Debug, Clone, Default)]
pub struct ByProducts {
    /// Programs.
    pub programs: Vec<BuiltProgram>,
    /// Shared libraries, except those of procedural macros.
    pub libraries: Vec<PathBuf>,
    /// Folders of build scripts.
    pub outputs: Vec<ScriptOutput>,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltProgram {
    /// The package's name. Cargo builds a package's programs for its benchmarks.
    pub package: String,
    /// The file.
    pub path: PathBuf,
}

/// What a build script has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutput {
    /// The package's name.
    pub package: String,
    /// The folder, `OUT_DIR`.
    pub folder: PathBuf,
    /// The folder of the package, where cargo could tell.
    pub package_root: Option<PathBuf>,
}

impl ByProducts {
    /// What `compiled` names; `package_of` finds a package.
    pub(super) fn of<'a>(
        compiled: &Compiled,
        package_of: impl Fn(&PackageId) -> Option<&'a Package>,
    ) -> ByProducts {
        let name_of = |id: &PackageId| match package_of(id) {
            Some(package) => package.name.to_string(),
            None => id.repr.clone(),
        };
        let artifacts = || compiled.artifacts.iter();
        let programs = artifacts()
            .filter(|artifact| artifact.target.is_kind(TargetKind::Bin))
            .filter_map(|artifact| {
                let path = artifact.executable.clone()?.into_std_path_buf();
                let package = name_of(&artifact.package_id);
                Some(BuiltProgram { package, path })
            });
        let libraries = artifacts()
            .filter(|artifact| is_shared_library(artifact))
            .flat_map(|artifact| &artifact.filenames)
            .filter(|file| !matches!(file.extension(), Some("rlib" | "rmeta" | "a")))
            .map(|file| file.clone().into_std_path_buf());
        let outputs = compiled.scripts.iter().map(|script| ScriptOutput {
            package: name_of(&script.package_id),
            folder: script.out_dir.clone().into_std_path_buf(),
            package_root: package_of(&script.package_id).map(folder),
        });
        ByProducts {
            programs: programs.collect(),
            libraries: libraries.collect(),
            outputs: outputs.collect(),
        }
    }
}

fn is_shared_library(artifact: &Artifact) -> bool {
    let types = &artifact.target.crate_types;
    types.contains(&CrateType::DyLib) || types.contains(&CrateType::CDyLib)
}
