//! The whole pipeline on the sample repository: one real run, shared by all tests here. They assert
//! directions, never magnitudes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::perfcheck;

/// What one run of the demo left.
struct Demo {
    code: Option<i32>,
    text: String,
    markdown: String,
    report: Value,
    progress: String,
    leftovers: Vec<String>,
    /// Files for other tools: path within their folder, and content.
    artifacts: BTreeMap<String, Vec<u8>>,
}

fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("demo.json");
        let markdown = folder.path().join("demo.md");
        let cache = folder.path().join("cache");
        let temporary = folder.path().join("tmp");
        let artifacts = folder.path().join("artifacts");
        std::fs::create_dir(&temporary).unwrap();
        let output =
            perfcheck("demo --seed 1 --format text --output - --format json --format markdown")
                .arg("--output")
                .arg(&json)
                .arg("--output")
                .arg(&markdown)
                .arg("--artifacts")
                .arg(&artifacts)
                .env("XDG_CACHE_HOME", &cache)
                .env("TMPDIR", &temporary)
                .output()
                .unwrap();
        let progress = String::from_utf8(output.stderr).unwrap();
        let read = |path| std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{progress}"));
        let mut leftovers = files_below(&cache);
        leftovers.extend(files_below(&temporary));
        Demo {
            code: output.status.code(),
            text: String::from_utf8(output.stdout).unwrap(),
            markdown: read(&markdown),
            report: serde_json::from_str(&read(&json)).unwrap(),
            progress,
            leftovers,
            artifacts: contents(&artifacts),
        }
    })
}

/// Every file below a folder with what is in it.
fn contents(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: String| {
        let name = path
            .strip_prefix(&format!("{}/", folder.display()))
            .unwrap();
        (name.to_owned(), std::fs::read(&path).unwrap())
    };
    files_below(folder).into_iter().map(read).collect()
}

/// Every file below a folder, beside what marks it as a cache.
fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !["lock", ".gitignore", "CACHEDIR.TAG"]
                .iter()
                .any(|mark| path.ends_with(mark))
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Package and id of every benchmark, with its entry.
fn benchmarks() -> BTreeMap<String, &'static Value> {
    demo().report["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap().to_owned();
            (format!("{} {}", word("package"), word("id")), entry)
        })
        .collect()
}

/// rustc links with lld by itself from 1.90 on.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn each_round_is_timed_in_a_layout_of_its_own() {
    let method = &demo().report["methodology"];
    assert!(method["layouts"].as_u64() >= Some(6), "{method}");
    let stages = method["timings"].as_array().unwrap();
    let linking = stages
        .iter()
        .find(|stage| stage["stage"] == "measuring (layouts)");
    assert!(linking.is_some(), "{stages:?}");
}

#[test]
fn every_planted_change_gets_the_verdict_it_was_planted_for() {
    let expected = [
        ("codec decode", "identical"),
        ("codec encode", "identical"),
        ("readings checksum/4 KiB", "slower"),
        ("readings header/version", "removed"),
        ("readings header/with stations", "added"),
        ("readings histogram/hottest", "failed"),
        ("readings parse/readings/50", "faster"),
        ("readings parse/readings/500", "faster"),
        ("readings series/follow", "unchanged"),
        ("readings series/mean", "unchanged"),
        ("readings series/smooth", "unchanged"),
        ("vault seal", "unchanged"),
        ("vault stretch", "slower"),
        ("vault verify", "unchanged"),
    ];
    let found: Vec<(String, String)> = benchmarks()
        .into_iter()
        .map(|(name, entry)| (name, entry["verdict"].as_str().unwrap().to_owned()))
        .collect();
    // On a shared machine, a difference can be too noisy to decide. But a run must never see one
    // where there is none, or miss a large one.
    let agrees = |name: &str, found: &str, expected: &str| {
        let small = expected == "unchanged" || name == "vault stretch";
        found == expected || small && found == "inconclusive"
    };
    assert_eq!(found.len(), expected.len(), "{}", demo().text);
    for ((name, verdict), (expected_name, expected)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!(
            agrees(name, verdict, expected),
            "{name}: {verdict}\n{}",
            demo().text
        );
    }
}

#[test]
fn the_planted_slowdowns_are_the_reason_for_rejecting_it() {
    assert_eq!(demo().report["vote"], "reject", "{}", demo().progress);
    assert_eq!(demo().code, Some(100), "{}", demo().progress);
}

#[test]
fn intervals_lie_on_the_side_of_the_verdict() {
    for (name, entry) in benchmarks() {
        let change = &entry["metrics"]["time"]["estimate"];
        let end = |name: &str| change[name].as_f64();
        match entry["verdict"].as_str().unwrap() {
            "slower" => assert!(end("lower").unwrap() > 1.0, "{name}: {change}"),
            "faster" => assert!(end("upper").unwrap() < 1.0, "{name}: {change}"),
            _ => {}
        }
    }
}

#[test]
fn the_failed_benchmark_tells_what_it_wrote_and_costs_the_others_nothing() {
    let benchmarks = benchmarks();
    let failure = &benchmarks["readings histogram/hottest"]["failure"];
    assert_eq!(failure["side"], "head");
    let tail = failure["stderr_tail"].as_str().unwrap();
    assert!(tail.contains("index out of bounds"), "{tail}");
}

#[test]
fn the_json_report_is_valid_by_its_schema() {
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.v2.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&demo().report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn both_commits_are_named_with_their_subjects() {
    let range = &demo().report["range"];
    assert_eq!(range["spec"], "main..faster-parser");
    assert_eq!(
        range["head"]["subject"],
        "Parse readings without copying their fields"
    );
    for rendered in [&demo().text, &demo().markdown] {
        assert!(rendered.contains(range["base"]["short_id"].as_str().unwrap()));
        assert!(rendered.contains(range["head"]["short_id"].as_str().unwrap()));
    }
}

#[test]
fn the_seed_that_was_asked_for_is_in_the_report() {
    assert_eq!(demo().report["methodology"]["seed"], 1);
}

#[test]
fn markdown_fits_into_a_comment_on_github() {
    assert!(demo().markdown.len() < 65_536);
    assert!(demo().markdown.contains("checksum/4 KiB"));
}

#[test]
fn progress_off_a_terminal_is_plain_lines() {
    let progress = &demo().progress;
    assert!(!progress.is_empty());
    assert!(!progress.contains('\u{1b}'), "{progress:?}");
}

#[test]
fn nothing_is_left_behind() {
    assert_eq!(demo().leftovers, [""; 0]);
}

/// The explanation of a benchmark that certainly differs on the head side.
fn explanation(id: &str) -> &'static Value {
    let attributions = demo().report["attributions"].as_array().unwrap();
    let found = attributions.iter().find(|entry| entry["id"] == id);
    &found.unwrap_or_else(|| panic!("{id}: {}", demo().text))["explanation"]
}

#[test]
fn the_planted_slowdown_is_traced_to_its_function_and_its_lines() {
    let first = &explanation("checksum/4 KiB")["contributors"][0];
    let function = first["function"].as_str().unwrap();
    assert!(function.contains("checksum"), "{first:#}");
    assert!(first["change"]["ns"].as_f64().unwrap() > 0.0);
    let hunk = &first["hunks"][0];
    assert_eq!(hunk["path"], "crates/readings/src/checksum.rs", "{first:#}");
    assert_eq!(hunk["relation"], "in this function");
    let lines = hunk["lines"].as_array().unwrap().iter();
    let added: Vec<&str> = lines
        .filter(|line| line["kind"] == "added")
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert!(
        added.iter().any(|line| line.contains("block.len() / 2..")),
        "{added:?}"
    );
    let commit = &hunk["commit"]["short_id"];
    assert_eq!(commit, &demo().report["range"]["head"]["short_id"]);
    for rendered in [&demo().text, &demo().markdown] {
        assert!(
            rendered.contains("crates/readings/src/checksum.rs"),
            "{rendered}"
        );
    }
}

#[test]
fn files_for_other_tools_hold_the_changed_function() {
    let folder = "readings/readings/checksum_4_KiB";
    let file = |name: &str| {
        let path = format!("{folder}/cpu.{name}");
        let all: Vec<&String> = demo().artifacts.keys().collect();
        demo()
            .artifacts
            .get(&path)
            .unwrap_or_else(|| panic!("{path} in {all:?}"))
    };
    for name in [
        "base.svg",
        "head.svg",
        "diff.svg",
        "base.folded",
        "head.folded",
    ] {
        let text = std::str::from_utf8(file(name)).unwrap();
        assert!(text.contains("checksum"), "{name}");
    }
    for name in ["base.pb.gz", "head.pb.gz"] {
        let strings = crate::pprof_reader::strings(file(name));
        assert!(
            strings.iter().any(|text| text.contains("checksum")),
            "{strings:?}"
        );
    }
}

#[test]
fn files_about_allocations_hold_the_function_that_allocates_more() {
    let files = demo().artifacts.iter();
    let about: Vec<(&String, &Vec<u8>)> = files
        .filter(|(path, _)| path.starts_with("vault/") && path.contains("/alloc."))
        .collect();
    let all: Vec<&String> = about.iter().map(|(path, _)| *path).collect();
    for name in [
        "count.head.svg",
        "count.diff.svg",
        "bytes.head.folded",
        "bytes.diff.svg",
    ] {
        let named = about.iter().filter(|(path, _)| path.ends_with(name));
        let mut texts = named.map(|(_, bytes)| String::from_utf8_lossy(bytes));
        assert!(texts.any(|text| text.contains("seal")), "{name} in {all:?}");
    }
    let profile = about.iter().find(|(path, _)| path.ends_with("head.pb.gz"));
    let (_, profile) = profile.unwrap_or_else(|| panic!("{all:?}"));
    let strings = crate::pprof_reader::strings(profile);
    for word in ["alloc_objects", "alloc_space", "count", "bytes"] {
        assert!(strings.iter().any(|text| text == word), "{strings:?}");
    }
    assert!(strings.iter().any(|text| text.contains("seal")));
}

#[test]
fn the_differential_flame_graph_opens_in_a_browser_and_shows_the_changed_function() {
    let test = "the_differential_flame_graph_opens_in_a_browser_and_shows_the_changed_function";
    let Some(browser) = crate::reports::browser::Browser::find(test) else {
        return;
    };
    let picture = &demo().artifacts["readings/readings/checksum_4_KiB/cpu.diff.svg"];
    let shown = browser.open("diff", picture);
    assert!(
        shown.contains("<svg") && shown.contains("checksum"),
        "{shown}"
    );
    // The script of the picture has run: it is what makes it as wide as the window.
    assert!(shown.contains("unzoom"), "{shown}");
}
