//! Services under load: a small real server, with planted changes and faults.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::cmd::cargo_bin;

use crate::support::{Workspace, copy, executable, perfcheck};

/// How the server of the fixture is loaded: briefly.
const USUAL: &str = r#"
[[service]]
name = "api"
command = "{bin:server} --port {port}"
ready = "/health"
slice = "400ms"
rounds = 6
connections = 2
[[service.request]]
path = "/items"
contains = "items"
weight = 9
[[service.request]]
path = "/none"
status = 404
"#;

/// A repository whose last commit makes the server compute three times as much for a request, and leave 2 kB behind. Its
/// builds are kept for all tests.
fn repository() -> &'static Workspace {
    static REPOSITORY: OnceLock<Workspace> = OnceLock::new();
    REPOSITORY.get_or_init(|| {
        let workspace = Workspace::new();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/service");
        copy(&fixture, &workspace.root());
        workspace.write(".gitignore", "/target\n");
        workspace.write("perfcheck.toml", USUAL);
        workspace.commit("Serve items");
        let planted = std::fs::read_to_string(workspace.root().join("src/planted.rs")).unwrap();
        let planted = planted.replace("WORK: u64 = 1000", "WORK: u64 = 3000");
        let planted = planted.replace("LEAK: usize = 0", "LEAK: usize = 2000");
        workspace.write("src/planted.rs", &planted);
        workspace.commit("Compute more and leak");
        workspace
    })
}

/// What the run with this configuration gives: the report, and its exit code.
fn load(configuration: &str, line: &str) -> (Value, Option<i32>) {
    let workspace = repository();
    // The configuration is that of the working tree. Tests of one process take turns, since they share it.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    workspace.write("perfcheck.toml", configuration);
    let line = format!("load {line} --format json --seed 7");
    let output = workspace.keeping(&line).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    assert_eq!(running(workspace), [""; 0], "{stderr}");
    (
        report.unwrap_or(Value::String(stderr)),
        output.status.code(),
    )
}

/// The command lines of live processes that have to do with a workspace.
fn running(workspace: &Workspace) -> Vec<String> {
    let folder = workspace.root().parent().unwrap().display().to_string();
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(&folder) || words.contains("86413") {
            found.push(words);
        }
    }
    found
}

/// The report is what the schema describes.
fn conforms(report: &Value) {
    let schema = include_str!("../../schemas/report.v2.json");
    let schema = serde_json::from_str(schema).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors = schema.iter_errors(report);
    let errors: Vec<String> = errors.map(|one| one.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

fn row<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut all = report["benchmarks"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"))
        .iter();
    all.find(|one| one["id"] == id)
        .unwrap_or_else(|| panic!("{report:#}"))
}

/// The same service with a fault of the head side.
fn with_fault(fault: &str, more: &str) -> String {
    let env =
        format!("env = {{ FAULT = \"{fault}\", AT = \"head\", SIDE = \"{{side}}\" }}\n{more}\n");
    let briefly = USUAL
        .replace("400ms", "200ms")
        .replace("rounds = 6", "rounds = 2");
    briefly.replace(
        "ready = \"/health\"\n",
        &format!("ready = \"/health\"\n{env}"),
    )
}

fn failure(configuration: &str) -> (String, String) {
    let (report, code) = load(configuration, "main~1..main");
    assert_eq!(report["vote"], "modify", "{report}");
    assert_eq!(code, Some(102), "{report}");
    let row = row(&report, "api/p99");
    assert_eq!(
        (&row["verdict"], &row["failure"]["side"]),
        (&"failed".into(), &"head".into())
    );
    let text = |key: &str| row["failure"][key].as_str().unwrap().to_owned();
    (text("reason"), text("stderr_tail"))
}

#[test]
fn more_work_and_a_leak_are_found_and_both_sides_answered_the_same_requests() {
    let (report, code) = load(USUAL, "api main~1..main");
    conforms(&report);
    let processor = row(&report, "api/processor");
    assert_eq!(processor["verdict"], "slower", "{processor:#}");
    let metrics = &processor["metrics"];
    assert_eq!(
        metrics["resident-memory"]["direction"], "more",
        "{metrics:#}"
    );
    assert_eq!(metrics["errors"]["head"]["value"], 0.0);
    assert!(metrics["time-to-ready"]["base"]["value"].as_f64() > Some(0.0));
    let throughput = &row(&report, "api/throughput")["metrics"]["requests-per-second"];
    assert!(throughput["base"]["value"].as_f64() > throughput["head"]["value"].as_f64());
    // Percentiles of the same requests.
    let latency = |id, metric: &str| row(&report, id)["metrics"][metric]["base"]["value"].as_f64();
    assert!(latency("api/p50", "time") <= latency("api/p95", "p95"));
    assert_eq!((&report["vote"], code), (&"reject".into(), Some(100)));
}

/// A service that waits for something 4 ms at a time, with a fault of the head side.
fn waiting(fault: &str, tests: &str) -> String {
    format!(
        r#"
[[service]]
name = "api"
command = "{{bin:server}} --port {{port}}"
env = {{ FAULT = "{fault}", AT = "head", SIDE = "{{side}}" }}
slice = "400ms"
connections = 4
{tests}
[[service.request]]
path = "/wait"
"#
    )
}

#[test]
fn a_lock_around_everything_lets_the_head_side_break_at_a_lower_rate() {
    let tests = "tests = [\"ramp-up\"]\n[service.ramp-up]\nstep = \"100ms\"\nrounds = 2";
    let budget = "[[budget]]\ntarget = \"service\"\nbreaking-point = \"0.001 req/s\"\n";
    let configuration = waiting("one-at-a-time", tests) + budget;
    let (report, _) = load(&configuration, "main~1..main");
    conforms(&report);
    let row = row(&report, "api/ramp-up");
    assert_eq!(report["benchmarks"].as_array().map(Vec::len), Some(1));
    let ramp = &report["load_tests"][0];
    let rounds = ramp["rounds"]
        .as_array()
        .unwrap_or_else(|| panic!("{report:#}"));
    // Where the machine is busy, the generator may give out first.
    for round in rounds.iter().filter(|round| {
        let broke = |side: &str| round[side]["end"]["kind"] == "broke";
        broke("base") && broke("head")
    }) {
        let held = |side: &str| round[side]["end"]["held"].as_f64();
        assert!(held("base") > held("head"), "{round:#}");
    }
    assert_eq!((&ramp["test"], rounds.len()), (&"ramp-up".into(), 2));
    let point = &row["metrics"]["breaking-point"];
    assert_eq!(
        report["budgets"][0]["metric"], "breaking-point",
        "{point:#}"
    );
}

#[test]
fn a_side_that_stays_slow_after_a_spike_is_told_from_one_that_recovers() {
    let tests = "tests = [\"spike\"]\n[service.spike]\nrate = \"500/s\"\nfactor = 2\nlasting = \"1s\"\n\
        watched = \"2s\"\nrounds = 1";
    let (report, _) = load(&waiting("sulks", tests), "main~1..main");
    conforms(&report);
    let spike = &report["load_tests"][0];
    assert_eq!(spike["high"], 1000.0, "{report:#}");
    let ends = ["base", "head"].map(|side| &spike["rounds"][0][side]["end"]);
    // Where the machine is busy, the generator may be late itself.
    if ends.iter().all(|end| end["kind"] != "generator") {
        let windows = ends.map(|end| end["windows"].as_u64());
        assert!(windows[0] < windows[1], "{ends:?}");
        let metrics = &row(&report, "api/spike")["metrics"];
        let recovery = |side: &str| metrics["recovery-time"][side]["value"].as_f64();
        assert!(recovery("base") < recovery("head"), "{metrics:#}");
    }
}

#[test]
fn a_leak_is_found_by_the_memory_that_each_request_leaves_behind() {
    let tests =
        "tests = [\"soak\"]\n[service.soak]\nrate = \"400/s\"\nlasting = \"3s\"\ngrowth = \"1MB\"";
    let (report, code) = load(&waiting("leaks", tests), "main~1..main");
    conforms(&report);
    let growth = &report["load_tests"][0]["growth"];
    let of = |side: &str| growth[side]["bytes_per_request"].as_f64();
    assert!(
        of("head") > Some(4000.0) && of("base") < Some(2000.0),
        "{growth:#}"
    );
    let reasons = report["typed_reasons"]
        .as_array()
        .unwrap_or_else(|| panic!("{report:#}"));
    assert!(
        reasons.iter().any(|one| one["kind"] == "grows-under-load"),
        "{reasons:#?}"
    );
    assert_eq!((&report["vote"], code), (&"reject".into(), Some(100)));
}

#[test]
fn a_tenant_suffers_from_its_neighbour_where_all_requests_wait_for_one_another() {
    let tests = "tests = [\"noisy-neighbour\"]\n[service.noisy-neighbour]\nrate = \"100/s\"\nturn = \"200ms\"\n\
        connections = 4\nrounds = 1\n[[service.noisy-neighbour.request]]\npath = \"/wait?tenant=b\"";
    let (report, _) = load(&waiting("one-at-a-time", tests), "main~1..main");
    conforms(&report);
    let row = row(&report, "api/noisy-neighbour");
    let course = &report["load_tests"][0]["rounds"][0];
    assert!(
        course["base"]["neighbour_rate"].as_f64() > Some(0.0),
        "{report:#}"
    );
    let slowdown = &row["metrics"]["neighbour-slowdown"];
    let of = |side: &str| slowdown[side]["value"].as_f64();
    // Where the machine is busy, the generator may be late itself.
    if of("base").is_some() && of("head").is_some() {
        assert!(of("head") > of("base"), "{course:#}");
    }
    let budgets = report["budgets"]
        .as_array()
        .unwrap_or_else(|| panic!("{report:#}"));
    let limited: Vec<_> = budgets.iter().map(|one| one["metric"].as_str()).collect();
    assert!(limited.contains(&Some("neighbour-slowdown")), "{limited:?}");
    let without = waiting("", "tests = [\"noisy-neighbour\"]");
    let (error, code) = load(&without, "main~1..main");
    let error = error.as_str().unwrap();
    assert!(
        error.contains("[[service.noisy-neighbour.request]]"),
        "{error}"
    );
    assert_eq!(code, Some(2));
}

#[test]
fn a_side_that_dies_where_memory_is_scarce_is_rejected_if_the_other_refuses() {
    let tests = "tests = [\"limits\"]\n[service.limits]\nrate = \"120/s\"\nstep = \"150ms\"\nof = [\"memory\"]\n\
        by = \"prlimit\"";
    let configuration = waiting("aborts", tests)
        .replace("\"/wait\"", "\"/memory\"")
        .replace("env = { ", "env = { MALLOC_ARENA_MAX = \"1\", ");
    let (report, code) = load(&configuration, "main~1..main");
    conforms(&report);
    let limits = &report["load_tests"][0];
    assert_eq!(limits["means"], "prlimit", "{report:#}");
    let needs = &limits["needs"]["base"];
    // Several requests are under way at once.
    assert!(needs["memory"].as_u64() > Some(128 << 20), "{needs:#}");
    let steps = limits["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3, "{limits:#}");
    let attempts = steps[2]["attempts"].as_array().unwrap();
    for attempt in attempts {
        let died = serde_json::json!({ "kind": "died", "end": { "kind": "signal", "signal": 6 } });
        assert_eq!(attempt["head"]["outcome"], died, "{attempt:#}");
        let words = attempt["head"]["last_words"].as_str().unwrap();
        assert!(words.contains("no memory"), "{words}");
        assert_eq!(attempt["base"]["again"], true, "{attempt:#}");
    }
    assert_eq!(attempts.len(), 5, "{limits:#}");
    let broken = &row(&report, "api/limits")["metrics"]["broken-limits"];
    assert_eq!(broken["direction"], "more", "{broken:#}");
    let reasons = report["typed_reasons"].as_array().unwrap();
    let is_meant = |one: &Value| one["kind"] == "breaks-at-limits";
    assert!(reasons.iter().any(is_meant), "{reasons:#?}");
    assert_eq!((&report["vote"], code), (&"reject".into(), Some(100)));
}

#[test]
fn a_budget_speaks_of_the_row_that_has_its_metric() {
    let budgets = "[[budget]]\ntarget = \"service\"\np50 = \"1ns\"\np95 = \"100s\"\nthroughput = \"1 req/s\"\n";
    let configuration = USUAL.replace("rounds = 6", "rounds = 2");
    let (report, _) = load(&format!("{configuration}{budgets}"), "main~1..main");
    let checks = report["budgets"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"));
    let seen: Vec<_> = checks
        .iter()
        .map(|one| (one["benchmark"]["id"].as_str(), one["metric"].as_str()))
        .collect();
    assert_eq!(seen.len(), 3, "{checks:#?}");
    for expected in [
        (Some("api/p50"), Some("time")),
        (Some("api/p95"), Some("p95")),
        (Some("api/throughput"), Some("requests-per-second")),
    ] {
        assert!(seen.contains(&expected), "{seen:?}");
    }
}

#[test]
fn a_unix_socket_a_line_as_a_sign_and_processes_that_stay_work_as_well() {
    let configuration = USUAL
        .replace("--port {port}", "--socket {socket}")
        .replace("\"/health\"", "\"line: listening on\"")
        .replace(
            "rounds = 6",
            "rounds = 2\nrestart = false\nidle = \"run\"\nrate = \"200/s\"\ndata = { rows = \"1000\" }",
        );
    let (report, _) = load(&configuration, "main~1..main");
    let p50 = row(&report, "api/p50");
    // Rounds of latencies may be lost where the machine is busy.
    let processor = &row(&report, "api/processor")["metrics"];
    assert_eq!(
        processor["time"]["rounds"].as_array().map(Vec::len),
        Some(2),
        "{processor:#}"
    );
    assert!(p50["notes"].to_string().contains("200 requests per second"));
    assert!(p50["notes"].to_string().contains("one pair of processes"));
    // The sides have answered other numbers of requests as fast as they can.
    assert_eq!(processor["resident-memory"], Value::Null, "{processor:#}");
    let p99 = row(&report, "api/p99")["notes"].to_string();
    assert!(p99.contains("too few requests for p99"), "{p99}");
    let throughput = row(&report, "api/throughput");
    assert!(throughput["notes"].to_string().contains("rows: 1000"));
}

#[test]
fn a_server_that_exits_before_it_is_ready_is_told_with_its_last_words() {
    let (reason, words) = failure(&with_fault("exit", ""));
    assert_eq!(reason, "exited with status 3 before it accepted requests");
    assert_eq!(words, "no database at db/items");
}

#[test]
fn a_server_that_does_not_get_ready_is_given_up() {
    let (reason, _) = failure(&with_fault("silent", "start-within = \"300ms\""));
    assert_eq!(reason, "accepted no requests within 300ms of its start");
}

#[test]
fn a_server_that_dies_under_load_is_told() {
    let (reason, _) = failure(&with_fault("dies", ""));
    assert_eq!(reason, "was ended by signal 6 under load");
}

#[test]
fn a_server_that_answers_something_else_is_told_with_an_example() {
    let (reason, _) = failure(&with_fault("garbage", ""));
    assert!(reason.starts_with("failed to answer "), "{reason}");
    assert!(
        reason.contains("requests as expected (not HTTP: "),
        "{reason}"
    );
}

#[test]
fn what_ignores_sigterm_is_killed_and_what_it_started_ends_with_it() {
    let shell = "sh -c 'trap \\\"\\\" TERM; setsid sleep 86413 & exec \\\"$0\\\" --port {port}' {bin:server}";
    let configuration =
        with_fault("", "stop-within = \"100ms\"").replace("{bin:server} --port {port}", shell);
    let (report, _) = load(&configuration, "main~1..main");
    let notes = row(&report, "api/p50")["notes"].to_string();
    assert!(
        notes.contains("did not end within 100ms of SIGTERM, and was killed"),
        "{notes}"
    );
}

#[test]
fn a_run_that_is_interrupted_says_so_and_leaves_nothing_running() {
    let workspace = Workspace::new();
    copy(&repository().root(), &workspace.root());
    let endless = USUAL.replace("rounds = 6", "rounds = 1000");
    workspace.write("perfcheck.toml", &endless).commit("more");
    let mut command = std::process::Command::new(cargo_bin!("cargo-perfcheck"));
    let mut run = cargo_perfcheck::process::clean_env(&mut command)
        .args([
            "perfcheck",
            "load",
            "HEAD~1..HEAD",
            "--format",
            "json",
            "--message-format",
            "json",
        ])
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line.contains("round-finished")));
    let id = Pid::from_raw(i32::try_from(run.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
    let rest: Vec<String> = lines.collect();
    let output = run.wait_with_output().unwrap();
    assert_eq!(running(&workspace), [""; 0]);
    assert!(
        rest.iter()
            .any(|line| line.contains("interrupted by SIGINT")),
        "{rest:?}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["partial"]["shortfalls"][0]["cause"]["kind"],
        "interrupted"
    );
    assert_eq!(output.status.code(), Some(103));
}

#[test]
fn a_load_generator_that_is_missing_or_killed_is_told() {
    let workspace = Workspace::new();
    copy(&repository().root(), &workspace.root());
    // Another test may have its own configuration there at this moment.
    workspace.write("perfcheck.toml", USUAL);
    let folder = workspace.beside("bin");
    std::fs::create_dir(&folder).unwrap();
    // The generator is looked for beside the program.
    let program = folder.join("cargo-perfcheck");
    std::fs::copy(cargo_bin!("cargo-perfcheck"), &program).unwrap();
    let run = || {
        let mut command = std::process::Command::new(&program);
        cargo_perfcheck::process::clean_env(&mut command)
            .args(["perfcheck", "load", "main~1..main", "--format", "json"])
            .current_dir(workspace.root())
            .env("XDG_CACHE_HOME", workspace.beside("cache"))
            .output()
            .unwrap()
    };
    let missing = run();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("perfcheck-load` is not there"), "{said}");
    assert_eq!(missing.status.code(), Some(101));
    executable(&folder.join("perfcheck-load"), "#!/bin/sh\nkill -9 $$\n");
    let report: Value = serde_json::from_slice(&run().stdout).unwrap();
    let reason = row(&report, "api/p50")["failure"]["reason"].to_string();
    assert!(
        reason.contains("could not be loaded: the load generator was ended (signal: 9"),
        "{reason}"
    );
    assert_eq!(running(&workspace), [""; 0]);
}

#[test]
fn what_cannot_be_loaded_is_told_before_anything_is_built() {
    for (configuration, line, expected) in [
        ("", "main~1..main", "no service that could be loaded"),
        (USUAL, "apy main~1..main", "there is no service `apy`"),
        (&USUAL.replace("{port}", "80"), "main~1..main", "{port}"),
    ] {
        let (error, code) = load(configuration, line);
        assert!(error.as_str().unwrap().contains(expected), "{error}");
        assert_eq!(code, Some(2));
    }
    let spike = "tests = [\"spike\"]\n[service.spike]\nwatched = \"5s\"";
    let brief = waiting("", spike) + "[[budget]]\nmatch = \"*/spike\"\nrecovery-time = \"5s\"\n";
    let (error, code) = load(&brief, "main~1..main");
    let error = error.as_str().unwrap();
    assert!(error.contains("the sides are watched for 5s"), "{error}");
    assert!(error.contains("`watched = \"10s\"`"), "{error}");
    assert_eq!(code, Some(2));
    let unknown = USUAL.replace("bin:server", "bin:sever");
    let (error, _) = load(&unknown, "main~1..main");
    assert!(
        error
            .as_str()
            .unwrap()
            .contains("did you mean `{bin:server}`?"),
        "{error}"
    );
    let cut = USUAL.replace("path = \"/none\"", "path = \"/not one\"");
    let (error, _) = load(&cut, "main~1..main");
    let error = error.as_str().unwrap();
    assert!(error.contains("`GET /not one` is not HTTP"), "{error}");
    let secret = USUAL.replace(
        "contains =",
        "headers = { Authorization = \"$NO_SUCH_TOKEN\" }\ncontains =",
    );
    let (error, _) = load(&secret, "main~1..main");
    assert!(
        error
            .as_str()
            .unwrap()
            .contains("`$NO_SUCH_TOKEN`, which is not set"),
        "{error}"
    );
}

#[test]
#[ignore = "builds and loads the sample for a minute: `just field`"]
fn the_demo_of_a_service_finds_what_is_planted_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = perfcheck("demo --service --seed 1 --format json")
        .env("XDG_CACHE_HOME", folder.path())
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let report: Value =
        report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    conforms(&report);
    assert_eq!(row(&report, "items/processor")["verdict"], "slower");
    let broken = &row(&report, "memory/limits")["metrics"]["broken-limits"];
    assert_eq!(broken["direction"], "more", "{report:#}");
    assert_eq!(
        (&report["vote"], output.status.code()),
        (&"reject".into(), Some(100))
    );
}
