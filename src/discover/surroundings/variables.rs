//! Variables that the project itself sets for its benchmarks: `[env]` in cargo's configuration, `rustc-env` of build
//! scripts, what manifests say.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::binary::{equalise_folders, needed_libraries};
use crate::build::{Build, Executable};
use crate::units::{Paired, Side};

use super::named::Contents;

/// Variables that name folders whose files are watched anyway.
const PATHS: [&str; 3] = ["DYLD_FALLBACK_LIBRARY_PATH", "LD_LIBRARY_PATH", "OUT_DIR"];

/// The prefix of variables that cargo sets, which no library of the system reads.
const CARGOS: &str = "CARGO";

/// A variable whose value differs between the sides, and which a benchmark, or a library or program of the build,
/// may read.
///
/// # Errors
/// Where a file cannot be read.
pub(super) fn may_ask(
    builds: &Paired<Build>,
    executables: Paired<&Executable>,
) -> io::Result<Option<String>> {
    let names = differing(builds, executables);
    if names.is_empty() {
        return Ok(None);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for side in Side::BOTH {
        let made = &builds.get(side).by_products;
        files.push(executables.get(side).path.clone());
        files.extend(made.libraries.iter().cloned());
        files.extend(made.programs.iter().map(|program| program.path.clone()));
    }
    let contents = files
        .iter()
        .map(|file| Contents::of_file(file))
        .collect::<io::Result<Vec<_>>>()?;
    let asked = |name: &&String| contents.iter().any(|one| one.hold_any(&[name.as_bytes()]));
    if let Some(name) = names.iter().find(asked) {
        return Ok(Some(name.clone()));
    }
    let of_others: Vec<&String> = names
        .iter()
        .filter(|name| !name.starts_with(CARGOS))
        .collect();
    let Some(first) = of_others.first() else {
        return Ok(None);
    };
    let Some(libraries) = system_libraries(&files, builds, executables) else {
        return Ok(Some((*first).clone()));
    };
    for library in libraries {
        let contents = Contents::of_file(&library)?;
        for name in &of_others {
            if contents.hold_any(&[name.as_bytes()]) {
                return Ok(Some((*name).clone()));
            }
        }
    }
    Ok(None)
}

/// The names of variables that differ, apart from the sides' own folders.
fn differing(builds: &Paired<Build>, executables: Paired<&Executable>) -> BTreeSet<String> {
    let trees = builds.as_ref().map(Build::tree);
    let value = |side: Side, name: &str| {
        let mut own = executables.get(side).env.iter();
        let (_, value) = own.find(|(own, _)| own == name)?;
        let mut value = value.as_encoded_bytes().to_vec();
        if side == Side::Head {
            equalise_folders(&mut value, trees);
        }
        Some(value)
    };
    let names = Side::BOTH.into_iter().flat_map(|side| {
        let variables = executables.get(side).env.iter();
        variables.map(|(name, _)| name)
    });
    names
        .filter(|name| !PATHS.contains(&name.as_str()))
        .filter(|name| value(Side::Base, name) != value(Side::Head, name))
        .cloned()
        .collect()
}

/// The libraries from outside the build that these files are linked with, their own needs included. They lie where
/// the loader looks for them, or where this program's own libraries lie; `None` if one does not.
fn system_libraries(
    files: &[PathBuf],
    builds: &Paired<Build>,
    executables: Paired<&Executable>,
) -> Option<BTreeSet<PathBuf>> {
    let mapped = fs_err::read_to_string("/proc/self/maps").ok()?;
    let mapped = mapped.lines().filter_map(|line| line.split_once('/'));
    let mut found: BTreeSet<PathBuf> = mapped
        .map(|(_, path)| PathBuf::from(format!("/{path}")))
        .filter(|path| path.to_string_lossy().contains(".so"))
        .collect();
    let own = found.iter().filter_map(|path| path.parent());
    let mut folders: Vec<PathBuf> = own.map(Path::to_owned).collect();
    let variables = [executables.base, executables.head].into_iter();
    for (name, value) in variables.flat_map(|executable| &executable.env) {
        if PATHS.contains(&name.as_str()) {
            folders.extend(env::split_paths(value));
        }
    }
    let made = |name: &str| {
        let libraries = [&builds.base, &builds.head].into_iter();
        let mut libraries = libraries.flat_map(|build| &build.by_products.libraries);
        libraries.any(|path| path.file_name() == Some(OsStr::new(name)))
    };
    let mut open = files.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(file) = open.pop() {
        for name in needed_libraries(&file).ok()? {
            if !seen.insert(name.clone()) || made(&name) {
                continue;
            }
            let mut places = folders.iter().map(|folder| folder.join(&name));
            let place = places.find(|path| path.is_file())?;
            found.insert(place.clone());
            open.push(place);
        }
    }
    Some(found)
}
