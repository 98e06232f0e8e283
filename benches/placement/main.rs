//! What luck of placement does to routines that a change does not touch: `cargo bench --bench placement`.
//!
//! A workspace has forty routines of 1 to 100 ns and, beside them, code that only another benchmark executes. Eight
//! branches change that other code: they add a function, make one longer, change strings, or reorder modules. perfcheck
//! compares each of them with `main`, with reach switched off, and never stops early. Each routine then has a 95 %
//! interval over its rounds (Student's t), which should hold 0 in 95 of 100 comparisons. This is done with the
//! executables that cargo made (`--layouts off`) and with a layout drawn for each round (`--layouts auto`).

#![expect(clippy::print_stdout, reason = "a program for a person")]

mod routines;
#[path = "../speed/workspace.rs"]
#[expect(dead_code, reason = "the other benchmark has more workspaces")]
mod workspace;

use std::process::Command;
use std::time::Instant;

use clap::Parser;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use workspace::Workspace;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How often intervals of untouched routines miss the truth.
#[derive(Debug, Parser)]
struct Options {
    /// Only these branches.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds per comparison.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The estimate of one routine in one comparison.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    /// The mean of the rounds' log ratios.
    mean: f64,
    /// Half of its 95 % interval.
    half: f64,
}

impl Estimate {
    fn of(ratios: &[f64]) -> Outcome<Estimate> {
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let n = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / n;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        let error = (squares / (n - 1.0) / n).sqrt();
        let t = StudentsT::new(0.0, 1.0, n - 1.0)?.inverse_cdf(0.975);
        let half = t * error;
        Ok(Estimate { mean, half })
    }

    /// Whether the interval lies wholly beyond `least` on one side of 0.
    fn excludes(self, least: f64) -> bool {
        self.mean.abs() - self.half > least
    }
}

/// One way of placing code.
struct Remedy {
    name: &'static str,
    estimates: Vec<Estimate>,
    seconds: f64,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    let workspace = Workspace::of_one(&routines::benches(), &routines::library())?;
    let mut remedies = ["off", "auto"].map(|name| Remedy {
        name,
        estimates: Vec::new(),
        seconds: 0.0,
    });
    for (branch, library) in routines::branches() {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == branch) {
            continue;
        }
        workspace.branch(branch, &library)?;
        // The builds are paid for once, whichever way is asked first.
        compare(&workspace, branch, "off", 2)?;
        for remedy in &mut remedies {
            let began = Instant::now();
            let estimates = compare(&workspace, branch, remedy.name, options.rounds)?;
            remedy.seconds += began.elapsed().as_secs_f64();
            let said = match estimates.is_empty() {
                true => "the same code".to_owned(),
                false => row(&estimates),
            };
            println!("{branch}, --layouts {}: {said}", remedy.name);
            remedy.estimates.extend(estimates);
        }
    }
    println!(
        "\n| `--layouts` | comparisons | interval excludes 0 | beyond 1 % | beyond 3 % | median half width | p95 of the error | time |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for remedy in &remedies {
        println!(
            "| {} | {} | {:.0} s |",
            remedy.name,
            row(&remedy.estimates),
            remedy.seconds
        );
    }
    Ok(())
}

fn row(estimates: &[Estimate]) -> String {
    let beyond = |least: f64| estimates.iter().filter(|one| one.excludes(least)).count();
    let percentile = |share: f64, of: fn(&Estimate) -> f64| {
        let mut values: Vec<f64> = estimates.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        values
            .get((share * last as f64).round() as usize)
            .map_or(f64::NAN, |log| log.exp_m1() * 100.0)
    };
    format!(
        "{} | {} | {} | {} | {:.2} % | {:.2} %",
        estimates.len(),
        beyond(0.0),
        beyond(0.01),
        beyond(0.03),
        percentile(0.5, |one| one.half),
        percentile(0.95, |one| one.mean.abs()),
    )
}

/// perfcheck's rounds of each routine, `main` against a branch that is checked out.
fn compare(
    workspace: &Workspace,
    branch: &str,
    layouts: &str,
    rounds: usize,
) -> Outcome<Vec<Estimate>> {
    let json = workspace.beside("report.json");
    let rounds = rounds.to_string();
    let mut perfcheck = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"));
    perfcheck
        .args([
            &format!("main..{branch}"),
            "--filter",
            "^routine",
            "--layouts",
            layouts,
        ])
        .args([
            "--no-reach",
            "--no-allocations",
            "--no-profile",
            "--offline",
            "--quiet",
        ])
        // Nothing is certain enough to be stopped early.
        .args(["--confidence", "0.999999999", "--rounds", &rounds])
        .args([
            "--warm-up-time",
            "10ms",
            "--measurement-time",
            "25ms",
            "--seed",
            "1",
        ])
        .arg("--target-dir")
        .arg(workspace.beside("kept"))
        .arg("--output")
        .arg(&json)
        .current_dir(workspace.root());
    let output = perfcheck.output()?;
    let report: serde_json::Value = serde_json::from_slice(
        &std::fs::read(&json)
            .map_err(|_| format!("no report: {}", String::from_utf8_lossy(&output.stderr)))?,
    )?;
    let benchmarks = report["benchmarks"].as_array().ok_or("no benchmarks")?;
    let mut estimates = Vec::new();
    for benchmark in benchmarks {
        let rounds = benchmark["metrics"]["time"]["rounds"].as_array();
        let ratios = rounds.into_iter().flatten();
        let ratios: Vec<f64> = ratios.filter_map(|round| round["ratio"].as_f64()).collect();
        if ratios.len() > 1 {
            estimates.push(Estimate::of(&ratios)?);
        }
    }
    Ok(estimates)
}
