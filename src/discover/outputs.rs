//! Files that build scripts have made and benchmarks may read while they run.
//!
//! What is compiled into an executable (`include!`, `include_bytes!`) is seen in its code. A file that it
//! opens at run time is not: it has to name the folder, by the path that cargo gave the compiler as `OUT_DIR`,
//! or by the name of the variable.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use regex::bytes::Regex;

use crate::build::{Build, Executable};
use crate::units::{Paired, Side};

use super::Tree;
use super::identity::equalise_folders;

/// The variable that leads to the folder of a package's own build script.
const VARIABLE: &[u8] = b"OUT_DIR";

/// What is linked or compiled into executables rather than read by them.
const COMPILED: [&str; 5] = ["rs", "a", "o", "d", "rlib"];

/// The first file in the folders of build scripts that an executable names that is not the same on both
/// sides. A folder that one side alone names counts for nothing: the code that names it differs.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(super) fn differing_output(
    builds: &Paired<Build>,
    executables: Paired<&Executable>,
) -> io::Result<Option<PathBuf>> {
    let trees = builds.as_ref().map(|build| Tree {
        checkout: &build.checkout.root,
        workspace: &build.workspace_root,
        target_dir: &build.target_dir,
    });
    let mut named = Paired::new(BTreeMap::new(), BTreeMap::new());
    for side in Side::BOTH {
        let executable = executables.get(side);
        let bytes = fs::read(&executable.path)?;
        let folders = named.get_mut(side);
        *folders = by_package(named_in(&bytes, trees.get(side).target_dir));
        let mut variables = executable.env.iter();
        let asks = bytes.windows(VARIABLE.len()).any(|at| at == VARIABLE);
        if asks && let Some((_, folder)) = variables.find(|(name, _)| name.as_bytes() == VARIABLE) {
            folders.extend(by_package([PathBuf::from(folder)]));
        }
    }
    for (package, base) in &named.base {
        if let Some(head) = named.head.get(package) {
            let found = first_difference(Paired::new(base, head), trees)?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// The folders of build scripts in `target_dir` whose paths stand in an executable.
fn named_in(bytes: &[u8], target_dir: &Path) -> BTreeSet<PathBuf> {
    let start = regex::escape(&target_dir.to_string_lossy());
    let Ok(pattern) = Regex::new(&format!("{start}/[^\\x00\n]*?/build/[A-Za-z0-9_-]+/out")) else {
        return BTreeSet::new();
    };
    let found = pattern.find_iter(bytes);
    found
        .map(|path| PathBuf::from(String::from_utf8_lossy(path.as_bytes()).into_owned()))
        .collect()
}

/// By the name of the package: cargo appends a hash, which may differ between the sides.
fn by_package(folders: impl IntoIterator<Item = PathBuf>) -> BTreeMap<String, PathBuf> {
    let named = folders.into_iter().filter_map(|folder| {
        let name = folder.parent()?.file_name()?.to_string_lossy();
        let (package, _) = name.rsplit_once('-')?;
        Some((package.to_owned(), folder.clone()))
    });
    named.collect()
}

/// The first file that differs, or that one side alone has; relative to its folder.
fn first_difference(
    folders: Paired<&PathBuf>,
    trees: Paired<Tree<'_>>,
) -> io::Result<Option<PathBuf>> {
    let listed = folders.try_map(|folder| {
        let mut files = BTreeSet::new();
        list(folder, Path::new(""), &mut files)?;
        Ok::<_, io::Error>(files)
    })?;
    for file in listed.base.union(&listed.head) {
        if !(listed.base.contains(file) && listed.head.contains(file)) {
            return Ok(Some(file.clone()));
        }
        let mut bytes = folders.try_map(|folder| fs::read(folder.join(file)))?;
        equalise_folders(&mut bytes.head, trees);
        if bytes.base != bytes.head {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let path = root.join(folder);
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        let extension = name.extension().and_then(OsStr::to_str);
        if entry.file_type()?.is_dir() {
            list(root, &name, files)?;
        } else if !extension.is_some_and(|extension| COMPILED.contains(&extension)) {
            files.insert(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_build_script_is_found_by_its_path_in_the_executable() {
        let bytes = b"\0/t/release/build/tables-0a1b/out/words.bin\0/t/x/release/build/z-1/out\0/other/build/y-2/out";
        let found = by_package(named_in(bytes, Path::new("/t")));
        let names: Vec<&String> = found.keys().collect();
        assert_eq!(names, ["tables", "z"]);
        assert_eq!(
            found["tables"],
            Path::new("/t/release/build/tables-0a1b/out")
        );
    }

    #[test]
    fn a_file_that_a_script_made_differs_by_what_it_holds_and_not_by_where_it_was_made() {
        let temp = tempfile::tempdir().unwrap();
        let roots = Paired::from_fn(|side| temp.path().join(format!("{side}")));
        let folders = roots.as_ref().map(|root| root.join("out"));
        let write = |side: Side, name: &str, text: &str| {
            fs::create_dir_all(folders.get(side)).unwrap();
            fs::write(folders.get(side).join(name), text).unwrap();
        };
        for side in Side::BOTH {
            write(
                side,
                "made-in",
                &format!("{}/src", roots.get(side).display()),
            );
            write(side, "generated.rs", &format!("// {side}"));
        }
        let trees = roots.as_ref().map(|root| Tree {
            checkout: root,
            workspace: root,
            target_dir: root,
        });
        let differs = || first_difference(folders.as_ref(), trees).unwrap();
        assert_eq!(differs(), None);
        write(Side::Base, "words.bin", "one");
        assert_eq!(differs(), Some("words.bin".into()));
        write(Side::Head, "words.bin", "two");
        assert_eq!(differs(), Some("words.bin".into()));
        write(Side::Head, "words.bin", "one");
        assert_eq!(differs(), None);
    }
}
