//! Where the code of a frame comes from, judging by its source file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::binary::Frame;
use crate::build::Build;
use crate::units::{EITHER_SIDE, Paired, Side};

use super::model::{Location, Origin};

/// Where the sources of both sides are, and which versions of dependencies they use.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    /// Folders of a side's own code.
    roots: Paired<Vec<PathBuf>>,
    /// Package name to versions, as in the lock files.
    locked: Paired<BTreeMap<String, Vec<String>>>,
}

impl Origins {
    pub(super) fn of(builds: &Paired<Build>) -> Origins {
        Origins {
            roots: builds.as_ref().map(|build| {
                let folders = [&build.checkout.root, &build.workspace_root];
                let canonical = folders.map(|folder| fs_err::canonicalize(folder).ok());
                let either = build.checkout.root.with_file_name(EITHER_SIDE);
                let others = canonical.into_iter().flatten().chain([either]);
                folders.into_iter().cloned().chain(others).collect()
            }),
            locked: builds.as_ref().map(|build| build.locked.clone()),
        }
    }

    /// Where the code of this frame comes from.
    pub(super) fn of_frame(&self, frame: &Frame, side: Side) -> Origin {
        let Some(file) = &frame.file else {
            return Origin::System;
        };
        if file.is_relative() || self.in_repository(file, side).is_some() {
            return Origin::Workspace;
        }
        let text = file.to_string_lossy();
        if text.contains("/rustc/") || text.contains("/rustlib/src/rust/") {
            return Origin::Std;
        }
        match package(&text) {
            Some((name, version)) => Origin::Dependency { name, version },
            None => Origin::System,
        }
    }

    /// Whether the project can change this code: its own, or a dependency whose version is not among
    /// those of the other side.
    pub(super) fn is_changeable(&self, origin: &Origin, side: Side) -> bool {
        match origin {
            Origin::Workspace => true,
            Origin::Dependency { name, version } => {
                let other = self.locked.get(side.other()).get(name);
                let own = self.locked.get(side).get(name);
                own.is_some_and(|versions| versions.contains(version))
                    && !other.is_some_and(|versions| versions.contains(version))
            }
            Origin::Std | Origin::System => false,
        }
    }

    /// Where a frame is in the source, in a form for the reader.
    pub(super) fn location(&self, frame: &Frame, side: Side) -> Option<Location> {
        let file = frame.file.as_ref()?;
        let path = match self.in_repository(file, side) {
            Some(path) => path.to_string_lossy().into_owned(),
            None => shortened(&file.to_string_lossy()),
        };
        Some(Location {
            path,
            line: frame.line?,
        })
    }

    fn in_repository<'a>(&self, file: &'a Path, side: Side) -> Option<&'a Path> {
        let roots = self.roots.get(side).iter();
        roots.filter_map(|root| file.strip_prefix(root).ok()).next()
    }
}

/// Name and version of the package that a file in cargo's home belongs to.
fn package(file: &str) -> Option<(String, String)> {
    if let Some((_, rest)) = file.split_once("/registry/src/") {
        return split_version(rest.split('/').nth(1)?);
    }
    let (_, rest) = file.split_once("/git/checkouts/")?;
    let mut parts = rest.split('/');
    let (name, _) = parts.next()?.rsplit_once('-')?;
    Some((name.to_owned(), parts.next()?.to_owned()))
}

/// `serde-json-1.0.2-rc.1` is `serde-json` in version `1.0.2-rc.1`.
fn split_version(folder: &str) -> Option<(String, String)> {
    let dashes = folder.match_indices('-').map(|(at, _)| at);
    let at = dashes.into_iter().find(|at| {
        let rest = &folder[at + 1..];
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('.')
    })?;
    Some((folder[..at].to_owned(), folder[at + 1..].to_owned()))
}

/// A path without the parts that differ from machine to machine.
fn shortened(file: &str) -> String {
    for (mark, parts) in [
        ("/registry/src/", 1),
        ("/git/checkouts/", 0),
        ("/rustc/", 1),
    ] {
        if let Some((_, rest)) = file.split_once(mark) {
            let rest: Vec<&str> = rest.split('/').skip(parts).collect();
            return rest.join("/");
        }
    }
    match file.split_once("/rustlib/src/rust/") {
        Some((_, rest)) => rest.to_owned(),
        None => file.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Origins of two checkouts in `/run/base` and `/run/head`, of which the head side has moved
    /// `dep` from 1.0.0 to 1.1.0.
    pub(crate) fn example() -> Origins {
        let lock = |version: &str| {
            let dep = ("dep".to_owned(), vec![version.to_owned()]);
            let same = ("same".to_owned(), vec!["2.0.0".to_owned()]);
            BTreeMap::from([dep, same])
        };
        Origins {
            roots: Paired::from_fn(|side| vec![PathBuf::from(format!("/run/{side}"))]),
            locked: Paired::new(lock("1.0.0"), lock("1.1.0")),
        }
    }

    fn frame(file: &str) -> Frame {
        Frame {
            function: "f".to_owned(),
            file: Some(file.into()),
            line: Some(7),
        }
    }

    #[test]
    fn a_file_says_where_its_code_comes_from() {
        let origins = example();
        let of = |file: &str| origins.of_frame(&frame(file), Side::Head).to_string();
        let registry = "/h/.cargo/registry/src/index.example-6f17d22bba15001f";
        assert_eq!(of("/run/head/src/lib.rs"), "workspace");
        assert_eq!(of(&format!("{registry}/dep-1.1.0/src/lib.rs")), "dep 1.1.0");
        assert_eq!(
            of(&format!("{registry}/a-b-0.1.0-rc.2/src/lib.rs")),
            "a-b 0.1.0-rc.2"
        );
        assert_eq!(of("/rustc/0123/library/alloc/src/vec/mod.rs"), "std");
        assert_eq!(of("/usr/src/glibc/malloc.c"), "system");
        assert_eq!(
            of("/h/.cargo/git/checkouts/dep-99aa/0badcafe/src/lib.rs"),
            "dep 0badcafe"
        );
    }

    #[test]
    fn only_a_dependency_whose_version_changed_can_be_to_blame() {
        let origins = example();
        let blamed = |name: &str, version: &str, side| {
            let (name, version) = (name.to_owned(), version.to_owned());
            origins.is_changeable(&Origin::Dependency { name, version }, side)
        };
        assert!(blamed("dep", "1.0.0", Side::Base));
        assert!(blamed("dep", "1.1.0", Side::Head));
        assert!(!blamed("same", "2.0.0", Side::Head));
        assert!(!blamed("criterion", "0.8.0", Side::Head));
    }

    #[test]
    fn a_location_has_nothing_of_the_machine_in_it() {
        let origins = example();
        let of = |file: &str| {
            origins
                .location(&frame(file), Side::Head)
                .unwrap()
                .to_string()
        };
        assert_eq!(of("/run/head/src/lib.rs"), "src/lib.rs:7");
        assert_eq!(
            of("/rustc/0123/library/alloc/src/vec/mod.rs"),
            "library/alloc/src/vec/mod.rs:7"
        );
        assert_eq!(
            of("/h/.cargo/registry/src/index-1/dep-1.1.0/src/lib.rs"),
            "dep-1.1.0/src/lib.rs:7"
        );
    }
}
