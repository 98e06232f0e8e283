//! Benchmarks that fail because a file is in the user's checkout alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::analyse::Comparison;
use crate::build::Build;
use crate::discover::Discovery;
use crate::plan;
use crate::revision;
use crate::units::{Paired, Side};

/// A warning for each file that a failure names and that git does not track, as a lower-case fragment.
pub(super) fn missed(
    builds: &Paired<Build>,
    discovery: &Discovery,
    comparisons: &[Comparison],
) -> Vec<String> {
    let silent = discovery
        .last_words
        .iter()
        .map(|words| (words.side, words.text.as_str()));
    let failures = comparisons.iter().filter_map(|one| one.failure.as_ref());
    let failures = failures.map(|failure| (failure.side, failure.stderr_tail.as_str()));
    let broken = Side::BOTH.into_iter().flat_map(|side| {
        let broken = builds.get(side).broken.iter();
        broken.map(move |target| (side, target.errors.as_str()))
    });
    let all = silent.chain(failures).chain(broken);
    let missing: BTreeSet<PathBuf> = all
        .filter_map(|(side, words)| {
            let build = builds.get(side);
            let executables = build.executables.iter();
            let mut folders: Vec<&Path> = executables.map(|e| e.working_dir.as_path()).collect();
            folders.push(&build.workspace_root);
            folders.dedup();
            revision::left_behind(words, &build.checkout, &folders)
        })
        .collect();
    let said = missing.iter().map(|path| {
        let path = path.display().to_string();
        format!(
            "a benchmark that failed names `{path}`, which is in your checkout and in no revision, since git does not \
             track it: `--carry {}` brings it to both sides",
            plan::quoted(&path)
        )
    });
    said.collect()
}
