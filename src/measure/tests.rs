//! Measuring with real processes that misbehave on request.

use std::cell::RefCell;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::build::Executable;
use crate::discover::{Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target};
use crate::harness::{CriterionVersion, fake};
use crate::plan::{
    CauseEvidence, Layouts, PairingRequest, Pinning, ProfileTime, RoundLength, Sampling,
};
use crate::units::Event;

pub(super) fn sampling() -> Sampling {
    Sampling {
        seed: 1,
        unchanged_after: 6,
        rounds: 4,
        time: Duration::from_secs(3600),
        warm_up: Duration::from_millis(50),
        measurement: Duration::from_millis(100),
        round_length: RoundLength::Asked,
        sample_size: 10,
        timeout: Duration::from_secs(60),
        pairing: PairingRequest::Benchmark,
        pinning: Pinning::Off,
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

/// A target whose sides follow these scripts and have the benchmarks that they name.
pub(super) fn target(name: &str, base: &str, head: &str) -> Target {
    let ids = |script: &str| -> Vec<String> {
        script
            .lines()
            .filter_map(|line| line.strip_prefix("bench\t"))
            .filter_map(|rest| rest.split('\t').next().map(str::to_owned))
            .collect()
    };
    let (base_ids, head_ids) = (ids(base), ids(head));
    let mut all = head_ids.clone();
    all.extend(base_ids.iter().filter(|id| !head_ids.contains(id)).cloned());
    let executable = |script: &str| {
        let mut executable: Executable = fake::executable(script);
        executable.target = name.to_owned();
        executable
    };
    let version = CriterionVersion {
        major: 0,
        minor: 5,
        patch: 1,
    };
    Target {
        package: "fakes".into(),
        target: name.into(),
        executables: Paired::new(Some(executable(base)), Some(executable(head))),
        criterion: Paired::new(Some(version), Some(version)),
        identity: Identity::Different("planted".into()),
        function_diff: FunctionDiff::default(),
        benchmarks: all
            .into_iter()
            .map(|id| Benchmark {
                presence: match (base_ids.contains(&id), head_ids.contains(&id)) {
                    (true, true) => Presence::Common,
                    (true, false) => Presence::Only(Side::Base),
                    _ => Presence::Only(Side::Head),
                },
                key: BenchmarkKey {
                    package: "fakes".into(),
                    target: name.into(),
                    id,
                },
                throughput: Paired::new(None, None),
                failure: None,
                reached: Reached::Unknown,
            })
            .collect(),
    }
}

fn measure(sampling: &Sampling, targets: Vec<Target>) -> Vec<Measured> {
    measure_within(Bounds::default(), sampling, targets)
}

fn measure_within(bounds: Bounds, sampling: &Sampling, targets: Vec<Target>) -> Vec<Measured> {
    let discovery = Discovery {
        targets,
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    };
    let mut never = |_: &Measured| Settled::ContinueTo(1_000);
    let scratch = fake::scratch();
    run_within(bounds, sampling, &discovery, scratch, &mut never, &|_| {}).measured
}

fn of<'m>(measured: &'m [Measured], id: &str) -> &'m Measured {
    measured.iter().find(|m| m.key.id == id).unwrap()
}

#[test]
fn every_round_is_balanced_and_whole() {
    let script = "group\tg\nbench\tg/a b\nbench\tg/c|d (e)\nbench\tgröße/\"x\"";
    let measured = measure(&sampling(), vec![target("t", script, script)]);
    assert_eq!(measured.len(), 3);
    for one in &measured {
        assert_eq!(one.failure, None);
        let indices: Vec<usize> = one.rounds.iter().map(|round| round.index).collect();
        assert_eq!(indices, [0, 1, 2, 3]);
        let base_first = one.rounds.iter().filter(|round| round.first == Side::Base);
        assert_eq!(base_first.count(), 2);
        for round in &one.rounds {
            assert_eq!(round.pairing, Pairing::Benchmark);
            assert_eq!(round.samples.base.times, [1e7; 10]);
            assert_eq!(round.samples.head.iterations, [10_000; 10]);
        }
    }
}

#[test]
fn sides_that_plan_far_too_different_iterations_are_asked_again_but_not_for_ever() {
    let (usual, disturbed) = ("ns\t1000\nbench\ta", "ns\t1000\nbench\ta\tshort");
    let mut sampling = sampling();
    sampling.rounds = 2;
    let measured = measure(&sampling, vec![target("t", usual, disturbed)]);
    assert_eq!(of(&measured, "a").failure, None);
    assert_eq!(of(&measured, "a").rounds.len(), 2);
}

#[test]
fn a_round_with_few_iterations_is_taken_as_it_is() {
    // Set-up that is not timed takes most of the time, or the benchmark times itself.
    let script = "bench\ta\tshort\nbench\tb";
    let measured = measure(&sampling(), vec![target("t", script, script)]);
    for id in ["a", "b"] {
        let one = of(&measured, id);
        assert_eq!(one.rounds.len(), 4, "{id}");
        assert!(one.notes.is_empty(), "{id}: {:?}", one.notes);
    }
}

#[test]
fn a_benchmark_that_panics_costs_the_others_nothing() {
    let base = "bench\ta\nbench\tb\nbench\tc";
    let head = "bench\ta\nbench\tb\tpanic\nbench\tc";
    let measured = measure(&sampling(), vec![target("t", base, head)]);
    let failure = of(&measured, "b").failure.as_ref().unwrap();
    assert_eq!(failure.side, Side::Head);
    assert_eq!(failure.reason, "exited with status 101");
    assert!(failure.stderr_tail.contains("planted panic"));
    assert_eq!(
        of(&measured, "b").notes,
        ["the base side ran it without failing"]
    );
    for id in ["a", "c"] {
        assert_eq!(of(&measured, id).rounds.len(), 4, "{id}");
        assert_eq!(of(&measured, id).failure, None, "{id}");
    }
}

#[test]
fn every_way_to_fail_is_told_apart_and_the_rest_is_measured() {
    let ways = [
        ("crash", "abort"),
        ("leave", "exit=0"),
        ("leave loudly", "exit=7"),
        ("zero", "zero"),
        ("nonsense", "nonsense"),
    ];
    let mut script = String::from("bench\tgood");
    for (id, how) in ways {
        script += &format!("\nbench\t{id}\t{how}");
    }
    script += "\nbench\tgood, too";
    let measured = measure(&sampling(), vec![target("t", &script, &script)]);
    let reason = |id: &str| of(&measured, id).failure.clone().unwrap().reason;
    assert!(reason("crash").contains("signal 6"), "{}", reason("crash"));
    assert_eq!(reason("leave"), "exited in the middle of the benchmark");
    assert_eq!(reason("leave loudly"), "exited with status 7");
    assert!(reason("zero").contains("took 0 ns"), "{}", reason("zero"));
    assert!(
        reason("nonsense").contains("cannot be read"),
        "{}",
        reason("nonsense")
    );
    assert!(of(&measured, "crash").notes[0].starts_with("the base side fails, too"));
    for id in ["good", "good, too"] {
        assert_eq!(of(&measured, id).rounds.len(), 4, "{id}");
    }
}

#[test]
fn a_benchmark_that_hangs_is_ended_after_the_timeout() {
    let base = "bench\ta\nbench\tb";
    let head = "bench\ta\thang\nbench\tb";
    let mut sampling = sampling();
    sampling.timeout = Duration::from_secs(3);
    sampling.rounds = 1;
    let measured = measure(&sampling, vec![target("t", base, head)]);
    let failure = of(&measured, "a").failure.as_ref().unwrap();
    assert!(failure.reason.starts_with("no sign of life"), "{failure:?}");
    assert_eq!(of(&measured, "b").rounds.len(), 1);
}

#[test]
fn a_fault_between_two_benchmarks_is_laid_on_the_next_one() {
    let base = "bench\ta\nbench\tb";
    let head = "bench\ta\ndo\tpanic\nbench\tb";
    let measured = measure(&sampling(), vec![target("t", base, head)]);
    assert_eq!(of(&measured, "a").rounds.len(), 4);
    let failure = of(&measured, "b").failure.as_ref().unwrap();
    assert_eq!(failure.side, Side::Head);
    assert!(failure.stderr_tail.contains("planted panic"));
}

#[test]
fn a_fault_in_setup_fails_every_benchmark_behind_it_and_ends() {
    let base = "bench\ta\nbench\tb";
    let head = "do\texit=9\nbench\ta\nbench\tb";
    let measured = measure(&sampling(), vec![target("t", base, head)]);
    for id in ["a", "b"] {
        let failure = of(&measured, id).failure.as_ref().unwrap();
        assert_eq!(failure.reason, "exited with status 9");
    }
}

#[test]
fn a_benchmark_that_one_side_has_is_measured_alone_and_shortly() {
    let base = "bench\told\nbench\tboth";
    let head = "bench\tboth\nbench\tnew";
    let mut sampling = sampling();
    sampling.rounds = 10;
    let measured = measure(&sampling, vec![target("t", base, head)]);
    assert_eq!(of(&measured, "both").rounds.len(), 10);
    let old = &of(&measured, "old").rounds;
    assert_eq!(old.len(), 3);
    assert_eq!(old[0].samples.base.times.len(), 10);
    assert!(old[0].samples.head.times.is_empty());
    let new = &of(&measured, "new").rounds;
    assert!(new[0].samples.base.times.is_empty());
    assert_eq!(new[0].samples.head.times.len(), 10);
}

#[test]
fn sides_that_run_their_benchmarks_in_different_orders_are_matched_by_id() {
    let base = "ns\t10\nbench\ta\nns\t20\nbench\tb\nns\t30\nbench\tc";
    let head = "ns\t31\nbench\tc\nns\t11\nbench\ta\nns\t21\nbench\tb";
    let measured = measure(&sampling(), vec![target("t", base, head)]);
    for (id, base, head) in [("a", 10.0, 11.0), ("b", 20.0, 21.0), ("c", 30.0, 31.0)] {
        let round = &of(&measured, id).rounds[3];
        let time = |side| {
            let samples = round.samples.get(side);
            samples.times[0] / samples.iterations[0] as f64
        };
        assert_eq!(time(Side::Base), base, "{id}");
        assert_eq!(time(Side::Head), head, "{id}");
    }
}

#[test]
fn what_is_settled_drops_out_and_is_announced() {
    let script = "bench\tquick\nbench\tslow";
    let discovery = Discovery {
        targets: vec![target("t", script, script), target("u", script, script)],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    };
    let asked = RefCell::new(Vec::new());
    let mut settle = |measured: &Measured| {
        asked.borrow_mut().push(measured.key.to_string());
        match (measured.key.id.as_str(), measured.rounds.len()) {
            ("quick", 2) => Settled::Done("faster".into()),
            _ => Settled::Continue,
        }
    };
    let events = Mutex::new(Vec::new());
    let sink = |event| events.lock().unwrap().push(event);
    let measured = run(&sampling(), &discovery, fake::scratch(), &mut settle, &sink).unwrap();
    let rounds: Vec<usize> = measured.iter().map(|one| one.rounds.len()).collect();
    assert_eq!(rounds, [2, 4, 2, 4]);
    assert_eq!(asked.borrow().len(), 12);
    let events = events.into_inner().unwrap();
    assert_eq!(
        events[0],
        Event::PassStarted {
            pass: crate::units::Pass::Time,
            benchmarks: 4,
            rounds: 4
        }
    );
    let settled: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Settled { verdict, .. } => Some(verdict.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        settled,
        ["faster", "faster", "inconclusive", "inconclusive"]
    );
    let finished = events
        .iter()
        .filter(|event| matches!(event, Event::RoundFinished { .. }));
    assert_eq!(finished.count(), 12);
}

#[test]
fn a_budget_of_time_limits_the_rounds_but_leaves_enough_for_an_interval() {
    // Ten samples of one second per round.
    let script = "ns\t1000000000\nbench\ta";
    let mut sampling = sampling();
    sampling.rounds = 50;
    sampling.time = Duration::from_secs(65);
    let measured = measure(&sampling, vec![target("t", script, script)]);
    assert_eq!(measured[0].rounds.len(), 7);
    sampling.time = Duration::from_secs(1);
    let measured = measure(&sampling, vec![target("t", script, script)]);
    assert_eq!(measured[0].rounds.len(), 6);
    // Who asks for fewer gets them.
    sampling.rounds = 3;
    let measured = measure(&sampling, vec![target("t", script, script)]);
    assert_eq!(measured[0].rounds.len(), 3);
}

#[test]
fn many_benchmarks_leave_a_slow_one_the_rounds_that_they_demand() {
    let script = "ns\t1000000000\nbench\ta";
    let mut sampling = sampling();
    sampling.rounds = 50;
    sampling.time = Duration::from_secs(1);
    let bounds = Bounds {
        fewest_rounds: 8,
        ..Bounds::default()
    };
    let measured = measure_within(bounds, &sampling, vec![target("t", script, script)]);
    assert_eq!(measured[0].rounds.len(), 8);
}

#[test]
fn when_the_time_of_the_whole_run_is_up_the_rest_stays_as_it_is() {
    let script = "bench\ta\nbench\tb";
    let until = |end| {
        let bounds = Bounds {
            end: Some(end),
            ..Bounds::default()
        };
        let measured = measure_within(bounds, &sampling(), vec![target("t", script, script)]);
        let rounds = measured.iter().map(|one| one.rounds.len());
        rounds.collect::<Vec<usize>>()
    };
    let now = std::time::Instant::now();
    assert_eq!(until(now), [0, 0]);
    assert_eq!(until(now + Duration::from_secs(3_600)), [4, 4]);
}

#[test]
fn identical_code_is_measured_only_on_request() {
    let script = "bench\ta";
    let mut identical = target("t", script, script);
    identical.identity = Identity::Identical;
    assert!(measure(&sampling(), vec![identical.clone()]).is_empty());
    let mut sampling = sampling();
    sampling.measure_identical = true;
    assert_eq!(measure(&sampling, vec![identical])[0].rounds.len(), 4);
}

#[test]
fn what_is_known_to_fail_is_not_run() {
    let mut broken = target("t", "bench\ta\nbench\tb", "bench\ta\nbench\tb");
    let failure = Failure {
        side: Side::Head,
        reason: "several benchmarks of this target have this id".into(),
        stderr_tail: String::new(),
    };
    broken.benchmarks[0].failure = Some(failure.clone());
    let measured = measure(&sampling(), vec![broken]);
    assert_eq!(of(&measured, "a").failure, Some(failure));
    assert!(of(&measured, "a").rounds.is_empty());
    assert_eq!(of(&measured, "b").rounds.len(), 4);
}

#[test]
fn more_benchmarks_than_one_process_may_run_are_shared_out() {
    let script: Vec<String> = (0..120).map(|n| format!("bench\tgroup/{n}")).collect();
    let script = script.join("\n");
    let mut sampling = sampling();
    sampling.rounds = 1;
    let measured = measure(&sampling, vec![target("t", &script, &script)]);
    assert_eq!(measured.len(), 120);
    assert!(measured.iter().all(|one| one.rounds.len() == 1));
}

#[test]
fn settings_in_the_benchmarks_code_are_read_back() {
    let base = "config\t30\nbench\ta";
    let head = "config\t20\nbench\ta";
    let measured = measure(&sampling(), vec![target("t", base, base)]);
    assert_eq!(measured[0].rounds[0].samples.base.times.len(), 30);
    assert!(measured[0].notes[0].starts_with("its code has its own settings: 30 samples"));
    let measured = measure(&sampling(), vec![target("t", base, head)]);
    assert!(measured[0].notes[0].contains("differ between the sides"));
}

#[test]
fn a_benchmark_with_several_threads_is_not_pinned() {
    let script = "bench\tmany\tthreads=3\nbench\tone\tspin=100";
    let mut sampling = sampling();
    sampling.pinning = Pinning::Auto;
    sampling.rounds = 1;
    let target = target("t", script, script);
    let mut session = Session::new(&sampling, fake::scratch(), &|_| {});
    let executables = target.executables.as_ref().map(Option::as_ref);
    let requests: Vec<Request> = target
        .benchmarks
        .iter()
        .map(|benchmark| Request {
            key: benchmark.key.clone(),
            presence: Presence::Common,
            round: 0,
            first: Side::Base,
        })
        .collect();
    assert!(session.scout(&target, executables, &requests).is_empty());
    let free: Vec<&str> = session.unpinned().map(|key| key.id.as_str()).collect();
    if crate::process::allowed_processors().len() > 1 {
        assert_eq!(free, ["many"]);
    }
    assert_eq!(session.run_round(&target, executables, &requests).len(), 2);
}
