//! How large a history is, and how long its trend takes: `cargo bench --bench history`.
//!
//! A thousand runs of fifty benchmarks, with the time and three counts of each, are recorded on the reference of a repository,
//! which git then packs. `cargo perfcheck trend` reads them, solves each benchmark, looks for its steps, and prints a table; a
//! row for each benchmark is all that it renders. What counts is the wall-clock time of the whole program.

#![expect(clippy::print_stdout, reason = "numbers for a person")]

#[path = "../tests/suite/thousand_commits.rs"]
mod thousand_commits;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Of so many benchmarks is each run.
const BENCHMARKS: usize = 50;

/// How often the trend is asked for.
const TIMES: usize = 11;

/// The longest acceptable time, in milliseconds.
const SLOWEST: f64 = 1000.0;

/// The most that the history may take, in megabytes.
const LARGEST: f64 = 10.0;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    thousand_commits::write(folder.path(), BENCHMARKS)?;
    let repository = folder.path().join("repository");
    let before = packed(&repository)?;
    perfcheck(&repository, &["history", "import", "../runs.jsonl"])?;
    let size = packed(&repository)? - before;
    let runs = thousand_commits::COMMITS;
    println!("{runs} runs of {BENCHMARKS} benchmarks: {size:.2} MB packed");

    let list = median_of(&repository, &["history", "list"])?;
    let trend = median_of(&repository, &["trend"])?;
    let processors = std::thread::available_parallelism()?;
    println!("read: {list}");
    println!("read and solved by {processors} processors: {trend}");
    if size > LARGEST || trend.median > SLOWEST {
        return Err(format!(
            "more than {LARGEST} MB, or than {SLOWEST} ms; is this machine busy with other work?"
        )
        .into());
    }
    Ok(())
}

/// Times of one command, in milliseconds.
struct Times {
    median: f64,
    fastest: f64,
    slowest: f64,
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Times {
            median,
            fastest,
            slowest,
        } = self;
        write!(
            f,
            "{median:.0} ms (median of {TIMES} from {fastest:.0} to {slowest:.0} ms)"
        )
    }
}

fn median_of(repository: &Path, words: &[&str]) -> Result<Times, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        perfcheck(repository, words)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(Times {
        median: times[TIMES / 2],
        fastest: times[0],
        slowest: times[TIMES - 1],
    })
}

fn perfcheck(repository: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"));
    succeed(command.arg("perfcheck").args(words), repository).map(|_| ())
}

/// The size of a repository's objects once git has packed them, in megabytes.
fn packed(repository: &Path) -> Result<f64, Box<dyn Error>> {
    succeed(Command::new("git").args(["gc", "--quiet"]), repository)?;
    let counts = succeed(
        Command::new("git").args(["count-objects", "-v"]),
        repository,
    )?;
    let size = counts
        .lines()
        .find_map(|line| line.strip_prefix("size-pack: "));
    let kibibytes: f64 = size.ok_or("git did not say how much it packed")?.parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

fn succeed(command: &mut Command, folder: &Path) -> Result<String, Box<dyn Error>> {
    let output = command.current_dir(folder).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}
