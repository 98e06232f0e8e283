//! The commands beside a comparison, and the recipes that they write.

use std::path::Path;
use std::process::Command;

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
        (".gitlab/perfcheck.yml", "ci/gitlab/perfcheck.yml"),
        ("ci/perfcheck.sh", "ci/shell/perfcheck.sh"),
    ] {
        let written = std::fs::read_to_string(workspace.root().join(written)).unwrap();
        assert_eq!(written, recipe(committed));
    }
}

fn recipe(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The scripts of a workflow: what follows `run: |`, or the rest of a line `run: …`.
fn scripts(workflow: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((before, rest)) = line.split_once("run:") else {
            continue;
        };
        if rest.trim() != "|" {
            scripts.push(rest.trim().to_owned());
            continue;
        }
        let indent = before.len() + 2;
        let mut script = String::new();
        while let Some(line) = lines.next_if(|line| {
            line.trim().is_empty() || line.len() - line.trim_start().len() >= indent
        }) {
            script.push_str(line.get(indent..).unwrap_or_default());
            script.push('\n');
        }
        scripts.push(script);
    }
    scripts
}

#[test]
fn workflows_pin_every_action_and_put_nothing_of_a_pull_request_into_a_shell() {
    for path in ["ci/github/perfcheck.yml", "ci/github/perfcheck-comment.yml"] {
        let workflow = recipe(path);
        for line in workflow.lines().filter(|line| line.contains("uses:")) {
            let (_, pin) = line.split_once('@').expect(line);
            let commit = pin.split(' ').next().unwrap();
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{path}: {line}"
            );
        }
        let scripts = scripts(&workflow);
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(!script.contains("${{"), "{path}: {script}");
            let checked = Command::new("bash")
                .args(["-n", "-c", &script])
                .status()
                .unwrap();
            assert!(checked.success(), "{path}: {script}");
        }
        assert!(!workflow.contains("pull_request_target"), "{path}");
    }
    let measuring = recipe("ci/github/perfcheck.yml");
    assert!(measuring.contains("permissions:\n  contents: read\n\n"));
}

/// A `cargo` that says what it was called with, writes the reports it is asked for, and rejects.
const FAKE_CARGO: &str = r#"#!/bin/sh
echo "$@" >> calls
while [ $# -gt 0 ]; do
    [ "$1" = --report-dir ] && mkdir -p "$2" && echo "slower" | tee "$2/report.md" > "$2/report.json"
    shift
done
exit 100
"#;

fn run_with_fake_cargo(folder: &Path, script: &str) -> std::process::Output {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    let cargo = folder.join("bin/cargo");
    std::fs::write(&cargo, FAKE_CARGO).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("BASE", "aaa")
        .env("HEAD", "bbb")
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .output()
        .unwrap()
}

#[test]
fn the_comparing_step_of_the_workflow_fails_as_the_comparison_does_and_leaves_its_reports() {
    let workspace = Workspace::new();
    let scripts = scripts(&recipe("ci/github/perfcheck.yml"));
    let compare = scripts.last().unwrap();
    let output = run_with_fake_cargo(&workspace.root(), compare);
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(workspace.root().join(name)).unwrap();
    assert!(read("calls").starts_with("perfcheck aaa...bbb --report-dir perfcheck"));
    assert_eq!(read("perfcheck/report.json"), "slower\n");
}

#[test]
fn the_shell_recipe_fails_as_the_comparison_does_and_leaves_its_reports() {
    let workspace = Workspace::new();
    let output = run_with_fake_cargo(&workspace.root(), &recipe("ci/shell/perfcheck.sh"));
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    assert!(workspace.root().join("perfcheck/report.md").exists());
}
