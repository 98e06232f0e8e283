//! Builds that stay for the next run.

use std::path::PathBuf;

use serde_json::Value;

use crate::faults;
use crate::support::{Workspace, executable, perfcheck};
use crate::trust::everything_below;

/// A value that a job may have in its environment.
const SECRET: &str = "hunter2-and-nothing-else";

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
        let run = workspace
            .keeping(&line)
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        run.env("DATABASE_URL", SECRET).output().unwrap()
    };
    assert_eq!(verdict(&run("HEAD~1..HEAD")), "slower");
    assert_eq!(kept(&workspace).len(), 1);
    let secret = SECRET.as_bytes();
    for file in everything_below(&workspace.beside("cache")) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let written = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!written, "{}", file.display());
    }
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

/// A tool that behaves like rustup's proxies: it records the toolchain that it is asked for. The toolchains differ
/// in their names only.
const PROXY: &str = r#"#!/bin/sh
echo "${RUSTUP_TOOLCHAIN:-none}" >> "$RECORD/asked"
unset RUSTUP_TOOLCHAIN
PATH="$REAL_PATH" exec "$(basename "$0")" "$@"
"#;

/// Rustup, in a folder with a toolchain file that is in no revision.
const RUSTUP: &str = r#"#!/bin/sh
[ -z "$RUSTUP_TOOLCHAIN" ] || exit 3
case "$*" in
    "override list") echo "no overrides" ;;
    "show active-toolchain")
        if [ -f rust-toolchain.toml ]; then
            echo "0.0.0-none (overridden by '$PWD/rust-toolchain.toml')"
        else
            echo "usual-x86_64-unknown-linux-gnu (default)"
        fi ;;
    *) exit 4 ;;
esac
"#;

#[test]
fn nothing_of_the_working_tree_reaches_a_build_that_is_kept_in_it() {
    let workspace = faults::workspace_by_flag("ns\t1000\nbench\ta", "ns\t2000\nbench\ta");
    workspace
        .write(
            ".cargo/config.toml",
            "[build]\nrustflags = [\"--cfg=slow\"]\n",
        )
        .commit("Build the slow one");
    // None of it is in the revisions that are compared.
    workspace
        .write(
            ".cargo/config.toml",
            "[build]\nrustflags = [\"--cfg=none\"]\n",
        )
        .write(
            "rust-toolchain.toml",
            "[toolchain]\nchannel = \"0.0.0-none\"\n",
        )
        .write("Cargo.toml", "[workspace]\nmembers = [\"elsewhere\"]\n");
    let record = workspace.beside("record");
    std::fs::create_dir_all(&record).unwrap();
    let tools = workspace.beside("tools");
    for (name, text) in [("cargo", PROXY), ("rustc", PROXY), ("rustup", RUSTUP)] {
        executable(&tools.join(name), text);
    }
    let path = std::env::var("PATH").unwrap();
    let run = |toolchain: &str, source: &str| {
        let _ = std::fs::remove_file(record.join("asked"));
        let line = format!("HEAD~1..HEAD --target-dir target {OPTIONS}");
        let output = workspace
            .keeping(&line)
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("REAL_PATH", &path)
            .env("RECORD", &record)
            .env("RUSTUP_TOOLCHAIN", toolchain)
            .env("RUSTUP_TOOLCHAIN_SOURCE", source)
            .env("RUST_RECURSION_COUNT", "1")
            .output()
            .unwrap();
        assert_eq!(verdict(&output), "slower");
        let asked = std::fs::read_to_string(record.join("asked")).unwrap();
        let asked: std::collections::BTreeSet<String> = asked.lines().map(str::to_owned).collect();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (asked, report["environment"]["toolchain"].clone())
    };
    // The value that cargo's proxy sets is not the user's choice.
    let (asked, told) = run("0.0.0-none", "toolchain-file");
    assert!(
        asked.contains("usual-x86_64-unknown-linux-gnu"),
        "{asked:?}"
    );
    assert!(!asked.contains("0.0.0-none"), "{asked:?}");
    assert_eq!(told, Value::Null);
    // The trees are elsewhere, and what is kept is one archive.
    let stored = everything_below(&workspace.root().join("target/perfcheck"));
    let archives = stored.iter().filter(|path| path.ends_with("trees.tar.lz4"));
    assert_eq!(archives.count(), 1, "{stored:?}");
    assert!(
        !stored.iter().any(|path| path.ends_with("Cargo.toml")),
        "{stored:?}"
    );
    assert_eq!(kept(&workspace), Vec::<PathBuf>::new());

    let (asked, told) = run("typed", "cli");
    assert!(asked.iter().all(|name| name == "typed"), "{asked:?}");
    for side in ["base", "head"] {
        let told = told[side].as_str().unwrap();
        assert!(
            told.starts_with("typed, chosen on the command line"),
            "{told}"
        );
    }
}
