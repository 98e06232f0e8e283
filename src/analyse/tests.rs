//! Comparisons of planted rounds.

mod settling;

use std::time::Duration;

use super::*;
use crate::discover::{Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target};
use crate::measure::{Failure, Measured, Pairing, Round, Samples};
use crate::plan::{
    AllocationPolicy, CauseEvidence, Layouts, OnMore, PairingRequest, Pinning, ProfileTime,
    RoundLength, Sampling, Thresholds,
};
use crate::units::{BenchmarkKey, Paired, Ratio, Side};

pub(super) fn thresholds() -> Thresholds {
    Thresholds {
        practical: Ratio::from_change(0.01),
        confidence: 0.95,
        allocations: AllocationPolicy {
            threshold: Ratio::from_change(0.01),
            on_more: OnMore::Modify,
        },
        instructions: Ratio::from_quotient(1.001),
    }
}

pub(super) fn sampling() -> Sampling {
    Sampling {
        seed: 7,
        unchanged_after: 6,
        rounds: 30,
        time: Duration::from_secs(2),
        warm_up: Duration::from_millis(50),
        measurement: Duration::from_millis(100),
        round_length: RoundLength::Asked,
        sample_size: 50,
        timeout: Duration::from_secs(60),
        pairing: PairingRequest::Auto,
        pinning: Pinning::Auto,
        layouts: Layouts::Off,
        allocations: false,
        instructions: false,
        only: None,
        reach: false,
        profiling: crate::plan::Profiling::Off,
        profile_time: ProfileTime::AtMost(Duration::from_secs(3)),
        causes: CauseEvidence::Samples,
        measure_identical: false,
        inject: None,
        rules: crate::plan::config::Rules::default(),
    }
}

fn key(id: &str) -> BenchmarkKey {
    BenchmarkKey {
        package: "shop".to_owned(),
        target: "prices".to_owned(),
        id: id.to_owned(),
    }
}

/// Ten samples of ten iterations, each iteration taking `ns`, alternating between the sides.
fn samples(ns: f64, side: Side) -> Samples {
    let offset = match side {
        Side::Base => 0,
        Side::Head => 1,
    };
    Samples {
        iterations: vec![10; 10],
        times: vec![10.0 * ns; 10],
        starts: (0..10).map(|i| (2 * i + offset) * 1_000_000).collect(),
        preempted: Vec::new(),
    }
}

/// A round whose head takes `change` longer.
pub(super) fn round_of(index: usize, change: f64) -> Round {
    Round {
        index,
        first: Side::Base,
        pairing: Pairing::Sample,
        samples: Paired::new(
            samples(1000.0, Side::Base),
            samples(1000.0 * (1.0 + change), Side::Head),
        ),
    }
}

/// Rounds whose ratios are `change` with a small wobble of both signs.
fn rounds(count: usize, change: f64, wobble: f64) -> Vec<Round> {
    (0..count)
        .map(|index| {
            let noise = wobble * [1.0, -0.6, 0.3, -1.0, 0.7, -0.4][index % 6];
            round_of(index, change + noise)
        })
        .collect()
}

pub(super) fn measured(id: &str, rounds: Vec<Round>) -> Measured {
    Measured {
        key: key(id),
        rounds,
        failure: None,
        notes: Vec::new(),
        remarks: Vec::new(),
    }
}

/// Rounds whose head takes a 400th of the time.
pub(super) fn measured_apart(count: usize) -> Vec<Round> {
    (0..count).map(|index| round_of(index, -0.9975)).collect()
}

pub(super) fn discovery(identity: Identity, benchmarks: &[(&str, Presence)]) -> Discovery {
    Discovery {
        targets: vec![Target {
            package: "shop".to_owned(),
            target: "prices".to_owned(),
            executables: Paired::new(None, None),
            criterion: Paired::new(None, None),
            identity,
            function_diff: FunctionDiff::default(),
            benchmarks: benchmarks
                .iter()
                .map(|(id, presence)| Benchmark {
                    key: key(id),
                    presence: *presence,
                    throughput: Paired::new(None, None),
                    failure: None,
                    reached: Reached::Unknown,
                })
                .collect(),
        }],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    }
}

fn different() -> Identity {
    Identity::Different(".text: 312 bytes".to_owned())
}

fn words(comparison: &Comparison) -> Vec<&str> {
    comparison.notes.iter().map(|note| &*note.text).collect()
}

#[test]
fn every_kind_of_benchmark_gets_its_verdict() {
    let found = discovery(
        different(),
        &[
            ("slow", Presence::Common),
            ("fast", Presence::Common),
            ("same", Presence::Common),
            ("noisy", Presence::Common),
            ("broken", Presence::Common),
            ("new", Presence::Only(Side::Head)),
            ("gone", Presence::Only(Side::Base)),
            ("missed", Presence::Common),
        ],
    );
    let mut broken = measured("broken", Vec::new());
    broken.failure = Some(Failure {
        side: Side::Head,
        reason: "exited with status 101".to_owned(),
        stderr_tail: "panicked".to_owned(),
    });
    let all = vec![
        broken,
        measured("slow", rounds(13, 0.05, 0.002)),
        measured("fast", rounds(13, -0.05, 0.002)),
        measured("same", rounds(13, 0.0, 0.002)),
        measured("noisy", rounds(13, 0.0, 0.10)),
    ];
    let comparisons = compare(&found, all, &thresholds(), &sampling());
    let verdicts: Vec<(&str, Verdict)> = comparisons
        .iter()
        .map(|c| (c.key.id.as_str(), c.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("slow", Verdict::Slower),
            ("fast", Verdict::Faster),
            ("same", Verdict::Unchanged),
            ("noisy", Verdict::Inconclusive),
            ("broken", Verdict::Failed),
            ("new", Verdict::Added),
            ("gone", Verdict::Removed),
            ("missed", Verdict::Inconclusive),
        ]
    );
    let slow = comparisons[0].time().unwrap();
    let change = slow.estimate.unwrap();
    assert!(change.lower.as_change() > 0.01 && change.upper.as_change() < 0.06);
    assert_eq!(slow.direction, Some(Direction::More));
    assert_eq!(slow.rounds.len(), 13);
    assert_eq!(comparisons[0].pairing, Some(Pairing::Sample));
    assert_eq!(
        words(&comparisons[7]),
        ["not measured: the time for the whole run ran out first"]
    );
}

#[test]
fn a_change_as_large_as_the_threshold_is_called_certain_but_open() {
    let found = discovery(different(), &[("edge", Presence::Common)]);
    let all = vec![measured("edge", rounds(30, 0.01, 0.002))];
    let comparisons = compare(&found, all, &thresholds(), &sampling());
    assert_eq!(comparisons[0].verdict, Verdict::Inconclusive);
    let direction = comparisons[0].time().unwrap().direction;
    assert_eq!(direction, Some(Direction::More));
    assert_eq!(
        words(&comparisons[0]),
        ["certainly slower, but whether by more than 1 % is open"]
    );
}

#[test]
fn verdict_and_interval_never_contradict_each_other() {
    let names: Vec<String> = (0..40).map(|i| format!("b{i}")).collect();
    let presence: Vec<(&str, Presence)> = names
        .iter()
        .map(|n| (n.as_str(), Presence::Common))
        .collect();
    let found = discovery(different(), &presence);
    let all: Vec<Measured> = names
        .iter()
        .enumerate()
        .map(|(i, name)| measured(name, rounds(6 + i % 25, i as f64 * 0.001, 0.008)))
        .collect();
    let delta = 1.01f64;
    for c in compare(&found, all, &thresholds(), &sampling()) {
        let change = c.estimate().unwrap();
        let (lower, upper) = (change.lower.as_quotient(), change.upper.as_quotient());
        let expected = if lower > delta {
            Verdict::Slower
        } else if upper < 1.0 / delta {
            Verdict::Faster
        } else if lower > 1.0 / delta && upper < delta {
            Verdict::Unchanged
        } else {
            Verdict::Inconclusive
        };
        assert_eq!(c.verdict, expected, "{}: {lower} to {upper}", c.key);
    }
}

#[test]
fn one_round_gives_an_estimate_but_no_interval() {
    let found = discovery(different(), &[("a", Presence::Common)]);
    let all = vec![measured("a", rounds(1, 0.5, 0.0))];
    let comparisons = compare(&found, all, &thresholds(), &sampling());
    assert_eq!(comparisons[0].verdict, Verdict::Inconclusive);
    assert!(comparisons[0].estimate().is_none());
}

#[test]
fn fewer_rounds_than_the_first_look_give_no_verdict_however_well_they_agree() {
    let found = discovery(different(), &[("a", Presence::Common)]);
    let verdict = |count, change| {
        let all = vec![measured("a", rounds(count, change, 0.0))];
        let comparisons = compare(&found, all, &thresholds(), &sampling());
        (comparisons[0].verdict, words(&comparisons[0]).join("; "))
    };
    for count in 2..6 {
        for change in [0.0, 0.5] {
            assert_eq!(verdict(count, change).0, Verdict::Inconclusive, "{count}");
        }
    }
    // The report says what is certain.
    let (_, notes) = verdict(5, 0.5);
    assert!(
        notes.contains("certainly slower, by how much is open"),
        "{notes}"
    );
    assert_eq!(verdict(6, 0.5).0, Verdict::Slower);
    assert_eq!(verdict(6, 0.0).0, Verdict::Unchanged);
}

#[test]
fn identical_code_is_not_judged_unless_it_was_measured() {
    let mut found = discovery(Identity::Identical, &[("a", Presence::Common)]);
    let comparisons = compare(&found, Vec::new(), &thresholds(), &sampling());
    assert_eq!(comparisons[0].verdict, Verdict::Identical);
    // What cannot be measured (an id that several benchmarks share) is no news of code that did not change.
    found.targets[0].benchmarks[0].failure = Some(Failure {
        side: Side::Head,
        reason: "several benchmarks have this id".to_owned(),
        stderr_tail: String::new(),
    });
    let comparisons = compare(&found, Vec::new(), &thresholds(), &sampling());
    assert_eq!(comparisons[0].verdict, Verdict::Identical);
    assert_eq!(comparisons[0].failure, None);
    found.targets[0].benchmarks[0].failure = None;
    let all = vec![measured("a", rounds(13, 0.0, 0.002))];
    let comparisons = compare(&found, all, &thresholds(), &sampling());
    assert_eq!(comparisons[0].verdict, Verdict::Unchanged);
}

#[test]
fn rounds_without_starts_count_as_paired_by_benchmark() {
    let found = discovery(different(), &[("a", Presence::Common)]);
    let mut all = measured("a", rounds(13, 0.05, 0.002));
    all.rounds[4].samples.base.starts.clear();
    let comparisons = compare(&found, vec![all], &thresholds(), &sampling());
    assert_eq!(comparisons[0].pairing, Some(Pairing::Benchmark));
    assert_eq!(comparisons[0].verdict, Verdict::Slower);
}

#[test]
fn the_correction_is_said_in_one_sentence() {
    assert_eq!(
        correction(&thresholds(), 12),
        "at most 5 % of the benchmarks called slower or faster are expected to be false positives \
         (Benjamini-Hochberg over 12 benchmarks, with p-values adjusted for every planned interim analysis); \
         if nothing changed, the chance of any false positive is at most 5 %"
    );
}
