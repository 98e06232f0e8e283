//! What a change can reach: one workspace of two packages, whose revisions share their builds.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Workspace, has_valgrind, one_run};

/// Nothing here measures Criterion itself, so the settings favour a quick build.
const WORKSPACE: &str = "[workspace]\nmembers = [\"twelve\", \"other\"]\nresolver = \"2\"\n\n\
    [profile.bench.package.\"*\"]\nopt-level = 0\ndebug = false\n";

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dev-dependencies]\ncriterion = {{ version = \"0.8\", default-features = false }}\n\n\
         [[bench]]\nname = \"{name}\"\nharness = false\n"
    )
}

/// Twelve functions with a benchmark each, and some that no benchmark executes. Of the twelve the last
/// one has its code from a function that is always inlined. What `spare` calls has code that differs
/// with that of `Odd::eq`, and is written the same: a derived implementation and instances of a
/// generic function.
fn twelve(last: u32, spare: u32) -> String {
    let mut text = String::from("//! Twelve functions.\n");
    for n in 0..12 {
        let turned = match n {
            11 => "part(x)",
            _ => "x.rotate_left(3)",
        };
        let _ = write!(
            text,
            "\n#[inline(never)]\npub fn f{n:02}(x: u64) -> u64 {{\n    \
             if x == u64::MAX {{\n        return spare(x);\n    }}\n    \
             {turned}.wrapping_mul({n} + 5)\n}}\n"
        );
    }
    text + &format!(
        r#"
#[inline(always)]
fn part(x: u64) -> u64 {{
    x.rotate_left({last})
}}

#[inline(never)]
pub fn spare(x: u64) -> u64 {{
    let x = std::hint::black_box(x);
    let pairs = same(&Pair(Odd(x), Odd(1)), &Pair(Odd(2), Odd(x)));
    x.rotate_left({spare}) ^ u64::from(pairs) ^ u64::from(same(&Odd(x), &Odd(3)))
}}

#[inline(never)]
fn same<T: PartialEq>(one: &T, other: &T) -> bool {{
    one == other
}}

#[derive(PartialEq)]
struct Pair(Odd, Odd);

struct Odd(u64);

impl PartialEq for Odd {{
    fn eq(&self, other: &Odd) -> bool {{
        self.0.rotate_left({spare}) == other.0
    }}
}}
"#
    )
}

/// Benchmarks whose code asks for seconds, and that count their iterations in a file for each process.
const OWN_SETTINGS: &str = r#"use criterion::{criterion_group, criterion_main, Criterion};
use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static PREPARED: AtomicBool = AtomicBool::new(false);

fn counted(name: &str, pause: u64) -> impl FnMut() {
    let folder = std::env::var("ITERATIONS").unwrap();
    let path = format!("{folder}/{name}-{}", std::process::id());
    let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
    move || {
        file.write_all(b".").unwrap();
        std::thread::sleep(Duration::from_millis(pause));
    }
}

fn own(c: &mut Criterion) {
    let mut group = c.benchmark_group("own");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.bench_function("settings", |b| b.iter(counted("settings", 1)));
    group.bench_function("slow", |b| b.iter(counted("slow", 150)));
    group.bench_function("behind", |b| b.iter(counted("behind", 1)));
    group.bench_function("prepares", |b| {
        let mut count = counted("prepares", 1);
        b.iter(|| {
            if !PREPARED.swap(true, Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(300));
            }
            count()
        })
    });
    group.finish();
    c.bench_function("own/usual_warm_up", |b| b.iter(counted("usual_warm_up", 150)));
}

"#;

/// Each function in a benchmark of its own, the last one in a thread of its own.
fn benchmarks() -> String {
    let mut text = OWN_SETTINGS.to_owned() + "fn all(c: &mut Criterion) {\n";
    for n in 0..11 {
        let _ = writeln!(
            text,
            "    c.bench_function(\"f{n:02}\", |b| b.iter(|| twelve::f{n:02}(black_box(7))));"
        );
    }
    text + "    c.bench_function(\"f11\", |b| {\n        \
            b.iter(|| std::thread::spawn(|| twelve::f11(black_box(7))).join().unwrap())\n    });\n}\n\n\
            criterion_group!(benches, own, all);\ncriterion_main!(benches);\n"
}

/// A function, and another one of which only one branch changes.
fn other(by: u32) -> String {
    format!(
        r#"//! Something else.

use std::hint::black_box;

#[inline(never)]
pub fn other(x: u64) -> u64 {{
    x.rotate_left({by})
}}

#[inline(never)]
pub fn branches(which: u32, x: u64) -> u64 {{
    match which {{
        0 => (0..x).fold(1, |sum, x| black_box(sum ^ x)),
        1 => (0..x).fold(2, |sum, x| black_box(sum + x)),
        _ => (0..x).fold(3, |sum: u64, x| black_box(sum.rotate_left({by}) ^ x)),
    }}
}}
"#
    )
}

const OTHER_BENCH: &str = r#"use criterion::{criterion_group, criterion_main, Criterion};
use std::hint::black_box;

fn all(c: &mut Criterion) {
    c.bench_function("other", |b| b.iter(|| other::other(black_box(7))));
    for which in 0..3 {
        c.bench_function(&format!("branch/{which}"), |b| {
            b.iter(|| other::branches(black_box(which), black_box(7)))
        });
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
"#;

/// The results of comparing the first revision with each of the others.
struct Runs {
    documented: Run,
    in_other: Run,
    in_one: Run,
    /// Counted instead of timed; `None` where there is no Valgrind.
    counted: Option<Run>,
    /// What the benchmarks with settings of their own have counted in all runs.
    iterations: TempDir,
}

struct Run {
    report: Value,
    progress: String,
}

impl Run {
    /// `<verdict> <id>` of each benchmark, and ` timed` behind it where it was.
    fn verdicts(&self) -> Vec<String> {
        let benchmarks = self.report["benchmarks"].as_array().unwrap().iter();
        let mut all: Vec<String> = benchmarks
            .map(|benchmark| {
                let word = |key: &str| benchmark[key].as_str().unwrap().to_owned();
                let timed = if benchmark["metrics"]["time"].is_null() {
                    ""
                } else {
                    " timed"
                };
                format!("{} {}{timed}", word("id"), word("verdict"))
            })
            .collect();
        all.sort();
        all
    }

    /// The ids of those that were timed.
    fn timed(&self) -> Vec<String> {
        let timed = self.verdicts().into_iter();
        timed
            .filter(|told| told.ends_with(" timed"))
            .map(|told| told.split(' ').next().unwrap().to_owned())
            .collect()
    }
}

fn runs() -> &'static Runs {
    static RUNS: OnceLock<Runs> = OnceLock::new();
    RUNS.get_or_init(|| {
        let repository = Workspace::new();
        let iterations = tempfile::tempdir().unwrap();
        repository
            .write("Cargo.toml", WORKSPACE)
            .write("twelve/Cargo.toml", &manifest("twelve"))
            .write("twelve/src/lib.rs", &twelve(3, 1))
            .write("twelve/benches/twelve.rs", &benchmarks())
            .write("other/Cargo.toml", &manifest("other"))
            .write("other/src/lib.rs", &other(3))
            .write("other/benches/other.rs", OTHER_BENCH)
            .commit("Time some things");
        let first = repository.tip();
        let run_with = |options: &str, path: &str, text: String| {
            repository.write(path, &text).commit("Change something");
            let output = repository
                .keeping(&format!("{first}..HEAD {options} --format json"))
                .env("ITERATIONS", iterations.path())
                .output()
                .unwrap();
            let progress = String::from_utf8_lossy(&output.stderr).into_owned();
            let report = serde_json::from_slice(&output.stdout);
            let run = Run {
                report: report.unwrap_or_else(|_| panic!("{progress}")),
                progress,
            };
            repository.write("twelve/src/lib.rs", &twelve(3, 1));
            repository.write("other/src/lib.rs", &other(3));
            run
        };
        let run = |path: &str, text: String| {
            let options = "--time-per-benchmark 100ms --rounds 3 --no-allocations --no-profile";
            run_with(options, path, text)
        };
        // One more store and load in each of seven turns, beside a change that needs no other instructions.
        let longer = other(4).replace("black_box(sum.rot", "black_box(black_box(sum).rot");
        let has_valgrind = has_valgrind("a_run_for_instructions_alone_tells_more_from_the_same");
        let documented = format!("//! And more about them.\n{}", twelve(3, 1));
        Runs {
            documented: run("twelve/src/lib.rs", documented),
            in_other: run("other/src/lib.rs", other(4)),
            in_one: run("twelve/src/lib.rs", twelve(4, 2)),
            counted: has_valgrind
                .then(|| run_with("--only instructions", "other/src/lib.rs", longer)),
            iterations,
        }
    })
}

one_run! {
    only_what_a_change_can_reach_is_timed:
    a_change_of_documentation_has_nothing_timed,
    a_change_in_one_package_has_only_its_benchmarks_timed,
    of_twelve_benchmarks_only_the_one_that_executes_the_changed_function_is_timed,
    only_functions_that_the_change_touches_and_no_benchmark_executes_ask_for_one,
    settings_in_the_code_do_not_decide_how_long_a_benchmark_is_watched,
    a_run_for_instructions_alone_tells_more_from_the_same,
}

fn a_change_of_documentation_has_nothing_timed() {
    let run = &runs().documented;
    assert_eq!(run.timed(), [""; 0], "{}", run.progress);
    assert!(
        run.verdicts()
            .iter()
            .all(|told| told.ends_with(" identical"))
    );
    assert!(
        run.progress
            .contains("0 of 21 benchmarks can be affected by this change"),
        "{}",
        run.progress
    );
}

fn a_change_in_one_package_has_only_its_benchmarks_timed() {
    let run = &runs().in_other;
    // One branch has changed in a function that three of them execute.
    assert_eq!(run.timed(), ["branch/2", "other"], "{}", run.progress);
}

fn of_twelve_benchmarks_only_the_one_that_executes_the_changed_function_is_timed() {
    let run = &runs().in_one;
    assert_eq!(run.timed(), ["f11"], "{}", run.progress);
    assert!(
        run.verdicts().contains(&"f03 unreached".to_owned()),
        "{:?}",
        run.verdicts()
    );
    assert!(
        run.progress
            .contains("1 of 21 benchmarks can be affected by this change"),
        "{}",
        run.progress
    );
}

fn only_functions_that_the_change_touches_and_no_benchmark_executes_ask_for_one() {
    let report = &runs().in_one.report;
    let uncovered = report["reach"]["uncovered"].as_array().unwrap();
    let names: Vec<&str> = uncovered
        .iter()
        .map(|function| function["function"].as_str().unwrap())
        .collect();
    // Not `part`, whose inlined copy is executed, nor what differs by inlining alone.
    assert_eq!(
        names,
        ["twelve::spare", "twelve::Odd::eq"],
        "{}",
        report["reach"]
    );
    let differing = report["reach"]["changed_functions"].as_u64().unwrap();
    assert!(differing > 2, "{}", report["reach"]);
    assert!(
        uncovered[0]["location"]
            .as_str()
            .unwrap()
            .starts_with("twelve/src/lib.rs:")
    );
    assert_ne!(report["vote"], "approve");
}

fn settings_in_the_code_do_not_decide_how_long_a_benchmark_is_watched() {
    let runs = runs();
    let verdicts = runs.in_one.verdicts();
    for (name, least, most) in [
        // Their code asks for more than 3,000 iterations,
        ("settings", 100, 1500),
        ("behind", 100, 1500),
        ("prepares", 100, 1500),
        // and for a hundred samples.
        ("slow", 11, 20),
        ("usual_warm_up", 11, 20),
    ] {
        let told = format!("own/{name} unreached");
        assert!(verdicts.contains(&told), "{verdicts:?}");
        let processes = std::fs::read_dir(runs.iterations.path()).unwrap();
        let counts = processes.map(Result::unwrap).filter(|file| {
            let file = file.file_name().into_string().unwrap();
            file.starts_with(&format!("{name}-"))
        });
        let counts: Vec<u64> = counts.map(|file| file.metadata().unwrap().len()).collect();
        let longest = *counts.iter().max().unwrap();
        assert!((least..most).contains(&longest), "{name}: {counts:?}");
    }
}

fn a_run_for_instructions_alone_tells_more_from_the_same() {
    let Some(run) = &runs().counted else {
        return;
    };
    let counted = run.verdicts();
    assert!(
        counted.contains(&"other untimed".to_owned()),
        "{}",
        run.progress
    );
    assert!(
        counted.contains(&"branch/1 unreached".to_owned()),
        "{counted:?}"
    );
    let change = |id: &str| {
        let mut benchmarks = run.report["benchmarks"].as_array().unwrap().iter();
        let found = benchmarks.find(|benchmark| benchmark["id"] == id).unwrap();
        let change = &found["metrics"]["instructions"];
        let value = |side: &str| change[side]["value"].as_f64().unwrap();
        assert_eq!(change["head"]["exactness"], "exact", "{found}");
        let direction = change["direction"].as_str().unwrap().to_owned();
        (direction, value("base"), value("head"))
    };
    let (direction, base, head) = change("other");
    assert_eq!((direction.as_str(), head - base), ("same", 0.0));
    let (direction, base, head) = change("branch/2");
    assert_eq!(direction, "more");
    // As much in each of the seven turns.
    assert!(
        head - base >= 14.0 && (head - base) % 7.0 == 0.0,
        "{base} {head}"
    );
    assert_eq!(run.report["vote"], "reject", "{}", run.report["reasons"]);
    assert_eq!(run.report["typed_reasons"][0]["kind"], "more-instructions");
}
