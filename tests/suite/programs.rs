//! Whole programs are compared like benchmarks: those of `fixtures/crates/programs`, with a change planted for each.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, has_sqlite, one_run};

/// As few rounds as show a change of memory.
const SHORT: &str = "--seed 1 --rounds 9 --measurement-time 10ms --time-per-benchmark 1ms";

/// Four commits: the base, the planted changes, other data, and nothing new.
fn workspace() -> &'static Workspace {
    static MADE: OnceLock<Workspace> = OnceLock::new();
    MADE.get_or_init(|| {
        let workspace = Workspace::new();
        workspace.unpack("programs/base").commit("The base");
        std::fs::remove_file(workspace.root().join("src/old.rs")).unwrap();
        workspace
            .unpack("programs/head")
            .commit("Slower, hungrier, and broken")
            .write("lines.md", "another line\n")
            .commit("Other data")
            .commit("Nothing");
        workspace
    })
}

fn run(range: &str, words: &[&str]) -> Value {
    let output = workspace()
        .keeping(&format!("{range} {SHORT} --format json"))
        .args(words)
        .env("LEFT", workspace().beside("left"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
}

/// All workloads of the configuration, base against planted changes.
fn planted() -> &'static Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    REPORT.get_or_init(|| run("HEAD~3..HEAD~2", &["--no-profile"]))
}

fn entry<'r>(report: &'r Value, id: &str) -> &'r Value {
    let benchmarks = report["benchmarks"].as_array().unwrap();
    let mut found = benchmarks.iter().filter(|one| one["id"] == id);
    found
        .next()
        .unwrap_or_else(|| panic!("no {id} in {report}"))
}

fn verdict<'r>(report: &'r Value, id: &str) -> &'r str {
    entry(report, id)["verdict"].as_str().unwrap()
}

fn direction<'r>(report: &'r Value, id: &str, metric: &str) -> Option<&'r str> {
    entry(report, id)["metrics"][metric]["direction"].as_str()
}

one_run!(
    programs_are_compared_judged_and_explained: a_slower_loop_is_slower_and_takes_more_processor_time,
    time_counts_from_a_line_of_the_output_and_everything_else_from_the_start,
    a_larger_peak_is_found_and_held_against_its_budget,
    a_leak_is_found_with_its_function_and_hunk,
    allocations_are_counted_exactly_and_traced_to_their_lines,
    what_one_side_lacks_is_added_or_removed,
    a_program_that_fails_on_one_side_is_named_with_its_last_words,
    a_program_that_needs_a_terminal_is_told_what_helps,
    an_exit_code_that_is_expected_is_no_failure,
    what_a_program_prints_about_itself_is_compared_and_held_against_its_limit,
    a_broken_metric_is_a_failure_that_quotes_it,
    a_program_that_hangs_is_ended,
    megabytes_of_output_do_no_harm,
    what_a_program_leaves_running_is_ended,
    data_comes_on_the_standard_input_and_in_variables,
    the_report_keeps_to_its_schema,
);

fn a_slower_loop_is_slower_and_takes_more_processor_time() {
    let report = planted();
    assert_eq!(verdict(report, "spin"), "slower");
    assert_eq!(direction(report, "spin", "processor-time"), Some("more"));
    assert_ne!(direction(report, "spin", "peak-memory"), Some("more"));
    assert_eq!(entry(report, "spin")["target"], "workload");
    assert_eq!(entry(report, "spin")["package"], "tool");
    let size = &entry(report, "spin")["metrics"]["program-size"];
    assert_eq!(size["head"]["exactness"], "exact");
    assert!(size["head"]["value"].as_f64() > Some(100_000.0), "{size}");
}

fn time_counts_from_a_line_of_the_output_and_everything_else_from_the_start() {
    let report = planted();
    assert_ne!(verdict(report, "late"), "slower");
    assert_eq!(direction(report, "late", "processor-time"), Some("more"));
    let reason = &entry(report, "unheard")["failure"]["reason"];
    let expected = "printed no line with `ready`, from which on its time counts (`from`)";
    assert_eq!(*reason, expected);
}

fn a_larger_peak_is_found_and_held_against_its_budget() {
    let report = planted();
    assert_eq!(direction(report, "hoard", "peak-memory"), Some("more"));
    assert_eq!(direction(report, "hoard", "page-faults"), Some("more"));
    assert_eq!(budget(report, "peak-memory")["status"], "over");
    let reasons = report["reasons"].to_string();
    assert!(
        reasons.contains("peak memory") && reasons.contains("benchmarks allocate more"),
        "{reasons}"
    );
    assert_eq!(direction(report, "hoard", "peak"), Some("more"));
    let hunk = hunk_of(report, "hoard", "tool::planted::hoard", "src/planted.rs");
    assert!(hunk.contains("vec![0_u8; 36 << 20]"), "{hunk}");
}

fn a_leak_is_found_with_its_function_and_hunk() {
    let report = planted();
    // As many allocations as before, of as many bytes.
    assert_eq!(direction(report, "keep", "bytes"), Some("same"));
    assert_eq!(direction(report, "keep", "left-behind"), Some("more"));
    let sites = &entry(report, "keep")["sites"];
    assert_eq!(sites[0]["function"], "tool::planted::keep", "{sites}");
    let left = serde_json::json!({"base": 0.0, "head": 65536.0});
    assert_eq!(sites[0]["left_behind"], left, "{sites}");
    let hunk = hunk_of(report, "keep", "tool::planted::keep", "src/planted.rs");
    assert!(hunk.contains("Box::leak"), "{hunk}");
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("left behind"), "{reasons}");
}

fn allocations_are_counted_exactly_and_traced_to_their_lines() {
    let report = planted();
    assert_eq!(direction(report, "letters", "allocations"), Some("more"));
    let of = |id: &str, metric: &str| {
        let change = &entry(report, id)["metrics"][metric];
        ["base", "head"].map(|side| change[side]["value"].as_f64().unwrap())
    };
    // A string each, and one more for its repetition.
    let [base, head] = of("letters", "allocations");
    assert_eq!(head - base, 100.0);
    let sites = entry(report, "letters")["sites"].to_string();
    assert!(sites.contains("tool::planted::letters"), "{sites}");
    // Within a hundredth of what it asks for by itself.
    let [base, head] = of("hoard", "bytes");
    assert!((base / f64::from(24 << 20) - 1.0).abs() < 0.01, "{base}");
    assert!((head / f64::from(36 << 20) - 1.0).abs() < 0.01, "{head}");
}

fn budget<'r>(report: &'r Value, metric: &str) -> &'r Value {
    let budgets = report["budgets"].as_array().unwrap();
    budgets.iter().find(|one| one["metric"] == metric).unwrap()
}

fn what_a_program_prints_about_itself_is_compared_and_held_against_its_limit() {
    let report = planted();
    let (queries, hits) = (
        "printed/lower/count/queries",
        "printed/higher/count/hit rate",
    );
    assert_eq!(direction(report, "count", queries), Some("more"));
    assert_eq!(direction(report, "count", hits), Some("fewer"));
    let count = &entry(report, "count")["metrics"][queries];
    assert_eq!(
        (&count["base"]["value"], &count["head"]["value"]),
        (&3.0.into(), &9.0.into())
    );
    assert_eq!(budget(report, queries)["status"], "over");
    assert_eq!(report["metrics"][hits]["better"], "higher");
    let notes = entry(report, "count")["notes"].to_string();
    assert!(notes.contains("no run printed `rows`"), "{notes}");
    let reasons = report["reasons"].to_string();
    assert!(
        reasons.contains("hit rate 90 → 60, queries 3 → 9"),
        "{reasons}"
    );
}

fn a_broken_metric_is_a_failure_that_quotes_it() {
    assert_eq!(entry(planted(), "tool idle")["failure"], Value::Null);
    let reason = &entry(planted(), "tool broken")["failure"]["reason"];
    assert_eq!(*reason, "printed `queries many`, which has no number");
}

fn what_one_side_lacks_is_added_or_removed() {
    assert_eq!(verdict(planted(), "old"), "removed");
    assert_eq!(verdict(planted(), "new"), "added");
}

fn a_program_that_fails_on_one_side_is_named_with_its_last_words() {
    assert_eq!(verdict(planted(), "fail"), "failed");
    let failure = &entry(planted(), "fail")["failure"];
    assert_eq!(failure["side"], "head");
    assert_eq!(failure["reason"], "exited with status 3");
    let words = failure["stderr_tail"].as_str().unwrap();
    assert!(words.contains("no such planet"), "{words}");
}

fn a_program_that_needs_a_terminal_is_told_what_helps() {
    let reason = entry(planted(), "ask")["failure"]["reason"]
        .as_str()
        .unwrap();
    assert!(
        reason.contains("exited with status 1, and asked for a terminal"),
        "{reason}"
    );
    assert!(reason.contains("script -qec"), "{reason}");
}

fn an_exit_code_that_is_expected_is_no_failure() {
    assert_eq!(entry(planted(), "fail on purpose")["failure"], Value::Null);
}

fn a_program_that_hangs_is_ended() {
    let failure = &entry(planted(), "hang")["failure"];
    let reason = failure["reason"].as_str().unwrap();
    assert!(reason.starts_with("had not ended after 1s"), "{reason}");
}

fn megabytes_of_output_do_no_harm() {
    assert_eq!(entry(planted(), "chatter")["failure"], Value::Null);
}

fn what_a_program_leaves_running_is_ended() {
    assert_eq!(entry(planted(), "fork")["failure"], Value::Null);
    for side in ["base", "head"] {
        let id = std::fs::read_to_string(workspace().beside(&format!("left-{side}"))).unwrap();
        let process = Path::new("/proc").join(id.trim());
        assert!(!process.exists(), "{} still runs", process.display());
    }
}

fn data_comes_on_the_standard_input_and_in_variables() {
    assert_eq!(entry(planted(), "copy")["failure"], Value::Null);
    assert_eq!(entry(planted(), "piped")["failure"], Value::Null);
}

fn the_report_keeps_to_its_schema() {
    is_valid(planted());
}

fn is_valid(report: &Value) {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report.v2.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_program_is_identical_until_any_file_differs_and_one_of_neither_side_fails_alone() {
    let report = run("HEAD~1..HEAD", &["--filter", "^idle$"]);
    assert_eq!(verdict(&report, "idle"), "identical");
    // Nobody watches which files a program opens.
    let report = run("HEAD~2..HEAD~1", &["--filter", "^(idle|copy|old)$"]);
    assert_ne!(verdict(&report, "idle"), "identical");
    assert_ne!(verdict(&report, "copy"), "identical");
    // The configuration speaks of a program that these two commits do not have.
    let reason = &entry(&report, "old")["failure"]["reason"];
    assert_eq!(*reason, "lacks a program that the command names");
}

#[test]
fn a_command_line_is_compared_without_any_configuration_and_its_change_is_explained() {
    let words = ["--run", "{bin:tool/tool} spin", "--profile-time", "500ms"];
    let report = run("HEAD~3..HEAD~2", &words);
    let benchmarks = report["benchmarks"].as_array().unwrap();
    assert_eq!(benchmarks.len(), 1);
    assert_eq!(verdict(&report, "tool spin"), "slower");
    let explanation = &report["attributions"][0]["explanation"];
    let first = &explanation["contributors"][0];
    assert_eq!(first["function"], "tool::planted::spin", "{explanation}");
    assert!(first.to_string().contains("src/planted.rs"), "{first}");
    assert!(
        first.to_string().contains("for turn in 0..80_000_000"),
        "{first}"
    );
}

#[test]
fn a_query_in_a_loop_is_found_with_its_statement_function_and_hunk() {
    if !has_sqlite("a_query_in_a_loop_is_found_with_its_statement_function_and_hunk") {
        return;
    }
    // The same program twice: its SQLite is a library, or linked into it.
    let words = ["--run", "{bin:shop}", "--run", "{bin:shop-static}"];
    let mut words = words.to_vec();
    if cfg!(not(target_arch = "x86_64")) {
        words.truncate(2);
    }
    let ids = ["shop", "shop-static"].into_iter().take(words.len() / 2);
    words.push("--no-profile");
    let report = run("HEAD~3..HEAD~2", &words);
    for id in ids {
        // Two tables, two rows for each article, and then one query on the base side.
        let queries = &entry(&report, id)["metrics"]["queries"];
        assert_eq!(queries["base"]["value"], 83.0, "{report}");
        assert_eq!(queries["head"]["value"], 123.0);
        assert_eq!(queries["base"]["exactness"], "exact");
        assert_eq!(direction(&report, id, "queries"), Some("more"));
        let statement = &entry(&report, id)["statements"][0];
        assert_eq!(statement["text"], "SELECT name FROM tag WHERE article = ?");
        assert_eq!(
            statement["count"],
            serde_json::json!({"base": 0.0, "head": 40.0})
        );
        assert_eq!(statement["pattern"], "n-plus-one");
        let function = statement["function"].as_str().unwrap();
        assert!(function.ends_with("::stock::tags"), "{function}");
        let location = statement["location"].as_str().unwrap();
        assert!(location.starts_with("src/stock.rs:"), "{location}");
        let hunk = hunk_of(&report, id, function, "src/stock.rs");
        assert!(hunk.contains("WHERE article = ?"), "{hunk}");
        let budgets = report["budgets"].as_array().unwrap();
        let mut own = budgets.iter().filter(|one| one["benchmark"]["id"] == id);
        assert!(
            own.any(|one| one["metric"] == "queries" && one["status"] == "over"),
            "{budgets:?}"
        );
    }
    let reasons = report["reasons"].to_string();
    assert!(reasons.contains("queries 83 → 123"), "{reasons}");
    // It is the report's schema, with what the other runs of this file have none of.
    is_valid(&report);
}

/// The piece of the change behind a place.
fn hunk_of(report: &Value, id: &str, function: &str, path: &str) -> String {
    let places = report["places"].as_array().unwrap();
    let mut found = places.iter();
    let place = found.find(|place| place["id"] == id && place["function"] == function);
    let hunk = &place.unwrap_or_else(|| panic!("no {function} in {places:?}"))["hunks"][0];
    assert_eq!(hunk["path"], path);
    hunk.to_string()
}

#[test]
fn a_program_that_nobody_has_is_answered_with_the_nearest_name() {
    let output = workspace()
        .keeping("HEAD~3..HEAD~2")
        .args(["--run", "{bin:tol} spin"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(
        stderr.contains("neither side has a program or example `tol`"),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean `{bin:tool}`?"), "{stderr}");
}
