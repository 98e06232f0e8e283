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

mod agenda;
mod classic;
mod ours;
mod subject;
mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use cargo_perfcheck::plan::PairingRequest;
use clap::Parser;
use serde::{Deserialize, Serialize};

use agenda::{Procedure, Question};

/// What one procedure said about one planted change.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Timed work per side for ours, and for the classic procedure with equal time, in seconds.
    #[arg(long, default_value_t = 2.0)]
    time: f64,
    /// The classic procedure with Criterion's default settings, too (about 20 s an answer).
    #[arg(long)]
    classic_default: bool,
    /// The classic procedure with equal time at a significance level of 1 %, too, which is ours; its default
    /// is 5 %.
    #[arg(long)]
    classic_strict: bool,
    /// Not the classic procedure at all.
    #[arg(long)]
    ours_only: bool,
    /// How often the procedures other than ours are asked [default: as often as ours].
    #[arg(long, value_name = "N")]
    others_trials: Option<usize>,
    /// Ours with pairing by benchmark, too, in as many trials as the classic procedure.
    #[arg(long)]
    pairing_benchmark: bool,
    /// All procedures but `--classic-strict`, each question as often as the claims of `docs/accuracy.md` need: over an hour.
    #[arg(long, conflicts_with_all = ["trials", "changes", "others_trials", "classic_default", "classic_strict", "ours_only", "quick"])]
    claims: bool,
    /// No new question is asked after this time (`40m`); the table says how many there were.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// Adds each answer to this file at once, one JSON array per line; questions with an answer in it are not asked
    /// again, so that a run of hours may be interrupted.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["time", "quick"])]
    answers: Option<PathBuf>,
    /// Instead of measuring: the table of answers that are in this file.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Instead of all that: measures identical code once, and writes the raw rounds of each benchmark to
    /// this folder.
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,
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
    if let Some(file) = &options.from {
        print(&table(read(file)?));
        return Ok(());
    }
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
    let begun = Instant::now();
    let (mut file, known) = match &options.answers {
        Some(path) => (Some(open(path)?), read(path)?),
        None => (None, Vec::new()),
    };
    let mut agenda = agenda::agenda(options, &names);
    agenda.retain(|question| known.iter().all(|(asked, _)| asked != question));
    let mut table = table(known);
    for (number, question) in agenda.iter().enumerate() {
        if options.at_most.is_some_and(|most| begun.elapsed() >= most) {
            eprintln!("stopped after {number} of {} questions", agenda.len());
            break;
        }
        eprintln!("{} of {}: {question}", number + 1, agenda.len());
        let answer = ask(options, &mut ours, question)?;
        if let Some(file) = &mut file {
            let line = serde_json::to_string(&(question, &answer))?;
            writeln!(file, "{line}")?;
        }
        table.add(question, answer);
    }
    print(&table);
    for line in ours.notes() {
        println!("note: {line}");
    }
    Ok(())
}

fn ask(options: &Options, ours: &mut ours::Ours, question: &Question) -> anyhow::Result<Answer> {
    let &Question {
        ref name,
        planted,
        trial,
        ..
    } = question;
    match question.procedure {
        Procedure::ClassicDefaults => classic::ask(name, planted, classic::Settings::Default),
        Procedure::ClassicEqualTime => {
            classic::ask(name, planted, classic::Settings::Time(options.time))
        }
        Procedure::ClassicStrict => {
            classic::ask(name, planted, classic::Settings::Strict(options.time))
        }
        Procedure::Perfcheck => ours.ask(name, planted, trial, PairingRequest::Auto),
        Procedure::PerfcheckByBenchmark => {
            ours.ask(name, planted, trial, PairingRequest::Benchmark)
        }
    }
}

/// Opens the file for the answers, and removes an incomplete line that an interruption left.
fn open(path: &std::path::Path) -> anyhow::Result<fs_err::File> {
    if let Ok(text) = fs_err::read_to_string(path)
        && !text.ends_with('\n')
    {
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        fs_err::write(path, &text[..whole])?;
    }
    let mut options = fs_err::OpenOptions::new();
    Ok(options.create(true).append(true).open(path)?)
}

/// Answers that were written before.
fn read(path: &std::path::Path) -> anyhow::Result<Vec<(Question, Answer)>> {
    let text = fs_err::read_to_string(path)?;
    let lines = text.lines().enumerate();
    let answers = lines.map(|(number, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}: line {}", path.display(), number + 1))
    });
    answers.collect()
}

fn table(answers: Vec<(Question, Answer)>) -> table::Table {
    let mut table = table::Table::default();
    for (question, answer) in answers {
        table.add(&question, answer);
    }
    table
}

fn print(table: &table::Table) {
    println!("{table}");
    for line in table.summary() {
        println!("{line}");
    }
}
