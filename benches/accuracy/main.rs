//! Our procedure against the classic one, on the same executable: `cargo bench --bench accuracy`.
//!
//! This executable is driver and subject at once. As a subject it holds ordinary Criterion benchmarks
//! whose work an environment variable lengthens by an exact share; as a driver it measures itself, with
//! the variable at zero on one side and at the planted change on the other, by
//!
//! - the classic procedure (Criterion saves a baseline, then compares with it), with its default settings
//!   (`--classic-default`, slow) and with settings of about the time that ours takes;
//! - ours, through the library,
//!
//! in alternation, so that all see the same machine. `docs/accuracy.md` quotes a run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a person"
)]

mod classic;
mod ours;
mod subject;
mod table;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cargo_perfcheck::plan::PairingRequest;
use clap::Parser;

/// What one procedure said of one planted change.
pub(crate) struct Answer {
    /// The estimate of head ÷ base − 1.
    pub(crate) change: f64,
    /// Whether it says that there is a difference, however small.
    pub(crate) found: Option<Direction>,
    /// Whether it says that the difference matters: regressed, improved; slower, faster.
    pub(crate) verdict: Option<Direction>,
    /// Seconds it took, everything included.
    pub(crate) seconds: f64,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The head side takes longer.
    Slower,
    /// The head side takes less.
    Faster,
}

/// The accuracy of procedures, side by side.
#[derive(Debug, Parser)]
struct Options {
    /// How often each procedure is asked about each planted change.
    #[arg(long, default_value_t = 10)]
    trials: usize,
    /// Planted changes, in per cent; 0 is identical code.
    #[arg(long, value_delimiter = ',', default_value = "0,0.5,1,2,5")]
    changes: Vec<f64>,
    /// Only these benchmarks.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Timed work a side of ours, and of the classic procedure with equal time, in seconds.
    #[arg(long, default_value_t = 2.0)]
    time: f64,
    /// The classic procedure with Criterion's default settings, too (about 20 s an answer).
    #[arg(long)]
    classic_default: bool,
    /// Not the classic procedure at all.
    #[arg(long)]
    ours_only: bool,
    /// All procedures but ours in the first so many trials alone.
    #[arg(long, value_name = "N")]
    others_trials: Option<usize>,
    /// Ours with pairing by benchmark, too, in as many trials as the classic procedure.
    #[arg(long)]
    pairing_benchmark: bool,
    /// No new trial is begun after this time (`40m`); the table says how many there were.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// Instead of all that: measures identical code once, and writes the raw rounds of each benchmark to
    /// this folder.
    #[arg(long, value_name = "FOLDER")]
    record: Option<std::path::PathBuf>,
    /// Two trials of 0.3 s: whether it works, not how well.
    #[arg(long)]
    quick: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    if std::env::var_os(subject::PLANT).is_some() {
        subject::run();
        return ExitCode::SUCCESS;
    }
    let mut options = Options::parse();
    if !options.bench {
        // `cargo test --all-targets` runs benches to see whether they work; this one takes minutes.
        eprintln!("nothing done: start it with `cargo bench --bench accuracy`");
        return ExitCode::SUCCESS;
    }
    if options.quick {
        (options.trials, options.time) = (2, 0.3);
        options.changes = vec![0.0, 5.0];
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let names: Vec<&str> = subject::NAMES
        .into_iter()
        .filter(|name| options.only.is_empty() || options.only.iter().any(|only| only == name))
        .collect();
    anyhow::ensure!(
        !names.is_empty(),
        "no such benchmark; there are {}",
        subject::NAMES.join(", ")
    );
    let mut ours = ours::Ours::new(options.time)?;
    if let Some(folder) = &options.record {
        fs_err::create_dir_all(folder)?;
        for name in names {
            eprintln!("recording {name}");
            let lines = ours.record(name)?;
            fs_err::write(folder.join(format!("{name}.jsonl")), lines)?;
        }
        return Ok(());
    }
    let mut table = table::Table::default();
    let begun = Instant::now();
    for trial in 0..options.trials {
        if options.at_most.is_some_and(|most| begun.elapsed() >= most) {
            break;
        }
        for name in &names {
            for &percent in &options.changes {
                eprintln!(
                    "trial {} of {}: {name} {percent} %",
                    trial + 1,
                    options.trials
                );
                let parts = (percent * 100.0).round() as u32;
                let others = options.others_trials.is_none_or(|trials| trial < trials);
                if options.classic_default && others {
                    let answer = classic::ask(name, parts, classic::Settings::Default)?;
                    table.add("classic, defaults", name, percent, answer);
                }
                if !options.ours_only && others {
                    let settings = classic::Settings::Time(options.time);
                    let answer = classic::ask(name, parts, settings)?;
                    table.add("classic, equal time", name, percent, answer);
                }
                if options.pairing_benchmark && others {
                    let pairing = PairingRequest::Benchmark;
                    let answer = ours.ask(name, parts, trial as u64, pairing)?;
                    table.add("perfcheck, by benchmark", name, percent, answer);
                }
                let answer = ours.ask(name, parts, trial as u64, PairingRequest::Auto)?;
                table.add("perfcheck", name, percent, answer);
            }
        }
    }
    println!("{table}");
    for line in table.false_alarms() {
        println!("{line}");
    }
    for line in ours.notes() {
        println!("note: {line}");
    }
    Ok(())
}
