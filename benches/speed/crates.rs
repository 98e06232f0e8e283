//! First and second runs on a package with many dependencies: `cargo bench --bench speed -- --case crates`.

use std::path::Path;
use std::process::Command;

use super::Outcome;
use super::by_hand::ByHand;
use super::watch::{Cost, measure};
use super::workspace::Workspace;

/// Dependencies beside Criterion, as this repository's lock file has them.
const DEPENDENCIES: [&[&str]; 3] = [
    &[],
    &["clap", "regex", "serde_json", "toml", "globset", "statrs"],
    &[
        "clap",
        "regex",
        "serde_json",
        "toml",
        "globset",
        "statrs",
        "indicatif",
        "quick-junit",
        "cargo_metadata",
        "inferno",
        "snapbox",
        "proptest",
        "insta",
        "tar",
    ],
];

const LIB: &str = "pub fn sum(n: u64) -> u64 {
    (0..n).fold(1, |acc, x| acc.wrapping_mul(31).wrapping_add(x))
}
";

const BENCHES: &str = "use criterion::{Criterion, criterion_group, criterion_main};

fn all(c: &mut Criterion) {
    for n in [1_000, 2_000, 4_000, 8_000, 16_000] {
        c.bench_function(&format!(\"sum {n}\"), |b| b.iter(|| p0::sum(std::hint::black_box(n))));
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
";

/// Prints a row for each number of crates: wall time and, in brackets, the processor time of all processes, which other
/// work on the machine makes longer by less.
pub(super) fn run() -> Outcome<()> {
    println!(
        "| crates | `cargo bench` on one side | of it building | `cargo perfcheck`, the first time | again |"
    );
    println!("|--:|--:|--:|--:|--:|");
    for dependencies in DEPENDENCIES {
        let workspace = Workspace::with_dependencies(BENCHES, LIB, dependencies)?;
        workspace.branch("head", &LIB.replace("(0..n)", "(0..n + n / 5)"))?;
        let by_hand = ByHand::new(&workspace, true);
        let building = by_hand.build()?;
        let measuring = by_hand.bench("head")?;
        let first = compare(&workspace)?;
        let again = compare(&workspace)?;
        println!(
            "| {} | {} | {} | {} | {} |",
            workspace.crates()?,
            seconds(Cost::sum(&[building, measuring])),
            seconds(building),
            seconds(first),
            seconds(again),
        );
    }
    Ok(())
}

fn compare(workspace: &Workspace) -> Outcome<Cost> {
    eprintln!("main..head:");
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_cargo-perfcheck")));
    command
        .args([
            "perfcheck",
            "main..head",
            "--quiet",
            "--offline",
            "--seed",
            "1",
        ])
        .arg("--output")
        .arg(workspace.beside("report.json"))
        .current_dir(workspace.root())
        .env("XDG_CACHE_HOME", workspace.beside("cache"));
    measure(&mut [command])
}

fn seconds(cost: Cost) -> String {
    let (wall, processor) = (cost.wall.as_secs_f64(), cost.processor.as_secs_f64());
    format!("{wall:.1} s ({processor:.1} s)")
}
