//! Planted changes, traced back, all of them in one run: the right function, and the right lines or
//! setting, come first.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, one_run};

const MANIFEST: &str = r#"[package]
name = "planted"
version = "0.1.0"
edition = "2021"

[dependencies]
dep = { version = "=1.0.0", registry = "mine" }
plain = { path = "plain" }
regex = "1"

[dev-dependencies]
criterion = { version = "0.8", default-features = false }

[[bench]]
name = "planted"
harness = false

# Criterion is not what is measured: quick to build is better.
[profile.bench.package."*"]
opt-level = 0
debug = false

[profile.bench.package.dep]
opt-level = 3
debug = 1

[profile.bench.package.plain]
opt-level = 3
"#;

const PLAIN: &str = "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

/// Only the way it is compiled changes.
const PLAIN_SOURCE: &str = r#"//! Something to be compiled with more or less care.

/// Turns it.
#[inline(never)]
pub fn turns(mut x: u64) -> u64 {
    for n in 0..400 {
        x = x.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15 + n);
    }
    x
}
"#;

/// An unreachable registry whose packages are in the repository.
const CARGO: &str = r#"[registries.mine]
index = "sparse+http://127.0.0.1:9/"

[source.mine]
registry = "sparse+http://127.0.0.1:9/"
replace-with = "vendored"

[source.vendored]
directory = "vendor"
"#;

const BENCH: &str = r#"use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    let names: Vec<String> = (0..200).map(|n| format!("the name of item number {n}")).collect();
    c.bench_function("steps", |b| b.iter(|| planted::steps(black_box(1))));
    c.bench_function("names", |b| b.iter(|| planted::longest(black_box(&names))));
    c.bench_function("words", |b| b.iter(|| planted::capitals(black_box(&names))));
    c.bench_function("load", |b| b.iter(|| planted::load(black_box(7))));
    c.bench_function("turns", |b| b.iter(|| plain::turns(black_box(7))));
}

criterion_group!(benches, all);
criterion_main!(benches);
"#;

const REST: &str = r#"
fn length(names: &[String]) -> usize {
    names.iter().map(|name| name.len()).max().unwrap_or(0)
}

/// The length of the longest name, found thrice.
#[inline(never)]
pub fn longest(names: &[String]) -> usize {
    let mut found = 0;
    for _ in 0..3 {
        found = found.max(length(std::hint::black_box(names)));
    }
    found
}

/// How many names have an `item` in them.
#[inline(never)]
pub fn capitals(names: &[String]) -> usize {
    let item = regex::Regex::new("item [a-z]+ [0-9]+").unwrap();
    names.iter().filter(|name| item.is_match(name)).count()
}

/// What the dependency makes of it.
#[inline(never)]
pub fn load(x: u64) -> u64 {
    dep::mix(x) ^ dep::mix(x + 1)
}
"#;

/// Forty functions that do the same, each with a number of turns of its own.
fn library(turns: impl Fn(usize) -> usize) -> String {
    let mut text = String::from("//! Things to be timed.\n");
    for n in 0..40 {
        let turns = turns(n);
        let _ = write!(
            text,
            "\n#[inline(never)]\nfn step{n:02}(mut x: u64) -> u64 {{\n    for _ in 0..{turns} {{\n        \
             x = x.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15 + {n});\n    }}\n    x\n}}\n"
        );
    }
    text.push_str("\n/// All of them, one after another.\npub fn steps(mut x: u64) -> u64 {\n");
    for n in 0..40 {
        let _ = writeln!(text, "    x = step{n:02}(x);");
    }
    text + "    x\n}\n" + REST
}

fn dependency(repository: &Workspace, version: &str, turns: usize) {
    let folder = format!("vendor/dep-{version}");
    repository
        .write(
            &format!("{folder}/Cargo.toml"),
            &format!("[package]\nname = \"dep\"\nversion = \"{version}\"\nedition = \"2021\"\n"),
        )
        .write(
            &format!("{folder}/src/lib.rs"),
            &format!(
                "#[inline(never)]\npub fn mix(mut x: u64) -> u64 {{\n    for _ in 0..{turns} {{\n        \
                 x = x.rotate_left(7).wrapping_mul(0x2545_f491_4f6c_dd1d);\n    }}\n    x\n}}\n"
            ),
        )
        .write(&format!("{folder}/.cargo-checksum.json"), r#"{"files":{},"package":null}"#);
}

/// The repository: a revision, and a second one with all planted changes.
fn repository() -> Workspace {
    let repository = Workspace::new();
    dependency(&repository, "1.0.0", 100);
    dependency(&repository, "1.1.0", 200);
    repository
        .write("Cargo.toml", MANIFEST)
        .write(".cargo/config.toml", CARGO)
        .write("benches/planted.rs", BENCH)
        .write("src/lib.rs", &library(|_| 40))
        .write("plain/Cargo.toml", PLAIN)
        .write("plain/src/lib.rs", PLAIN_SOURCE)
        .commit("Time some things");
    let slower = library(|n| if n == 17 { 400 } else { 40 })
        .replace(
            "found.max(length(std::hint::black_box(names)))",
            "found.max(length(&std::hint::black_box(names).to_vec()))",
        )
        .replace(
            "    let item = regex::Regex::new(\"item [a-z]+ [0-9]+\").unwrap();\n    names.iter().filter(|name| item.is_match(name)).count()\n",
            "    let item = || regex::Regex::new(\"item [a-z]+ [0-9]+\").unwrap();\n    names.iter().filter(|name| item().is_match(name)).count()\n",
        );
    let manifest = MANIFEST
        .replace("=1.0.0", "=1.1.0")
        .replace("opt-level = 3", "opt-level = 0");
    repository
        .write("Cargo.toml", &manifest)
        .write("src/lib.rs", &slower)
        .commit("Be careful");
    repository
}

/// The report of what is planted. Everything is profiled, so the findings do not depend on how
/// certain such a short run can be about a change.
fn planted() -> &'static Value {
    static PLANTED: OnceLock<Value> = OnceLock::new();
    PLANTED.get_or_init(|| {
        let options = "--time-per-benchmark 200ms --rounds 4 --no-allocations";
        let profiling = "--profile-all --profile-time 600ms";
        let output = repository()
            .perfcheck(&format!("HEAD~1..HEAD {options} {profiling} --format json"))
            .args(["--warm-up-time", "10ms", "--measurement-time", "20ms"])
            .output()
            .unwrap();
        let progress = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{progress}"))
    })
}

fn attribution<'a>(report: &'a Value, id: &str) -> &'a Value {
    let all = report["attributions"].as_array();
    let found = all.and_then(|all| all.iter().find(|entry| entry["id"] == id));
    found.unwrap_or_else(|| panic!("{id} in {report:#}"))
}

/// The first contributor: its function, and the lines that its first hunk adds.
fn culprit(report: &Value, id: &str) -> (String, String) {
    let first = &attribution(report, id)["explanation"]["contributors"][0];
    let lines = first["hunks"][0]["lines"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let added = lines.iter().filter(|line| line["kind"] == "added");
    let added: Vec<&str> = added.map(|line| line["text"].as_str().unwrap()).collect();
    (
        first["function"].as_str().unwrap().to_owned(),
        added.join("\n"),
    )
}

one_run! {
    what_is_planted_is_named_first:
    a_slower_loop_in_one_of_forty_functions_is_found,
    an_added_clone_is_found_in_the_function_that_clones,
    a_regular_expression_compiled_in_a_loop_is_found_and_advised_against,
    a_dependency_that_became_slower_is_named_with_its_versions,
    a_changed_build_profile_is_named_where_no_line_changed,
}

fn a_slower_loop_in_one_of_forty_functions_is_found() {
    let (function, added) = culprit(planted(), "steps");
    assert!(function.ends_with("planted::step17"), "{function}");
    assert!(added.contains("0..400"), "{added}");
}

fn an_added_clone_is_found_in_the_function_that_clones() {
    let (function, added) = culprit(planted(), "names");
    assert!(function.ends_with("planted::longest"), "{function}");
    assert!(added.contains("to_vec()"), "{added}");
    let advice = &attribution(planted(), "names")["advice"][0];
    assert!(
        advice["function"]
            .as_str()
            .unwrap()
            .ends_with("planted::longest"),
        "{advice}"
    );
}

fn a_regular_expression_compiled_in_a_loop_is_found_and_advised_against() {
    let (function, added) = culprit(planted(), "words");
    assert!(function.ends_with("planted::capitals"), "{function}");
    assert!(added.contains("|| regex::Regex::new"), "{added}");
    let advice = &attribution(planted(), "words")["advice"][0];
    assert_eq!(advice["what"], "compiling a regular expression");
    assert!(
        advice["function"]
            .as_str()
            .unwrap()
            .ends_with("planted::capitals"),
        "{advice}"
    );
}

fn a_dependency_that_became_slower_is_named_with_its_versions() {
    let (function, _) = culprit(planted(), "load");
    assert!(function.ends_with("dep::mix"), "{function}");
    let beside = &attribution(planted(), "load")["explanation"]["beside"];
    assert!(beside.to_string().contains("dep 1.0.0 → 1.1.0"), "{beside}");
}

fn a_changed_build_profile_is_named_where_no_line_changed() {
    let (function, _) = culprit(planted(), "turns");
    assert!(function.ends_with("plain::turns"), "{function}");
    let explanation = &attribution(planted(), "turns")["explanation"];
    let beside = explanation["beside"].to_string();
    assert!(
        beside.contains("profile.bench.package.plain.opt-level 3 → 0"),
        "{beside}"
    );
    for contributor in explanation["contributors"].as_array().unwrap() {
        assert!(contributor["hunks"].is_null(), "{contributor}");
    }
}
