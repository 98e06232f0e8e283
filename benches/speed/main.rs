//! Whole runs side by side, on a workspace of twenty benchmarks: `cargo bench --bench speed`.
//!
//! Prints the table that `docs/speed.md` quotes: what people do by hand (`git worktree`, `cargo bench`
//! on both sides, `critcmp`), and what `cargo perfcheck` takes the first time, again, after a change of one
//! line, and after one of documentation alone. With `--short`, `cargo bench` measures for two fifths of
//! Criterion's usual time.
//!
//! `-- --case settings|slow|slow-100|set-up|suite|all` runs an expensive suite instead, compared with the classic
//! way, without building; `--small` takes a few of its benchmarks, `--no-classic` leaves the classic way out,
//! `--only-quick` all runs but those with `--quick`. `-- --case crates` shows what dependencies cost.

#![expect(clippy::print_stdout, reason = "a table for a person")]
#![expect(clippy::print_stderr, reason = "what it is doing, for who waits")]

mod by_hand;
mod cases;
mod crates;
mod watch;
mod workspace;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use by_hand::ByHand;
use watch::{Cost, measure};
use workspace::Workspace;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` runs benches to see whether they work; this one takes minutes.
        eprintln!("nothing done: start it with `cargo bench --bench speed`");
        return Ok(());
    }
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--case") {
        let has = |option: &str| words.iter().any(|word| word == option);
        let classic = match has("--no-classic") {
            true => cases::Classic::Left,
            false => cases::Classic::Run,
        };
        let runs = match has("--only-quick") {
            true => cases::Chosen::Quick,
            false => cases::Chosen::All,
        };
        let name = words.get(at + 1).map_or("", String::as_str);
        if name == "crates" {
            return crates::run();
        }
        let chosen = cases::CASES
            .iter()
            .filter(|case| name == "all" || case.name == name);
        return chosen
            .into_iter()
            .try_for_each(|case| cases::run(case, has("--small"), classic, runs));
    }
    let began = Instant::now();
    let workspace = Workspace::create()?;
    let by_hand = ByHand::new(&workspace, std::env::args().any(|word| word == "--short"));
    println!("| run | wall | processor | peak memory | benchmarks measured |");
    println!("|---|--:|--:|--:|--:|");
    with_hands(&workspace, &by_hand)?;
    for (name, range) in [
        ("`cargo perfcheck main..head`, the first time", "main..head"),
        ("`cargo perfcheck main..head`, again", "main..head"),
        ("`cargo perfcheck main..line`, one more line", "main..line"),
        (
            "`cargo perfcheck main..words`, a comment of documentation",
            "main..words",
        ),
        (
            "`cargo perfcheck main..readme`, one more commit, of README.md",
            "main..readme",
        ),
    ] {
        let json = workspace.beside("report.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"));
        command
            .args(["perfcheck", range, "--quiet", "--workspace", "--offline"])
            .args(["--seed", "1", "--timings", "--output"])
            .arg(&json)
            .current_dir(workspace.root())
            .env("XDG_CACHE_HOME", workspace.beside("cache"));
        eprintln!("{range}:");
        row(name, measure(&mut [command])?, &measured(&json)?);
    }
    eprintln!("all of this took {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Compares `head` with `main`, then `line`; finally measures how long cargo takes if there is nothing to build.
fn with_hands(workspace: &Workspace, by_hand: &ByHand<'_>) -> Outcome<()> {
    let mut all = vec![by_hand.bench_of_base()?];
    row("`git worktree add`, `cargo bench` on base", all[0], "20");
    all.push(by_hand.bench("head")?);
    row("`cargo bench` on head", all[1], "20");
    match by_hand.compare("head")? {
        Some(cost) => {
            all.push(cost);
            row("`critcmp`", cost, "");
        }
        None => println!("| `critcmp`: not installed | | | | |"),
    }
    row("**all of that, by hand**", Cost::sum(&all), "20");
    workspace.switch("line")?;
    let mut again = vec![by_hand.bench("line")?];
    again.extend(by_hand.compare("line")?);
    row(
        "by hand after one more line: `cargo bench` on head alone, `critcmp`",
        Cost::sum(&again),
        "20",
    );
    workspace.switch("head")?;
    by_hand.build()?;
    let nothing = by_hand.build()?;
    row(
        "`cargo bench --no-run` with nothing to build, one side",
        nothing,
        "0",
    );
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

/// How many benchmarks of a report were timed on both sides.
fn measured(json: &Path) -> Outcome<String> {
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json)?)?;
    let benchmarks = report["benchmarks"].as_array().ok_or("a list")?;
    let timed = benchmarks
        .iter()
        .filter(|entry| !entry["metrics"]["time"].is_null());
    Ok(timed.count().to_string())
}
