//! What may go wrong while allocations are counted, with real processes
//! (`fixtures/crates/probe-allocations/benches/faults08.rs`): the benchmark lives, and its counts are
//! exact, or said not to be.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use cargo_perfcheck::analyse::{Comparison, Direction, Verdict, add_allocations};
use cargo_perfcheck::build::Executable;
use cargo_perfcheck::discover::{
    Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target,
};
use cargo_perfcheck::harness::{CriterionVersion, Ending};
use cargo_perfcheck::measure::{Counted, Counting, Known, Sources, count_allocations};
use cargo_perfcheck::plan::{
    AllocationPolicy, OnMore, PairingRequest, Profiling, Sampling, Thresholds,
};
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::seam::{AllocationSeam, Coverage, Tracing};
use cargo_perfcheck::units::{BenchmarkKey, Exactness, Metric, MetricGroup, Paired, Ratio, Side};
use tempfile::TempDir;

use crate::measure::sampling;
use crate::probe_allocations::{FIXTURE, count_as};

/// What the benchmark `plugin` loads: 2 allocations of 24 bytes each, 2 frees.
const PLUGIN: &str = "
#include <stdlib.h>
void work(void) {
    void *volatile first = malloc(24);
    void *volatile second = calloc(2, 12);
    free(first);
    free(second);
}
";

/// The same with its own allocator, which does not call the C library.
const STRANGER: &str = "
#include <stddef.h>
static char memory[1 << 16];
static size_t used;
static void *mi_malloc(size_t size) { used = (used + size) % 60000; return memory + used; }
static void mi_free(void *block) { (void)block; }
void work(void) { mi_free(mi_malloc(24)); }
";

/// Programs in C, compiled once.
static COMPILED: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "plugin", PLUGIN, &["-shared", "-fPIC"]);
    compile(folder.path(), "stranger", STRANGER, &["-shared", "-fPIC"]);
    let main = "int main(void) { return 0; }";
    compile(folder.path(), "static", main, &["-static"]);
    folder
});

fn compile(folder: &Path, name: &str, source: &str, options: &[&str]) {
    let file = folder.join(name).with_extension("c");
    std::fs::write(&file, source).unwrap();
    let status = Command::new("cc")
        .args(options)
        .arg(&file)
        .arg("-o")
        .arg(folder.join(name))
        .status()
        .unwrap();
    assert!(status.success(), "{name}");
}

fn executable(variables: &[(&str, &str)]) -> Executable {
    let mut executable = FIXTURE.executable("faults08");
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), value.into()));
    executable.env.extend(variables);
    executable
}

/// What one iteration does: allocations, reallocations, frees, bytes; refusals; and what it leaves behind.
struct Truth {
    name: &'static str,
    counts: [u64; 4],
    refused: u64,
    left: i64,
}

const fn truth(name: &'static str, counts: [u64; 4], refused: u64, left: i64) -> Truth {
    Truth {
        name,
        counts,
        refused,
        left,
    }
}

#[rustfmt::skip]
const KNOWN: [Truth; 11] = [
    truth("early", [0, 0, 1, 0], 0, -16),
    truth("signal", [1, 0, 1, 64], 0, 0),
    truth("forked", [0, 0, 0, 0], 0, 0),
    truth("executed", [0, 0, 0, 0], 0, 0),
    truth("out_of_memory", [0, 0, 0, 0], 1, 0),
    truth("in_place", [1, 1, 1, 1000 + 900], 0, 0),
    truth("zero_sized", [3, 0, 3, 8], 0, 0),
    truth("over_aligned", [3, 0, 3, 100 + 128 + 10], 0, 0),
    truth("thread_exit", [1, 0, 1, 48], 0, 0),
    truth("thousand_threads", [3000, 0, 3000, 3000 * 64], 0, 0),
    truth("plugin", [2, 0, 2, 48], 0, 0),
];

fn assert_known(tracing: Tracing) {
    let plugin = COMPILED.path().join("plugin");
    let executable = executable(&[
        ("FAULT_THREADS", "1"),
        ("FAULT_PLUGIN", plugin.to_str().unwrap()),
    ]);
    let counted = count_as(&executable, Side::Head, "^faults/", tracing);
    for truth in &KNOWN {
        let samples = counted.samples.get(truth.name);
        let samples = samples.unwrap_or_else(|| panic!("{}: {}", truth.name, counted.ending));
        for (iterations, found) in samples {
            let counts = [
                found.allocations,
                found.reallocations,
                found.frees,
                found.bytes,
                found.failures,
            ];
            let [a, b, c, d] = truth.counts;
            let expected = [a, b, c, d, truth.refused].map(|each| each * iterations);
            assert_eq!(counts, expected, "{} {found:?}", truth.name);
            let left = truth.left * *iterations as i64;
            assert_eq!(found.retained_bytes, left, "{} {found:?}", truth.name);
        }
        let processes = ["forked", "executed"].contains(&truth.name);
        match counted.coverage[truth.name] {
            Coverage::Partial { reason } if processes => {
                assert!(reason.contains("processes of its own"))
            }
            other => assert!(
                other == Coverage::Complete && !processes,
                "{} {other:?}",
                truth.name
            ),
        }
    }
    // What is allocated after the last sample, while everything is taken down, does no harm.
    match counted.ending {
        Ending::Exited { status } => assert!(status.success(), "{status}"),
        other => panic!("{other}"),
    }
}

#[test]
fn whatever_a_benchmark_does_it_lives_and_its_counts_are_exact() {
    assert_known(Tracing::NONE);
}

#[test]
fn the_same_while_call_stacks_are_written_down() {
    assert_known(Tracing {
        stride: 3,
        limit: 5000,
    });
}

#[test]
fn a_process_that_leaves_nothing_to_count_with_is_said_not_to_be_counted() {
    let executable = executable(&[("FAULT_KEYS", "1")]);
    let counted = count_as(&executable, Side::Base, "^faults/in_place", Tracing::NONE);
    match counted.coverage["in_place"] {
        Coverage::None { reason } => assert!(reason.contains("thread-specific key"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plugin_with_an_allocator_of_its_own_is_said_not_to_be_counted() {
    let plugin = COMPILED.path().join("stranger");
    let executable = executable(&[("FAULT_PLUGIN", plugin.to_str().unwrap())]);
    let counted = count_as(&executable, Side::Base, "^faults/plugin", Tracing::NONE);
    match counted.coverage["plugin"] {
        Coverage::Partial { reason } => {
            assert!(reason.contains("an allocator of its own"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_statically_linked_executable_is_said_not_to_be_counted() {
    let path = COMPILED.path().join("static");
    let folder = tempfile::tempdir().unwrap();
    let error = AllocationSeam::prepare(folder.path(), Paired::from_fn(|_| path.as_path()));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("it is statically linked"), "{error}");
}

/// Counts `id` of the group `sides` on both sides, of which head makes so many allocations more.
fn compared(ids: &[&str], more: &str) -> Vec<(Counted, Comparison)> {
    let key = |id: &str| BenchmarkKey {
        package: "probe-allocations".into(),
        target: "faults08".into(),
        id: format!("sides/{id}"),
    };
    let benchmark = |id: &&str| Benchmark {
        key: key(id),
        presence: Presence::Common,
        throughput: Paired::new(None, None),
        failure: None,
        reached: Reached::Unknown,
    };
    let version = CriterionVersion {
        major: 0,
        minor: 8,
        patch: 0,
    };
    let target = Target {
        package: "probe-allocations".into(),
        target: "faults08".into(),
        executables: Paired::new(
            Some(executable(&[])),
            Some(executable(&[("FAULT_MORE", more)])),
        ),
        criterion: Paired::new(Some(version), Some(version)),
        identity: Identity::Different("planted".into()),
        function_diff: FunctionDiff::default(),
        benchmarks: ids.iter().map(benchmark).collect(),
    };
    let discovery = Discovery {
        targets: vec![target],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), None).unwrap();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe-allocations");
    let sources = Paired::from_fn(|_| Sources {
        root: &root,
        workspace: &root,
    });
    let sampling = Sampling {
        profiling: Profiling::Changed,
        ..sampling(PairingRequest::Auto)
    };
    let known = Known::default();
    let counting = Counting {
        enough: 6,
        end: None,
        known: &known,
    };
    let counted =
        count_allocations(&sampling, counting, &discovery, sources, &scratch, &|_| {}).counted;
    let mut comparisons: Vec<Comparison> = counted
        .iter()
        .map(|counted| Comparison::unobserved(counted.key.clone(), Verdict::Unchanged))
        .collect();
    let thresholds = Thresholds {
        practical: Ratio::from_quotient(1.01),
        confidence: 0.95,
        allocations: AllocationPolicy {
            threshold: Ratio::from_quotient(1.01),
            on_more: OnMore::Modify,
        },
        instructions: Ratio::from_quotient(1.001),
    };
    add_allocations(&mut comparisons, &counted, &thresholds, ids.len());
    counted.into_iter().zip(comparisons).collect()
}

fn direction(found: &Comparison) -> Option<Direction> {
    found.direction(MetricGroup::Allocations)
}

fn is_exact(found: &Comparison, side: Side) -> bool {
    let counted = found.metrics.get(Metric::ALLOCATIONS).unwrap();
    let counted = counted.sides.get(side).as_ref().unwrap();
    counted.exactness == Exactness::Exact
}

fn says(found: &Comparison, words: &str) -> bool {
    found.notes.iter().any(|note| note.text.contains(words))
}

#[test]
fn counts_that_vary_are_said_to_and_compared_with_a_test() {
    let all = compared(&["varying", "many"], "8");
    let (_, varying) = &all[0];
    assert_eq!(direction(varying), Some(Direction::More));
    assert!(!is_exact(varying, Side::Head));
    assert!(
        says(varying, "counts vary from sample to sample"),
        "{varying:?}"
    );
    assert!(says(varying, "certain all the same"), "{varying:?}");

    // If it allocates very often, not every request is recorded.
    let (counted, many) = &all[1];
    assert_eq!(direction(many), Some(Direction::More));
    assert!(is_exact(many, Side::Head));
    assert!(
        says(
            many,
            "head: its places are estimated from one request in 26 on average"
        ),
        "{many:?}"
    );
    let traced = counted.traced.head.as_ref().unwrap();
    let looked_at: u64 = traced.stacks.iter().map(|stack| stack.requests).sum();
    assert!(looked_at < 100_000 && looked_at > 10_000, "{looked_at}");
}

#[test]
fn counts_that_vary_are_never_said_to_be_the_same() {
    let (_, found) = &compared(&["varying"], "0")[0];
    assert_ne!(direction(found), Some(Direction::Same));
    assert!(!is_exact(found, Side::Base));
    assert!(
        says(found, "counts vary from sample to sample"),
        "{found:?}"
    );
}
