//! A run that ends early writes a report of what is known, and the report says that it is partial.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::cmd::cargo_bin;

use crate::faults;
use crate::support::{Workspace, one_run};

one_run!(a_run_that_ends_early_leaves_what_is_known:
    a_signal_leaves_a_partial_report_in_every_format,
    a_time_that_is_up_before_or_while_measuring_leaves_what_is_known,
    a_signal_ends_a_benchmark_that_hangs_and_a_second_one_ends_the_run_at_once,
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
    let mut run = cargo_perfcheck::process::clean_env(&mut command)
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
    // Two of the scout, two of the first round; with the fifth, that round has been recorded.
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
        !first["metrics"]["time"]["rounds"]
            .as_array()
            .unwrap()
            .is_empty(),
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
        ("overview.svg", "Partial report: "),
        ("gitlab-code-quality.json", "perfcheck-partial"),
        ("benchstat.txt", "partial: "),
        ("github-action-benchmark.json", "["),
        ("bencher.json", "{"),
    ] {
        let text = std::fs::read_to_string(workspace.beside("report").join(file)).unwrap();
        assert!(text.contains(mark), "{file}: {text}");
    }
}

fn a_time_that_is_up_before_or_while_measuring_leaves_what_is_known() {
    // The scout takes four seconds, and so does each of the six rounds that all get at least.
    let benchmarks = ["first", "2", "3", "4", "5", "6", "7", "8"];
    let benchmarks = benchmarks.map(|id| format!("bench\t{id}\tsleep=250\n"));
    let script = format!("ns\t1000\n{}", benchmarks.concat());
    let head = format!("{script}do\tok\n");
    let workspace = faults::workspace_without_lock(&script, &head);
    a_time_that_building_used_up_leaves_nothing_measured(&workspace);
    a_time_that_is_up_in_the_middle_of_a_pass_leaves_the_rounds_until_then(&workspace);
    one_lock_file_for_both_sides_is_a_line_of_the_environment(&workspace);
    a_claim_about_no_benchmark_is_an_error(&workspace);
}

fn a_time_that_is_up_in_the_middle_of_a_pass_leaves_the_rounds_until_then(workspace: &Workspace) {
    // The builds are there. A fifth of the time is kept for what comes after timing.
    let run = workspace
        .keeping("HEAD~1..HEAD --offline --time 24s --report-dir")
        .arg(workspace.beside("report"));
    let began = Instant::now();
    let output = run.output().unwrap();
    let took = began.elapsed();
    assert_eq!(output.status.code(), Some(103), "{output:?}");
    // The time, the grace for a step that has begun, and writing.
    assert!(took < Duration::from_secs(90), "{took:?}");
    let report = report(workspace);
    let shortfalls = report["partial"]["shortfalls"].as_array().unwrap();
    assert_eq!(shortfalls[0]["part"], "time", "{report:#}");
    for shortfall in shortfalls {
        assert_eq!(shortfall["cause"]["kind"], "time-up", "{report:#}");
    }
    let benchmarks = report["benchmarks"].as_array().unwrap().iter();
    let (short, whole): (Vec<&Value>, Vec<&Value>) = benchmarks.partition(|benchmark| {
        let mut remarks = benchmark["remarks"].as_array().unwrap().iter();
        remarks.any(|remark| remark["kind"] == "cut-short")
    });
    assert!(!short.is_empty(), "{report:#}");
    let timed = |benchmark: &&&Value| benchmark["metrics"]["time"]["rounds"].is_array();
    assert!(short.iter().chain(&whole).any(|b| timed(&b)), "{report:#}");
    // A history gets no times of what was cut short.
    let bencher = std::fs::read_to_string(workspace.beside("report/bencher.json")).unwrap();
    let bencher: Value = serde_json::from_str(&bencher).unwrap();
    for benchmark in short {
        let name = format!("fakes::fake {}", benchmark["id"].as_str().unwrap());
        assert_eq!(bencher[name]["latency"], Value::Null, "{bencher:#}");
    }
}

/// In the report of the run before.
fn one_lock_file_for_both_sides_is_a_line_of_the_environment(workspace: &Workspace) {
    let report = report(workspace);
    assert_eq!(report["environment"]["locking"], "shared");
    assert_eq!(report["confounders"], Value::Array(Vec::new()));
    assert_eq!(report.to_string().matches("ock file").count(), 0);
    for file in ["report.md", "report.html"] {
        let text = std::fs::read_to_string(workspace.beside("report").join(file)).unwrap();
        assert_eq!(text.matches("Cargo.lock").count(), 1, "{file}: {text}");
        assert!(!text.contains("matters as well"), "{file}: {text}");
    }
}

fn a_claim_about_no_benchmark_is_an_error(workspace: &Workspace) {
    let run = workspace.keeping("HEAD~1..HEAD --offline --claim faster=^frist$");
    let output = run.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(
        stderr.contains("error: the claim `faster=^frist$` matches no benchmark"),
        "{stderr}"
    );
    assert!(stderr.contains("one of them is `first`"), "{stderr}");
}

/// Nobody waits for a benchmark that hangs. The run is held while it writes the last report, into a pipe that
/// nobody reads.
fn a_signal_ends_a_benchmark_that_hangs_and_a_second_one_ends_the_run_at_once() {
    let script = |ns: u32| format!("ns\t{ns}\nbench\tfirst\nbench\tlast\thang\n");
    let workspace = faults::workspace(&script(1000), &script(500));
    let pipe = workspace.beside("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(cargo_bin!("cargo-perfcheck"));
    let mut run = cargo_perfcheck::process::clean_env(&mut command)
        .args(["perfcheck", "HEAD~1..HEAD", "--no-cache", "--offline"])
        .args(["--timeout", "1h", "--message-format", "json"])
        .arg("--report-dir")
        .arg(workspace.beside("report"))
        .args(["--format", "text", "--output"])
        .arg(&pipe)
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let hangs = lines.any(|line| line.contains("\"measuring\"") && line.contains(" last\""));
    assert!(hangs, "it never came to the benchmark that hangs");
    // Nothing is read any more: the run must not be held up by that, either.
    let reader = std::thread::spawn(move || lines.collect::<Vec<String>>());
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let benchstat = workspace.beside("report/benchstat.txt");
    let began = Instant::now();
    while !benchstat.exists() {
        assert_eq!(run.try_wait().unwrap(), None, "it did not write everything");
        assert!(began.elapsed() < Duration::from_secs(600), "it never ends");
        std::thread::sleep(Duration::from_millis(20));
    }
    let report = report(&workspace);
    let cause = &report["partial"]["shortfalls"][0]["cause"];
    assert_eq!(cause["by"], "interrupted by SIGINT", "{report:#}");
    // What was not measured for lack of time has not failed.
    for benchmark in report["benchmarks"].as_array().unwrap() {
        assert_eq!(benchmark["verdict"], "inconclusive", "{report:#}");
    }
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let ended = run.wait().unwrap();
    assert_eq!(ended.signal(), Some(Signal::INT.as_raw()), "{ended:?}");
    drop(reader.join());
}

fn a_time_that_building_used_up_leaves_nothing_measured(workspace: &Workspace) {
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
        assert_eq!(benchmark["metrics"], serde_json::json!({}));
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
