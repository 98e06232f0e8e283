//! A profile that asks for all at once: inherited twice, stripped, optimised across crates, aborting, checking.

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, one_run};

/// Settings of packages cannot be inherited away: what is compiled for nothing here is compiled quickly. The test spends
/// most of its time in optimising across crates. Level 1 takes less of it than 2, and is as unlike the default.
const MANIFEST: &str = "[package]\nname = \"tight\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nbench = false\n\n\
    [dev-dependencies]\ncriterion = { version = \"0.8\", default-features = false }\n\n\
    [[bench]]\nname = \"speed\"\nharness = false\n\n\
    [profile.tight]\ninherits = \"release\"\nopt-level = 1\nlto = \"fat\"\npanic = \"abort\"\nstrip = true\ndebug = false\n\
    codegen-units = 1\noverflow-checks = true\n\n[profile.tight.package.\"*\"]\nopt-level = 0\n\n\
    [profile.very-tight]\ninherits = \"tight\"\n\n[workspace]\n";

/// `collect` is an allocation more on head.
fn library(rounds: u64, collected: usize) -> String {
    format!(
        "#[inline(never)]\npub fn work(n: u64) -> u64 {{\n    (0..n * {rounds}).fold(1, |a, x| \
         a.wrapping_mul(6364136223846793005).wrapping_add(x))\n}}\n\n\
         #[inline(never)]\npub fn collect(n: u64) -> usize {{\n    (0..{collected})\n        \
         .map(|_| (0..n).collect::<Vec<u64>>().len())\n        .sum()\n}}\n"
    )
}

/// It fails unless the profile's checks are on.
const BENCH: &str = "use std::hint::black_box;
use criterion::{criterion_group, criterion_main, Criterion};

fn all(c: &mut Criterion) {
    let (most, one) = (black_box(u8::MAX), black_box(1));
    let sum = std::panic::catch_unwind(|| most + one);
    assert!(sum.is_err(), \"overflow is not checked\");
    c.bench_function(\"work\", |b| b.iter(|| tight::work(black_box(1000))));
    c.bench_function(\"collect\", |b| b.iter(|| tight::collect(black_box(100))));
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
        workspace
            .write("Cargo.toml", MANIFEST)
            .write(".gitignore", "target\n")
            .write("src/lib.rs", &library(1, 1))
            .write("benches/speed.rs", BENCH)
            .commit("Work")
            .write("src/lib.rs", &format!("//! Work.\n\n{}", library(1, 1)))
            .commit("Say what it does");
        let report = || {
            let options = "HEAD~1..HEAD --profile very-tight --rounds 8 --threshold 20% \
                --time-per-benchmark 300ms --profile-time 300ms --format json";
            let output = workspace
                .keeping(options)
                .args(["--warm-up-time", "10ms", "--measurement-time", "20ms"])
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
        };
        let documentation = report();
        workspace
            .write("src/lib.rs", &format!("//! Work.\n\n{}", library(3, 2)))
            .commit("Work and collect more");
        Told {
            documentation,
            change: report(),
        }
    })
}

fn of<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut benchmarks = report["benchmarks"].as_array().unwrap().iter();
    let found = benchmarks.find(|one| one["id"] == id);
    found.unwrap_or_else(|| panic!("{id}: {report:#}"))
}

one_run! {
    #[ignore = "fat link-time optimisation of two sides: `just field`"]
    a_profile_that_strips_and_optimises_all_at_once_is_measured_as_any_other:
    a_change_of_documentation_is_identical_across_crates,
    times_are_paired_by_sample_and_allocations_are_counted,
    a_change_is_explained_although_the_profile_strips,
}

fn a_change_of_documentation_is_identical_across_crates() {
    let report = &told().documentation;
    for id in ["work", "collect"] {
        assert_eq!(of(report, id)["verdict"], "identical", "{report:#}");
    }
}

fn times_are_paired_by_sample_and_allocations_are_counted() {
    let report = &told().change;
    let work = of(report, "work");
    assert_eq!(work["verdict"], "slower", "{work:#}");
    assert_eq!(work["pairing"], "sample", "{work:#}");
    let allocations = &of(report, "collect")["metrics"]["allocations"];
    assert_eq!(allocations["base"]["value"], 1.0, "{allocations:#}");
    assert_eq!(allocations["head"]["value"], 2.0, "{allocations:#}");
    assert_eq!(report["environment"]["profile"], "very-tight");
}

fn a_change_is_explained_although_the_profile_strips() {
    let report = &told().change;
    let attributions = report["attributions"].as_array().unwrap();
    let own = attributions.iter().find(|one| one["id"] == "work");
    let own = own.unwrap_or_else(|| panic!("{report:#}"));
    let first = &own["explanation"]["contributors"][0];
    assert_eq!(first["function"], "tight::work", "{own:#}");
    assert!(first["hunks"].to_string().contains("n * 3"), "{own:#}");
}
