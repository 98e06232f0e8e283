//! Builds that stay for the next run.

use std::path::PathBuf;

use serde_json::Value;

use crate::faults;
use crate::support::{Workspace, perfcheck};

const OPTIONS: &str = "--seed 1 --rounds 6 --no-allocations --format json";

fn kept(workspace: &Workspace) -> Vec<PathBuf> {
    let cache = workspace.beside("cache").join("cargo-perfcheck");
    let entries = std::fs::read_dir(cache).unwrap().map(|e| e.unwrap().path());
    entries
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("kept-") || name.starts_with("run-")
        })
        .collect()
}

/// The verdict of the only benchmark.
fn verdict(output: &std::process::Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    report["benchmarks"][0]["verdict"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn builds_stay_for_the_next_run_until_they_are_cleaned_away() {
    let workspace = faults::workspace("ns\t1000\nbench\ta", "ns\t2000\nbench\ta");
    let run = |range: &str| {
        let line = format!("{range} {OPTIONS}");
        workspace.keeping(&line).output().unwrap()
    };
    assert_eq!(verdict(&run("HEAD~1..HEAD")), "slower");
    assert_eq!(kept(&workspace).len(), 1);
    workspace.write("README.md", "words").commit("Only words");
    // Two at once: one of them has the folder, the other does without it.
    let second = std::thread::scope(|scope| {
        let other = scope.spawn(|| run("HEAD~1..HEAD"));
        let own = run("HEAD~2..HEAD");
        assert_eq!(verdict(&other.join().unwrap()), "identical");
        own
    });
    assert_eq!(verdict(&second), "slower");
    assert_eq!(verdict(&run("HEAD~2..HEAD~1")), "slower");
    assert_eq!(kept(&workspace).len(), 1);

    let cleaned = perfcheck("clean")
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8(cleaned.stdout).unwrap();
    assert!(said.starts_with("removed "), "{said}");
    assert!(kept(&workspace).is_empty());
}
