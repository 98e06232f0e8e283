//! Benchmarks of Rust's built-in harness: functions with `#[bench]`, compared from end to end in one run.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, one_run};

const MANIFEST: &str =
    "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

/// On the head side, `slower` works twice as long, and `grows` makes one more allocation.
fn library(rounds: u64, strings: u64) -> String {
    let mut text = String::new();
    // If they were the same on one side, the compiler would merge both functions.
    for (name, rounds, factor) in [("slower", rounds, 5), ("same", 1, 7)] {
        let _ = write!(
            text,
            "#[inline(never)]\npub fn {name}(n: u64) -> u64 {{\n    (0..n * {rounds}).fold(1, |a, x| \
             a.wrapping_mul({factor}).wrapping_add(x))\n}}\n\n"
        );
    }
    text + &format!(
        "#[inline(never)]\npub fn grows(n: u64) -> Vec<String> {{\n    \
         (0..n + {strings}).map(|x| x.to_string()).collect()\n}}\n"
    )
}

const BENCHES: &str = "#![feature(test)]
extern crate test;

use std::time::Instant;
use test::{black_box, Bencher};

#[bench]
fn slower(b: &mut Bencher) {
    b.iter(|| plain::slower(black_box(1000)));
}

#[bench]
fn same(b: &mut Bencher) {
    b.iter(|| plain::same(black_box(1000)));
}

mod inner {
    use super::*;

    #[bench]
    fn grows(b: &mut Bencher) {
        b.bytes = 100;
        b.iter(|| plain::grows(black_box(10)));
    }

    #[bench]
    fn times_twice(b: &mut Bencher) {
        b.iter(|| plain::same(black_box(10)));
        b.iter(|| plain::slower(black_box(500)));
    }
}

/// The reads of the clock do not show what is timed.
#[bench]
fn reads_the_clock(b: &mut Bencher) {
    b.iter(|| {
        let begun = Instant::now();
        let sum = plain::slower(black_box(1000));
        (sum, begun.elapsed())
    });
}

#[bench]
#[ignore]
fn ignored(b: &mut Bencher) {
    b.iter(|| plain::slower(black_box(1000)));
}

#[test]
fn no_benchmark() {}
";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", &library(1, 0))
        .write("benches/plain.rs", BENCHES)
        .commit("Begin")
        .write("src/lib.rs", &library(2, 1))
        .commit("Work longer, and ask for more memory");
    workspace
}

/// The report of the one run.
fn report() -> &'static Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    REPORT.get_or_init(|| {
        let workspace = workspace();
        let command = workspace
            .perfcheck("HEAD~1..HEAD --quick --profile-time 300ms --format json")
            // The feature is for nightly; this lets any compiler have it.
            .env("RUSTC_BOOTSTRAP", "1");
        let output = command.assert().code(100).get_output().clone();
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

fn benchmark(id: &str) -> &'static Value {
    let mut benchmarks = report()["benchmarks"].as_array().unwrap().iter();
    benchmarks.find(|benchmark| benchmark["id"] == id).unwrap()
}

one_run! {
    functions_with_bench_are_compared_as_other_benchmarks:
    every_benchmark_that_is_not_ignored_is_found,
    a_slower_one_is_paired_by_sample_and_called_slower,
    one_that_executes_nothing_that_changed_is_not_measured,
    what_one_more_iteration_asks_for_is_counted_exactly,
    the_last_call_counts_of_one_that_has_itself_timed_twice,
    one_that_reads_the_clock_itself_is_paired_by_benchmark,
    the_function_that_became_slower_is_named,
}

fn every_benchmark_that_is_not_ignored_is_found() {
    let benchmarks = report()["benchmarks"].as_array().unwrap().iter();
    let mut ids: Vec<&str> = benchmarks.map(|b| b["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let expected = [
        "inner::grows",
        "inner::times_twice",
        "reads_the_clock",
        "same",
        "slower",
    ];
    assert_eq!(ids, expected);
}

fn a_slower_one_is_paired_by_sample_and_called_slower() {
    let slower = benchmark("slower");
    assert_eq!(slower["verdict"], "slower", "{slower:#}");
    assert_eq!(slower["pairing"], "sample", "{slower:#}");
    let notes = slower["notes"].to_string();
    assert!(!notes.contains("paired"), "{notes}");
}

fn one_that_executes_nothing_that_changed_is_not_measured() {
    let same = benchmark("same");
    assert_eq!(same["verdict"], "unreached", "{same:#}");
}

fn what_one_more_iteration_asks_for_is_counted_exactly() {
    let grows = benchmark("inner::grows");
    let allocations = &grows["metrics"]["allocations"];
    // A vector, and a string of each number.
    assert_eq!(allocations["base"]["value"], 11.0, "{grows:#}");
    assert_eq!(allocations["head"]["value"], 12.0, "{grows:#}");
    let slower = benchmark("slower");
    let none = &slower["metrics"]["allocations"]["head"]["value"];
    assert_eq!(*none, 0.0, "{slower:#}");
}

fn the_last_call_counts_of_one_that_has_itself_timed_twice() {
    let twice = benchmark("inner::times_twice");
    assert_eq!(twice["verdict"], "slower", "{twice:#}");
    assert_eq!(twice["pairing"], "sample", "{twice:#}");
}

fn one_that_reads_the_clock_itself_is_paired_by_benchmark() {
    let own = benchmark("reads_the_clock");
    let ratio = own["metrics"]["time"]["estimate"]["ratio"]
        .as_f64()
        .unwrap();
    assert!(ratio > 1.0, "{own:#}");
    assert_eq!(own["pairing"], "benchmark", "{own:#}");
    let notes = own["notes"].to_string();
    assert!(notes.contains("not paired sample by sample"), "{notes}");
}

fn the_function_that_became_slower_is_named() {
    let mut all = report()["attributions"].as_array().unwrap().iter();
    let slower = all.find(|one| one["id"] == "slower").unwrap();
    let first = &slower["explanation"]["contributors"][0];
    assert!(first.to_string().contains("plain::slower"), "{slower:#}");
}
