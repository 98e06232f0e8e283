//! The sources of both sides and how they differ, to which changes of time are traced.

use crate::build::Build;
use crate::revision;
use crate::units::Paired;

use super::build_changes::BuildChanges;
use super::hunks::Hunks;
use super::origin::Origins;

/// What is known about the two revisions besides their profiles.
#[derive(Debug, Clone)]
pub(super) struct SourceChange {
    pub(super) origins: Origins,
    pub(super) hunks: Hunks,
    /// What changed beside the code.
    pub(super) beside: BuildChanges,
}

impl SourceChange {
    /// Reads the sources of both sides. If that fails, functions have no hunks, and a note says why.
    pub(super) fn of(builds: &Paired<Build>, notes: &mut Vec<String>) -> SourceChange {
        let checkouts = builds.as_ref().map(|build| &build.checkout);
        let files = revision::changed_files(checkouts).unwrap_or_else(|error| {
            notes.push(format!(
                "perfcheck cannot tell how the sources changed: {error}"
            ));
            Vec::new()
        });
        let beside = BuildChanges::of(builds, &files);
        let hunks = Hunks::of(files, |file| {
            let path = file.paths.head.as_ref();
            let lines = path.map(|path| revision::touched_lines(checkouts, path, &file.texts.head));
            // Commits are an extra: without them a hunk is still the right one.
            lines.and_then(Result::ok).unwrap_or_default()
        });
        SourceChange {
            origins: Origins::of(builds),
            hunks,
            beside,
        }
    }
}
