//! What has changed between the executables of a target, with what they read beside their code.

use std::io;
use std::path::{Path, PathBuf};

use crate::build::{Build, Executable};
use crate::units::{Paired, Side};

use super::functions::{ChangedFunction, Unclear, changed_functions, needed_libraries};
use super::inputs::{differing_inputs, may_read};
use super::launches::differing_program;
use super::outputs::differing_output;
use super::{Target, Tree};

/// The functions that differ between the executables of `target`, whatever else its benchmarks may read
/// or load.
///
/// # Errors
/// What [`changed_functions`] cannot judge, and where one side has no such executable.
pub fn differing_functions(
    builds: &Paired<Build>,
    target: &Target,
) -> Result<Vec<ChangedFunction>, Unclear> {
    functions(builds, both(target)?)
}

fn both(target: &Target) -> Result<Paired<&Executable>, Unclear> {
    match (&target.executables.base, &target.executables.head) {
        (Some(base), Some(head)) => Ok(Paired::new(base, head)),
        _ => Err(Unclear::because("one side has no such executable")),
    }
}

fn functions(
    builds: &Paired<Build>,
    executables: Paired<&Executable>,
) -> Result<Vec<ChangedFunction>, Unclear> {
    let trees = builds.as_ref().map(Tree::of);
    let paths = executables.map(|executable| executable.path.as_path());
    changed_functions(paths, trees)
}

/// Where the loader looks for libraries.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// Compares the executables of one target after the other.
#[derive(Debug)]
pub struct Changes<'a> {
    builds: &'a Paired<Build>,
    /// Files that differ between the checkouts, sources that were compiled aside.
    differing: io::Result<Vec<PathBuf>>,
}

impl<'a> Changes<'a> {
    /// Reads both checkouts.
    #[must_use]
    pub fn between(builds: &'a Paired<Build>) -> Changes<'a> {
        Changes {
            builds,
            differing: differing_inputs(builds),
        }
    }

    /// The functions that differ between the executables of `target`.
    ///
    /// # Errors
    /// Where more can differ than functions: a file that a benchmark may read, a library that the
    /// build made, or what [`changed_functions`] cannot judge.
    pub fn of(&self, target: &Target) -> Result<Vec<ChangedFunction>, Unclear> {
        let executables = both(target)?;
        let unreadable = |error: &io::Error| Unclear::because(error.to_string());
        let differing = self.differing.as_ref().map_err(unreadable)?;
        for side in Side::BOTH {
            let executable: &Executable = executables.get(side);
            let input = may_read(&executable.path, differing).map_err(|e| unreadable(&e))?;
            if let Some(file) = input {
                let reason = format!("it may read {}, which differs", file.display());
                return Err(Unclear::because(reason));
            }
            if let Some(library) = self.own_library(side, executable)? {
                let reason = format!("it loads {}, which the build made", library.display());
                return Err(Unclear::because(reason));
            }
        }
        let output = differing_output(self.builds, executables).map_err(|e| unreadable(&e))?;
        if let Some(file) = output {
            let file = file.display();
            let reason = format!("it may read {file} of a build script, which differs");
            return Err(Unclear::because(reason));
        }
        let program = differing_program(self.builds, executables).map_err(|e| unreadable(&e))?;
        if let Some(program) = program {
            let reason = format!("it may start {program}, which differs");
            return Err(Unclear::because(reason));
        }
        functions(self.builds, executables)
    }

    /// The first library that an executable loads from the folders of its side.
    fn own_library(&self, side: Side, executable: &Executable) -> Result<Option<PathBuf>, Unclear> {
        let build = self.builds.get(side);
        let own = |folder: &Path| {
            folder.starts_with(&build.target_dir) || folder.starts_with(&build.checkout.root)
        };
        let paths = executable
            .env
            .iter()
            .filter(|(name, _)| name == LIBRARY_PATH);
        let folders: Vec<PathBuf> = paths
            .flat_map(|(_, value)| std::env::split_paths(value))
            .filter(|folder| own(folder))
            .chain(executable.path.parent().map(Path::to_owned))
            .collect();
        let libraries = needed_libraries(&executable.path)?;
        let mut found = libraries
            .iter()
            .flat_map(|library| folders.iter().map(move |folder| folder.join(library)));
        Ok(found.find(|path| path.is_file()))
    }
}
