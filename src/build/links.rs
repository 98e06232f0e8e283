//! Symbolic links of a revision through which cargo would write elsewhere.
//!
//! Cargo's artefacts go into a target folder of our own, whatever `target` is in the checkout. Cargo writes one
//! file beside the manifest: the lock file.

use std::path::Path;

use fs_err as fs;

use super::error::BuildError;
use super::lock;
use super::side::BuildSite;

/// Refuses a side whose workspace, or whose lock file, really lies outside its checkout.
///
/// # Errors
/// One of them does, or the checkout cannot be read.
pub(super) fn refuse(site: &BuildSite<'_>) -> Result<(), BuildError> {
    let root = &site.checkout.root;
    let real_root =
        fs::canonicalize(root).map_err(|source| site.tools.io("find the checkout", source))?;
    let workspace = site.members.root();
    let lock_file = workspace.join(lock::NAME);
    for place in [workspace, &lock_file] {
        let is_there = fs::symlink_metadata(place).is_ok();
        // A dangling link has no real path, but writing through it would create one.
        let inside = fs::canonicalize(place).is_ok_and(|real| real.starts_with(&real_root));
        if is_there && !inside {
            return Err(BuildError::LinkedOut {
                at: site.tools.at.clone(),
                link: relative(place, root).to_owned(),
            });
        }
    }
    Ok(())
}

fn relative<'a>(place: &'a Path, root: &Path) -> &'a Path {
    match place.strip_prefix(root) {
        Ok(inside) if !inside.as_os_str().is_empty() => inside,
        _ => place,
    }
}
