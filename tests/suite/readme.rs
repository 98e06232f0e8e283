//! What the documents tell people to type is understood.

use std::path::{Path, PathBuf};

use crate::support::perfcheck;

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
            let output = perfcheck(&words.replace('\'', ""))
                .arg("--help")
                .output()
                .unwrap();
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
