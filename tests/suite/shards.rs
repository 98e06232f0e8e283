//! Several machines share the work, and one merges what they found.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::faults;
use crate::support::{Workspace, perfcheck};

/// Eight benchmarks; one of them is slower, one was removed. A changed function is linked in, and no
/// benchmark executes it; a rule and a budget match no benchmark.
fn workspace() -> Workspace {
    let benches = |names: &[&str]| -> String {
        let lines = names.iter().map(|name| format!("bench\t{name}\n"));
        lines.collect()
    };
    let common = ["a", "b", "c", "d/1", "d/2", "größe"];
    let base = format!("ns\t1000\n{}bench\tslow\nbench\tgone\n", benches(&common));
    let head = format!("ns\t1000\n{}ns\t2000\nbench\tslow\n", benches(&common));
    let workspace = faults::workspace(&base, &base);
    let speaker = std::fs::read_to_string(workspace.root().join("benches/fake.rs")).unwrap();
    let main = "fn main() {\n";
    let calls = "    if std::env::var_os(\"NOBODY_SETS_IT\").is_some() {\n        \
                 println!(\"{}\", fakes::uncovered(3));\n    }\n";
    let speaker = speaker.replacen(main, &format!("{main}{calls}"), 1);
    let library = |factor: u32| {
        format!(
            "#[inline(never)]\npub fn uncovered(n: u64) -> u64 {{\n    (0..n).fold({factor}, |a, x| a * x + {factor})\n}}\n"
        )
    };
    workspace
        .write("benches/fake.rs", &speaker)
        .write("src/lib.rs", &library(3))
        .write("perfcheck.toml", CONFIGURATION)
        .commit("The base, with a library")
        .write("benches/script", &head)
        .write("src/lib.rs", &library(5))
        .commit("The head, with another one");
    workspace
}

const CONFIGURATION: &str = "\
    [[benchmark]]\nmatch = 'startup'\nrequired = true\n\
    [[budget]]\nmatch = 'vanished/*'\np50 = '1ms'\n";

/// The kinds of the reasons, in their order, and the warnings about budgets.
fn judged(report: &Value) -> (Vec<String>, Vec<String>) {
    let reasons = report["typed_reasons"].as_array().unwrap().iter();
    let kinds = reasons.map(|reason| reason["kind"].as_str().unwrap().to_owned());
    let warnings = report["warnings"].as_array().unwrap().iter();
    let warnings = warnings.map(|warning| warning.as_str().unwrap().to_owned());
    let budgets = warnings.filter(|warning| warning.starts_with("a budget matches"));
    (kinds.collect(), budgets.collect())
}

/// The benchmarks with their verdicts.
fn verdicts(report: &Value) -> BTreeSet<(String, String)> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let benchmarks = report["benchmarks"].as_array().unwrap();
    benchmarks
        .iter()
        .map(|entry| (text(entry, "id"), text(entry, "verdict")))
        .collect()
}

/// Every line on stderr is an event, as `docs/formats.md` lists them.
fn assert_events(stderr: &str) {
    let documented = std::fs::read_to_string("docs/formats.md").unwrap();
    let mut seen = BTreeSet::new();
    for line in stderr.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let name = event["event"].as_str().unwrap().to_owned();
        assert!(documented.contains(&format!("| `{name}` |")), "{name}");
        seen.insert(name);
    }
    for name in [
        "resolved",
        "build-finished",
        "discovered",
        "settled",
        "pass-finished",
    ] {
        assert!(seen.contains(name), "{name} is not among {seen:?}");
    }
}

#[test]
fn two_shards_merged_name_the_benchmarks_and_verdicts_of_one_run() {
    let workspace = workspace();
    let run = |options: &str, name: &str| -> (Value, String) {
        let file = workspace.beside(name);
        let output = workspace
            .perfcheck(&format!(
                "HEAD~1..HEAD --seed 1 --rounds 6 --no-allocations {options}"
            ))
            .arg("--output")
            .arg(&file)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{stderr}"));
        (serde_json::from_str(&text).unwrap(), stderr)
    };
    let (whole, events) = run("--message-format json", "whole.json");
    assert_events(&events);
    let (first, _) = run("--partition hash:1/2", "1.json");
    let (second, _) = run("--partition=hash:2/2", "2.json");
    for shard in [&first, &second] {
        assert!(!verdicts(shard).is_empty());
        // Each knows how many share the error rate.
        assert_eq!(shard["methodology"]["family_size"], 7);
    }
    assert!(verdicts(&first).is_disjoint(&verdicts(&second)));

    let merge = |names: &[&str]| {
        let files = names.iter().map(|name| workspace.beside(name));
        perfcheck("report --format json")
            .args(files)
            .output()
            .unwrap()
    };
    let merged = merge(&["1.json", "2.json"]);
    // A reason that only all parts together show fails the job that merges them.
    assert_eq!(whole["vote"], "reject");
    assert_eq!(merged.status.code(), Some(100));
    let merged: Value = serde_json::from_slice(&merged.stdout).unwrap();
    assert_eq!(verdicts(&merged), verdicts(&whole));
    assert_eq!(merged["vote"], whole["vote"]);
    assert_eq!(judged(&merged), judged(&whole));
    assert_eq!(merged["reach"]["uncovered"], whole["reach"]["uncovered"]);
    let (kinds, budgets) = judged(&whole);
    assert_eq!(
        kinds,
        ["slower", "removed", "uncovered", "required-in-vain"],
        "{:#}",
        whole["reach"]
    );
    assert_eq!(budgets.len(), 1, "{budgets:?}");
    // A shard cannot know what the others have.
    for shard in [&first, &second] {
        let (kinds, budgets) = judged(shard);
        assert!(
            kinds
                .iter()
                .all(|kind| kind != "uncovered" && kind != "required-in-vain")
        );
        assert_eq!(budgets, [""; 0]);
    }
    assert_eq!(merged["methodology"]["confidence"], 0.95);
    let refused = merge(&["1.json", "whole.json"]);
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(101), "{message}");
    assert!(
        message.contains("is a part and another is not"),
        "{message}"
    );
    assert!(message.contains("`hash:2/2` is missing"), "{message}");
}
