//! What benchmarks depend on besides the code of their executables: one workspace, in which a library, a program, a
//! variable, or a file changes for each benchmark but some.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::Workspace;

/// The benchmarks that none of this affects, as `target id`.
const UNCONCERNED: [&str; 5] = [
    "data none",
    "data none as well",
    "loads none",
    "starts none",
    "touches_nothing nothing",
];

#[test]
fn what_a_benchmark_reads_loads_starts_or_asks_for_is_part_of_what_is_compared() {
    let workspace = Workspace::new();
    let lead_to = |sizes: &str| {
        let link = workspace.root().join("many/current");
        let _ = std::fs::remove_file(&link);
        symlink(sizes, link).unwrap();
        // The lock file of each side is its own.
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version=1"]);
        let locked = cargo.current_dir(workspace.root()).output().unwrap();
        assert!(locked.status.success(), "{locked:?}");
        workspace.commit(sizes);
    };
    workspace.unpack("surroundings/base");
    lead_to("sets/one");
    workspace.unpack("surroundings/head");
    lead_to("sets/two");

    let options =
        "--time-per-benchmark 50ms --rounds 3 --no-allocations --no-profile --format json";
    let run = workspace.perfcheck(&format!("HEAD~1..HEAD {options}"));
    let output = run.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice::<serde_json::Value>(&output.stdout);
    let report = report.unwrap_or_else(|_| panic!("{stderr}"));

    let mut concerned = Vec::new();
    let mut unconcerned = Vec::new();
    for benchmark in report["benchmarks"].as_array().unwrap() {
        let word = |key: &str| benchmark[key].as_str().unwrap();
        let name = format!("{} {}", word("target"), word("id"));
        match word("verdict") {
            "identical" | "unreached" => unconcerned.push(name),
            verdict => {
                assert_ne!(verdict, "failed", "{benchmark:#}");
                concerned.push(name);
            }
        }
    }
    unconcerned.sort();
    assert_eq!(unconcerned, UNCONCERNED, "{stderr}");
    let all = [
        "asks configured",
        "asks said",
        "data index",
        "data link",
        "data listed",
        "data lock",
        "linked linked",
        "loads plugged",
        "starts itself",
        "starts program",
    ];
    concerned.sort();
    assert_eq!(concerned, all, "{stderr}");
    // `work::work` differs, and perfcheck does not see what the processes that benchmarks start execute.
    let reach = &report["reach"];
    assert!(
        reach["uncovered"].as_array().is_none_or(Vec::is_empty),
        "{reach:#}"
    );
    assert!(reach["notes"].to_string().contains("starts"), "{reach:#}");
}
