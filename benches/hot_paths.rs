//! What perfcheck itself spends its time on: `cargo bench --bench hot_paths`.
//!
//! Ordinary Criterion benchmarks, so that `cargo perfcheck` compares its own revisions with them.

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_perfcheck::binary::{Tree, changed_functions};
use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::{self, RenderOptions, Report};
use cargo_perfcheck::stats::{
    Estimate, TimedSamples, Weighted, paired_log_ratio, robust_location, step_up,
};
use cargo_perfcheck::units::Paired;
use criterion::{Criterion, criterion_group, criterion_main};

criterion_group!(benches, stats, function_diff, rendering);
criterion_main!(benches);

/// A round of one benchmark, the interval over rounds, and a report of many benchmarks.
fn stats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stats");
    let times = [samples(1), samples(2)];
    let iterations = vec![100; SAMPLES];
    // The sides take turns, one sample each.
    let starts = [0, 1].map(|side| -> Vec<u64> {
        let turns = (0..SAMPLES as u64).map(|turn| 2 * turn + side);
        turns.map(|turn| turn * 1_100_000).collect()
    });
    let [base, head] = [0, 1].map(|side| TimedSamples {
        times: &times[side],
        iterations: &iterations,
        starts: &starts[side],
        preempted: &[],
    });
    group.bench_function("paired round", |b| {
        b.iter(|| paired_log_ratio(black_box(base), black_box(head)));
    });
    let weighted = times[0].iter();
    let weighted: Vec<Weighted> = weighted
        .map(|&value| Weighted { value, weight: 1.0 })
        .collect();
    group.bench_function("robust location", |b| {
        b.iter(|| robust_location(black_box(&weighted)));
    });
    let ratios: Vec<f64> = times[0].iter().map(|time| (time / 1e6).ln()).collect();
    group.bench_function("interval over 30 rounds", |b| {
        b.iter(|| Estimate::of(black_box(&ratios[..30])).map(|e| (e.interval(0.01), e.p_zero())));
    });
    let p_values: Vec<f64> = (1..=1000).map(|rank| f64::from(rank) / 1000.0).collect();
    group.bench_function("step up over 1000 benchmarks", |b| {
        b.iter(|| step_up(black_box(&p_values), 1000, 0.05));
    });
    group.finish();
}

const SAMPLES: usize = 100;

/// A millisecond each, give or take a per cent, always the same.
fn samples(seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    (0..SAMPLES).map(|_| 1e6 * (0.99 + 0.02 * draw())).collect()
}

/// Two executables of one program, in which one constant differs.
fn function_diff(criterion: &mut Criterion) {
    let [base, head] = ["let rounds = 3;", "let rounds = 4;"].map(|line| {
        program(line).unwrap_or_else(|error| panic!("rustc did not compile the program: {error}"))
    });
    let folder = base.parent().expect("it lies in a folder");
    let tree = Tree {
        checkout: folder,
        workspace: folder,
        target_dir: folder,
    };
    let executables = Paired {
        base: base.as_path(),
        head: head.as_path(),
    };
    let trees = Paired {
        base: tree,
        head: tree,
    };
    criterion.bench_function("function_diff/one constant", |b| {
        b.iter(|| changed_functions(black_box(executables), trees).map(|changed| changed.len()));
    });
}

/// The program with this line, compiled once for a target folder.
fn program(line: &str) -> Result<PathBuf, Box<dyn Error>> {
    let text = format!(
        "use std::collections::HashMap;\n\
         fn main() {{\n    {line}\n    let mut seen = HashMap::new();\n    \
         for word in std::env::args().cycle().take(rounds) {{\n        \
         *seen.entry(word).or_insert(0) += 1;\n    }}\n    println!(\"{{seen:?}}\");\n}}\n"
    );
    let name: String = line.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(&name);
    if !program.is_file() {
        let scratch = tempfile::tempdir_in(folder)?;
        let source = scratch.path().join("program.rs");
        std::fs::write(&source, text)?;
        let made = scratch.path().join(&name);
        let status = Command::new("rustc")
            .args(["--edition", "2021", "-C", "opt-level=2", "-o"])
            .args([&made, &source])
            .status()?;
        if !status.success() {
            return Err(status.to_string().into());
        }
        std::fs::rename(made, &program)?;
    }
    Ok(program)
}

/// The recorded report of the demo, in the formats that people read.
fn rendering(criterion: &mut Criterion) {
    let recorded = include_str!("../fixtures/reports/demo.v1.json");
    let report: Report = serde_json::from_str(recorded).expect("a recorded report");
    let mut group = criterion.benchmark_group("render");
    for (name, format) in [
        ("text", Format::Text),
        ("markdown", Format::Markdown),
        ("html", Format::Html),
        ("json", Format::Json),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| report::render(black_box(&report), format, &RenderOptions::FILE));
        });
    }
    group.finish();
}
