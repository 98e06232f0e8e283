//! Files of the repository.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::build::Build;
use crate::units::{Paired, Side};

use super::{Role, Thing};

/// What differs between two folders.
#[derive(Debug, Default)]
pub(super) struct FolderDifferences {
    /// Files and symbolic links that differ, or that only one side has.
    pub(super) things: Vec<Thing>,
    /// Folders that both sides have, with different entries.
    pub(super) folders: Vec<Paired<PathBuf>>,
}

/// What differs between the checkouts of two builds.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(super) fn differing(builds: &Paired<Build>) -> io::Result<FolderDifferences> {
    let roots = builds.as_ref().map(|build| &*build.checkout.root);
    let files = differing_files(roots)?;
    let compiled = match files.iter().any(|file| may_be_source(file)) {
        true => builds.as_ref().try_map(Build::compiled)?,
        false => Paired::new(BTreeSet::new(), BTreeSet::new()),
    };
    let is_source = |file: &PathBuf| compiled.base.contains(file) || compiled.head.contains(file);
    Ok(found(roots, &files, is_source))
}

fn found(
    roots: Paired<&Path>,
    files: &BTreeSet<PathBuf>,
    is_source: impl Fn(&PathBuf) -> bool,
) -> FolderDifferences {
    let mut folders = BTreeSet::new();
    let things = files.iter().map(|file| {
        let there = |side: Side| {
            let path = roots.get(side).join(file);
            path.symlink_metadata().is_ok().then_some(path)
        };
        let paths = Paired::from_fn(there);
        if paths.base.is_none() || paths.head.is_none() {
            folders.extend(shared_folder(roots, file));
        }
        Thing {
            name: file.display().to_string(),
            paths,
            role: match may_be_source(file) && is_source(file) {
                true => Role::Source,
                false => role(file),
            },
        }
    });
    FolderDifferences {
        things: things.collect(),
        folders: folders
            .into_iter()
            .map(|folder| roots.map(|root| root.join(&folder)))
            .collect(),
    }
}

/// Whether it matters for this file if it was compiled. Data that one target includes (`include_str!`) may be opened by
/// another one when that runs.
fn may_be_source(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("rs"))
}

/// The nearest folder above `file` that both sides have.
pub(super) fn shared_folder(roots: Paired<&Path>, file: &Path) -> Option<PathBuf> {
    let on_both =
        |folder: &&Path| roots.base.join(folder).is_dir() && roots.head.join(folder).is_dir();
    let mut folders = file.ancestors().skip(1);
    folders.find(on_both).map(Path::to_owned)
}

/// Files that cargo, rustup and common tools read, but benchmarks hardly ever do.
const TOOLS: [&str; 18] = [
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "Justfile",
    "Makefile",
    "build.rs",
    "clippy.toml",
    "cliff.toml",
    "codecov.yml",
    "deny.toml",
    "flake.lock",
    "flake.nix",
    "justfile",
    "mkdocs.yml",
    "perfcheck.toml",
    "release.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

/// How documentation ends.
const DOCUMENTATION: [&str; 6] = ["md", "markdown", "rst", "adoc", "html", "svg"];

/// Files for people, without an ending.
const NOTICES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "NOTICE",
    "AUTHORS",
    "CODEOWNERS",
];

/// Which benchmarks can find a file that was not compiled.
fn role(file: &Path) -> Role {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let parts: Vec<&str> = file.iter().filter_map(OsStr::to_str).collect();
    let folders = &parts[..parts.len().saturating_sub(1)];
    // Inputs of benchmarks lie beside them.
    if folders.contains(&"benches") {
        return Role::Data;
    }
    let hidden = parts.iter().find(|part| part.starts_with('.'));
    if let Some(hidden) = hidden {
        return Role::Text(vec![format!("/{hidden}"), name.into_owned()]);
    }
    let extension = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    let stem = || {
        let stem = file.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    };
    if TOOLS.contains(&&*name) {
        return Role::Text(vec![name.into_owned()]);
    }
    if extension == "rs" {
        // `mod.rs` and `src/lib.rs` by themselves are in every executable.
        let more = if folders.last() == Some(&"src") { 2 } else { 1 };
        let from = folders.len().saturating_sub(more);
        return Role::Text(vec![parts[from..].join("/")]);
    }
    let is_documentation = match DOCUMENTATION.contains(&extension) {
        true => !["html", "svg"].contains(&extension) || folders.contains(&"docs"),
        false => NOTICES.iter().any(|notice| name.starts_with(notice)),
    };
    match is_documentation {
        true => {
            // An executable that lists the folder contains the folder's name.
            let folders = folders.iter().map(|folder| (*folder).to_owned());
            Role::Text(folders.chain([stem()]).collect())
        }
        false => Role::Data,
    }
}

fn differing_files(roots: Paired<&Path>) -> io::Result<BTreeSet<PathBuf>> {
    let listed = roots.try_map(|root| {
        let mut files = BTreeSet::new();
        list(root, Path::new(""), &mut files)?;
        Ok::<_, io::Error>(files)
    })?;
    let mut differing = BTreeSet::new();
    for file in listed.base.union(&listed.head) {
        let on_both = listed.base.contains(file) && listed.head.contains(file);
        if !on_both || !same(&roots.base.join(file), &roots.head.join(file))? {
            differing.insert(file.clone());
        }
    }
    Ok(differing)
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.insert(name);
        } else if entry.file_name() != ".git" {
            list(root, &name, files)?;
        }
    }
    Ok(())
}

fn same(base: &Path, head: &Path) -> io::Result<bool> {
    let meta = Paired::new(fs::symlink_metadata(base)?, fs::symlink_metadata(head)?);
    if meta.base.is_symlink() || meta.head.is_symlink() {
        let both = meta.base.is_symlink() && meta.head.is_symlink();
        return Ok(both && fs::read_link(base)? == fs::read_link(head)?);
    }
    let alike = meta.base.is_file()
        && meta.head.is_file()
        && meta.base.len() == meta.head.len()
        // A script that may no longer be executed.
        && meta.base.permissions() == meta.head.permissions();
    if !alike {
        return Ok(false);
    }
    Ok(fs::read(base)? == fs::read(head)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn every_file_and_link_that_differs_is_found_and_every_folder_with_other_entries() {
        let temp = tempfile::tempdir().unwrap();
        let (base, head) = (temp.path().join("base"), temp.path().join("head"));
        for (root, text) in [(&base, "one"), (&head, "two")] {
            for file in ["data/corpus", "docs/guide.md", "src/lib.rs", "Cargo.lock"] {
                write(root, file, text);
            }
            write(root, ".git/HEAD", text);
            write(root, "data/same", "same");
            std::os::unix::fs::symlink(text, root.join("link")).unwrap();
        }
        write(&head, "data/new/deep/file", "new");
        let roots = Paired::new(&*base, &*head);
        let files = differing_files(roots).unwrap();
        // Data stays data though some target includes it: another one may open it.
        let is_compiled = |file: &PathBuf| file.ends_with("lib.rs") || file.ends_with("corpus");
        let found = found(roots, &files, is_compiled);
        let things = found.things.iter();
        let told: Vec<_> = things
            .map(|thing| (thing.name.as_str(), &thing.role))
            .collect();
        let text = |parts: &[&str]| Role::Text(parts.iter().map(ToString::to_string).collect());
        assert_eq!(
            told,
            [
                ("Cargo.lock", &text(&["Cargo.lock"])),
                ("data/corpus", &Role::Data),
                ("data/new/deep/file", &Role::Data),
                ("docs/guide.md", &text(&["docs", "guide"])),
                ("link", &Role::Data),
                ("src/lib.rs", &Role::Source),
            ]
        );
        assert_eq!(found.things[2].paths.base, None);
        assert_eq!(found.folders, [roots.map(|root| root.join("data"))]);
    }

    #[test]
    fn a_script_that_may_no_longer_be_executed_differs() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let scripts = Paired::new("base", "head").map(|name| temp.path().join(name));
        for script in [&scripts.base, &scripts.head] {
            fs::write(script, "#!/bin/sh\n").unwrap();
        }
        assert!(same(&scripts.base, &scripts.head).unwrap());
        fs::set_permissions(&scripts.base, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!same(&scripts.base, &scripts.head).unwrap());
    }

    #[test]
    fn text_for_people_and_tools_counts_by_parts_of_its_name() {
        let parts = |file: &str| match role(Path::new(file)) {
            Role::Text(parts) => parts.join(" "),
            role => format!("{role:?}"),
        };
        for (file, expected) in [
            ("README.md", "README"),
            ("docs/page.html", "docs page"),
            ("corpora/page.html", "Data"),
            ("LICENSE-MIT", "LICENSE-MIT"),
            (".github/workflows/ci.yml", "/.github ci.yml"),
            ("tests/inputs/mod.rs", "inputs/mod.rs"),
            ("crates/a/src/lib.rs", "a/src/lib.rs"),
            ("crates/a/benches/inputs/README.md", "Data"),
            ("crates/a/Cargo.toml", "Cargo.toml"),
            ("data/1.json", "Data"),
        ] {
            assert_eq!(parts(file), expected, "{file}");
        }
    }
}
