//! The program understands every command in the documents.

use std::path::{Path, PathBuf};

use crate::faults;
use crate::support::{Workspace, perfcheck};

/// The documents at the root and in `docs/`.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.to_owned(), root.join("docs")]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The lines of fenced blocks of shell commands, without prompts and comments.
fn shell_commands(document: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in document.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_shell = !in_shell && ["sh", "console", "bash"].contains(&language);
        } else if in_shell {
            let line = line.trim().trim_start_matches("$ ");
            commands.push(line.split(" #").next().unwrap().trim().to_owned());
        }
    }
    commands
}

#[test]
fn every_call_of_the_program_in_the_documents_is_one_that_it_understands() {
    let mut seen = 0;
    for path in documents() {
        for command in shell_commands(&std::fs::read_to_string(&path).unwrap()) {
            let Some(words) = command
                .strip_prefix("cargo perfcheck")
                .or_else(|| command.strip_prefix("cargo run --release --"))
            else {
                continue;
            };
            seen += 1;
            // Options are read in order, so that the last one asks for help only where those before
            // it were understood.
            let words = shlex::split(words).unwrap();
            let output = perfcheck("").args(words).arg("--help").output().unwrap();
            assert!(
                output.status.success(),
                "{}: {command}\n{}",
                path.display(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    assert!(seen > 0, "no document shows a call");
}

/// A workspace as the documents speak of it: a package `parser` with benchmarks `parse/…`, whose branch
/// `change` has left `main`. Its program is `tool`. The benchmarks are fakes, so that every command is a matter of seconds.
fn documented() -> Workspace {
    let script = |nanos| format!("ns\t{nanos}\nbench\tparse/large\nbench\tparse/small\n");
    let workspace = faults::workspace(&script(1_000), &script(500));
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = std::fs::read_to_string(workspace.root().join(file)).unwrap();
        workspace.write(file, &text.replace("\"fakes\"", "\"parser\""));
    }
    workspace.write("src/bin/tool.rs", "fn main() {}\n");
    workspace.commit("Call it parser");
    workspace.write("benches/script", &script(400));
    workspace.commit("Be faster");
    let repository = git2::Repository::open(workspace.root()).unwrap();
    let head = repository.head().unwrap().peel_to_commit().unwrap();
    repository.branch("change", &head, false).unwrap();
    repository.set_head("refs/heads/change").unwrap();
    let before = head.parent(0).unwrap();
    repository.branch("main", &before, true).unwrap();
    // Uncommitted.
    workspace.write("benches/script", &script(300));
    workspace
}

/// Left out: what measures the demo or a service, which have tests of their own.
#[test]
fn every_call_of_the_program_in_the_documents_does_what_it_is_there_for() {
    let workspace = documented();
    let mut done = Vec::new();
    for path in documents() {
        for command in shell_commands(&std::fs::read_to_string(&path).unwrap()) {
            let Some(words) = command.strip_prefix("cargo perfcheck") else {
                continue;
            };
            if done.contains(&command) || words.starts_with(" load") {
                continue;
            }
            let output = workspace
                .keeping("")
                .args(shlex::split(words).unwrap())
                .env("PERFCHECK_NO_ALLOCATIONS", "1")
                .env("PERFCHECK_NO_PROFILE", "1")
                .env("PERFCHECK_ROUNDS", "6")
                .output()
                .unwrap();
            // Approved, or rejected: what these fakes say is noise.
            assert!(
                matches!(output.status.code(), Some(0 | 100)),
                "{}: {command}: {}\n{}",
                path.display(),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
            done.push(command);
        }
    }
    assert!(done.len() > 10, "{done:#?}");
}

/// Those take a registry, a host, or hours; what they name exists at least.
#[test]
fn every_other_command_of_the_documents_names_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (justfile, manifest) = (read("justfile"), read("Cargo.toml"));
    for path in documents() {
        for command in shell_commands(&std::fs::read_to_string(&path).unwrap()) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let exists = match words[..] {
                ["perfcheck-load", ..] => manifest.contains("name = \"perfcheck-load\""),
                [] | ["cargo", "perfcheck" | "run" | "test" | "install", ..] => true,
                ["cargo", "bench", "--bench", name, ..] => {
                    manifest.contains(&format!("[[bench]]\nname = \"{name}\""))
                }
                ["just", recipe, ..] => justfile
                    .lines()
                    .any(|line| line.split([' ', ':']).next() == Some(recipe)),
                [program, ..] => root.join(program).is_file(),
            };
            assert!(exists, "{}: {command}", path.display());
        }
    }
}

/// `--flag` in prose and tables, as well as in commands.
#[test]
fn every_option_that_the_documents_name_exists() {
    // Of cargo, rustc, git, libtest and Criterion.
    const OF_OTHERS: &[&str] = &[
        "baseline",
        "cap-lints",
        "config",
        "ignored",
        "lib",
        "list",
        "no-run",
        "nocapture",
        "no-verify",
        "path",
        "release",
        "remap-path-prefix",
        "save-baseline",
        "test",
        "unshallow",
    ];
    let commands = [
        "",
        "calibrate",
        "clean",
        "completions",
        "config",
        "demo",
        "doctor",
        "history accept",
        "history backfill",
        "history export",
        "history import",
        "history prune",
        "hook install",
        "init",
        "load",
        "man",
        "report",
        "trend",
    ];
    let mut known: String = commands
        .map(|command| {
            let output = perfcheck(&format!("{command} --help")).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        })
        .concat();
    let generator = std::process::Command::new(snapbox::cmd::cargo_bin!("perfcheck-load"));
    let help = { generator }.arg("--help").output().unwrap();
    known.push_str(&String::from_utf8(help.stdout).unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for bench in ["accuracy", "speed"] {
        for entry in std::fs::read_dir(root.join("benches").join(bench)).unwrap() {
            known.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    // A switch's opposite is as good as the switch.
    let exists = |name: &str| {
        let opposites = [name.to_owned(), format!("no-{name}")];
        let positive = name.strip_prefix("no-").map(str::to_owned);
        let mut names = opposites.into_iter().chain(positive);
        // The benches' options are the fields of a struct.
        names.any(|name| {
            let field = format!(" {}: ", name.replace('-', "_"));
            known.contains(&format!("--{name}")) || known.contains(&field)
        })
    };
    let mut strange = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("--") {
            let before = text[..at].chars().next_back();
            let is_option = matches!(before, None | Some(' ' | '`' | '(' | '[' | '\n'));
            let name: String = text[at + 2..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                .collect();
            let is_name = name.len() > 1 && !name.ends_with('-');
            if is_option && is_name && !exists(&name) && !OF_OTHERS.contains(&name.as_str()) {
                strange.push(format!("{}: --{name}", path.display()));
            }
        }
    }
    assert!(strange.is_empty(), "{strange:#?}");
}

/// The oldest version of Criterion is the one that the tests measure.
#[test]
fn the_documents_name_one_oldest_version_of_criterion() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = root.join("fixtures/crates/versions/base/v0_3/Cargo.toml.in");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let tested = manifest.split("version = \"=0.3.").nth(1).unwrap();
    let tested = format!("0.3.{}", tested.split('"').next().unwrap());
    let mut named = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("0.3.") {
            assert!(text[at..].starts_with(&tested), "{}", path.display());
            named += 1;
        }
    }
    assert!(named > 0);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            if !path.with_file_name(target).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
