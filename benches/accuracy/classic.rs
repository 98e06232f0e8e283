//! The classic procedure: Criterion saves a baseline, then compares with it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;

use crate::{Answer, Direction, subject};

/// How Criterion is told to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Settings {
    /// Its own defaults.
    Default,
    /// This many seconds of measuring per side, after a tenth of that for warming up, with the
    /// default significance level (5 %).
    Time(f64),
    /// The same with perfcheck's significance level (1 %).
    Strict(f64),
}

/// Asks Criterion about a planted change, given in ten-thousandths.
pub(crate) fn ask(name: &str, planted: u32, settings: Settings) -> anyhow::Result<Answer> {
    let home = tempfile::tempdir()?;
    let started = Instant::now();
    run(name, 0, settings, "--save-baseline", home.path())?;
    let told = run(name, planted, settings, "--baseline", home.path())?;
    let seconds = started.elapsed().as_secs_f64();
    let file = home.path().join(name).join("change/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&fs_err::read(&file)?)?;
    let change = estimates["mean"]["point_estimate"]
        .as_f64()
        .with_context(|| format!("no mean in {}", file.display()))?;
    let direction = if change > 0.0 {
        Direction::Slower
    } else {
        Direction::Faster
    };
    let says = |words: &str| told.contains(words);
    let verdict = says("Performance has").then_some(direction);
    let found = (verdict.is_some() || says("Change within noise")).then_some(direction);
    anyhow::ensure!(
        found.is_some() || says("No change in performance"),
        "Criterion said nothing of {name}: {told}"
    );
    Ok(Answer {
        change,
        found,
        verdict,
        seconds,
    })
}

fn run(
    name: &str,
    planted: u32,
    settings: Settings,
    what: &str,
    home: &Path,
) -> anyhow::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env(subject::PLANT, format!("{planted:05}"))
        .env("CRITERION_HOME", home)
        .args(["--bench", "--noplot", what, "base"])
        .arg(format!("^{name}$"))
        .stdin(Stdio::null());
    if let Settings::Strict(_) = settings {
        command.args(["--significance-level", "0.01"]);
    }
    if let Settings::Time(seconds) | Settings::Strict(seconds) = settings {
        command
            .arg(format!("--measurement-time={seconds}"))
            .arg(format!("--warm-up-time={}", (seconds / 10.0).max(0.1)));
    }
    let output = command.output()?;
    anyhow::ensure!(
        output.status.success(),
        "{name} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
