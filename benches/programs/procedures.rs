//! Ways to compare two programs. Each answers with the logarithm of the ratio of their times.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::subject::{Subject, once, run, tag};

/// What a procedure says of one comparison.
pub(crate) struct Answer {
    /// The estimate.
    pub(crate) ln_ratio: f64,
    /// Whether it says that there is a difference.
    pub(crate) is_accused: bool,
    pub(crate) took: Duration,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) length: Duration,
    /// In thousandths.
    pub(crate) change: u32,
    /// No two comparisons have the same order of runs.
    pub(crate) seed: usize,
}

/// perfcheck, with its usual settings: a verdict of `slower` or `faster` is an accusation.
pub(crate) fn perfcheck(folder: &Path, question: Question<'_>) -> Answer {
    let Question {
        subject,
        length,
        change,
        seed,
    } = question;
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"))
        .args(["perfcheck", &format!("base..{}", tag(change)), "--quiet"])
        .args(["--no-allocations", "--no-profile", "--format", "json"])
        .args(["--seed", &seed.to_string()])
        .args(["--run", &format!("{{bin:work}} {}", subject.turns(length))])
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .current_dir(&subject.repository)
        .stderr(Stdio::inherit())
        .output()
        .expect("perfcheck");
    // A slower program is rejected, with a status of its own.
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let one = &report["benchmarks"][0];
    let ratio = one["metrics"]["time"]["estimate"]["ratio"].as_f64();
    let verdict = one["verdict"].as_str().unwrap_or_default();
    // Building is not measuring.
    let timings = report["methodology"]["timings"].as_array();
    let measuring = timings.into_iter().flatten();
    let measuring = measuring
        .filter(|stage| stage["stage"] == "measuring")
        .find_map(|stage| stage["seconds"].as_f64());
    Answer {
        ln_ratio: ratio.unwrap_or_else(|| panic!("no ratio in {one}")).ln(),
        is_accused: ["slower", "faster"].contains(&verdict),
        took: measuring.map_or_else(|| began.elapsed(), Duration::from_secs_f64),
    }
}

/// hyperfine in about the same time, as many runs of one program and then of the other; `None` where it is not installed.
/// It gives no verdict: an accusation is an interval of its means (Welch, 95 %) without zero.
pub(crate) fn hyperfine(folder: &Path, question: Question<'_>, time: Duration) -> Option<Answer> {
    let Question {
        subject,
        length,
        change,
        ..
    } = question;
    let file = folder.join("hyperfine.json");
    let runs = (time.as_secs_f64() / length.as_secs_f64() / 2.0)
        .ceil()
        .max(3.0);
    let command = |tag: &str| {
        format!(
            "{} {}",
            subject.program(tag).display(),
            subject.turns(length)
        )
    };
    let began = Instant::now();
    let mut hyperfine = Command::new("hyperfine");
    hyperfine
        .args(["--shell=none", "--style=none", "--warmup=1"])
        .arg(format!("--runs={runs}"))
        .arg("--export-json")
        .arg(&file)
        .args([command("base"), command(&tag(change))])
        .stdout(Stdio::null());
    if !is_installed() {
        return None;
    }
    run(&mut hyperfine);
    let took = began.elapsed();
    let told = std::fs::read(&file).expect("what hyperfine has written");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    let sample = |place: usize| {
        let times = told["results"][place]["times"].as_array();
        let times = times.into_iter().flatten().filter_map(Value::as_f64);
        Sample::of(times.collect())
    };
    Some(sample(0).against(&sample(1), took))
}

/// Whether there is a hyperfine.
pub(crate) fn is_installed() -> bool {
    let version = Command::new("hyperfine").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// All runs of one program, then all of the other, in about the same time: what somebody does by hand.
pub(crate) fn sequential(question: Question<'_>, time: Duration) -> Answer {
    let Question {
        subject,
        length,
        change,
        ..
    } = question;
    let began = Instant::now();
    let sample = |tag: &str| {
        let (program, start) = (subject.program(tag), Instant::now());
        let mut times = Vec::new();
        while times.len() < 3 || start.elapsed() < time / 2 {
            times.push(once(&program, subject.turns(length)));
        }
        Sample::of(times)
    };
    let (base, head) = (sample("base"), sample(&tag(change)));
    base.against(&head, began.elapsed())
}

/// The mean of some times, and the variance of that mean, relative to it.
struct Sample {
    mean: f64,
    relative_variance: f64,
}

impl Sample {
    fn of(times: Vec<f64>) -> Sample {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        Sample {
            mean,
            relative_variance: squares / (count - 1.0) / count / mean.powi(2),
        }
    }

    fn against(&self, head: &Sample, took: Duration) -> Answer {
        let ln_ratio = (head.mean / self.mean).ln();
        let interval = 1.96 * (self.relative_variance + head.relative_variance).sqrt();
        Answer {
            ln_ratio,
            is_accused: ln_ratio.abs() > interval,
            took,
        }
    }
}
