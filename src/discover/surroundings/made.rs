//! What builds have made: programs, shared libraries, and the files of build scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::binary::{Tree, code_difference, equalise_folders};
use crate::build::{Build, BuiltProgram, ScriptOutput};
use crate::units::{Paired, Side};

use super::files::{FolderDifferences, shared_folder};
use super::{Role, Thing};

/// Files that are linked or compiled into executables rather than read by them.
const COMPILED: [&str; 5] = ["rs", "a", "o", "d", "rlib"];

/// What differs between the by-products of the builds.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(super) fn differing(builds: &Paired<Build>) -> io::Result<FolderDifferences> {
    let trees = builds.as_ref().map(Build::tree);
    let mut things = Vec::new();
    let programs = by_name(builds, |build| {
        let programs = build.by_products.programs.iter();
        programs.map(|program| program.path.as_path()).collect()
    });
    for (name, paths) in programs {
        if code_differs(&paths, trees)? {
            let all = Side::BOTH
                .into_iter()
                .flat_map(|side| &builds.get(side).by_products.programs);
            let package = package_of(all, &paths);
            let role = Role::Program { package };
            things.push(Thing { name, paths, role });
        }
    }
    let libraries = by_name(builds, |build| {
        let libraries = build.by_products.libraries.iter();
        libraries.map(PathBuf::as_path).collect()
    });
    for (name, paths) in libraries {
        if code_differs(&paths, trees)? {
            things.extend(beside_deps(&paths).into_iter().map(|paths| Thing {
                name: name.clone(),
                paths,
                role: Role::Library,
            }));
        }
    }
    let mut found = outputs(builds, trees)?;
    found.things.extend(things);
    Ok(found)
}

/// The files of each side, by file name.
fn by_name<'a>(
    builds: &'a Paired<Build>,
    of: impl Fn(&'a Build) -> Vec<&'a Path>,
) -> BTreeMap<String, Paired<Option<PathBuf>>> {
    let mut found: BTreeMap<String, Paired<Option<PathBuf>>> = BTreeMap::new();
    for side in Side::BOTH {
        for path in of(builds.get(side)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let paths = found
                .entry(name.into_owned())
                .or_insert_with(|| Paired::new(None, None));
            *paths.get_mut(side) = Some(path.to_owned());
        }
    }
    found
}

fn code_differs(paths: &Paired<Option<PathBuf>>, trees: Paired<Tree<'_>>) -> io::Result<bool> {
    let (Some(base), Some(head)) = (&paths.base, &paths.head) else {
        return Ok(true);
    };
    if fs::read(base)? == fs::read(head)? {
        return Ok(false);
    }
    let compared = code_difference(Paired::new(base.as_path(), head.as_path()), trees);
    Ok(!matches!(compared, Ok(None)))
}

fn package_of<'a>(
    mut programs: impl Iterator<Item = &'a BuiltProgram>,
    paths: &Paired<Option<PathBuf>>,
) -> String {
    let own = programs.find(|program| {
        let path = Some(&program.path);
        path == paths.base.as_ref() || path == paths.head.as_ref()
    });
    own.map_or_else(String::new, |program| program.package.clone())
}

/// A library, and its second name in the folder `deps` or above it, which is a copy if the file system has no hard
/// links.
fn beside_deps(paths: &Paired<Option<PathBuf>>) -> Vec<Paired<Option<PathBuf>>> {
    let second = |path: &PathBuf| {
        let (folder, name) = (path.parent()?, path.file_name()?);
        let other = match folder.file_name() == Some(OsStr::new("deps")) {
            true => folder.parent()?.join(name),
            false => folder.join("deps").join(name),
        };
        other.is_file().then_some(other)
    };
    let seconds = paths.as_ref().map(|path| path.as_ref().and_then(second));
    let mut all = vec![paths.clone()];
    all.extend((seconds.base.is_some() || seconds.head.is_some()).then_some(seconds));
    all
}

/// The folders of a package's build scripts on either side.
type OutputFolders<'a> = Paired<Vec<&'a Path>>;

fn outputs(builds: &Paired<Build>, trees: Paired<Tree<'_>>) -> io::Result<FolderDifferences> {
    let mut packages: BTreeMap<&str, OutputFolders<'_>> = BTreeMap::new();
    for side in Side::BOTH {
        for ScriptOutput {
            package, folder, ..
        } in &builds.get(side).by_products.outputs
        {
            let folders = packages
                .entry(package)
                .or_insert_with(|| Paired::new(vec![], vec![]));
            folders.get_mut(side).push(folder);
        }
    }
    let mut all = FolderDifferences::default();
    for (package, folders) in packages {
        for pair in pairs(&folders) {
            let found = differing_output(package, pair, trees)?;
            all.things.extend(found.things);
            all.folders.extend(found.folders);
        }
    }
    Ok(all)
}

/// Pairs the folders of both sides: by cargo's hash, or because there is only one.
fn pairs<'a>(folders: &OutputFolders<'a>) -> Vec<Paired<Option<&'a Path>>> {
    let hash = |folder: &Path| {
        folder
            .parent()
            .and_then(Path::file_name)
            .map(OsStr::to_owned)
    };
    let mut found = Vec::new();
    let mut odd = folders.clone();
    for base in &folders.base {
        let same = folders.head.iter().find(|head| hash(head) == hash(base));
        if let Some(head) = same {
            odd.base.retain(|other| other != base);
            odd.head.retain(|other| other != head);
            found.push(Paired::new(Some(*base), Some(*head)));
        }
    }
    match (&odd.base[..], &odd.head[..]) {
        ([base], [head]) => found.push(Paired::new(Some(*base), Some(*head))),
        // Which folders belong together is unknown.
        (base, head) => {
            found.extend(base.iter().map(|folder| Paired::new(Some(*folder), None)));
            found.extend(head.iter().map(|folder| Paired::new(None, Some(*folder))));
        }
    }
    found
}

fn differing_output(
    package: &str,
    folders: Paired<Option<&Path>>,
    trees: Paired<Tree<'_>>,
) -> io::Result<FolderDifferences> {
    let listed = folders.try_map(|folder| {
        let mut files = BTreeSet::new();
        if let Some(folder) = folder {
            list(folder, Path::new(""), &mut files)?;
        }
        Ok::<_, io::Error>(files)
    })?;
    let mut things = Vec::new();
    let mut with_others = BTreeSet::new();
    let both = match (folders.base, folders.head) {
        (Some(base), Some(head)) => Some(Paired::new(base, head)),
        _ => None,
    };
    for file in listed.base.union(&listed.head) {
        if listed.base.contains(file) != listed.head.contains(file) {
            with_others.extend(both.and_then(|both| shared_folder(both, file)));
        }
        let paths = Paired::from_fn(|side| {
            let folder = folders
                .get(side)
                .filter(|_| listed.get(side).contains(file));
            folder.map(|folder| folder.join(file))
        });
        if content_differs(&paths, trees)? {
            things.push(Thing {
                name: format!("{} of {package}'s build script", file.display()),
                paths,
                role: match file.extension() == Some(OsStr::new("so")) {
                    true => Role::Library,
                    false => Role::Data,
                },
            });
        }
    }
    let with_others = with_others
        .into_iter()
        .flat_map(|inside| both.map(|both| both.map(|folder| folder.join(&inside))));
    Ok(FolderDifferences {
        things,
        folders: with_others.collect(),
    })
}

fn content_differs(paths: &Paired<Option<PathBuf>>, trees: Paired<Tree<'_>>) -> io::Result<bool> {
    let (Some(base), Some(head)) = (&paths.base, &paths.head) else {
        return Ok(true);
    };
    let mut bytes = Paired::new(content(base)?, content(head)?);
    equalise_folders(&mut bytes.head, trees);
    Ok(bytes.base != bytes.head)
}

/// The content of a file or, for a link, its target.
fn content(file: &Path) -> io::Result<Vec<u8>> {
    if fs::symlink_metadata(file)?.is_symlink() {
        return Ok(fs::read_link(file)?.into_os_string().into_encoded_bytes());
    }
    fs::read(file)
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
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

    fn tree(root: &Path) -> Tree<'_> {
        Tree {
            checkout: root,
            workspace: root,
            target_dir: root,
        }
    }

    #[test]
    fn folders_of_two_versions_of_a_package_are_told_apart_by_their_hashes() {
        let [a, b, c] = ["t/a-1/out", "t/a-2/out", "t/a-3/out"].map(Path::new);
        let pairs = |base: &[&'static str], head: &[&'static str]| {
            let folders = Paired::new(base, head);
            pairs(&folders.map(|names| names.iter().copied().map(Path::new).collect()))
        };
        let both = |base, head| Paired::new(Some(base), Some(head));
        assert_eq!(
            pairs(&["t/a-1/out", "t/a-2/out"], &["t/a-3/out", "t/a-1/out"]),
            [both(a, a), both(b, c)]
        );
        assert_eq!(
            pairs(&["t/a-1/out", "t/a-2/out"], &["t/a-3/out"]).len(),
            3,
            "nobody can tell"
        );
    }

    #[test]
    fn a_file_that_a_script_made_differs_by_what_it_holds_and_not_by_where_it_was_made() {
        let temp = tempfile::tempdir().unwrap();
        let roots = Paired::from_fn(|side| temp.path().join(format!("{side}")));
        let folders = roots.as_ref().map(|root| root.join("out"));
        let put = |side: Side, name: &str, text: &str| {
            fs::create_dir_all(folders.get(side)).unwrap();
            fs::write(folders.get(side).join(name), text).unwrap();
        };
        for side in Side::BOTH {
            let made_in = format!("{}/src", roots.get(side).display());
            put(side, "made-in", &made_in);
            put(side, "generated.rs", &format!("// {side}"));
        }
        let trees = roots.as_ref().map(|root| tree(root));
        let differs = || {
            let pair = folders.as_ref().map(|folder| Some(folder.as_path()));
            let things = differing_output("p", pair, trees).unwrap().things;
            things
                .into_iter()
                .map(|thing| thing.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(differs(), [""; 0]);
        put(Side::Base, "words.bin", "one");
        assert_eq!(differs(), ["words.bin of p's build script"]);
        put(Side::Head, "words.bin", "two");
        assert_eq!(differs(), ["words.bin of p's build script"]);
        put(Side::Head, "words.bin", "one");
        assert_eq!(differs(), [""; 0]);
    }
}
