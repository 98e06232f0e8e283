//! Whatever benchmarks do, the others are measured, and nothing is left behind.
//!
//! Benchmarks are those of `fixtures/fakes/speaker.rs`, which needs no dependency, so that a whole run
//! takes seconds. Times are what its script says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Workspace;

const MANIFEST: &str = r#"[package]
name = "fakes"
version = "0.1.0"
edition = "2021"

[lib]
bench = false

[[bench]]
name = "fake"
harness = false
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "fakes"
version = "0.1.0"
"#;

/// Few rounds, so that a run is short.
const QUICK: &str = "--seed 1 --rounds 6 --time-per-benchmark 100ms --no-allocations --format json";

/// The benchmark that follows what this expression gives.
fn speaker(script: &str) -> String {
    let speaker = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fakes/speaker.rs");
    let speaker = std::fs::read_to_string(speaker).unwrap();
    let scripted = speaker.replace("std::env::var(\"FAKE_SCRIPT\").unwrap_or_default()", script);
    assert_ne!(speaker, scripted);
    scripted
}

/// A commit whose benchmarks follow the one script, or the other where they are built with `--cfg slow`.
pub(crate) fn workspace_by_flag(plain: &str, slow: &str) -> Workspace {
    let script = "if cfg!(slow) { include_str!(\"slow\") } else { include_str!(\"plain\") }";
    let workspace = Workspace::new();
    workspace
        .write(".gitignore", "/target\n")
        .write("Cargo.toml", MANIFEST)
        .write("Cargo.lock", LOCK)
        .write("src/lib.rs", "")
        .write("benches/fake.rs", &speaker(script))
        .write("benches/plain", plain)
        .write("benches/slow", slow)
        .commit("Both");
    workspace
}

/// Two commits without a lock file, whose benchmarks follow these scripts.
pub(crate) fn workspace_without_lock(base: &str, head: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace
        .write(".gitignore", "/target\n/Cargo.lock\n")
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "")
        .write("benches/fake.rs", &speaker("include_str!(\"script\")"))
        .write("benches/script", base)
        .commit("The base")
        .write("benches/script", head)
        .commit("The head");
    workspace
}

/// Two commits whose benchmarks follow these scripts.
pub(crate) fn workspace(base: &str, head: &str) -> Workspace {
    let scripted = speaker("include_str!(\"script\")");
    let workspace = Workspace::new();
    workspace
        .write(".gitignore", "/target\n")
        .write("Cargo.toml", MANIFEST)
        .write("Cargo.lock", LOCK)
        .write("src/lib.rs", "")
        .write("benches/fake.rs", &scripted)
        .write("benches/script", base)
        .commit("The base")
        .write("benches/script", head)
        .commit("The head");
    workspace
}

/// Runs a comparison of both commits and reads its report.
fn report(workspace: &Workspace, options: &str) -> Value {
    let output = workspace
        .perfcheck(&format!("HEAD~1..HEAD {QUICK} {options}"))
        .env("TEST_DAEMONS", workspace.beside("daemons"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
}

/// The verdict of each benchmark.
fn verdicts(report: &Value) -> BTreeMap<&str, &str> {
    report["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["id"].as_str().unwrap(),
                entry["verdict"].as_str().unwrap(),
            )
        })
        .collect()
}

/// What a run left in its cache, beside what marks it as one.
fn leftovers(workspace: &Workspace) -> Vec<PathBuf> {
    let marks = ["lock", ".gitignore", "CACHEDIR.TAG"];
    let cache = workspace.beside("cache").join("cargo-perfcheck");
    std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !marks.iter().any(|mark| path.ends_with(mark)))
        .collect()
}

#[test]
fn a_benchmark_that_fails_in_any_way_costs_the_others_nothing() {
    let script = |how: &str| {
        format!(
            "ns\t{how}\nbench\tfirst\nbench\tpanics\tpanic\nbench\taborts\tabort\nbench\tleaves\texit=0\n\
             bench\thangs\thang\nbench\tfloods stderr\tstderr=5000000\n\
             bench\tfloods stdout\tstdout=5000000\nbench\tstarts a daemon\tdaemon\nbench\tlast\n"
        )
    };
    let workspace = workspace(&script("1000"), &script("2000"));
    let report = report(&workspace, "--timeout 2s");
    let verdicts = verdicts(&report);
    for id in [
        "first",
        "last",
        "floods stderr",
        "floods stdout",
        "starts a daemon",
    ] {
        assert_eq!(verdicts[id], "slower", "{id}: {report:#}");
    }
    for id in ["panics", "aborts", "leaves", "hangs"] {
        assert_eq!(verdicts[id], "failed", "{id}: {report:#}");
    }
    assert_eq!(leftovers(&workspace), [""; 0].map(PathBuf::from));
    let daemons = std::fs::read_to_string(workspace.beside("daemons")).unwrap();
    assert!(daemons.lines().count() > 6, "{daemons}");
    for daemon in daemons.lines() {
        let entry = format!("/proc/{daemon}");
        assert!(!Path::new(&entry).exists(), "daemon {daemon} is left");
    }
}

#[test]
fn an_id_that_is_given_twice_is_said_and_costs_the_others_nothing() {
    let script = |ns| format!("ns\t{ns}\nbench\ttwice\nbench\tonce\nbench\ttwice\n");
    let claims = "--claim faster=^once$ --claim faster=^twice$";
    let report = report(&workspace(&script(1000), &script(500)), claims);
    assert_eq!(verdicts(&report)["once"], "faster", "{report:#}");
    // The claim about the first benchmark is shown; about the other nothing is known.
    assert_eq!(report["claims"][0]["standing"], "shown", "{report:#}");
    assert_eq!(report["claims"][1]["standing"], "unshown");
    let reasons = report["typed_reasons"].as_array().unwrap();
    let unproven: Vec<&Value> = reasons
        .iter()
        .filter(|reason| reason["kind"] == "no-evidence")
        .collect();
    assert_eq!(unproven.len(), 1, "{report:#}");
    assert_eq!(unproven[0]["claims"][0]["claim"], "faster=^twice$");
    // What the percentiles of both sides are of: as many iterations as fill a twentieth of 100 ms.
    let once = report["benchmarks"].as_array().unwrap().iter();
    let once = once.clone().find(|benchmark| benchmark["id"] == "once");
    let time = &once.unwrap()["metrics"]["time"];
    let of = |side: &str| &time[side]["samples"]["iterations"];
    let samples = |n: u64| serde_json::json!({"fewest": n, "most": n});
    assert_eq!(of("base"), &samples(5_000), "{time:#}");
    assert_eq!(of("head"), &samples(10_000), "{time:#}");
    let notes = report.to_string();
    assert!(notes.contains("twice"), "{report:#}");
}
