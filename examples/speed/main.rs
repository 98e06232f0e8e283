//! Whole runs side by side, on a workspace of twenty benchmarks: `cargo run --example speed`.
//!
//! Prints the table that `docs/speed.md` quotes: what people do by hand (`git worktree`, `cargo bench`
//! on both sides, reading both results), and what `cargo perfcheck` takes the first time, again, after
//! a change of one line, and after one of documentation alone.

#![expect(clippy::print_stdout, reason = "a table for a person")]

mod watch;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use watch::{Cost, measure};
use workspace::Workspace;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Criterion's own defaults are 3 s and 5 s; with these the classic runs end before lunch.
const CLASSIC: [&str; 5] = ["--noplot", "--warm-up-time", "1", "--measurement-time", "2"];

fn main() -> Outcome<()> {
    let program = program()?;
    let workspace = Workspace::create()?;
    println!("| run | wall | processor | peak memory | benchmarks measured |");
    println!("|---|--:|--:|--:|--:|");

    let root = workspace.root();
    let worktree = workspace.beside("worktree");
    let mut git = workspace.git();
    git.args(["worktree", "add", "--quiet", "--detach"])
        .arg(&worktree)
        .arg("main");
    row(
        "`git worktree add`, `cargo bench` on base",
        measure(&mut [git, bench(&worktree)])?,
        "20",
    );
    row("`cargo bench` on head", measure(&mut [bench(&root)])?, "20");

    let compare = |range: &str| -> Outcome<(Cost, String)> {
        let json = workspace.beside("report.json");
        let mut command = Command::new(&program);
        command
            .args(["perfcheck", range, "--quiet", "--workspace", "--seed", "1"])
            .args(["--no-allocations", "--output"])
            .arg(&json)
            .current_dir(&root)
            .env("XDG_CACHE_HOME", workspace.beside("cache"));
        let cost = measure(&mut [command])?;
        Ok((cost, measured(&json)?))
    };
    let runs = [
        ("`cargo perfcheck main..HEAD`, cold", "main..head"),
        ("the same again", "main..head"),
        ("after one more line", "main..line"),
        ("after a change of documentation alone", "main..words"),
    ];
    for (name, range) in runs {
        let (cost, count) = compare(range)?;
        row(name, cost, &count);
    }
    Ok(())
}

fn row(name: &str, cost: Cost, measured: &str) {
    println!(
        "| {name} | {:.1} s | {:.1} s | {} MB | {measured} |",
        cost.wall.as_secs_f64(),
        cost.processor.as_secs_f64(),
        cost.peak_bytes / 1_000_000
    );
}

/// The program beside this example, built first.
fn program() -> Outcome<PathBuf> {
    let example = std::env::current_exe()?;
    let folder = example.parent().and_then(Path::parent);
    let folder = folder.ok_or("an example lies two folders deep")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--bin", "cargo-perfcheck"]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    build.args(["--manifest-path", manifest]);
    if !build.status()?.success() {
        return Err("cargo-perfcheck does not build".into());
    }
    Ok(folder.join("cargo-perfcheck"))
}

fn bench(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["bench", "--quiet", "--workspace", "--offline", "--"])
        .args(CLASSIC)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// How many benchmarks of a report were timed on both sides.
fn measured(json: &Path) -> Outcome<String> {
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json)?)?;
    let benchmarks = report["benchmarks"].as_array().ok_or("a list")?;
    let timed = benchmarks.iter().filter(|entry| !entry["time"].is_null());
    Ok(timed.count().to_string())
}
