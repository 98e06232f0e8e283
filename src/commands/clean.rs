//! `cargo perfcheck clean`.

use std::io::Write;

use crate::plan::{CleanArgs, Environment, ExitStatus};
use crate::units::Bytes;
use crate::{build, scratch};

/// Removes the builds that earlier runs left for later ones.
///
/// # Errors
/// Something cannot be removed, or the stream cannot be written to.
pub(super) fn clean(
    args: &CleanArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let target_dir = args.target_dir.as_ref();
    let target_dir = target_dir.map(|folder| environment.cwd.join(folder));
    let named = scratch::default_parent(target_dir.as_deref());
    // Folders of trees that may not lie in the cache folder.
    let others = scratch::all_parents()
        .into_iter()
        .filter(|folder| *folder != named && target_dir.is_none() && scratch::is_ours(folder));
    for folder in std::iter::once(named.clone()).chain(others) {
        let cleaned = build::clean(&folder)?;
        if folder == named || cleaned.removed > Bytes::from_bytes(0) {
            writeln!(out, "removed {} from {}", cleaned.removed, folder.display())?;
        }
        for path in cleaned.in_use {
            writeln!(out, "still in use, so not removed: {}", path.display())?;
        }
    }
    Ok(ExitStatus::Success)
}
