//! `cargo perfcheck clean`.

use std::io::Write;

use crate::plan::{CleanArgs, Environment, ExitStatus};
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
    let folder = scratch::default_parent(target_dir.as_deref());
    let cleaned = build::clean(&folder)?;
    writeln!(out, "removed {} from {}", cleaned.removed, folder.display())?;
    for path in cleaned.in_use {
        writeln!(out, "in use, and still there: {}", path.display())?;
    }
    Ok(ExitStatus::Success)
}
