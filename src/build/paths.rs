//! Paths by their words.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and `..`, by its words alone: what it names need not exist.
pub(super) fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut so_far, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                so_far.pop();
            }
            other => so_far.push(other),
        }
        so_far
    })
}
