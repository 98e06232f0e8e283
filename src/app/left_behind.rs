//! Benchmarks that fail because a file is only in the user's checkout, or in no checkout at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::analyse::Comparison;
use crate::build::{Build, Executable};
use crate::discover::Discovery;
use crate::revision;
use crate::units::{Paired, Side, quoted};

/// The last output of a target that failed on one side.
struct LastLines<'a> {
    side: Side,
    package: &'a str,
    target: &'a str,
    text: &'a str,
}

/// A warning for each file that git does not track and that a failure, or the source of the failed benchmark,
/// names; as a lower-case fragment.
pub(super) fn missed(
    builds: &Paired<Build>,
    discovery: &Discovery,
    comparisons: &[Comparison],
) -> Vec<String> {
    let mut named: BTreeSet<PathBuf> = BTreeSet::new();
    let mut supposed: BTreeSet<(PathBuf, PathBuf)> = BTreeSet::new();
    for lines in last_lines(builds, discovery, comparisons) {
        let build = builds.get(lines.side);
        match named_in(lines.text, build) {
            Some(path) => named.extend([path]),
            None if speaks_of_a_missing_file(lines.text) => {
                let has =
                    |one: &&Executable| one.package == lines.package && one.target == lines.target;
                let executable = build.executables.iter().find(has);
                supposed.extend(executable.and_then(|one| named_by_source(one, build)));
            }
            None => {}
        }
    }
    let mut said = Vec::new();
    for path in named {
        let path = path.display().to_string();
        said.push(format!(
            "a benchmark that failed names `{path}`, which is in your checkout and in no revision, since git does not \
             track it: `--carry {}` brings it to both sides",
            quoted(&path)
        ));
    }
    for (source, path) in supposed {
        let has_it = builds.head.checkout.original_root.join(&path).exists();
        let path = path.display().to_string();
        let whole = quoted(&path);
        let first = match has_it {
            true => "",
            false => "it is not in your checkout either: put it there, then ",
        };
        said.push(format!(
            "a benchmark of `{}` failed because a file is missing, and its source names `{path}`, which git ignores, \
             so that no revision has it; {first}`--carry {whole}` brings it to both sides",
            source.display()
        ));
    }
    said
}

fn last_lines<'a>(
    builds: &'a Paired<Build>,
    discovery: &'a Discovery,
    comparisons: &'a [Comparison],
) -> Vec<LastLines<'a>> {
    let silent = discovery.last_words.iter().map(|words| LastLines {
        side: words.side,
        package: &words.package,
        target: &words.target,
        text: &words.text,
    });
    let failed = comparisons.iter().filter_map(|one| {
        one.failure.as_ref().map(|failure| LastLines {
            side: failure.side,
            package: &one.key.package,
            target: &one.key.target,
            text: &failure.stderr_tail,
        })
    });
    let broken = Side::BOTH.into_iter().flat_map(|side| {
        let broken = builds.get(side).broken.iter();
        broken.map(move |broken| LastLines {
            side,
            package: &broken.package,
            target: &broken.target,
            text: &broken.errors,
        })
    });
    silent.chain(failed).chain(broken).collect()
}

/// The file that the output names and that only the user's checkout has.
fn named_in(words: &str, build: &Build) -> Option<PathBuf> {
    let executables = build.executables.iter();
    let mut folders: Vec<&Path> = executables.map(|e| e.working_dir.as_path()).collect();
    folders.push(&build.workspace_root);
    folders.dedup();
    revision::left_behind(words, &build.checkout, &folders)
}

/// Whether the text contains the message of the C library or of Rust's standard library.
fn speaks_of_a_missing_file(words: &str) -> bool {
    ["No such file or directory", "os error 2)", "NotFound"]
        .iter()
        .any(|one| words.contains(one))
}

/// The executable's source, and what it names that git ignores and that is missing.
fn named_by_source(executable: &Executable, build: &Build) -> Option<(PathBuf, PathBuf)> {
    let source = fs_err::read_to_string(build.checkout.root.join(&executable.source)).ok()?;
    let path = revision::ignored_input(&source, &build.checkout, &executable.working_dir)?;
    Some((executable.source.clone(), path))
}
