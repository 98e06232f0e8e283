//! What the turns of rounds come to.

use std::time::Duration;

use super::answers::wrong_answers;
use super::rows::{row_key, rows};
use super::*;
use crate::load_generator::{
    Distribution, GeneratorUse, NotUsable, RequestError, RequestErrorKind,
};
use crate::measure::Measured;

/// A turn in which so many requests were answered, each within a millisecond.
pub(super) fn turn(answered: u64) -> LoadOutcome {
    let time = 1e6;
    let latency = Distribution {
        count: answered,
        mean: time,
        p50: time,
        p90: time,
        p95: time,
        p99: time,
        p999: time,
        max: time,
    };
    LoadOutcome {
        answered,
        completed: answered,
        sent: answered,
        seconds: 1.0,
        latency: (answered > 0).then_some(latency),
        errors: Vec::new(),
        windows: Vec::new(),
        generator: GeneratorUse {
            processor_seconds: 0.1,
            lag: None,
        },
        not_usable: None,
    }
}

fn slower(turn: LoadOutcome, factor: f64) -> LoadOutcome {
    let latency = turn.latency.map(|latency| Distribution {
        p50: latency.p50 * factor,
        ..latency
    });
    LoadOutcome { latency, ..turn }
}

fn saturated(turn: LoadOutcome) -> LoadOutcome {
    LoadOutcome {
        not_usable: Some(NotUsable::Saturated { share: 0.95 }),
        ..turn
    }
}

fn round(base: Vec<LoadOutcome>, head: Vec<LoadOutcome>) -> ServiceRound {
    let used = ServiceUsage {
        ready: None,
        processor: Duration::from_micros(1),
        held: None,
    };
    let turns = Paired::new(base, head);
    ServiceRound {
        index: 0,
        first: Side::Base,
        open: turns.clone(),
        closed: turns,
        used: Paired::new(used, used),
    }
}

fn row(kind: ComparedRow, rounds: &[ServiceRound]) -> Measured {
    let key = BenchmarkKey {
        package: "p".to_owned(),
        target: "service".to_owned(),
        id: "api".to_owned(),
    };
    let mut all = rows(&key, rounds, Some(100.0), 1).into_iter();
    all.find(|row| row.key == row_key(&key, kind.name()))
        .unwrap()
}

#[test]
fn a_percentile_with_few_requests_beyond_it_is_not_judged() {
    let turns = || vec![turn(100); 4];
    let rounds = [round(turns(), turns())];
    assert_eq!(row(ComparedRow::P95, &rounds).rounds.len(), 1);
    let p99 = row(ComparedRow::P99, &rounds);
    assert!(p99.rounds.is_empty());
    assert_eq!(
        p99.notes[1],
        "1 of 1 round do not count, since there are too few requests for p99: raise `slice`"
    );
}

#[test]
fn a_turn_in_which_one_side_shows_nothing_counts_on_neither_side() {
    let base = vec![turn(100), turn(100), saturated(turn(100)), turn(100)];
    // All turns of head are alike but the one whose partner is lost.
    let head = vec![turn(100), turn(100), slower(turn(100), 50.0), turn(100)];
    let p50 = row(ComparedRow::P50, &[round(base, head)]);
    let of = |side| p50.rounds[0].samples.get(side).times[0];
    assert!((of(Side::Head) / of(Side::Base) - 1.0).abs() < 1e-9);
}

#[test]
fn a_lost_round_has_the_reason_that_its_turns_give() {
    let lost = || vec![saturated(turn(100)); 4];
    let silent = || vec![turn(0); 4];
    for (turns, expected) in [
        (lost(), "used up its processor"),
        (silent(), "too little was answered in time"),
    ] {
        for kind in [ComparedRow::Throughput, ComparedRow::P50] {
            let row = row(kind, &[round(turns.clone(), vec![turn(100); 4])]);
            assert!(row.rounds.is_empty());
            assert!(row.notes[1].contains(expected), "{:?}", row.notes);
        }
    }
}

#[test]
fn a_side_that_answers_nothing_has_failed() {
    let hung = LoadOutcome { sent: 8, ..turn(0) };
    let failure = wrong_answers(&[round(vec![turn(9)], vec![hung])], 0.01).unwrap();
    assert_eq!(failure.side, Side::Head);
    assert!(
        failure.reason.starts_with("answered none of 16 requests"),
        "{}",
        failure.reason
    );
    let wrong = LoadOutcome {
        errors: vec![RequestError {
            kind: RequestErrorKind::Timeout,
            count: 2,
            example: "GET /: none".to_owned(),
        }],
        ..turn(9)
    };
    assert!(wrong_answers(&[round(vec![wrong], vec![turn(9)])], 0.01).is_some());
}
