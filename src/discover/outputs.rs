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
use object::{Object as _, ObjectSection as _, SectionKind};
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
    let trees = builds.as_ref().map(Tree::of);
    let mut named = Paired::new(BTreeSet::new(), BTreeSet::new());
    for side in Side::BOTH {
        let executable = executables.get(side);
        let bytes = fs::read(&executable.path)?;
        let folders = named.get_mut(side);
        let mut variables = executable.env.iter();
        for data in contents(&bytes) {
            folders.extend(named_in(data, trees.get(side).target_dir));
            if data.windows(VARIABLE.len()).any(|at| at == VARIABLE)
                && let Some((_, folder)) = variables.find(|(name, _)| name.as_bytes() == VARIABLE)
            {
                folders.insert(PathBuf::from(folder));
            }
        }
    }
    first_of(&named, trees)
}

/// What a running program can see of its executable. In debug information every folder is named that
/// source was compiled from.
fn contents(executable: &[u8]) -> Vec<&[u8]> {
    let Ok(file) = object::File::parse(executable) else {
        return vec![executable];
    };
    let seen = |kind| {
        matches!(
            kind,
            SectionKind::Text
                | SectionKind::Data
                | SectionKind::ReadOnlyData
                | SectionKind::ReadOnlyDataWithRel
                | SectionKind::ReadOnlyString
        )
    };
    let sections = file.sections().filter(|section| seen(section.kind()));
    sections.filter_map(|section| section.data().ok()).collect()
}

/// The folders of build scripts in `target_dir` whose paths stand in `bytes`, but for those that stand there
/// as part of the path of a source: panics say where they happened.
fn named_in(bytes: &[u8], target_dir: &Path) -> BTreeSet<PathBuf> {
    let start = regex::escape(&target_dir.to_string_lossy());
    // `release`, or a target and `release`. Nothing separates one text from the next.
    let folder = format!("{start}(?:/[A-Za-z0-9_.-]+){{1,2}}/build/[A-Za-z0-9_-]+/out");
    let source = "^/[A-Za-z0-9_./-]+?\\.rs";
    let (Ok(folder), Ok(source)) = (Regex::new(&folder), Regex::new(source)) else {
        return BTreeSet::new();
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut found = BTreeSet::new();
    for named in folder.find_iter(bytes) {
        let path = PathBuf::from(text(named.as_bytes()));
        let more = source.find(&bytes[named.end()..]);
        let is_source = more.is_some_and(|more| {
            let file = text(more.as_bytes());
            path.join(file.trim_start_matches('/')).is_file()
        });
        if path.is_dir() && !is_source {
            found.insert(path);
        }
    }
    found
}

/// The first difference between the folders of one side and their counterparts.
fn first_of(
    named: &Paired<BTreeSet<PathBuf>>,
    trees: Paired<Tree<'_>>,
) -> io::Result<Option<PathBuf>> {
    let by_name = named.as_ref().map(|folders| {
        let named = folders
            .iter()
            .filter_map(|folder| Some((name_of(folder)?, folder)));
        named.collect::<BTreeMap<String, &PathBuf>>()
    });
    let mut odd: BTreeMap<&str, Paired<Vec<&PathBuf>>> = BTreeMap::new();
    for side in Side::BOTH {
        for (name, folder) in by_name.get(side) {
            match by_name.get(side.other()).get(name) {
                Some(other) if side == Side::Base => {
                    let found = first_difference(Paired::new(folder, other), trees)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                Some(_) => {}
                // Cargo's hash of the package is another on the other side.
                None => {
                    let package = name
                        .rsplit_once('-')
                        .map_or(name.as_str(), |(package, _)| package);
                    let folders = odd
                        .entry(package)
                        .or_insert_with(|| Paired::new(vec![], vec![]));
                    folders.get_mut(side).push(folder);
                }
            }
        }
    }
    for folders in odd.values() {
        let found = match (&folders.base[..], &folders.head[..]) {
            ([], _) | (_, []) => None,
            ([base], [head]) => first_difference(Paired::new(base, head), trees)?,
            // Which belongs to which nobody can tell.
            ([base, ..], _) => Some((*base).clone()),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// `tables-0a1b2c`: package and hash.
fn name_of(folder: &Path) -> Option<String> {
    let name = folder.parent()?.file_name()?;
    Some(name.to_string_lossy().into_owned())
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
        let mut bytes = folders.try_map(|folder| content(&folder.join(file)))?;
        equalise_folders(&mut bytes.head, trees);
        if bytes.base != bytes.head {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

/// What a file holds; of a link, where it leads.
fn content(file: &Path) -> io::Result<Vec<u8>> {
    if fs::symlink_metadata(file)?.is_symlink() {
        return Ok(fs::read_link(file)?.into_os_string().into_encoded_bytes());
    }
    fs::read(file)
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
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

    fn write(file: PathBuf, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn a_folder_of_a_build_script_is_found_by_its_path_in_the_executable() {
        let temp = tempfile::tempdir().unwrap();
        let target = temp.path();
        for package in ["tables-0a", "z-1", "generated-2"] {
            let folder = target.join("release/build").join(package).join("out");
            write(folder.join("generated.rs"), "");
        }
        let t = target.display();
        // One text begins where the last one ends, one names no folder that is there, one a source.
        let bytes = format!(
            "{t}/release/tool{t}/release/build/tables-0a/out/rustc/x/mod.rs\0{t}/release/build/z-1/out/words.bin\
             {t}/release/build/gone-3/out\0{t}/release/build/generated-2/out/generated.rs/other"
        );
        let found = named_in(bytes.as_bytes(), target);
        let names: Vec<String> = found.iter().filter_map(|folder| name_of(folder)).collect();
        assert_eq!(names, ["tables-0a", "z-1"]);
    }

    #[test]
    fn two_versions_of_a_package_are_told_apart() {
        let temp = tempfile::tempdir().unwrap();
        let roots = Paired::from_fn(|side| temp.path().join(format!("{side}")));
        let out =
            |side: Side, name: &str| roots.get(side).join("release/build").join(name).join("out");
        let mut named = Paired::new(BTreeSet::new(), BTreeSet::new());
        for side in Side::BOTH {
            for name in ["tz-1a", "tz-9f"] {
                write(out(side, name).join("zones.bin"), name);
                named.get_mut(side).insert(out(side, name));
            }
        }
        let trees = roots.as_ref().map(|root| Tree {
            checkout: root,
            workspace: root,
            target_dir: root,
        });
        assert_eq!(first_of(&named, trees).unwrap(), None);
        write(out(Side::Head, "tz-1a").join("zones.bin"), "other");
        let zones = Some(PathBuf::from("zones.bin"));
        assert_eq!(first_of(&named, trees).unwrap(), zones);
        // With hashes of their own, one is the other's counterpart; two are nobody's.
        let alone = Paired::new(
            BTreeSet::from([out(Side::Base, "tz-1a")]),
            BTreeSet::from([out(Side::Head, "tz-9f")]),
        );
        assert_eq!(first_of(&alone, trees).unwrap(), zones);
        write(out(Side::Head, "tz-9f").join("zones.bin"), "tz-1a");
        assert_eq!(first_of(&alone, trees).unwrap(), None);
    }

    #[test]
    fn a_file_that_a_script_made_differs_by_what_it_holds_and_not_by_where_it_was_made() {
        let temp = tempfile::tempdir().unwrap();
        let roots = Paired::from_fn(|side| temp.path().join(format!("{side}")));
        let folders = roots.as_ref().map(|root| root.join("out"));
        let put = |side: Side, name: &str, text: &str| write(folders.get(side).join(name), text);
        for side in Side::BOTH {
            put(
                side,
                "made-in",
                &format!("{}/src", roots.get(side).display()),
            );
            put(side, "generated.rs", &format!("// {side}"));
        }
        let trees = roots.as_ref().map(|root| Tree {
            checkout: root,
            workspace: root,
            target_dir: root,
        });
        let differs = || first_difference(folders.as_ref(), trees).unwrap();
        assert_eq!(differs(), None);
        put(Side::Base, "words.bin", "one");
        assert_eq!(differs(), Some("words.bin".into()));
        put(Side::Head, "words.bin", "two");
        assert_eq!(differs(), Some("words.bin".into()));
        put(Side::Head, "words.bin", "one");
        assert_eq!(differs(), None);
    }
}
