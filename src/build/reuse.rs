//! Dependencies are compiled once: the head side's target folder starts as a copy of what the base
//! side's build made from packages outside both checkouts.
//!
//! Nothing of packages inside the checkouts is copied. Cargo decides by time stamps whether such a
//! package is fresh, and the head side's source is older than the base side's artefacts: with a
//! whole copy cargo takes the base side's executables for the head side's.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use fs_err as fs;

use super::workspace::Workspace;

/// What may be copied, by name. A name that a package inside the checkout has as well is left out:
/// compiling once too often does no harm.
#[derive(Debug, Default)]
pub(super) struct Reusable {
    packages: HashSet<String>,
    crates: HashSet<String>,
}

impl Reusable {
    /// The packages of `workspace` that lie outside the checkout at `root`. Their folder decides,
    /// not what cargo calls the package's source: a vendored package has a registry for its source
    /// and yet lies in the checkout.
    pub(super) fn outside(workspace: &Workspace, root: &Path) -> Reusable {
        let mut outside = Reusable::default();
        let mut inside = Reusable::default();
        for package in workspace.packages() {
            let of = if package.manifest_path.starts_with(root) {
                &mut inside
            } else {
                &mut outside
            };
            of.packages.insert(package.name.to_string());
            let names = package.targets.iter().map(|t| t.name.replace('-', "_"));
            of.crates.extend(names);
        }
        Reusable {
            packages: &outside.packages - &inside.packages,
            crates: &outside.crates - &inside.crates,
        }
    }
}

/// Copies what is `reusable` from one target folder into another, time stamps included: cargo
/// compares those of a package with those of what it depends on.
///
/// # Errors
/// Where a file cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path, reusable: &Reusable) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for name in [".rustc_info.json", "CACHEDIR.TAG"] {
        if from.join(name).is_file() {
            copy_tree(&from.join(name), &to.join(name))?;
        }
    }
    // `<profile>`, and `<triple>/<profile>` where the project cross-compiles.
    for child in folders(from)? {
        copy_layout(&from.join(&child), &to.join(&child), reusable)?;
        for grandchild in folders(&from.join(&child))? {
            let inner = Path::new(&child).join(grandchild);
            copy_layout(&from.join(&inner), &to.join(&inner), reusable)?;
        }
    }
    Ok(())
}

/// Copies one profile's folder; copies nothing if its layout is unknown.
fn copy_layout(from: &Path, to: &Path, reusable: &Reusable) -> io::Result<()> {
    if !from.join(".fingerprint").is_dir() {
        return Ok(());
    }
    for (part, names) in parts(reusable) {
        let Ok(entries) = fs::read_dir(from.join(part)) else {
            continue;
        };
        fs::create_dir_all(to.join(part))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if is_of(names, &name) {
                copy_tree(&entry.path(), &to.join(part).join(&name))?;
            }
        }
    }
    Ok(())
}

/// Removes all but what is `reusable` from a target folder.
///
/// # Errors
/// Where a file cannot be read or removed.
pub(super) fn retain(target_dir: &Path, reusable: &Reusable) -> io::Result<()> {
    if !target_dir.is_dir() {
        return Ok(());
    }
    for child in folders(target_dir)? {
        let child = target_dir.join(child);
        if child.join(".fingerprint").is_dir() {
            retain_layout(&child, reusable)?;
            continue;
        }
        for grandchild in folders(&child)? {
            retain_layout(&child.join(grandchild), reusable)?;
        }
    }
    Ok(())
}

/// Removes from one profile's folder; removes all of it if its layout is unknown.
fn retain_layout(layout: &Path, reusable: &Reusable) -> io::Result<()> {
    if !layout.join(".fingerprint").is_dir() {
        return fs::remove_dir_all(layout);
    }
    // Fingerprints first: an artefact without one is built again.
    let parts = parts(reusable);
    for (part, names) in parts.iter().rev() {
        if layout.join(part).is_dir() {
            remove_unless(&layout.join(part), |name| is_of(names, name))?;
        }
    }
    remove_unless(layout, |name| parts.iter().any(|(part, _)| name == *part))
}

fn remove_unless(folder: &Path, stays: impl Fn(&OsStr) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if stays(&entry.file_name()) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// The folders of one profile's folder, each with the names whose artefacts it holds; the fingerprints last.
fn parts(reusable: &Reusable) -> [(&'static str, &HashSet<String>); 3] {
    [
        ("deps", &reusable.crates),
        ("build", &reusable.packages),
        // Where a copy ends early, an artefact without a fingerprint is built again.
        (".fingerprint", &reusable.packages),
    ]
}

/// Whether a file or folder called `name` is an artefact of one of `names`.
fn is_of(names: &HashSet<String>, name: &OsStr) -> bool {
    let Some((name, stem)) = name.to_str().and_then(|name| Some((name, stem(name)?))) else {
        return false;
    };
    // Only libraries have it before their name: a folder called `libz` is of a package of that name.
    let library = stem.strip_prefix("lib").filter(|_| name.contains('.'));
    names.contains(stem) || library.is_some_and(|library| names.contains(library))
}

/// `serde` of `serde-0123456789abcdef` and `libserde` of `libserde-0123456789abcdef.rlib`.
fn stem(name: &str) -> Option<&str> {
    let name = name.split('.').next()?;
    let (stem, hash) = name.rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(stem)
}

fn folders(of: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(of)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name());
        }
    }
    Ok(names)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(from)?;
    if meta.is_symlink() {
        return fs::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if meta.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_tree(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        // A copy, not a hard link: a build script may write into what it made.
        fs::copy(from, to)?;
    }
    let handle = fs::File::open(to)?;
    handle
        .file()
        .set_times(std::fs::FileTimes::new().set_modified(meta.modified()?))
}
