//! Commits of the past are measured later: in a real repository whose benchmarks need no dependency.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use snapbox::cmd::cargo_bin;

use crate::faults;
use crate::support::Workspace;

const QUICK: &str = "--seed 1 --rounds 6 --time-per-benchmark 100ms --no-allocations --layouts off";

/// Slower, words only, a commit that does not compile, and as fast as at first.
fn five_commits() -> (Workspace, Vec<String>) {
    let workspace = faults::workspace("ns\t1000\nbench\ta", "ns\t1200\nbench\ta");
    let repository = git2::Repository::open(workspace.root()).unwrap();
    let base = repository.revparse_single("HEAD~1").unwrap().id();
    let mut commits = vec![base.to_string(), workspace.tip()];
    for (path, text, subject) in [
        ("README.md", "words", "Only words"),
        ("src/lib.rs", "fn", "Break it"),
        ("src/lib.rs", "", "Repair it"),
    ] {
        workspace.write(path, text);
        if subject == "Repair it" {
            workspace.write("benches/script", "ns\t1000\nbench\ta");
        }
        workspace.commit(subject);
        commits.push(workspace.tip());
    }
    (workspace, commits)
}

fn told(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

fn run(workspace: &Workspace, line: &str) -> Output {
    workspace.keeping(line).output().unwrap()
}

/// Starts a backfill, kills it once a pair is recorded, and waits until nothing of it is left.
fn kill_after_one_pair(workspace: &Workspace, line: &str) {
    let mut command = Command::new(cargo_bin!("cargo-perfcheck"));
    let mut child = cargo_perfcheck::process::clean_env(&mut command)
        .arg("perfcheck")
        .args(line.split_whitespace())
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    assert!(first.contains("Repair it"), "{first}");
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    let cache = workspace.beside("cache/cargo-perfcheck");
    let is_there = || {
        let entries = std::fs::read_dir(&cache).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        names.any(|name| name.to_string_lossy().starts_with("run-"))
    };
    while is_there() {
        assert!(began.elapsed() < Duration::from_secs(600), "it stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_backfill_goes_on_where_it_was_killed_and_bridges_what_does_not_compile() {
    let (workspace, commits) = five_commits();
    let short = |at: usize| &commits[at][..9];
    let line = format!("history backfill HEAD~4..HEAD {QUICK}");
    let outlook = told(&run(&workspace, &format!("{line} --dry-run")));
    assert!(outlook.starts_with("4 pairs of neighbouring commits: 0 recorded, 4 to measure"));
    assert!(
        outlook.contains("how long it takes is not known"),
        "{outlook}"
    );

    let brief = run(&workspace, &format!("{line} --time 1ms"));
    assert_eq!(brief.status.code(), Some(102), "{}", told(&brief));
    assert!(
        told(&brief).contains("too short for one"),
        "{}",
        told(&brief)
    );
    assert!(told(&run(&workspace, "history list")).contains("holds no run"));

    // What one call asks for in vain is no fault of the commits; only the one that does not compile is left out.
    let misspelt = told(&run(&workspace, &format!("{line} --bench pasre")));
    assert!(
        misspelt.contains("has a bench target `pasre`"),
        "{misspelt}"
    );
    let outlook = told(&run(&workspace, &format!("{line} --dry-run")));
    assert!(
        outlook.starts_with("3 pairs of neighbouring commits: 0 recorded, 3 to measure"),
        "{outlook}"
    );

    kill_after_one_pair(&workspace, &line);
    let kept = told(&run(&workspace, "history list"));
    assert_eq!(kept.lines().count(), 1, "{kept}");
    let over = format!("{}..{}", short(2), short(4));
    assert!(kept.contains(&over), "{kept}");

    let rest = run(&workspace, &line);
    assert_eq!(rest.status.code(), Some(0), "{}", told(&rest));
    let rest = told(&rest);
    assert!(
        rest.contains("none is missing") && !rest.contains(&over),
        "{rest}"
    );
    let words = format!("{}..{} Only words  1 identical", short(1), short(2));
    assert!(rest.contains(&words), "{rest}");
    let slower = format!("{}..{} The head  1 slower", short(0), short(1));
    assert!(rest.contains(&slower), "{rest}");
    let outlook = told(&run(&workspace, &format!("{line} --dry-run")));
    assert!(outlook.starts_with("3 pairs of neighbouring commits: 3 recorded, 0 to measure"));
    assert!(
        outlook.contains(&format!("without {}", short(3))),
        "{outlook}"
    );

    // The commit is remembered by itself, too: at the old end of a range no run bridges it.
    let kept = told(&run(&workspace, "history export"));
    let alone = format!("{{\"kind\":\"unbuildable\",\"commit\":\"{}\"", commits[3]);
    assert_eq!(kept.matches(&alone).count(), 1, "{kept}");
    let again = told(&run(&workspace, &format!("{line} --dry-run --retry")));
    assert!(
        again.starts_with("4 pairs of neighbouring commits: 2 recorded, 2 to measure"),
        "{again}"
    );

    let trend: Value =
        serde_json::from_slice(&run(&workspace, "trend --format json").stdout).unwrap();
    let levels = trend["benchmarks"][0]["levels"].as_array().unwrap();
    let level = |at: usize| {
        let mut of = levels
            .iter()
            .filter(|level| level["commit"] == *commits[at]);
        of.next().unwrap()["ln_ratio"].as_f64().unwrap()
    };
    assert!(level(1) > 0.0 && level(4) < level(2), "{trend}");
    assert!((level(1) - level(2)).abs() < 1e-9, "{trend}");
    what_is_recorded_speaks_of_the_next_change(&workspace);
}

/// A second slowdown since the release, together beyond what the budget of drift allows.
fn what_is_recorded_speaks_of_the_next_change(workspace: &Workspace) {
    let repository = git2::Repository::open(workspace.root()).unwrap();
    let first = repository.revparse_single("HEAD~4").unwrap();
    repository.tag_lightweight("v1.0", &first, false).unwrap();
    workspace
        .write("benches/script", "ns\t1300\nbench\ta")
        .write("perfcheck.toml", "[[budget]]\ndrift = '5%'\n");
    let output = run(
        workspace,
        &format!("HEAD {QUICK} --no-profile --format json"),
    );
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
    let standing = &report["standings"][0];
    assert_eq!(standing["change"], "slowdown", "{report}");
    assert_eq!(standing["count"], 2, "{standing}");
    assert_eq!(standing["since"]["tag"], "v1.0", "{standing}");
    assert!(standing["lower"].as_f64().unwrap() > 1.05, "{standing}");
    let budget = &report["budgets"][0];
    assert_eq!(budget["metric"], "drift", "{budget}");
    assert_eq!(budget["status"], "over", "{budget}");
    assert_eq!(budget["note"], "since v1.0", "{budget}");
}

#[test]
fn a_backfill_needs_two_ends_with_commits_between_them() {
    let (workspace, _) = five_commits();
    let one = run(&workspace, "history backfill v1");
    assert_eq!(one.status.code(), Some(2));
    let one = told(&one);
    assert!(
        one.contains("hint: `cargo perfcheck history backfill v1..HEAD`"),
        "{one}"
    );
    let empty = told(&run(&workspace, "history backfill HEAD..HEAD~1"));
    assert!(empty.contains("`HEAD..HEAD~1` holds no commit"), "{empty}");
    assert!(
        empty.contains("hint: `git log --first-parent HEAD..HEAD~1`"),
        "{empty}"
    );
}
