//! A repository whose benchmarks are in a nested package that is a workspace of its own, read data that git
//! ignores, and change their names: one workspace, compared over two ranges.

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, executable, one_run};

const OUTER: &str = "[package]\nname = \"outer\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

/// Only what is measured is optimised: the rest is quick to build.
const BENCH: &str = "[package]\nname = \"outer-bench\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
    [dependencies]\nouter = { path = \"..\" }\ncriterion = { version = \"0.8\", default-features = false }\n\n\
    [[bench]]\nname = \"TARGET\"\nharness = false\n\n[[bench]]\nname = \"data\"\nharness = false\n\n[[bench]]\nname = \"folder\"\nharness = false\n\n\
    [profile.bench]\nopt-level = 1\n\n[profile.bench.package.\"*\"]\nopt-level = 0\ndebug = false\n\n\
    [profile.bench.package.outer]\nopt-level = 3\n";

fn outer(rounds: u64, step: u64) -> String {
    format!(
        "#[inline(never)]\npub fn work(n: u64) -> u64 {{\n    (0..n * {rounds}).fold(1, |a, x| \
         a.wrapping_mul(6364136223846793005).wrapping_add(x))\n}}\n\n\
         #[inline(never)]\npub fn rest(n: u64) -> u64 {{\n    n.wrapping_mul({step})\n}}\n\n\
         #[inline(never)]\npub fn at(values: &[u64], index: usize) -> u64 {{\n    values[index]\n}}\n"
    )
}

/// The ids of two of its benchmarks hold the revision's folder and commit. `rest` is never executed.
const WORK: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    assert_eq!(std::env::var(\"STARTED_BY\").as_deref(), Ok(\"runner\"));
    let folder = std::env::current_dir().unwrap();
    let commit = std::fs::read_to_string(\"../.git/HEAD\").unwrap();
    if black_box(folder.as_os_str().is_empty()) {
        black_box(outer::rest(black_box(3)));
    }
    c.bench_function(\"ID\", |b| b.iter(|| outer::work(black_box(1000))));
    c.bench_function(\"at\", |b| b.iter(|| outer::at(black_box(&[1, 2]), black_box(1))));
    c.bench_function(&format!(\"in {}\", folder.display()), |b| b.iter(|| outer::work(black_box(900))));
    c.bench_function(&format!(\"of {}\", &commit[..9]), |b| b.iter(|| outer::work(black_box(800))));
}

criterion_group!(benches, all);
criterion_main!(benches);
";

const DATA: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    let path = \"../data/numbers.txt\";
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!(\"{path}: {error}\"));
    let count: u64 = text.trim().parse().unwrap();
    c.bench_function(\"data\", |b| b.iter(|| outer::work(black_box(count))));
}

criterion_group!(benches, all);
criterion_main!(benches);
";

/// Its failure does not say what is missing.
const FOLDER: &str = "use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    let mut group = c.benchmark_group(\"self\");
    for entry in std::fs::read_dir(\"samples\").unwrap() {
        let name = entry.unwrap().file_name();
        group.bench_function(name.to_string_lossy(), |b| b.iter(|| outer::work(100)));
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
";

struct Told {
    documentation: Value,
    change: Value,
}

fn told() -> &'static Told {
    static TOLD: OnceLock<Told> = OnceLock::new();
    TOLD.get_or_init(|| {
        let workspace = Workspace::new();
        let start = "#!/bin/sh\nexport STARTED_BY=runner\nexec \"$@\"\n";
        executable(&workspace.root().join("tools/start.sh"), start);
        workspace
            .write("Cargo.toml", OUTER)
            .write(".gitignore", "target\ndata\nsamples/\n")
            .write("data/numbers.txt", "1000\n")
            .write(".cargo/config.toml", "[target.'cfg(unix)']\nrunner = \"tools/start.sh\"\n")
            .write("src/lib.rs", &outer(1, 3))
            .write("bench/Cargo.toml", &BENCH.replace("TARGET", "work"))
            .write("bench/src/lib.rs", "")
            .write("bench/benches/work.rs", &WORK.replace("ID", "fold/chained"))
            .write("bench/benches/data.rs", DATA)
            .write("bench/benches/folder.rs", FOLDER)
            .commit("Work")
            .write("src/lib.rs", &format!("//! Work.\n\n{}", outer(1, 3)))
            .commit("Say what it does");
        let report = |line: &str| {
            let options =
                "--rounds 8 --threshold 20% --time-per-benchmark 300ms --no-allocations --no-profile";
            let output = workspace
                .keeping(&format!("{line} {options} --format json"))
                .args(["--warm-up-time", "10ms", "--measurement-time", "20ms"])
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
        };
        let documentation = report("HEAD~1..HEAD");
        std::fs::remove_file(workspace.root().join("bench/benches/work.rs")).unwrap();
        workspace
            .write("bench/samples/small.txt", "")
            .write("src/lib.rs", &format!("//! Work.\n\n{}", outer(2, 5)))
            .write("bench/Cargo.toml", &BENCH.replace("TARGET", "labour"))
            .write("bench/benches/labour.rs", &WORK.replace("ID", "fold/codeword"))
            .commit("Work twice as much, and call it otherwise");
        let change =
            report("HEAD~1..HEAD --carry data/** --carry bench/samples --rename fold/chained=fold/codeword");
        Told {
            documentation,
            change,
        }
    })
}

fn benchmarks(report: &Value) -> &Vec<Value> {
    report["benchmarks"].as_array().unwrap()
}

/// Target, id and verdict of each benchmark, the id up to its first space.
fn verdicts(report: &Value) -> Vec<String> {
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = benchmarks(report).iter().map(|one| {
        let id = word(one, "id");
        let id = id.split(' ').next().unwrap_or_default();
        format!("{} {id}: {}", word(one, "target"), word(one, "verdict"))
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

one_run! {
    a_repository_with_nested_benchmarks_is_compared_as_any_other:
    a_nested_package_is_found_and_a_change_of_documentation_is_identical,
    data_that_git_ignores_is_named_where_it_is_missing_and_brought_where_it_is_asked_for,
    benchmarks_are_paired_by_what_they_were_called,
    benchmarks_are_started_by_the_runner_of_the_folder_above,
    functions_of_the_outer_crate_are_seen_from_the_nested_workspace,
}

fn a_nested_package_is_found_and_a_change_of_documentation_is_identical() {
    let report = &told().documentation;
    let expected = [
        "work at: identical",
        "work fold/chained: identical",
        "work in: identical",
        "work of: identical",
    ];
    assert_eq!(verdicts(report), expected, "{report:#}");
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("--manifest-path bench/Cargo.toml"),
        "{warnings}"
    );
}

fn data_that_git_ignores_is_named_where_it_is_missing_and_brought_where_it_is_asked_for() {
    let Told {
        documentation,
        change,
    } = told();
    let warnings = documentation["warnings"].to_string();
    assert!(warnings.contains("--carry data/numbers.txt"), "{warnings}");
    let unsaid = "a benchmark of `bench/benches/folder.rs` failed because a file is missing, and its source names \
        `bench/samples`, which git ignores, so that no revision has it; it is not in your checkout either: put it \
        there, then `--carry bench/samples` brings it to both sides";
    assert!(warnings.contains(unsaid), "{warnings}");
    let skipped = documentation["skipped"].to_string();
    assert!(skipped.contains("../data/numbers.txt"), "{skipped}");
    assert!(
        verdicts(change).contains(&"data data: slower".to_owned()),
        "{change:#}"
    );
    assert!(
        verdicts(change).contains(&"folder self/small.txt: slower".to_owned()),
        "{change:#}"
    );
    let carried = change["environment"]["carried"].to_string();
    assert!(carried.contains("data/** (1 file, 5 B)"), "{carried}");
}

fn benchmarks_are_paired_by_what_they_were_called() {
    let report = &told().change;
    let verdicts = verdicts(report);
    for expected in [
        "labour fold/codeword: slower",
        "labour in: slower",
        "labour of: slower",
    ] {
        assert!(verdicts.contains(&expected.to_owned()), "{report:#}");
    }
    assert_eq!(verdicts.len(), 6, "{report:#}");
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("`fold/chained` of the base side is `fold/codeword`"),
        "{warnings}"
    );
}

fn benchmarks_are_started_by_the_runner_of_the_folder_above() {
    let report = &told().change;
    let warnings = report["warnings"].to_string();
    let expected = "`tools/start.sh` (`target.'cfg(unix)'.runner` of .cargo/config.toml) starts the benchmarks of both sides";
    assert!(warnings.contains(expected), "{warnings}");
    // It becomes the benchmark.
    for one in benchmarks(report) {
        assert_eq!(one["pairing"], "sample", "{one:#}");
    }
}

fn functions_of_the_outer_crate_are_seen_from_the_nested_workspace() {
    let report = &told().change;
    let uncovered = report["reach"]["uncovered"].to_string();
    assert!(uncovered.contains("outer::rest"), "{report:#}");
    assert!(!uncovered.contains("outer::work"), "{uncovered}");
}
