//! What is known when a run ends early is written, and says that it is not everything.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::cmd::cargo_bin;

use crate::faults;
use crate::support::{Workspace, one_run};

one_run!(a_run_that_ends_early_leaves_what_is_known:
    a_signal_leaves_a_partial_report_in_every_format,
    a_time_that_building_used_up_leaves_nothing_measured,
    what_nobody_could_start_is_neither_approved_nor_removed,
);

/// Every round of both benchmarks takes a while.
fn workspace() -> Workspace {
    let script = |ns: u32| format!("ns\t{ns}\nbench\tfirst\tspin=100\nbench\tsecond\tspin=100\n");
    faults::workspace(&script(1000), &script(500))
}

fn report(workspace: &Workspace) -> Value {
    let text = std::fs::read_to_string(workspace.beside("report/report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The kinds of the reasons, in their order.
fn reasons(report: &Value) -> Vec<&str> {
    let reasons = report["typed_reasons"].as_array().unwrap().iter();
    reasons
        .map(|reason| reason["kind"].as_str().unwrap())
        .collect()
}

fn a_signal_leaves_a_partial_report_in_every_format() {
    let workspace = workspace();
    let mut command = Command::new(cargo_bin!("cargo-perfcheck"));
    let mut run = cargo_perfcheck::scratch::clean_env(&mut command)
        .args(["perfcheck", "HEAD~1..HEAD", "--no-cache", "--offline"])
        .args(["--message-format", "json", "--report-dir"])
        .arg(workspace.beside("report"))
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    // Two of the scout, two of the first round; with the fifth that one is in the books.
    let finished = lines.by_ref().map(Result::unwrap);
    let mut finished = finished.filter(|line| line.contains("\"round-finished\""));
    assert!(finished.nth(4).is_some(), "it never measured");
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    let last = lines.map(Result::unwrap).last().unwrap_or_default();
    assert_eq!(run.wait().unwrap().code(), Some(103), "{last}");
    assert_eq!(last, "interrupted by SIGTERM");

    let report = report(&workspace);
    let shortfalls = report["partial"]["shortfalls"].as_array().unwrap();
    let parts: Vec<&str> = shortfalls
        .iter()
        .map(|s| s["part"].as_str().unwrap())
        .collect();
    // Whether there was something to profile, the rounds until then decide.
    assert_eq!(parts[..2], ["time", "allocations"], "{report:#}");
    assert!(
        parts[2..].iter().all(|part| *part == "profiles"),
        "{parts:?}"
    );
    assert_eq!(shortfalls[0]["left"], 2);
    assert_eq!(shortfalls[0]["cause"]["by"], "interrupted by SIGTERM");
    assert_eq!(report["partial"]["next"]["builds"], "discarded");
    let first = &report["benchmarks"][0];
    assert_eq!(first["verdict"], "inconclusive");
    assert!(
        !first["time"]["rounds"].as_array().unwrap().is_empty(),
        "{first:#}"
    );
    assert_eq!(report["vote"], "modify");
    assert_eq!(reasons(&report), ["inconclusive", "ended-early"]);
    for (file, mark) in [
        ("report.md", "**Partial report:**"),
        ("report.txt", "PARTIAL REPORT"),
        ("report.html", "Partial report: "),
        ("junit.xml", "name=\"completed\""),
        ("github-annotations.txt", "partial report"),
        ("overview.svg", "<svg"),
    ] {
        let text = std::fs::read_to_string(workspace.beside("report").join(file)).unwrap();
        assert!(text.contains(mark), "{file}: {text}");
    }
}

fn a_time_that_building_used_up_leaves_nothing_measured() {
    let workspace = workspace();
    let run = workspace.keeping("HEAD~1..HEAD --offline --time 1ms --format json");
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(102), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shortfalls = report["partial"]["shortfalls"].as_array().unwrap();
    assert!(!shortfalls.is_empty());
    for shortfall in shortfalls {
        assert_eq!(shortfall["cause"]["kind"], "time-up", "{report:#}");
    }
    for benchmark in report["benchmarks"].as_array().unwrap() {
        assert_eq!(benchmark["verdict"], "inconclusive");
        assert_eq!(benchmark["time"], Value::Null);
        assert_eq!(benchmark["allocations"], Value::Null);
    }
    // The second run starts from what was built, and is told how long it takes.
    let next = &report["partial"]["next"];
    assert_eq!(next["builds"], "kept");
    assert!(next["measuring_seconds"].as_f64().unwrap() > 0.0, "{next}");
}

fn what_nobody_could_start_is_neither_approved_nor_removed() {
    let good = "bench\ta\nbench\tb\n";
    let on_head = faults::workspace(good, "do\texit=7\n");
    let run = |workspace: &Workspace| {
        let output = workspace
            .perfcheck("HEAD~1..HEAD --offline --format json")
            .output();
        let output = output.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    let (code, report) = run(&on_head);
    assert_eq!(code, Some(102), "{report:#}");
    for benchmark in report["benchmarks"].as_array().unwrap() {
        assert_eq!(benchmark["verdict"], "failed", "{report:#}");
        assert_eq!(benchmark["failure"]["side"], "head");
    }
    assert_eq!(reasons(&report), ["failed"]);
    assert!(!report.to_string().contains("all of it was measured"));

    let on_both = faults::workspace("do\texit=6\n", "do\texit=7\n");
    let (code, report) = run(&on_both);
    assert_eq!(code, Some(102), "{report:#}");
    assert_eq!(report["vote"], "modify");
    assert_eq!(report["skipped"][0]["outcome"], "failed");
    assert!(reasons(&report).contains(&"target-failed"), "{report:#}");
}
