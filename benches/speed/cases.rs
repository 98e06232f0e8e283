//! Expensive suites, each compared with the classic way, without building: `cargo bench --bench speed -- --case
//! NAME`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Outcome;
use super::workspace::Workspace;

/// One suite, and the runs to make with it.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Benchmarks, and how many there are with `--small`.
    benchmarks: [usize; 2],
    /// The settings in the suite's code.
    settings: &'static str,
    /// What an iteration does on base and on head; `N` is the benchmark's number.
    routine: [&'static str; 2],
    /// Run before anything, in every process.
    set_up: &'static str,
    /// Options of the runs, each with the divisor of its goal.
    runs: &'static [(&'static str, &'static str)],
    /// A branch where only one in this many benchmarks executes what differs.
    line: Option<usize>,
}

const WORK: [&str; 2] = ["work(20_000)", "work(21_000)"];
/// A second, and a tenth more. A routine that reads the clock itself could not be paired sample by sample, so that how much
/// work that is on this machine is written into the library.
const SLOW: [&str; 2] = [
    "work(SECOND_OF_WORK)",
    "work(SECOND_OF_WORK + SECOND_OF_WORK / 10)",
];
const USUAL: &str = "group.warm_up_time(SECOND).measurement_time(3 * SECOND).sample_size(100);";

pub(super) const CASES: [Case; 5] = [
    Case {
        name: "settings",
        benchmarks: [60, 6],
        settings: USUAL,
        routine: WORK,
        set_up: "",
        runs: &[("", "verdicts 1/4, whole 1/2.5"), ("--quick", "whole 1/5")],
        line: Some(20),
    },
    Case {
        name: "slow",
        benchmarks: [2, 1],
        settings: "group.sample_size(10);",
        routine: SLOW,
        set_up: "",
        runs: &[("", "3 minutes")],
        line: None,
    },
    Case {
        name: "slow-100",
        benchmarks: [2, 1],
        settings: "group.sample_size(100);",
        routine: SLOW,
        set_up: "",
        runs: &[("", "1/2")],
        line: None,
    },
    Case {
        name: "set-up",
        benchmarks: [10, 2],
        settings: "",
        routine: WORK,
        set_up: "wait(3000);",
        runs: &[("", "2/3")],
        line: None,
    },
    Case {
        name: "suite",
        benchmarks: [257, 8],
        settings: USUAL,
        routine: WORK,
        set_up: "",
        runs: &[("", "30 minutes"), ("--quick", "12 minutes")],
        line: None,
    },
];

const LIB: &str = "use std::time::{Duration, Instant};

pub fn work(rounds: u64) -> u64 {
    (0..rounds).fold(1, |acc: u64, x| std::hint::black_box(acc.wrapping_mul(31).wrapping_add(x)))
}

/// Computes for so many milliseconds by the clock.
pub fn wait(milliseconds: u64) {
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}
";

/// How many rounds of `work` (above) take a second here.
fn second_of_work() -> u64 {
    const ROUNDS: u64 = 50_000_000;
    let times = (0..5).map(|_| {
        let began = Instant::now();
        std::hint::black_box((0..ROUNDS).fold(1, |acc: u64, x| {
            std::hint::black_box(acc.wrapping_mul(31).wrapping_add(x))
        }));
        began.elapsed()
    });
    let fastest = times.min().unwrap_or_default();
    (ROUNDS as f64 / fastest.as_secs_f64().max(1e-9)) as u64
}

/// How much of the classic way is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Classic {
    Run,
    Left,
}

/// Which of a case's runs are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    All,
    /// Those with `--quick`.
    Quick,
}

/// Runs a case, and prints a row for each of its runs.
pub(super) fn run(case: &Case, small: bool, classic: Classic, chosen: Chosen) -> Outcome<()> {
    let count = case.benchmarks[usize::from(small)];
    let workspace = case.lay_out(count)?;
    println!(
        "| {} ({count} benchmarks) | wall, building aside | verdicts | of the classic way | at most |",
        case.name
    );
    println!("|---|--:|--:|--:|--:|");
    let by_hand = match classic {
        Classic::Run => {
            let [base, head] = [
                classic_way(&workspace, "main")?,
                classic_way(&workspace, "head")?,
            ];
            println!(
                "| `cargo bench` on both sides | {:.1} s | | 1 | |",
                (base + head).as_secs_f64()
            );
            Some(base + head)
        }
        Classic::Left => None,
    };
    let whole = case
        .runs
        .iter()
        .map(|(options, bound)| ("head", *options, *bound));
    let line = case.line.map(|_| ("line", "", "whole 1/12"));
    let runs = whole.chain(line);
    let runs = runs.filter(|(_, options, _)| chosen == Chosen::All || options.contains("--quick"));
    for (branch, options, bound) in runs {
        let took = compare(&workspace, branch, options)?;
        let of = |time: f64| {
            by_hand.map_or("".to_owned(), |all| {
                format!("{:.3}", time / all.as_secs_f64())
            })
        };
        println!(
            "| `cargo perfcheck main..{branch} {options}`, {} measured | {:.1} s | {:.1} s | {} ({} verdicts) | {bound} |",
            took.measured,
            took.whole,
            took.verdicts,
            of(took.whole),
            of(took.verdicts)
        );
    }
    Ok(())
}

impl Case {
    fn lay_out(&self, count: usize) -> Outcome<Workspace> {
        let [base, head] = self.routine;
        let second = second_of_work();
        let library = |first: &str, others: &str| {
            let every = self.line.unwrap_or(1);
            let functions = (0..count).map(|n| {
                let body = if n % every == 0 { first } else { others };
                format!("#[inline(never)]\npub fn routine_{n}() {{ std::hint::black_box({body}); std::hint::black_box({n}); }}\n")
            });
            let second = format!("#[allow(dead_code)]\nconst SECOND_OF_WORK: u64 = {second};\n");
            LIB.to_owned() + &second + &functions.collect::<String>()
        };
        let workspace = Workspace::of_one(&self.benches(count), &library(base, base))?;
        workspace.branch("head", &library(head, head))?;
        if self.line.is_some() {
            workspace.branch("line", &library(head, base))?;
        }
        Ok(workspace)
    }

    fn benches(&self, count: usize) -> String {
        let mut text = "use criterion::{Criterion, criterion_group, criterion_main};\n\n\
                        #[allow(dead_code)]\nconst SECOND: std::time::Duration = std::time::Duration::from_secs(1);\n\n\
                        fn all(c: &mut Criterion) {\n"
            .to_owned();
        text.push_str(&self.set_up.replace("wait", "    p0::wait"));
        // Settings of a group win over the command line.
        text.push_str("\n    let mut group = c.benchmark_group(\"suite\");\n    ");
        text.push_str(self.settings);
        for n in 0..count {
            text.push_str(&format!(
                "\n    group.bench_function(\"routine {n}\", |b| b.iter(p0::routine_{n}));"
            ));
        }
        text.push_str("\n    group.finish();\n}\n\ncriterion_group!(benches, all);\ncriterion_main!(benches);\n");
        text
    }
}

/// How long `cargo bench` takes on a branch, once it is built.
fn classic_way(workspace: &Workspace, branch: &str) -> Outcome<Duration> {
    workspace.switch(branch)?;
    let bench = |words: &[&str]| -> Outcome<()> {
        let mut command = Command::new("cargo");
        command
            .args(["bench", "--quiet", "--workspace", "--offline", "--benches"])
            .args(words)
            .current_dir(workspace.root())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if !command.status()?.success() {
            return Err(format!("cargo bench failed on {branch}").into());
        }
        Ok(())
    };
    bench(&["--no-run"])?;
    eprintln!("cargo bench on {branch}:");
    let began = Instant::now();
    bench(&["--", "--noplot"])?;
    Ok(began.elapsed())
}

struct Took {
    /// In seconds, building aside.
    whole: f64,
    /// Until the last benchmark was timed.
    verdicts: f64,
    measured: usize,
}

fn compare(workspace: &Workspace, branch: &str, options: &str) -> Outcome<Took> {
    let json = workspace.beside("report.json");
    let range = format!("main..{branch}");
    eprintln!("{range} {options}:");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"));
    command
        .args(["perfcheck", &range, "--quiet", "--workspace", "--offline"])
        .args(["--seed", "1", "--timings", "--output"])
        .arg(&json)
        .args(options.split_ascii_whitespace())
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"))
        .stdout(Stdio::null());
    let began = Instant::now();
    command.status()?;
    let whole = began.elapsed().as_secs_f64();
    stages(&json, whole)
}

/// Reads from a report where the time went.
fn stages(json: &Path, whole: f64) -> Outcome<Took> {
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json)?)?;
    let timings = report["methodology"]["timings"]
        .as_array()
        .ok_or("stages")?;
    let of = |name: &str| -> f64 {
        let found = timings.iter().find(|timing| timing["stage"] == name);
        found
            .and_then(|timing| timing["seconds"].as_f64())
            .unwrap_or(0.0)
    };
    let after = of("counting allocations") + of("profiling");
    let benchmarks = report["benchmarks"].as_array().ok_or("a list")?;
    Ok(Took {
        whole: whole - of("build"),
        verdicts: whole - of("build") - after,
        measured: benchmarks
            .iter()
            .filter(|entry| !entry["metrics"]["time"].is_null())
            .count(),
    })
}
