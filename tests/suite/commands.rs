//! The commands other than a comparison, and the recipes that they write.

use crate::recipes::recipe;
use crate::support::{Workspace, perfcheck};

const MANIFEST: &str = "[package]\nname = \"it\"\n[lib]\npath = \"lib.rs\"\n\
                        [[bench]]\nname = \"sorting\"\npath = \"lib.rs\"\nharness = false\n";

fn package() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("Cargo.toml", MANIFEST).write("lib.rs", "");
    workspace
}

fn stdout(command: snapbox::cmd::Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn init_names_the_benches_it_finds_and_never_replaces_a_file() {
    let workspace = package();
    stdout(workspace.perfcheck("init"));
    let written = std::fs::read_to_string(workspace.root().join("perfcheck.toml")).unwrap();
    assert!(written.contains("#   it / sorting"), "{written}");
    let refused = workspace.perfcheck("init").assert().code(101);
    let error = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(
        error.contains("exists") && error.contains("--force"),
        "{error}"
    );
    // A file of comments alone changes nothing.
    let config = stdout(workspace.perfcheck("config"));
    assert!(!config.contains("perfcheck.toml"), "{config}");
}

#[test]
fn config_says_where_each_setting_came_from() {
    let workspace = package();
    workspace.write("perfcheck.toml", "threshold = '3%'\ntiem = '1s'\n");
    let assert = workspace.perfcheck("config --rounds 12").assert().success();
    let output = assert.get_output();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |key: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with(&format!("{key} ")))
            .unwrap_or_default()
    };
    assert!(line("threshold").contains("3%") && line("threshold").ends_with("perfcheck.toml"));
    assert!(line("rounds").contains("12") && line("rounds").ends_with("command line"));
    assert!(line("timeout").ends_with("default"));
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(warning.contains("did you mean `time`"), "{warning}");
}

#[test]
fn a_setting_that_cannot_be_understood_is_a_usage_error_before_anything_is_run() {
    let workspace = package();
    workspace.write("perfcheck.toml", "threshold = 3\n");
    let assert = workspace.perfcheck("main..HEAD").assert().code(2);
    let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        error.contains("`threshold` in") && error.contains("hint:"),
        "{error}"
    );
}

#[test]
fn doctor_tells_a_program_what_it_tells_a_person() {
    let json: serde_json::Value =
        serde_json::from_str(&stdout(perfcheck("doctor --format json"))).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let text = stdout(perfcheck("doctor --ascii"));
    assert!(findings.len() > 5);
    for finding in findings {
        let subject = finding["subject"].as_str().unwrap();
        assert!(text.contains(subject), "{subject}: {text}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(perfcheck(&format!("completions {shell}")));
        for word in ["calibrate", "doctor", "threshold"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let workspace = package();
    stdout(workspace.perfcheck("man pages"));
    let page = workspace.root().join("pages/cargo-perfcheck.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Exit status") && page.contains("main..HEAD"));
    assert!(
        workspace
            .root()
            .join("pages/cargo-perfcheck-doctor.1")
            .exists()
    );
}

#[test]
fn a_full_disk_costs_neither_the_other_files_nor_what_was_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/demo.v1.json");
    let report = |line: &str| {
        let report = perfcheck("report").arg(recorded);
        let run = report.args(line.split(' ')).current_dir(folder.path());
        run.output().unwrap()
    };
    // Whatever is written to this device, it is full.
    let output = report("--format html -o /dev/full --format json -o found.json");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    for told in ["/dev/full", "No space left on device"] {
        assert!(stderr.contains(told), "{stderr}");
    }
    assert!(folder.path().join("found.json").exists());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("REJECT"), "{text}");

    // If a report already goes to stdout, nothing is added to it.
    let output = report("--format html -o /dev/full --format go-bench");
    assert_eq!(output.status.code(), Some(101));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.starts_with("side: base") && !text.contains("REJECT"),
        "{text}"
    );
}

#[test]
fn the_committed_recipes_are_the_ones_that_init_writes() {
    let workspace = package();
    for system in ["github", "gitlab", "shell"] {
        stdout(workspace.perfcheck(&format!("init --ci {system}")));
    }
    for (written, committed) in [
        (".github/workflows/perfcheck.yml", "ci/github/perfcheck.yml"),
        (
            ".github/workflows/perfcheck-comment.yml",
            "ci/github/perfcheck-comment.yml",
        ),
        (
            ".github/workflows/perfcheck-history.yml",
            "ci/github/perfcheck-history.yml",
        ),
        (".gitlab/perfcheck.yml", "ci/gitlab/perfcheck.yml"),
        (
            ".gitlab/perfcheck-history.yml",
            "ci/gitlab/perfcheck-history.yml",
        ),
        ("ci/perfcheck.sh", "ci/shell/perfcheck.sh"),
        ("ci/perfcheck-history.sh", "ci/shell/perfcheck-history.sh"),
    ] {
        let written = std::fs::read_to_string(workspace.root().join(written)).unwrap();
        assert_eq!(written, recipe(committed));
    }
}
