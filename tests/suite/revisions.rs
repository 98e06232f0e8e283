//! The program's answers to ranges that cannot be compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::Workspace;

const MANIFEST: &str = "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

fn two_commits() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "")
        .commit("one")
        .write("src/lib.rs", "// changed\n")
        .commit("two");
    workspace
}

/// The error and the hint, without the words before them.
fn refusal(workspace: &Workspace, line: &str) -> (String, String) {
    let output = workspace.perfcheck(line).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(output.stdout.is_empty(), "stdout is for data");
    let of = |word: &str| {
        let line = stderr.lines().find_map(|line| line.strip_prefix(word));
        line.unwrap_or_else(|| panic!("no `{word}` in: {stderr}"))
            .to_owned()
    };
    (of("error: "), of("hint: "))
}

#[test]
fn an_unknown_revision_is_answered_with_a_near_one() {
    let (error, hint) = refusal(&two_commits(), "mian..HEAD");
    assert_eq!(error, "unknown revision `mian`");
    assert_eq!(hint, "did you mean main?");
}

#[test]
fn the_same_revision_twice_is_nothing_to_compare() {
    let (error, hint) = refusal(&two_commits(), "main..HEAD");
    assert!(
        error.starts_with("`main` and `HEAD` are the same commit"),
        "{error}"
    );
    assert_eq!(hint, "name an older base: cargo perfcheck HEAD~1");
}

#[test]
fn a_clean_working_tree_on_the_default_branch_is_nothing_to_compare() {
    let (error, hint) = refusal(&two_commits(), "");
    assert!(
        error.starts_with("the working tree has no changes since"),
        "{error}"
    );
    assert_eq!(hint, "name an older base: cargo perfcheck HEAD~1");
}

#[test]
fn a_folder_that_is_no_git_repository_is_named() {
    let workspace = Workspace::without_git();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "");
    let (error, hint) = refusal(&workspace, "main..HEAD");
    assert!(
        error.ends_with("repository is not in a git repository"),
        "{error}"
    );
    assert!(hint.contains("--manifest-path"), "{hint}");
}

#[test]
fn a_base_without_the_manifest_is_named_with_its_side() {
    let workspace = Workspace::new();
    workspace
        .write("README.md", "")
        .commit("before Rust")
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "")
        .commit("Rust");
    let (error, _) = refusal(&workspace, "HEAD~1..HEAD");
    assert!(error.starts_with("base (HEAD~1, "), "{error}");
    assert!(error.ends_with("has no Cargo.toml"), "{error}");
}

#[test]
fn a_repository_without_commits_says_so() {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "");
    let (error, hint) = refusal(&workspace, "");
    assert!(error.ends_with("has no commits yet"), "{error}");
    assert!(hint.contains("git commit"), "{hint}");
}

/// Every file below a folder, with its content and when it was changed.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let changed = std::fs::symlink_metadata(&path)
            .unwrap()
            .modified()
            .unwrap();
        if path.is_dir() {
            all.extend(everything(&path));
            all.insert(path, (Vec::new(), changed));
        } else {
            let content = std::fs::read(&path).unwrap();
            all.insert(path, (content, changed));
        }
    }
    all
}

#[test]
fn a_run_leaves_checkout_and_repository_as_they_were() {
    let workspace = two_commits();
    workspace
        .write("src/lib.rs", "// uncommitted\n")
        .write("untracked.rs", "");
    let before = everything(&workspace.root());
    // It has no benchmarks; both sides are laid out and built all the same.
    let output = workspace.perfcheck("HEAD~1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let after = everything(&workspace.root());
    let names = |map: &BTreeMap<PathBuf, _>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after), "{stderr}");
    for (path, was) in &before {
        assert!(
            after.get(path) == Some(was),
            "{} changed: {stderr}",
            path.display()
        );
    }
}
