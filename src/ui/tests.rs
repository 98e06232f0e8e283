use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Progress, ProgressKind};
use crate::units::{Colour, Event, Pass, Side};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("UTF-8")
    }
}

/// A run of two benchmarks, with one event per second.
fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Resolved {
            side: Side::Base,
            short_id: "1111111".into(),
            subject: "Parse faster".into(),
        },
        Event::CheckingOut { side: Side::Base },
        Event::BuildStarted { side: Side::Base },
        Event::Compiled {
            side: Side::Base,
            krate: "serde".into(),
            done: 1,
            total: Some(4),
        },
        Event::BuildFinished {
            side: Side::Base,
            took: Duration::from_millis(61_500),
            executables: 1,
            programs: 0,
        },
        Event::Discovered {
            measured: 2,
            identical: 3,
            added: 0,
            removed: 1,
            skipped_targets: 1,
        },
        Event::PassStarted {
            pass: Pass::Time,
            benchmarks: 2,
            rounds: 20,
        },
    ];
    for round in 1..=10 {
        for benchmark in ["a", "b"] {
            let benchmark = benchmark.to_owned();
            events.push(Event::Measuring {
                benchmark: benchmark.clone(),
                round,
            });
            events.push(Event::RoundFinished { benchmark, round });
        }
    }
    for benchmark in ["a", "b"] {
        events.push(Event::Settled {
            benchmark: benchmark.into(),
            verdict: "unchanged".into(),
            rounds: 10,
        });
    }
    events.push(Event::PassFinished {
        pass: Pass::Time,
        took: Duration::from_secs(43),
    });
    events.push(Event::Warning {
        message: "load is high\u{1b}[2J".into(),
    });
    events
}

fn shown(kind: ProgressKind) -> String {
    let paper = Paper::default();
    let seconds = Arc::new(AtomicU64::new(0));
    let hand = Arc::clone(&seconds);
    let clock = move || Duration::from_secs(hand.load(Ordering::Relaxed));
    let progress = Progress::with_clock(kind, None, paper.clone(), clock);
    {
        let sink = progress.sink();
        for event in events() {
            seconds.fetch_add(1, Ordering::Relaxed);
            sink(event);
        }
    }
    progress.finish();
    paper.text()
}

#[test]
fn a_log_gets_a_line_a_step() {
    insta::assert_snapshot!(shown(ProgressKind::Lines));
}

#[test]
fn a_log_says_where_the_run_stands_when_a_minute_has_passed_without_a_step() {
    let paper = Paper::default();
    let seconds = Arc::new(AtomicU64::new(0));
    let hand = Arc::clone(&seconds);
    let clock = move || Duration::from_secs(hand.load(Ordering::Relaxed));
    let limit = Some(Duration::from_secs(150));
    let progress = Progress::with_clock(ProgressKind::Lines, limit, paper.clone(), clock);
    let sink = progress.sink();
    sink(Event::BuildStarted { side: Side::Base });
    let at = |second| {
        seconds.store(second, Ordering::Relaxed);
        progress.view.tick();
        paper.text().lines().count()
    };
    assert_eq!(at(20), 1);
    sink(Event::Compiled {
        side: Side::Base,
        krate: "serde".into(),
        done: 1,
        total: Some(4),
    });
    assert_eq!(at(59), 1);
    assert_eq!(at(60), 2);
    assert_eq!(at(119), 2);
    let text = paper.text();
    let last = text.lines().last().unwrap_or_default();
    // At 20 s a quarter was done.
    let expected = "building base: serde, 1 of 4 crates, 1 min 0 s so far (about 20 s left)";
    assert_eq!(last.trim(), expected);
    // A crate that takes longer than the estimate for all of them says nothing about the end.
    assert_eq!(at(120), 3);
    let text = paper.text();
    let last = text.lines().last().unwrap_or_default();
    assert_eq!(
        last.trim(),
        "building base: serde, 1 of 4 crates, 2 min 0 s so far"
    );
    assert_eq!(at(180), 4);
    let text = paper.text();
    let last = text.lines().last().unwrap_or_default();
    assert_eq!(
        last.trim(),
        "building base: serde, 1 of 4 crates, 3 min 0 s so far, past the time limit (the next run starts from what is built)"
    );
    progress.finish();
    assert_eq!(at(600), 4);
}

#[test]
fn a_log_grows_by_no_line_of_the_clock_while_times_are_measured_and_by_one_at_any_other_step() {
    let paper = Paper::default();
    let seconds = Arc::new(AtomicU64::new(0));
    let hand = Arc::clone(&seconds);
    let clock = move || Duration::from_secs(hand.load(Ordering::Relaxed));
    let progress = Progress::with_clock(ProgressKind::Lines, None, paper.clone(), clock);
    let sink = progress.sink();
    let lines = || paper.text().lines().count();
    let tick = |second| {
        seconds.store(second, Ordering::Relaxed);
        progress.view.tick();
        lines()
    };
    let start = |pass| {
        sink(Event::PassStarted {
            pass,
            benchmarks: 1,
            rounds: 20,
        });
    };
    start(Pass::Time);
    assert_eq!(tick(90), 1);
    // Between two processes nothing is disturbed.
    sink(Event::RoundFinished {
        benchmark: "a".into(),
        round: 1,
    });
    assert_eq!(lines(), 2);
    sink(Event::CheckingOut { side: Side::Base });
    assert_eq!(tick(180), 3);
    for (pass, second) in [
        (Pass::Reach, 300),
        (Pass::Allocations, 500),
        (Pass::Profile, 700),
    ] {
        start(pass);
        let begun = lines();
        assert_eq!(tick(second), begun + 1, "{pass:?}");
    }
    // The time between two steps can be long, too.
    let took = Duration::from_secs(1);
    sink(Event::PassFinished {
        pass: Pass::Profile,
        took,
    });
    let finished = lines();
    assert_eq!(tick(800), finished + 1);
}

#[test]
fn quiet_shows_warnings_alone_and_no_control_characters() {
    assert_eq!(
        shown(ProgressKind::Quiet),
        "warning: load is high\u{fffd}[2J\n"
    );
}

#[test]
fn every_event_is_one_line_of_json() {
    let text = shown(ProgressKind::Json);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), events().len());
    assert_eq!(lines[4]["event"], "build-finished");
    assert_eq!(lines[4]["took_seconds"], 61.5);
}

#[test]
fn a_terminal_shows_steps_above_a_bar_and_is_left_clean() {
    let text = shown(ProgressKind::Terminal {
        width: 80,
        colour: Colour::Never,
    });
    assert!(
        text.contains("    Resolved base 1111111 Parse faster"),
        "{text:?}"
    );
    assert!(text.contains("    Measured time in 43 s"), "{text:?}");
    assert!(text.contains('['), "{text:?}");
    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
    let end = text.rsplit('\n').next().unwrap_or_default();
    assert!(end.ends_with("\r\u{1b}[2K") || end.is_empty(), "{end:?}");
}

#[test]
fn a_long_build_says_what_is_built_how_far_it_is_and_for_how_long() {
    let mut story = super::story::Story::new(None);
    let second = Duration::from_secs;
    story.take(&Event::BuildStarted { side: Side::Head }, second(5));
    let compiled = Event::Compiled {
        side: Side::Head,
        krate: "serde".into(),
        done: 30,
        total: Some(120),
    };
    story.take(&compiled, second(95));
    let now = story.now(second(95));
    assert_eq!(
        now.text,
        "building head: serde, 30 of 120 crates, 1 min 30 s so far"
    );
    assert_eq!(now.done, Some(0.25));
}

#[test]
fn a_step_that_has_nothing_to_do_has_no_line() {
    let mut story = super::story::Story::new(None);
    let none = [
        Event::PassStarted {
            pass: Pass::Reach,
            benchmarks: 0,
            rounds: 1,
        },
        Event::PassFinished {
            pass: Pass::Reach,
            took: Duration::ZERO,
        },
        Event::Reached {
            reached: 0,
            benchmarks: 0,
        },
    ];
    for event in &none {
        assert_eq!(story.take(event, Duration::ZERO), None, "{event:?}");
    }
}
