//! Programs and libraries of the build that a benchmark may start or load while it runs.
//!
//! Cargo builds a package's programs before its benchmarks and tells these where they lie
//! (`CARGO_BIN_EXE_<name>`): what such a benchmark times happens in another process. An executable that
//! holds the path of one counts as starting it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use fs_err as fs;

use crate::build::{Build, Executable};
use crate::units::{Paired, Side};

use super::{Identity, Tree, compare};

/// The name of the first program or library of the build whose path stands in an executable and whose
/// code is not the same on both sides.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(super) fn differing_program(
    builds: &Paired<Build>,
    executables: Paired<&Executable>,
) -> io::Result<Option<String>> {
    let trees = builds.as_ref().map(Tree::of);
    // Cargo puts what has a stable name beside the folder `deps`.
    let folders = executables.try_map(|executable| {
        let folder = executable.path.parent().and_then(Path::parent);
        folder.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    })?;
    let mut named = BTreeSet::new();
    for side in Side::BOTH {
        named.extend(named_in(&executables.get(side).path, folders.get(side))?);
    }
    let differs = |name: &String| {
        let paths = folders.map(|folder| folder.join(name));
        let compared = compare(paths.as_ref().map(|path| path.as_path()), trees);
        !matches!(compared, Ok(Identity::Identical))
    };
    Ok(named.into_iter().find(differs))
}

/// The names of the programs and libraries in `folder` whose paths stand in `executable`.
fn named_in(executable: &Path, folder: &Path) -> io::Result<Vec<String>> {
    let bytes = fs::read(executable)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_program = path.is_file()
            && path
                .extension()
                .is_none_or(|extension| extension == "so" || extension == "exe");
        let path = path.to_string_lossy();
        let stands = regex::bytes::Regex::new(&regex::escape(&path))
            .is_ok_and(|pattern| pattern.is_match(&bytes));
        if is_program && stands {
            found.extend(path.rsplit('/').next().map(str::to_owned));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_that_holds_the_path_of_a_program_may_start_it() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["tool", "libit.so", "libit.rlib", "other"] {
            fs::write(temp.path().join(name), "").unwrap();
        }
        let executable = temp.path().join("deps-bench");
        let folder = temp.path().display();
        fs::write(
            &executable,
            format!("\0{folder}/tool\0{folder}/libit.so\0{folder}/libit.rlib"),
        )
        .unwrap();
        let mut found = named_in(&executable, temp.path()).unwrap();
        found.sort();
        assert_eq!(found, ["libit.so", "tool"]);
    }
}
