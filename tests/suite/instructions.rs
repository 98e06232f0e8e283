//! Instructions against planted truth: routines that differ by what is in their environment
//! (`fixtures/crates/probe-allocations/benches/faults08.rs`).
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::collections::BTreeSet;

use cargo_perfcheck::analyse::{Comparison, Direction, Verdict, add_instructions};
use cargo_perfcheck::build::Executable;
use cargo_perfcheck::discover::{
    Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target,
};
use cargo_perfcheck::harness::CriterionVersion;
use cargo_perfcheck::measure::{InstructionCounts, count_instructions, locate_instructions};
use cargo_perfcheck::plan::PairingRequest;
use cargo_perfcheck::process::Valgrind;
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::seam::ExecutedIterations;
use cargo_perfcheck::units::{BenchmarkKey, Metric, MetricGroup, Paired, Ratio, Side};

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

/// The two executables and these of their benchmarks.
fn discovery(ids: &[&str]) -> Discovery {
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
    Discovery {
        targets: vec![target],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    }
}

/// The comparison of the two executables, benchmark by benchmark.
fn compared(ids: &[&str]) -> Vec<Comparison> {
    let discovery = discovery(ids);
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

/// What was counted of one benchmark, place by place.
fn located(id: &str) -> InstructionCounts {
    let discovery = discovery(&[id]);
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), None).unwrap();
    let sampling = sampling(PairingRequest::Auto);
    let valgrind = Valgrind::find().unwrap();
    let wanted = BTreeSet::from([BenchmarkKey::new("probe-allocations", "faults08", id)]);
    let run = locate_instructions(
        &sampling,
        &valgrind,
        None,
        &discovery,
        &wanted,
        &scratch,
        &|_| {},
    );
    run.counted.into_iter().next().unwrap()
}

/// What an iteration executes in functions whose symbol has this in it, and in all that they call.
fn with_callees(executed: &ExecutedIterations<'_>, name: &str) -> f64 {
    let is_meant = |function: usize| executed.functions[function].symbol.contains(name);
    let called = executed.costs.called.iter();
    let into = called.filter(|((place, callee), _)| is_meant(*callee) && !is_meant(place.function));
    into.map(|(_, count)| count).sum::<u64>() as f64 / executed.iterations
}

#[test]
#[ignore = "Valgrind writes each instruction down: `just field`"]
fn every_instruction_has_its_place_and_every_call_its_instructions() {
    if !has_valgrind("every_instruction_has_its_place_and_every_call_its_instructions") {
        return;
    }
    let counted = located("sides/many");
    let executed = counted.executed().expect("both sides were counted");
    let totals = Paired::from_fn(|side| {
        let own = executed.get(side).costs.own.values().sum::<u64>() as f64;
        own / executed.get(side).iterations
    });
    for side in Side::BOTH {
        assert_eq!(counted.per_iteration(side), [*totals.get(side)], "{side}");
    }
    // What is more is more boxes, each of which is allocated and freed.
    let more = totals.head - totals.base;
    assert_eq!(more % MORE, 0.0, "{totals:?}");
    let in_malloc = Paired::from_fn(|side| with_callees(executed.get(side), "malloc"));
    let more_in_malloc = in_malloc.head - in_malloc.base;
    assert!(
        0.0 < more_in_malloc && more_in_malloc < more,
        "{in_malloc:?} of {totals:?}"
    );
}
