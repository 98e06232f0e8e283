//! Instructions against planted truth: routines that differ by what is in their environment
//! (`fixtures/crates/probe-allocations/benches/faults08.rs`).
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use cargo_perfcheck::analyse::{Comparison, Direction, Verdict, add_instructions};
use cargo_perfcheck::build::Executable;
use cargo_perfcheck::discover::{
    Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target,
};
use cargo_perfcheck::harness::CriterionVersion;
use cargo_perfcheck::measure::count_instructions;
use cargo_perfcheck::plan::PairingRequest;
use cargo_perfcheck::process::Valgrind;
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::units::{BenchmarkKey, Metric, MetricGroup, Paired, Ratio};

use crate::measure::sampling;
use crate::probe_allocations::FIXTURE;
use crate::support::has_valgrind;

/// Boxes that head makes in each iteration beside those of base.
const MORE: f64 = 2000.0;

fn executable(more: &str) -> Executable {
    let mut executable = FIXTURE.executable("faults08");
    executable.env.push(("FAULT_MORE".into(), more.into()));
    executable
}

/// The comparison of the two executables, benchmark by benchmark.
fn compared(ids: &[&str]) -> Vec<Comparison> {
    let benchmark = |id: &&str| Benchmark {
        key: BenchmarkKey::new("probe-allocations", "faults08", id),
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
        executables: Paired::new(Some(executable("0000")), Some(executable("2000"))),
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
    let sampling = sampling(PairingRequest::Auto);
    let valgrind = Valgrind::find().unwrap();
    let run = count_instructions(&sampling, &valgrind, None, &discovery, &scratch, &|_| {});
    let mut comparisons: Vec<Comparison> = run
        .counted
        .iter()
        .map(|counted| Comparison::unobserved(counted.key.clone(), Verdict::Unchanged))
        .collect();
    add_instructions(&mut comparisons, &run.counted, Ratio::from_quotient(1.001));
    comparisons
}

#[test]
fn what_was_added_is_counted_to_the_instruction_and_the_rest_is_the_same() {
    if !has_valgrind("what_was_added_is_counted_to_the_instruction_and_the_rest_is_the_same") {
        return;
    }
    let found = compared(&["faults/in_place", "sides/many", "sides/varying"]);
    let of = |comparison: &Comparison| {
        let direction = comparison.direction(MetricGroup::Instructions);
        (direction, comparison.values(Metric::INSTRUCTIONS).unwrap())
    };
    let (direction, values) = of(&found[0]);
    assert_eq!(direction, Some(Direction::Same), "{:?}", found[0]);
    assert_eq!(values.head - values.base, 0.0);

    // A hundred thousand boxes, and two thousand more of the same.
    let (direction, values) = of(&found[1]);
    assert_eq!(direction, Some(Direction::More), "{:?}", found[1]);
    let more = values.head - values.base;
    assert_eq!(more % MORE, 0.0, "{values:?}");
    assert_eq!(more / MORE, (values.base / 100_000.0).floor(), "{values:?}");

    // How many it makes follows from the number of its process.
    let told = |words: &str| found[2].notes.iter().any(|note| note.text.contains(words));
    assert!(
        told("processes of one side differ by up to"),
        "{:?}",
        found[2].notes
    );
    assert_eq!(of(&found[2]).0, Some(Direction::More));
}
