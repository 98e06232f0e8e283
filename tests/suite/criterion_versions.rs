//! Versions of Criterion that people use, in one workspace: one real run, shared by all tests here. The oldest,
//! the newest and a mix of two; all of them by `just field`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, one_run};

const EVERY_VERSION: [&str; 6] = ["v0_3", "v0_4", "v0_5", "v0_6", "v0_7", "v0_8"];

fn is_in_the_field() -> bool {
    std::env::var_os("TEST_FIELD").is_some()
}

fn versions() -> Vec<&'static str> {
    let mut versions = EVERY_VERSION.to_vec();
    versions.retain(|version| is_in_the_field() || ["v0_3", "v0_8"].contains(version));
    versions
}

fn packages() -> Vec<&'static str> {
    [versions(), vec!["mixed"]].concat()
}

/// The ids of `shapes.rs`, each of a kind that could cause trouble on its way through the program.
const SHAPES: [&str; 16] = [
    "plain",
    "with spaces, 'single' and \"double\" quotes",
    "regex (a|b)* [c]+ ^$ . \\d {2} ?",
    "slashes/of/a path/",
    "unicode äöü 漢字 🦀",
    "-begins with a dash",
    "one of two ids that are the same in their first sixty-four characters: a",
    "one of two ids that are the same in their first sixty-four characters: b",
    "group/chain/250",
    "group/chain/500",
    "group/only/a parameter",
    "settings of its own/flat",
    "loop/iter_with_large_drop",
    "loop/iter_batched",
    "loop/iter_batched_ref",
    "loop/iter_custom",
];

/// What was said of the workspace.
struct Told {
    report: Value,
    calibration: Value,
}

fn report() -> &'static Value {
    &told().report
}

fn told() -> &'static Told {
    static TOLD: OnceLock<Told> = OnceLock::new();
    TOLD.get_or_init(|| {
        let workspace = Workspace::new();
        workspace
            .unpack("versions/base")
            .commit("Chain as many steps as asked for")
            .unpack("versions/head")
            .commit("Chain twice as many");
        let json = workspace.beside("report.json");
        let output = workspace
            .perfcheck(
                "HEAD~1..HEAD --seed 1 --rounds 30 --threshold 20% --time-per-benchmark 300ms --format json --no-allocations --no-profile",
            )
            .args(["--warm-up-time", "5ms", "--measurement-time", "10ms"])
            .arg("--output")
            .arg(&json)
            .args(packages().iter().flat_map(|package| ["-p", package]))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let text = std::fs::read_to_string(json).unwrap_or_else(|_| panic!("{stderr}"));
        let report = serde_json::from_str(&text).unwrap();
        let output = workspace
            .perfcheck(
                "calibrate HEAD --runs 2 --inject 99% --seed 1 --rounds 9 -p v0_8 --format json",
            )
            .args(["--filter", "^plain$|^loop/iter_custom$"])
            .args(["--warm-up-time", "5ms", "--measurement-time", "10ms"])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let calibration =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
        Told {
            report,
            calibration,
        }
    })
}

/// The benchmarks of a package, by id.
fn benchmarks_of(package: &str) -> BTreeMap<&'static str, &'static Value> {
    report()["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["package"] == package)
        .map(|entry| (entry["id"].as_str().unwrap(), entry))
        .collect()
}

one_run! {
    versions_of_criterion_are_measured_alike:
    every_version_reports_every_shape_of_id_and_loop,
    every_version_is_paired_by_sample_where_the_benchmark_leaves_timing_to_it,
    settings_in_the_code_are_outdone_in_every_version,
    twice_the_work_is_slower_in_every_version_and_in_a_mix_of_two,
    what_one_iteration_processes_is_read_back,
    a_criterion_that_differs_between_the_sides_is_a_confounder,
    a_harness_that_does_not_speak_the_protocol_is_named_as_skipped,
    a_calibration_finds_what_it_injected_and_says_where_it_could_not,
}

fn a_calibration_finds_what_it_injected_and_says_where_it_could_not() {
    let calibration = &told().calibration;
    assert_eq!(calibration["repetitions"], 2);
    let injected = calibration["injected"].as_f64().unwrap();
    assert!((injected - 0.99).abs() < 1e-9, "{injected}");
    let benchmarks = calibration["benchmarks"].as_array().unwrap();
    let of = |id: &str| benchmarks.iter().find(|one| one["id"] == id).unwrap();
    let plain = of("plain");
    assert_eq!(plain["pairing"], "sample");
    assert_eq!(plain["comparisons"], 2);
    assert_eq!(plain["found"], 2, "{plain:#}");
    assert_eq!(plain["false_alarms"], 0);
    let custom = of("loop/iter_custom");
    assert_eq!(custom["pairing"], "benchmark");
    assert_eq!(custom["comparisons"], 2);
    assert_eq!(custom["found"], Value::Null, "{custom:#}");
    let advice = calibration["advice"].to_string();
    assert!(advice.contains("nothing could be injected"), "{advice}");
}

fn every_version_reports_every_shape_of_id_and_loop() {
    for package in packages() {
        let found: BTreeSet<&str> = benchmarks_of(package).into_keys().collect();
        let missing: Vec<&str> = SHAPES
            .into_iter()
            .filter(|id| !found.contains(id))
            .collect();
        assert!(
            missing.is_empty(),
            "{package}: {missing:?}, found {found:?}"
        );
    }
    let futures = benchmarks_of("v0_8");
    assert!(futures.contains_key("async iter"));
    assert!(futures.contains_key("async iter_batched"));
}

fn every_version_is_paired_by_sample_where_the_benchmark_leaves_timing_to_it() {
    for package in packages() {
        for (id, entry) in benchmarks_of(package) {
            let expected = match id {
                "loop/iter_custom" => "benchmark",
                _ => "sample",
            };
            assert_eq!(entry["pairing"], expected, "{package} {id}: {entry:#}");
        }
    }
}

fn settings_in_the_code_are_outdone_in_every_version() {
    for package in packages() {
        let entry = benchmarks_of(package)["settings of its own/flat"];
        let notes = entry["notes"].to_string();
        assert!(notes.contains("own settings"), "{package}: {notes}");
        assert!(!notes.contains("keeps to them"), "{package}: {notes}");
    }
}

fn twice_the_work_is_slower_in_every_version_and_in_a_mix_of_two() {
    for package in packages() {
        for (id, entry) in benchmarks_of(package) {
            assert_eq!(entry["verdict"], "slower", "{package} {id}: {entry:#}");
        }
    }
}

fn what_one_iteration_processes_is_read_back() {
    for package in versions() {
        let throughput = &benchmarks_of(package)["group/chain/250"]["throughput"];
        assert!(
            throughput.to_string().contains("250"),
            "{package}: {throughput}"
        );
    }
}

fn a_criterion_that_differs_between_the_sides_is_a_confounder() {
    let confounders = report()["confounders"].to_string();
    assert!(confounders.contains("mixed"), "{confounders}");
    assert!(
        confounders.to_lowercase().contains("criterion"),
        "{confounders}"
    );
}

fn a_harness_that_does_not_speak_the_protocol_is_named_as_skipped() {
    let skipped = report()["skipped"].as_array().unwrap();
    let own_main = skipped.iter().find(|entry| entry["target"] == "own_main");
    let own_main = own_main.unwrap_or_else(|| panic!("{skipped:#?}"));
    assert_ne!(own_main["reason"], "");
}
