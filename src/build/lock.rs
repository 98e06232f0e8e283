//! The lock file of each side, and what it locks.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;

use crate::plan::Selection;
use crate::units::Paired;

use super::LockFile;
use super::error::BuildError;
use super::tool::{Ask, Tools};

pub(super) const NAME: &str = "Cargo.lock";

/// Where a side's lock file belongs, and the tools that run its cargo.
#[derive(Debug)]
pub(super) struct LockSite<'a> {
    pub(super) tools: &'a Tools<'a>,
    /// The workspace's root folder in the checkout.
    pub(super) root: &'a Path,
}

/// Gives every side a lock file. A side whose revision has one keeps it; otherwise both use one and
/// the same: the other side's, or the one in the user's own checkout (`users`, the workspace's root
/// folder there), or, with neither, one made for the head side.
///
/// # Errors
/// There is none and `--locked` forbids making one, cargo cannot make one, or a file cannot be
/// copied.
pub(super) fn settle(
    sites: &Paired<LockSite<'_>>,
    users: &Path,
    selection: &Selection,
) -> Result<Paired<LockFile>, BuildError> {
    let tracked = sites.as_ref().map(|site| site.root.join(NAME).is_file());
    match (tracked.base, tracked.head) {
        (true, true) => {}
        (true, false) => copy(sites.base.root, &sites.head)?,
        (false, true) => copy(sites.head.root, &sites.base)?,
        (false, false) if users.join(NAME).is_file() => {
            copy(users, &sites.base)?;
            copy(users, &sites.head)?;
        }
        (false, false) => {
            make(sites.head.tools, selection)?;
            copy(sites.head.root, &sites.base)?;
        }
    }
    Ok(tracked.map(|tracked| {
        if tracked {
            LockFile::Tracked
        } else {
            LockFile::Shared
        }
    }))
}

fn copy(from: &Path, to: &LockSite<'_>) -> Result<(), BuildError> {
    fs::copy(from.join(NAME), to.root.join(NAME))
        .map_err(|source| to.tools.io("share a lock file", source))?;
    Ok(())
}

fn make(tools: &Tools<'_>, selection: &Selection) -> Result<(), BuildError> {
    if selection.locked || selection.frozen {
        return Err(BuildError::LockFile {
            at: tools.at.clone(),
            message: "neither revision has a Cargo.lock, and your checkout has none".to_owned(),
        });
    }
    let offline = selection.offline.then_some("--offline");
    tools.stdout(&Ask::new(
        "cargo",
        ["generate-lockfile"].into_iter().chain(offline),
    ))?;
    Ok(())
}

/// The versions of every package in the lock file of the workspace at `root`, by name, sorted.
/// Empty if no lock file can be read: a report without versions is still correct.
pub(super) fn versions(root: &Path) -> BTreeMap<String, Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Locked {
        #[serde(default)]
        package: Vec<LockedPackage>,
    }
    #[derive(serde::Deserialize)]
    struct LockedPackage {
        name: String,
        version: String,
    }
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let text = fs::read_to_string(root.join(NAME)).unwrap_or_default();
    let locked = toml::from_str::<Locked>(&text).map_or_else(|_| Vec::new(), |file| file.package);
    for package in locked {
        versions
            .entry(package.name)
            .or_default()
            .push(package.version);
    }
    versions.values_mut().for_each(|all| all.sort());
    versions
}
