//! What Criterion plans from the time that it is told, with its own arithmetic (`routine.rs`, `lib.rs` of 0.3.6 to
//! 0.8.2).

use super::*;
use crate::measure::threads::Threads;

const MILLI: Duration = Duration::from_millis(1);

const WANTED: Wanted = Wanted {
    warm_up: Duration::from_millis(50),
    measurement: Duration::from_millis(100),
    clock: Duration::from_nanos(25),
    stretch: 1.0,
    set_up: Duration::ZERO,
};

/// A benchmark: how long an iteration takes, and how much of it is timed.
#[derive(Clone, Copy)]
struct Subject {
    warm_up: Duration,
    measurement: Duration,
    samples: usize,
    whole_ns: f64,
    timed_ns: f64,
    batches: u64,
}

const USUAL: Subject = Subject {
    warm_up: Duration::from_secs(1),
    measurement: Duration::from_secs(3),
    samples: 100,
    whole_ns: 1000.0,
    timed_ns: 1000.0,
    batches: 1,
};

fn shown_with(subject: Subject, method: SamplingMethod, calls: usize) -> Result<Shown, LeftAlone> {
    let record = |call: usize| {
        let iterations = if call < calls { 1_u64 << call } else { 1 };
        SampleRecord {
            start_ns: 7,
            end_ns: 7 + (subject.whole_ns * iterations as f64) as u64,
            timed_ns: (subject.timed_ns * iterations as f64) as u64,
            regions: subject.batches.min(iterations),
            preempted_ns: 0,
        }
    };
    let log: Vec<SampleRecord> = (0..calls + subject.samples).map(record).collect();
    let report = SideReport {
        id: "a".into(),
        iterations: vec![1.0; subject.samples],
        times: vec![subject.timed_ns; subject.samples],
        config: BenchmarkConfig {
            measurement_time: subject.measurement.into(),
            sample_size: subject.samples as u64,
            warm_up_time: subject.warm_up.into(),
        },
        method,
        summary: None,
        threads: Threads::One,
        unit: None,
        ended: false,
    };
    let ended = WarmedUp {
        calls: calls as u64,
        doubted: false,
    };
    Shown::of(&report, &log, Some(ended), Some(LastPlace::at(16)))
}

fn shown(subject: Subject) -> Shown {
    shown_with(subject, SamplingMethod::Flat, 16).unwrap()
}

/// The iterations of all samples, as Criterion plans them in its automatic mode.
fn planned_by_criterion(subject: Subject, told: WarmUp) -> Vec<u64> {
    assert!(told.told > subject.warm_up, "the warm-up would not end");
    let met = told.told.as_nanos() as u64 as f64 / iterations_of(told.calls);
    let (n, target) = (
        subject.samples as u64,
        subject.measurement.as_nanos() as f64,
    );
    let runs = n * (n + 1) / 2;
    let d = (target / met / runs as f64).ceil().max(1.0);
    if runs as f64 * d * met > 2.0 * target {
        vec![((target / n as f64 / met).ceil() as u64).max(1); subject.samples]
    } else {
        (1..=n).map(|sample| sample * d as u64).collect()
    }
}

fn both(subject: Subject) -> Paired<WarmUp> {
    let one = shown(subject);
    plan(Paired::new(&one, &one), WANTED).warm_up
}

/// The time of the samples and of the warm-up.
fn cost(subject: Subject) -> (Duration, Duration) {
    let one = shown(subject);
    let planned = plan(Paired::new(&one, &one), WANTED);
    let told = planned.warm_up.head;
    let all: u64 = planned_by_criterion(subject, told).iter().sum();
    let time = |iterations: f64| Duration::from_nanos((iterations * subject.whole_ns) as u64);
    let (measured, warm_up) = (time(all as f64), time(iterations_of(told.calls)));
    let said = planned.round.as_secs_f64() / ((measured + warm_up) * 2).as_secs_f64();
    assert!(
        (0.4..1.1).contains(&said),
        "{said} of the real time was announced"
    );
    (measured, warm_up)
}

#[test]
fn samples_fill_the_time_that_the_round_wants_whatever_the_code_asks_for() {
    for whole_ns in [2.0, 37.0, 1000.0, 50_000.0, 400_000.0] {
        for (warm_up, measurement, samples) in [
            (1000, 3000, 100),
            (3000, 5000, 100),
            (100, 10_000, 50),
            (500, 60_000, 10),
        ] {
            let subject = Subject {
                warm_up: MILLI * warm_up,
                measurement: MILLI * measurement,
                samples,
                whole_ns,
                timed_ns: whole_ns,
                ..USUAL
            };
            let (measured, warm_up) = cost(subject);
            // At least one iteration per sample, and Criterion rounds upwards.
            let fewest = Duration::from_nanos((whole_ns * samples as f64) as u64);
            assert!(
                measured >= WANTED.measurement.mul_f64(0.7),
                "{whole_ns} {measured:?}"
            );
            let most = WANTED.measurement.mul_f64(1.45).max(fewest * 2);
            assert!(measured <= most, "{whole_ns} {samples}: {measured:?}");
            assert!(warm_up <= MILLI * 250, "{whole_ns}: {warm_up:?}");
        }
    }
}

#[test]
fn a_code_that_warms_up_for_longer_than_it_measures_pays_for_it() {
    let subject = Subject {
        warm_up: Duration::from_secs(3),
        measurement: Duration::from_secs(1),
        ..USUAL
    };
    let (measured, warm_up) = cost(subject);
    assert!(measured <= WANTED.measurement * 2, "{measured:?}");
    assert!(warm_up > WANTED.measurement * 3 && warm_up < WANTED.measurement * 7);
}

#[test]
fn both_sides_are_told_the_same_though_one_is_slower() {
    let head = shown(Subject {
        whole_ns: 4000.0,
        timed_ns: 4000.0,
        ..USUAL
    });
    let base = shown(USUAL);
    let told = plan(Paired::new(&base, &head), WANTED).warm_up;
    assert_eq!(told.base, told.head);
    let all: u64 = planned_by_criterion(USUAL, told.head).iter().sum();
    let on_average = all as f64 * 2000.0 / WANTED.measurement.as_nanos() as f64;
    assert!((0.99..2.0).contains(&on_average), "{on_average}");
}

#[test]
fn batches_are_kept_long_enough_for_the_clock() {
    let subject = Subject {
        whole_ns: 300.0,
        timed_ns: 30.0,
        batches: 1000,
        samples: 50,
        measurement: Duration::from_secs(20),
        ..USUAL
    };
    let all: u64 = planned_by_criterion(subject, both(subject).head)
        .iter()
        .sum();
    let region = all as f64 * subject.timed_ns / (subject.samples as f64 * 1000.0);
    assert!(region >= REGION_PER_CLOCK * 25.0 * 0.99, "{region}");
    // A batch of one iteration is as long as the iteration, whatever is planned.
    let single = Subject {
        batches: u64::MAX,
        ..subject
    };
    let few: u64 = planned_by_criterion(single, both(single).head).iter().sum();
    assert!(few < all / 10, "{few}");
}

#[test]
fn never_more_is_measured_than_the_settings_ask_for() {
    let subject = Subject {
        batches: 1000,
        timed_ns: 1.0,
        ..USUAL
    };
    let (measured, _) = cost(subject);
    assert!(measured <= subject.measurement * 2, "{measured:?}");
    let short = Subject {
        warm_up: MILLI * 5,
        measurement: MILLI * 10,
        samples: 20,
        ..USUAL
    };
    assert!(cost(short).0 <= MILLI * 20);
}

#[test]
fn what_is_not_shown_is_left_alone() {
    assert_eq!(
        shown_with(USUAL, SamplingMethod::Flat, 0),
        Err(LeftAlone::NotSeen)
    );
    let flat = shown(USUAL);
    let linear = shown_with(USUAL, SamplingMethod::Linear, 16).unwrap();
    assert!(agree(&flat, &flat) && !agree(&flat, &linear));
    let more = shown(Subject {
        samples: 50,
        ..USUAL
    });
    assert!(!agree(&flat, &more));
}

#[test]
fn rounds_that_pay_for_a_set_up_are_longer() {
    let one = shown(Subject {
        warm_up: MILLI * 50,
        measurement: MILLI * 100,
        ..USUAL
    });
    let usual = plan(Paired::new(&one, &one), WANTED).round;
    let stretched = Wanted {
        stretch: 4.0,
        ..WANTED
    };
    let longer = plan(Paired::new(&one, &one), stretched).round;
    assert!(longer > usual * 2, "{longer:?} after {usual:?}");
}

#[test]
fn what_came_from_the_command_line_follows_it_and_what_the_code_sets_does_not() {
    let timing = |warm_up, measurement, sample_size| Timing {
        warm_up: MILLI * warm_up,
        measurement: MILLI * measurement,
        sample_size,
    };
    let own = shown(USUAL);
    let (before, now) = (timing(1000, 100, 20), timing(10, 10, 10));
    let then = own.asked_for(before, now);
    assert_eq!(then.warm_up(), MILLI * 10);
    assert_eq!(then.measurement(), USUAL.measurement);
    assert_eq!(then.samples, USUAL.samples);
}

/// What is planned where both sides are alike.
fn planned(subject: Subject, method: SamplingMethod, wanted: Wanted) -> Planned {
    let shown = shown_with(subject, method, 3).unwrap();
    plan(Paired::new(&shown, &shown), wanted)
}

fn slow(iteration: Duration, samples: usize) -> Subject {
    Subject {
        whole_ns: iteration.as_nanos() as f64,
        timed_ns: iteration.as_nanos() as f64,
        samples,
        ..USUAL
    }
}

#[test]
fn a_process_is_ended_after_a_few_of_many_long_samples() {
    let of = |subject| planned(subject, SamplingMethod::Flat, WANTED);
    let second = of(slow(Duration::from_secs(1), 100));
    let ends = second.ends.unwrap();
    assert_eq!(ends.samples, 3);
    assert_eq!(Duration::from(ends.measurement), USUAL.measurement);
    // A call of the warm-up and three samples, on each side.
    assert_eq!(second.round.as_secs_f64().round(), 8.0);
    assert_eq!(of(slow(20 * MILLI, 100)).ends.unwrap().samples, 10);
    assert_eq!(of(slow(20 * MILLI, 20)).ends, None);
    assert_eq!(of(slow(5 * MILLI, 100)).ends, None);
    assert_eq!(of(USUAL).ends, None);
}

#[test]
fn samples_that_are_not_the_shortest_are_run_to_their_end() {
    // Enough for more than one iteration per sample: it would be unknown how many each has.
    let wanted = Wanted {
        measurement: Duration::from_secs(3),
        ..WANTED
    };
    let of = |samples| planned(slow(20 * MILLI, samples), SamplingMethod::Flat, wanted).ends;
    assert_eq!(of(100), None);
    assert_eq!(of(200).unwrap().samples, 150);
}

#[test]
fn of_growing_samples_the_first_are_the_shortest() {
    let growing = planned(slow(20 * MILLI, 100), SamplingMethod::Linear, WANTED);
    assert_eq!(growing.ends.unwrap().samples, 10);
    // 3 iterations of warm-up at 20 ms, and 1 to 10.
    assert!(growing.round < Duration::from_secs(3), "{growing:?}");
}

#[test]
fn quick_mode_shows_what_an_iteration_takes() {
    let record = |iterations: u64| SampleRecord {
        start_ns: 7,
        end_ns: 7 + 1_000_000_000 * iterations,
        timed_ns: 900_000_000 * iterations,
        regions: 1,
        preempted_ns: 0,
    };
    let report = SideReport {
        id: "a".into(),
        iterations: vec![1.0, 2.0],
        times: vec![9e8, 18e8],
        config: BenchmarkConfig {
            measurement_time: Duration::from_secs(1000).into(),
            sample_size: 100,
            warm_up_time: Duration::from_secs(1).into(),
        },
        method: SamplingMethod::Linear,
        summary: None,
        threads: Threads::One,
        unit: None,
        ended: false,
    };
    let log = [record(1), record(2)];
    let shown = Shown::of_quick(&report, &log, Some(LastPlace::at(16))).unwrap();
    assert_eq!((shown.whole_ns, shown.timed_ns), (1e9, 9e8));
    assert_eq!((shown.samples, shown.method), (100, SamplingMethod::Flat));
    let unproved = Shown::of_quick(&report, &log, None);
    assert_eq!(unproved, Err(LeftAlone::NoLastRead));
    // The measurement time that quick mode was given does not come from the code.
    let asked = Timing {
        warm_up: 50 * MILLI,
        measurement: 100 * MILLI,
        sample_size: 20,
    };
    let shown = shown.asked_for(asked.quick(), asked);
    assert_eq!(shown.measurement(), asked.measurement);
    assert_eq!(shown.warm_up(), Duration::from_secs(1));
}

#[test]
fn a_warm_up_and_its_samples_together_take_the_wanted_time() {
    let all = Duration::from_millis(150);
    for whole_ns in [2.0, 37.0, 1000.0, 5000.0, 50_000.0, 400_000.0] {
        for (warm_up, measurement, samples) in [(1000, 3000, 100), (50, 100, 20), (3000, 5000, 100)]
        {
            let subject = Subject {
                warm_up: MILLI * warm_up,
                measurement: MILLI * measurement,
                samples,
                whole_ns,
                timed_ns: whole_ns,
                ..USUAL
            };
            let one = shown(subject);
            let together = plan_together(Paired::new(&one, &one), all);
            let told = together.warm_up.head;
            let rest: u64 = planned_by_criterion(subject, told).iter().sum();
            let iterations = iterations_of(told.calls) + rest as f64;
            let took = Duration::from_nanos((iterations * whole_ns) as u64);
            assert!(
                took >= all.mul_f64(0.75) && took <= all.mul_f64(1.35),
                "{whole_ns} {samples}: {took:?}"
            );
            let said = together.takes.as_secs_f64() / took.as_secs_f64();
            assert!((0.7..1.3).contains(&said), "{whole_ns} {samples}: {said}");
        }
    }
}
