//! How often a small change is traced to the right function and hunk: `cargo bench --bench causes`.
//!
//! A workspace has fifteen modules of eight functions. A branch changes one function of each: by a larger constant, another
//! collection, a function that is no longer inlined, a further call, or a longer loop. The benchmark of the
//! module is meant to take 2, 3 or 5 % more time. That is a nominal size: what another collection and a call that is no longer
//! inlined cost is the processor's and the compiler's doing, and may be nothing or several times as much. The table has
//! the change that was measured. perfcheck compares the branch with `main`, once by samples alone
//! (`--causes samples`) and once with exact counts where samples do not tell (`--causes auto`).

#![expect(clippy::print_stdout, reason = "a program for a person")]

mod planted;
#[path = "../speed/workspace.rs"]
#[expect(dead_code, reason = "the other benchmark has more workspaces")]
mod workspace;

use std::process::Command;

use clap::Parser;
use serde_json::Value;

use planted::Planted;
use workspace::Workspace;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How often causes are found.
#[derive(Debug, Parser)]
struct Options {
    /// Only these ways of finding causes.
    #[arg(long, value_delimiter = ',', default_value = "samples,auto")]
    causes: Vec<String>,
    /// Only the benchmarks whose name matches.
    #[arg(long, default_value = "")]
    filter: String,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was found of one benchmark.
struct Finding {
    planted: Planted,
    change: String,
    ranking: String,
    function: String,
    hunk: String,
    is_right_function: bool,
    is_right_hunk: bool,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    let [before, after] = planted::libraries();
    let workspace = Workspace::of_one(&planted::benches(), &before)?;
    workspace.branch("planted", &after)?;
    for causes in &options.causes {
        let report = compare(&workspace, causes, &options)?;
        println!("\n`--causes {causes}`\n");
        println!("| benchmark | change | ranked by | named first | hunk | right |");
        println!("|---|---|---|---|---|---|");
        let findings: Vec<Finding> = Planted::all()
            .into_iter()
            .filter(|planted| planted.name().contains(&options.filter))
            .map(|planted| find(&report, planted))
            .collect();
        for finding in &findings {
            println!("{}", row(finding));
        }
        let right = |finding: &&Finding| finding.is_right_function && finding.is_right_hunk;
        println!(
            "\nfunction and hunk first: {} of {}",
            findings.iter().filter(right).count(),
            findings.len()
        );
    }
    Ok(())
}

fn row(finding: &Finding) -> String {
    let right = match (finding.is_right_function, finding.is_right_hunk) {
        (true, true) => "yes",
        (true, false) => "function only",
        (false, _) => "no",
    };
    format!(
        "| {} | {} | {} | `{}` | {} | {right} |",
        finding.planted.name(),
        finding.change,
        finding.ranking,
        finding.function,
        finding.hunk
    )
}

fn find(report: &Value, planted: Planted) -> Finding {
    let of = |list: &str| {
        let mut all = report[list].as_array().into_iter().flatten();
        let found = all.find(|one| one["id"] == planted.name().as_str());
        found.unwrap_or(&Value::Null)
    };
    let benchmark = of("benchmarks");
    let change = match benchmark["metrics"]["time"]["estimate"]["ratio"].as_f64() {
        Some(ratio) => format!(
            "{:+.1} % ({})",
            (ratio - 1.0) * 100.0,
            benchmark["verdict"].as_str().unwrap_or_default()
        ),
        None => "–".to_owned(),
    };
    let explanation = &of("attributions")["explanation"];
    let first = &explanation["contributors"][0];
    let function = first["function"].as_str().unwrap_or("–");
    let lines = first["hunks"][0]["lines"].as_array().into_iter().flatten();
    let mut added = lines.filter(|line| line["kind"] == "added");
    let right = planted.functions().iter();
    let mut right = right.map(|name| format!("{}::{name}", planted.name()));
    Finding {
        planted,
        change,
        ranking: explanation["ranking"]["by"]
            .as_str()
            .unwrap_or("–")
            .to_owned(),
        hunk: first["hunks"][0]["relation"]
            .as_str()
            .unwrap_or("–")
            .to_owned(),
        is_right_function: right.any(|name| function.ends_with(&name)),
        is_right_hunk: added.any(|line| {
            let text = line["text"].as_str();
            text.is_some_and(|text| text.contains(&planted.line()))
        }),
        function: function.to_owned(),
    }
}

/// What perfcheck reports of the branch.
fn compare(workspace: &Workspace, causes: &str, options: &Options) -> Outcome<Value> {
    let json = workspace.beside("report.json");
    let mut perfcheck = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"));
    perfcheck
        .args(["main..planted", "--causes", causes, "--no-allocations"])
        .args(["--offline", "--seed", &options.seed.to_string()])
        .arg("--target-dir")
        .arg(workspace.beside("kept"))
        .arg("--output")
        .arg(&json)
        .current_dir(workspace.root());
    if !options.filter.is_empty() {
        perfcheck.args(["--filter", &options.filter]);
    }
    let output = perfcheck.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let text = std::fs::read(&json).map_err(|_| format!("no report: {said}"))?;
    Ok(serde_json::from_slice(&text)?)
}
