//! Discovery and measurement with real Criterion, 0.5 and 0.8, also against each other.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::collections::BTreeMap;
use std::time::Duration;

use cargo_perfcheck::discover::{
    Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target,
};
use cargo_perfcheck::harness::CriterionVersion;
use cargo_perfcheck::measure::{self, Measured, Pairing, Remark, Settled};
use cargo_perfcheck::plan::{
    CauseEvidence, Layouts, PairingRequest, Pinning, ProfileTime, RoundLength, Sampling,
};
use cargo_perfcheck::process::{Runner, allowed_processors};
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::units::{BenchmarkKey, Paired, Ratio, Side};

use crate::probe;

pub(crate) fn sampling(pairing: PairingRequest) -> Sampling {
    Sampling {
        seed: 7,
        unchanged_after: 6,
        rounds: 2,
        time: Duration::from_secs(60),
        warm_up: Duration::from_millis(10),
        measurement: Duration::from_millis(40),
        round_length: RoundLength::Asked,
        sample_size: 10,
        timeout: Duration::from_secs(120),
        pairing,
        pinning: Pinning::Off,
        layouts: Layouts::Off,
        allocations: false,
        instructions: false,
        only: None,
        reach: false,
        profiling: cargo_perfcheck::plan::Profiling::Off,
        profile_time: ProfileTime::AtMost(Duration::from_secs(3)),
        causes: CauseEvidence::Samples,
        measure_identical: true,
        inject: None,
        rules: cargo_perfcheck::plan::config::Rules::default(),
    }
}

fn target<Id: AsRef<str>>(base: &str, head: &str, ids: &[Id]) -> Target {
    let version = |minor| CriterionVersion {
        major: 0,
        minor,
        patch: 0,
    };
    Target {
        package: "shapes".into(),
        target: "shapes".into(),
        executables: Paired::new(
            Some(probe::FIXTURE.executable(base)),
            Some(probe::FIXTURE.executable(head)),
        ),
        criterion: Paired::new(Some(version(5)), Some(version(8))),
        identity: Identity::Different("planted".into()),
        function_diff: FunctionDiff::default(),
        benchmarks: ids
            .iter()
            .map(|id| Benchmark {
                key: BenchmarkKey {
                    package: "shapes".into(),
                    target: "shapes".into(),
                    id: id.as_ref().to_owned(),
                },
                presence: Presence::Common,
                throughput: Paired::new(None, None),
                failure: None,
                reached: Reached::Unknown,
            })
            .collect(),
    }
}

fn run(target: Target, sampling: &Sampling) -> BTreeMap<String, Measured> {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), None).unwrap();
    let discovery = Discovery {
        targets: vec![target],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    };
    let mut never = |_: &Measured| Settled::Continue;
    measure::run(sampling, &discovery, &scratch, &mut never, &|_| {})
        .unwrap()
        .into_iter()
        .map(|measured| (measured.key.id.clone(), measured))
        .collect()
}

const SHAPES: [&str; 7] = [
    "recognised/iter",
    "recognised/iter_batched_small",
    "recognised/async_iter",
    "strange/iter_custom",
    "strange/reads_the_clock",
    "strange/reads_the_clock_deeply",
    "strange/waits_for_a_timer",
];

#[test]
fn sides_with_different_criterions_are_paired_by_sample_where_that_can_be_verified() {
    let measured = run(
        target("shapes05", "shapes08", &SHAPES),
        &sampling(PairingRequest::Auto),
    );
    for id in SHAPES {
        let one = &measured[id];
        assert_eq!(one.failure, None, "{id}");
        assert_eq!(one.rounds.len(), 2, "{id}");
        let expected = if id.starts_with("recognised") {
            Pairing::Sample
        } else {
            Pairing::Benchmark
        };
        for round in &one.rounds {
            assert_eq!(round.pairing, expected, "{id}: {:?}", one.notes);
            for side in Side::BOTH {
                let samples = round.samples.get(side);
                assert_eq!(samples.times.len(), 10, "{id}");
                assert_eq!(samples.iterations.len(), 10, "{id}");
                let seen = if expected == Pairing::Sample { 10 } else { 0 };
                assert_eq!(samples.starts.len(), seen, "{id}");
                assert!(samples.starts.is_sorted(), "{id}");
            }
        }
        let told = one
            .notes
            .iter()
            .any(|note| note.starts_with("not paired sample by sample"));
        assert_eq!(
            told,
            expected == Pairing::Benchmark,
            "{id}: {:?}",
            one.notes
        );
    }
}

/// What `runner` starts on both sides: its rounds.
fn started_by(runner: &[&str], pinning: Pinning) -> Measured {
    let id = "recognised/iter";
    let mut target = target("shapes05", "shapes08", &[id]);
    for side in Side::BOTH {
        target.executables.get_mut(side).as_mut().unwrap().runner = Some(Runner {
            program: runner[0].into(),
            arguments: runner[1..].iter().map(|word| (*word).to_owned()).collect(),
            typed: runner.join(" "),
            named_in: "a setting".to_owned(),
            variable: "A_VARIABLE".to_owned(),
        });
    }
    let sampling = Sampling {
        pinning,
        ..sampling(PairingRequest::Auto)
    };
    run(target, &sampling).remove(id).unwrap()
}

#[test]
fn a_runner_that_becomes_the_benchmark_leaves_it_paired_by_sample_and_another_is_named() {
    for runner in [&["env", "SOME=word"][..], &["nice", "-n", "1"]] {
        let one = started_by(runner, Pinning::Off);
        assert_eq!(one.failure, None, "{runner:?}");
        assert_eq!(one.rounds.len(), 2, "{runner:?}");
        for round in &one.rounds {
            assert_eq!(
                round.pairing,
                Pairing::Sample,
                "{runner:?}: {:?}",
                one.notes
            );
        }
    }
    let script = ["sh", "-c", "\"$@\"; exit $?", "start"];
    let one = started_by(&script, Pinning::Cpu(allowed_processors()[0]));
    assert_eq!(one.failure, None);
    assert_eq!(one.rounds.len(), 2);
    for round in &one.rounds {
        assert_eq!(round.pairing, Pairing::Benchmark);
    }
    let notes = one.notes.join("\n");
    let expected = "(a setting) starts it as a process of its own";
    assert!(notes.contains(expected), "{notes}");

    let one = started_by(&["env", "-u", "LD_PRELOAD"], Pinning::Off);
    let notes = one.notes.join("\n");
    assert!(notes.contains("(a setting) started it without"), "{notes}");

    let failure = started_by(&["no-such-runner"], Pinning::Off)
        .failure
        .unwrap();
    let expected = "could not be started: `no-such-runner` (a setting): ";
    assert!(failure.reason.starts_with(expected), "{failure:?}");
}

#[test]
fn a_side_that_breaks_amid_its_samples_fails_alone_and_the_others_stay_paired_by_sample() {
    let ids =
        ["before", "panics", "exits", "aborts", "hangs", "after"].map(|id| format!("faulty/{id}"));
    let sampling = Sampling {
        timeout: Duration::from_secs(5),
        ..sampling(PairingRequest::Auto)
    };
    // The base side runs first: if it breaks, its peer is waiting.
    for (base, head, faulty) in [
        ("shapes05", "shapes08", Side::Head),
        ("shapes08", "shapes05", Side::Base),
    ] {
        let measured = run(target(base, head, &ids), &sampling);
        for id in &ids {
            let one = &measured[id];
            if ["faulty/before", "faulty/after"].contains(&id.as_str()) {
                assert_eq!(one.failure, None, "{id}");
                assert_eq!(one.rounds.len(), 2, "{id}");
                for round in &one.rounds {
                    assert_eq!(round.pairing, Pairing::Sample, "{id}: {:?}", one.notes);
                }
            } else {
                let failure = one
                    .failure
                    .as_ref()
                    .unwrap_or_else(|| panic!("{id} is well"));
                assert_eq!(failure.side, faulty, "{id}: {failure:?}");
                let other = format!("the {} side ran it without failing", faulty.other());
                assert_eq!(one.notes, [other], "{id}");
            }
        }
    }
}

#[test]
fn what_only_one_process_can_do_at_a_time_is_measured_one_after_the_other() {
    let id = "single/owns_a_file";
    let measured = run(
        target("shapes05", "shapes08", &[id]),
        &sampling(PairingRequest::Auto),
    );
    let one = &measured[id];
    assert_eq!(one.failure, None);
    assert_eq!(one.rounds.len(), 2);
    assert!(
        one.notes
            .iter()
            .any(|note| note.contains("fails while the other one is in the same benchmark")),
        "{:?}",
        one.notes
    );
}

#[test]
fn work_beside_the_main_thread_is_timed_on_its_own_side_alone() {
    let ids = ["beside/spins", "beside/sleeps"];
    // Long enough for a first look, and on one processor, which all threads want.
    let sampling = Sampling {
        measurement: Duration::from_millis(200),
        pinning: Pinning::Cpu(allowed_processors()[0]),
        ..sampling(PairingRequest::Auto)
    };
    let measured = run(target("shapes05", "shapes08", &ids), &sampling);
    let [spins, sleeps] = ids.map(|id| &measured[id]);
    for round in &spins.rounds {
        assert_eq!(round.pairing, Pairing::Sample, "{:?}", spins.notes);
        let each = |side: Side| {
            let samples = round.samples.get(side);
            samples.times.iter().sum::<f64>() / samples.iterations.iter().sum::<u64>() as f64
        };
        assert!(each(Side::Head) > each(Side::Base) * 1.1, "{round:?}");
    }
    for round in &sleeps.rounds {
        assert_eq!(round.pairing, Pairing::Benchmark, "{:?}", sleeps.notes);
    }
    let told = "a thread of its own waits for a timer";
    assert!(
        sleeps.notes.iter().any(|note| note.contains(told)),
        "{:?}",
        sleeps.notes
    );
}

#[test]
fn a_slow_peer_is_no_hung_one() {
    let id = "single/slow_set_up";
    let sampling = Sampling {
        rounds: 1,
        // Ten samples take two seconds alone and four by turns, during which nobody says anything.
        timeout: Duration::from_secs(3),
        ..sampling(PairingRequest::Auto)
    };
    let measured = run(target("shapes05", "shapes08", &[id]), &sampling);
    let one = &measured[id];
    assert_eq!(one.failure, None);
    assert_eq!(one.rounds[0].pairing, Pairing::Sample, "{:?}", one.notes);
}

#[test]
fn a_thousand_benchmarks_of_one_executable_are_all_paired_by_sample() {
    let ids: Vec<String> = (0..100)
        .flat_map(|outer| (0..10).map(move |inner| format!("thousand_{outer}/{inner}")))
        .collect();
    let sampling = Sampling {
        rounds: 1,
        warm_up: Duration::from_millis(1),
        measurement: Duration::from_millis(1),
        ..sampling(PairingRequest::Auto)
    };
    let measured = run(target("shapes05", "shapes08", &ids), &sampling);
    assert_eq!(measured.len(), 1000);
    for (id, one) in &measured {
        assert_eq!(one.failure, None, "{id}");
        assert_eq!(
            one.rounds[0].pairing,
            Pairing::Sample,
            "{id}: {:?}",
            one.notes
        );
    }
}

#[test]
fn pairing_by_benchmark_needs_no_probe() {
    let measured = run(
        target("shapes08", "shapes05", &SHAPES),
        &sampling(PairingRequest::Benchmark),
    );
    for id in SHAPES {
        let one = &measured[id];
        assert_eq!(one.failure, None, "{id}");
        assert!(
            one.rounds
                .iter()
                .all(|round| round.pairing == Pairing::Benchmark)
        );
        let in_doubt = |note: &String| note.starts_with("not paired");
        assert!(!one.notes.iter().any(in_doubt), "{id}: {:?}", one.notes);
    }
}

#[test]
fn without_taking_turns_time_is_injected_where_it_can_be_and_said_where_not() {
    let sampling = Sampling {
        inject: Some(Ratio::from_quotient(1.5)),
        ..sampling(PairingRequest::Benchmark)
    };
    let ids = ["recognised/iter", "strange/iter_custom"];
    let measured = run(target("shapes08", "shapes08", &ids), &sampling);
    for (id, told) in ids.into_iter().zip([false, true]) {
        let one = &measured[id];
        assert_eq!(one.failure, None, "{id}");
        assert_eq!(one.rounds.len(), 2, "{id}");
        let mut remarks = one.remarks.iter();
        let unpaired = remarks.any(|remark| matches!(remark, Remark::Unpaired { .. }));
        assert_eq!(unpaired, told, "{id}: {:?}", one.remarks);
    }
}

/// The time of one iteration, from the fastest sample of all rounds.
fn quickest(one: &Measured, side: Side) -> f64 {
    let rounds = one.rounds.iter().map(|round| round.samples.get(side));
    let each = rounds.flat_map(|samples| samples.times.iter().zip(&samples.iterations));
    each.map(|(time, iterations)| time / *iterations as f64)
        .fold(f64::INFINITY, f64::min)
}

fn iterations(one: &Measured, side: Side) -> u64 {
    let rounds = one.rounds.iter();
    rounds
        .flat_map(|round| &round.samples.get(side).iterations)
        .sum()
}

#[test]
fn settings_in_the_code_are_outdone_and_the_estimates_stay_what_they_are() {
    let shapes = [
        "iter",
        "iter_batched_small",
        "iter_batched_large",
        "iter_batched_per_iteration",
        "iter_batched_ref",
        "expensive_set_up",
        "iter_with_large_drop",
        "async_iter",
        "iter_custom",
    ];
    let ids: Vec<String> = ["auto", "linear", "flat"]
        .iter()
        .flat_map(|mode| {
            shapes
                .iter()
                .map(move |shape| format!("settings_{mode}/{shape}"))
        })
        .collect();
    let one_round = |pairing| Sampling {
        rounds: 1,
        ..sampling(pairing)
    };
    let planned = run(
        target("shapes05", "shapes08", &ids),
        &one_round(PairingRequest::Auto),
    );
    // In one mode only, since each takes as long as its code asks for.
    let left_alone = run(
        target("shapes05", "shapes08", &ids[..shapes.len() - 1]),
        &one_round(PairingRequest::Benchmark),
    );
    for id in &ids {
        let (_, shape) = id.split_once('/').unwrap();
        let planned = &planned[id];
        let left_alone = left_alone.get(&format!("settings_auto/{shape}"));
        assert_eq!(planned.failure, None, "{id}");
        let [base, head] = Side::BOTH.map(|side| iterations(planned, side));
        let told = |word| planned.notes.iter().any(|note| note.contains(word));
        let Some(left_alone) = left_alone else {
            assert!(told("perfcheck keeps to them"), "{id}: {:?}", planned.notes);
            continue;
        };
        assert!(told("own settings"), "{id}: {:?}", planned.notes);
        assert!(!told("keeps to them"), "{id}: {:?}", planned.notes);
        assert_eq!(base, head, "{id}");
        assert_eq!(
            planned.rounds[0].pairing,
            Pairing::Sample,
            "{id}: {:?}",
            planned.notes
        );
        for side in Side::BOTH {
            let samples = planned.rounds[0].samples.get(side);
            assert_eq!(samples.times.len(), 30, "{id}");
            let (short, long) = (quickest(planned, side), quickest(left_alone, side));
            // Its code asks for 500 ms. How long a batch has to be bounds how far batches may be shortened.
            if ["iter", "async_iter", "iter_batched_per_iteration"].contains(&shape) {
                let measured = base as f64 * short / 1e6;
                assert!(measured < 250.0, "{id}: {base} iterations of {short} ns");
            }
            // The cost of a batch depends on its size, which the mode decides.
            if id.starts_with("settings_auto") {
                assert!(
                    (0.5..2.0).contains(&(short / long)),
                    "{id} {side}: {short} ns, {long} ns"
                );
            }
        }
    }
}

#[test]
fn a_process_is_ended_once_its_long_samples_suffice() {
    let ids = [
        "slow/iter",
        "slow/iter_batched",
        "slow/quick",
        "slow/linear",
    ];
    let measured = run(
        target("shapes05", "shapes08", &ids),
        &sampling(PairingRequest::Auto),
    );
    for id in ids {
        let one = &measured[id];
        let told = |word| one.notes.iter().any(|note| note.contains(word));
        assert_eq!((one.failure.as_ref(), one.rounds.len()), (None, 2), "{id}");
        assert!(told("own settings: 100 samples"), "{id}: {:?}", one.notes);
        assert_eq!(
            told("is ended after 10 of 100"),
            id != "slow/quick",
            "{id}: {:?}",
            one.notes
        );
        for round in &one.rounds {
            assert_eq!(round.pairing, Pairing::Sample, "{id}: {:?}", one.notes);
            let [base, head] = Side::BOTH.map(|side| round.samples.get(side));
            assert_eq!(base.iterations, head.iterations, "{id}");
            for samples in [base, head] {
                let each: Vec<u64> = match id {
                    "slow/quick" => continue,
                    "slow/linear" => (1..=10).collect(),
                    _ => vec![1; 10],
                };
                assert_eq!(samples.iterations, each, "{id}");
                assert_eq!(samples.times.len(), 10, "{id}");
                let least = match id {
                    "slow/iter" => 20e6,
                    "slow/linear" => 10e6,
                    _ => 120e6,
                };
                let times = samples.times.iter().zip(&each);
                for (time, iterations) in times {
                    assert!(*time >= least * *iterations as f64, "{id}: {time} ns");
                }
            }
        }
    }
}
