//! How often identical programs are accused, and how far estimates are from the truth: pairs of runs as perfcheck takes
//! them, beside all runs of one side and then all of the other in the same time.
//!
//! ```console
//! $ cargo bench --bench programs -- --runs 30
//! ```
//!
//! The programs are those of `fixtures/crates/programs`, on both sides the same.

#![expect(clippy::print_stdout, reason = "a table for a person")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is compared with itself: milliseconds of work, and of work on fresh memory.
const COMMANDS: [&str; 3] = ["idle", "spin", "hoard"];

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--runs");
    let runs: usize = at
        .and_then(|at| words.get(at + 1)?.parse().ok())
        .unwrap_or(10);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repository = repository(folder.path());
    let program = built(&repository, folder.path());
    println!(
        "| program | error of pairs | accused | error of one side after the other | accused |"
    );
    println!("|---|--:|--:|--:|--:|");
    for command in COMMANDS {
        let began = Instant::now();
        let paired = paired(&repository, folder.path(), command, runs);
        let time = began.elapsed() / u32::try_from(runs).unwrap_or(u32::MAX);
        let plain = Sequential::of(&program, command, runs, time);
        println!(
            "| `{command}` | {:.2} % | {} of {runs} | {:.2} % | {} of {runs} |",
            paired.0 * 100.0,
            paired.1,
            plain.error * 100.0,
            plain.accused
        );
    }
    println!(
        "\nerror: 95th percentile of the distance from the truth; accused: an interval without 1 (perfcheck: beyond 1 %)"
    );
}

/// A repository of one commit.
fn repository(folder: &Path) -> PathBuf {
    let root = folder.join("repository");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/crates/programs/base");
    copy(&fixture, &root);
    for words in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
            "commit",
            "--quiet",
            "-m",
            "x",
        ],
    ] {
        run(Command::new("git").args(words).current_dir(&root));
    }
    root
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the fixture") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let name = name.strip_suffix(".in").unwrap_or(&name).to_owned();
        match (path.is_dir(), name.as_str()) {
            (true, _) => copy(&path, &to.join(name)),
            // The command line says what to compare.
            (false, "perfcheck.toml") => {}
            (false, "gitignore") => {
                std::fs::copy(&path, to.join(".gitignore")).expect("a copy");
            }
            (false, _) => {
                std::fs::copy(&path, to.join(name)).expect("a copy");
            }
        }
    }
}

fn built(repository: &Path, folder: &Path) -> PathBuf {
    let target = folder.join("target");
    run(Command::new("cargo")
        .args([
            "build",
            "--release",
            "--quiet",
            "--bin",
            "tool",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(repository));
    target.join("release/tool")
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stderr(Stdio::inherit()).output().expect("a tool");
    assert!(output.status.success(), "{command:?}");
    output.stdout
}

/// The error of `calibrate`, and how often it was a false alarm.
fn paired(repository: &Path, folder: &Path, command: &str, runs: usize) -> (f64, u64) {
    let json = run(Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"))
        .args([
            "perfcheck",
            "calibrate",
            "HEAD",
            "--quiet",
            "--format",
            "json",
        ])
        .args(["--runs", &runs.to_string()])
        .args(["--run", &format!("{{bin:tool}} {command}")])
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .current_dir(repository));
    let report: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let one = &report["benchmarks"][0];
    let number = |key: &str| {
        one[key]
            .as_f64()
            .unwrap_or_else(|| panic!("no {key} in {one}"))
    };
    (number("noise_floor"), number("false_alarms") as u64)
}

/// What somebody does without perfcheck.
struct Sequential {
    error: f64,
    accused: usize,
}

impl Sequential {
    /// All runs of one side, then all of the other, in `time` together.
    fn of(program: &Path, command: &str, comparisons: usize, time: Duration) -> Sequential {
        let mut errors = Vec::new();
        let mut accused = 0;
        for _ in 0..comparisons {
            let [base, head] = [(); 2].map(|()| Sample::of(program, command, time / 2));
            let change = head.mean - base.mean;
            errors.push(change.abs());
            let interval = 1.96 * (base.variance_of_mean + head.variance_of_mean).sqrt();
            accused += usize::from(change.abs() > interval);
        }
        errors.sort_by(f64::total_cmp);
        Sequential {
            error: cargo_perfcheck::stats::percentile(&errors, 0.95),
            accused,
        }
    }
}

/// Logarithms of the times of runs.
struct Sample {
    mean: f64,
    variance_of_mean: f64,
}

impl Sample {
    fn of(program: &Path, command: &str, time: Duration) -> Sample {
        let began = Instant::now();
        let mut values = Vec::new();
        while values.len() < 10 || began.elapsed() < time {
            let start = Instant::now();
            let status = Command::new(program)
                .arg(command)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status();
            assert!(status.expect("the program").success());
            values.push(start.elapsed().as_secs_f64().ln());
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Sample {
            mean,
            variance_of_mean: squares / (count - 1.0) / count,
        }
    }
}
