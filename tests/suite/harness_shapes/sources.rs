//! The sources of the benchmarks, and of what they use.

pub(super) const BENCH: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    c.bench_function(\"work\", |b| b.iter(|| unusual::work(black_box(1000))));
    c.bench_function(\"work more\", |b| b.iter(|| unusual::work(black_box(2000))));
}

criterion_group!(benches, all);
criterion_main!(benches);
";

/// It has settings in its code, and none are given on the command line.
pub(super) const WHOLE: &str = "use std::{hint::black_box, time::Duration};
use criterion::Criterion;

fn main() {
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(Duration::from_millis(60))
        .sample_size(10);
    c.bench_function(\"work\", |b| b.iter(|| unusual::work(black_box(1000))));
    c.bench_function(\"work more\", |b| b.iter(|| unusual::work(black_box(2000))));
    c.final_summary();
}
";

/// Parses its own command line, and accepts only the words that it knows.
pub(super) const READER: &str = "use std::{hint::black_box, time::Duration};
use criterion::Criterion;

fn main() {
    for word in std::env::args().skip(1) {
        if word != \"--bench\" {
            eprintln!(\"unknown option {word}\");
            std::process::exit(2);
        }
    }
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(Duration::from_millis(60))
        .sample_size(10);
    c.bench_function(\"work\", |b| b.iter(|| unusual::work(black_box(1000))));
}
";

/// Does something else first: speaks, starts a program, uses a thread.
pub(super) const FIRST: &str = "use std::hint::black_box;
use criterion::Criterion;

fn main() {
    println!(\"test result: none yet\");
    let started = std::process::Command::new(\"true\").status();
    let sum = std::thread::spawn(|| unusual::work(10)).join();
    eprintln!(\"{started:?} {sum:?}\");
    let mut c = Criterion::default().configure_from_args();
    c.bench_function(\"work\", |b| b.iter(|| unusual::work(black_box(1000))));
    c.final_summary();
}
";

/// Emits in the order of a `HashMap`, on which the work of one benchmark depends, and what depends on the folder, which
/// another reads while it runs.
pub(super) const SCRIPT: &str = "use std::collections::HashMap;

fn main() {
    println!(\"cargo::rerun-if-changed=build.rs\");
    let keys: HashMap<u64, ()> = (0..4096).map(|key| (key, ())).collect();
    let keys: Vec<u64> = keys.into_keys().collect();
    let text = format!(\"pub static KEYS: [u64; 4096] = {keys:?};\");
    let folder = std::env::var(\"OUT_DIR\").unwrap();
    std::fs::write(format!(\"{folder}/keys.rs\"), text).unwrap();
    let count = if folder.contains(\"/head/\") { 3000 } else { 1000 };
    std::fs::write(format!(\"{folder}/count.txt\"), count.to_string()).unwrap();
}
";

pub(super) const SHUFFLED: &str = "//! Keys.
include!(concat!(env!(\"OUT_DIR\"), \"/keys.rs\"));

#[inline(never)]
pub fn find(key: u64) -> Option<usize> {
    KEYS.iter().position(|one| std::hint::black_box(*one) == key)
}
";

pub(super) const SHUFFLED_BENCH: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    c.bench_function(\"find\", |b| b.iter(|| shuffled::find(black_box(7))));
}

criterion_group!(benches, all);
criterion_main!(benches);
";

pub(super) const READING_BENCH: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    let count = std::fs::read_to_string(concat!(env!(\"OUT_DIR\"), \"/count.txt\"));
    let count: u64 = count.unwrap().parse().unwrap();
    c.bench_function(\"read\", |b| b.iter(|| unusual::work(black_box(count))));
}

criterion_group!(benches, all);
criterion_main!(benches);
";
