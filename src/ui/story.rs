//! What the events add up to: finished steps, the current one, and how long it will still take.

use std::collections::HashMap;
use std::time::Duration;

use crate::units::{Event, Pass, Side, plural};

use super::phrases::{built, noun};

/// One finished or begun step, worth a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProgressStep {
    /// One word, as cargo has it.
    pub(super) verb: &'static str,
    /// The rest of the line.
    pub(super) text: String,
}

/// Where the run stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Now {
    /// What is being done.
    pub(super) text: String,
    /// The share of the current stage that is done, if known.
    pub(super) done: Option<f64>,
    /// How long it will still take at the current pace, if known.
    pub(super) left: Option<RemainingTime>,
}

/// How long a stage still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemainingTime {
    /// No longer than this: rounds can only turn out not to be needed.
    AtMost(Duration),
    /// Crates take different times, so this is a guess.
    About(Duration),
}

/// The state that events build up.
#[derive(Debug)]
pub(super) struct Story {
    stage: StoryStage,
    began: Duration,
    /// How long the whole run may take.
    limit: Option<Duration>,
}

#[derive(Debug)]
enum StoryStage {
    Starting,
    Checkout(Side),
    Build(BuildProgress),
    Pass(Rounds),
    Between,
}

#[derive(Debug)]
struct BuildProgress {
    side: Side,
    krate: String,
    done: usize,
    total: Option<usize>,
    /// How long it had gone on when the last crate was done.
    at: Duration,
}

#[derive(Debug)]
struct Rounds {
    pass: Pass,
    benchmarks: usize,
    max_rounds: usize,
    /// Rounds that were run, over all benchmarks.
    run: usize,
    /// Rounds that will not be needed, since their benchmark was decided earlier.
    spared: usize,
    settled: usize,
    /// Rounds run so far of each benchmark that is still open.
    open: HashMap<String, usize>,
    current: String,
    round: usize,
}

impl Story {
    pub(super) fn new(limit: Option<Duration>) -> Story {
        Story {
            limit,
            stage: StoryStage::Starting,
            began: Duration::ZERO,
        }
    }

    /// Takes an event, and returns the step that it begins or ends.
    pub(super) fn take(&mut self, event: &Event, now: Duration) -> Option<ProgressStep> {
        match event {
            Event::Resolved {
                side,
                short_id,
                subject,
            } => step("Resolved", format!("{side} {short_id} {subject}")),
            Event::CheckingOut { side } => {
                self.enter(StoryStage::Checkout(*side), now);
                None
            }
            Event::BuildStarted { side } => {
                let build = BuildProgress {
                    side: *side,
                    krate: String::new(),
                    done: 0,
                    total: None,
                    at: Duration::ZERO,
                };
                self.enter(StoryStage::Build(build), now);
                step("Building", format!("{side}"))
            }
            Event::Compiled {
                krate, done, total, ..
            } => {
                if let StoryStage::Build(build) = &mut self.stage {
                    build.krate.clone_from(krate);
                    (build.done, build.total) = (*done, *total);
                    build.at = now.saturating_sub(self.began);
                }
                None
            }
            Event::BuildFinished {
                side,
                took,
                executables,
                programs,
            } => {
                self.enter(StoryStage::Between, now);
                let what = built(*executables, *programs);
                step("Built", format!("{side}: {what} in {}", spoken(*took)))
            }
            Event::Discovered { .. } => discovered(event),
            Event::Reached { benchmarks: 0, .. } => None,
            Event::Reached {
                reached,
                benchmarks,
            } => {
                let all = plural(*benchmarks, "benchmark", "benchmarks");
                let text = format!("{reached} of {all} can be affected by this change");
                step("Reached", text)
            }
            _ => self.take_measuring(event, now),
        }
    }

    fn take_measuring(&mut self, event: &Event, now: Duration) -> Option<ProgressStep> {
        match event {
            Event::PassStarted {
                pass,
                benchmarks,
                rounds,
            } => {
                self.enter(
                    StoryStage::Pass(Rounds::new(*pass, *benchmarks, *rounds)),
                    now,
                );
                // If everything is identical, or failed, a pass is over at once.
                if *benchmarks == 0 {
                    return None;
                }
                let benchmarks = plural(*benchmarks, "benchmark", "benchmarks");
                let rounds = match rounds {
                    0 | 1 => String::new(),
                    n => format!(", up to {} each", plural(*n, "round", "rounds")),
                };
                step(
                    "Measuring",
                    format!("{} of {benchmarks}{rounds}", noun(*pass)),
                )
            }
            Event::Estimated { expected, at_most } => step(
                "Expecting",
                format!("about {}, at most {}", spoken(*expected), spoken(*at_most)),
            ),
            Event::PassFinished { pass, took } => {
                let had_nothing_to_do =
                    matches!(&self.stage, StoryStage::Pass(rounds) if rounds.benchmarks == 0);
                self.enter(StoryStage::Between, now);
                if had_nothing_to_do {
                    return None;
                }
                step("Measured", format!("{} in {}", noun(*pass), spoken(*took)))
            }
            Event::Warning { message } => step("Warning", message.clone()),
            _ => {
                if let StoryStage::Pass(rounds) = &mut self.stage {
                    rounds.take(event);
                }
                None
            }
        }
    }

    fn enter(&mut self, stage: StoryStage, now: Duration) {
        self.stage = stage;
        self.began = now;
    }

    /// Whether a side is being built.
    pub(super) fn is_building(&self) -> bool {
        matches!(self.stage, StoryStage::Build(_))
    }

    /// Whether times are being measured.
    pub(super) fn is_timing(&self) -> bool {
        matches!(&self.stage, StoryStage::Pass(rounds) if rounds.pass == Pass::Time)
    }

    /// Where the run stands at the time `now`.
    pub(super) fn now(&self, now: Duration) -> Now {
        let spent = now.saturating_sub(self.began);
        let (text, done, left) = match &self.stage {
            StoryStage::Starting => ("getting ready".to_owned(), None, None),
            StoryStage::Between => ("preparing the next step".to_owned(), None, None),
            StoryStage::Checkout(side) => (format!("checking out {side}"), None, None),
            StoryStage::Build(build) => {
                let mut text = build.text(spent);
                if self.limit.is_some_and(|limit| now >= limit) {
                    text.push_str(", past the time limit (the next run starts from what is built)");
                }
                (text, build.share(), build.left(spent))
            }
            StoryStage::Pass(rounds) => {
                let (text, done) = rounds.now();
                let left = left(spent, done).map(RemainingTime::AtMost);
                (text, Some(done), left)
            }
        };
        Now {
            text: printable(&text),
            done,
            left,
        }
    }
}

impl BuildProgress {
    fn share(&self) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some(self.done as f64 / total as f64)
    }

    /// From the pace when the last crate was finished: until the next one, the time spent says nothing about what
    /// is left.
    fn left(&self, spent: Duration) -> Option<RemainingTime> {
        let since = spent.saturating_sub(self.at);
        let left = left(self.at, self.share()?)?.checked_sub(since)?;
        (!left.is_zero()).then_some(RemainingTime::About(left))
    }

    fn text(&self, spent: Duration) -> String {
        let of = match self.total {
            Some(total) => format!("{} of {}", self.done, plural(total, "crate", "crates")),
            None => plural(self.done, "crate", "crates"),
        };
        let so_far = match spent.as_secs() {
            0..10 => String::new(),
            _ => format!(", {} so far", spoken(spent)),
        };
        let krate = match self.krate.as_str() {
            "" => String::new(),
            krate => format!("{krate}, "),
        };
        format!("building {}: {krate}{of}{so_far}", self.side)
    }
}

impl Rounds {
    fn new(pass: Pass, benchmarks: usize, max_rounds: usize) -> Rounds {
        Rounds {
            pass,
            benchmarks,
            max_rounds: max_rounds.max(1),
            run: 0,
            spared: 0,
            settled: 0,
            open: HashMap::new(),
            current: String::new(),
            round: 0,
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Measuring { benchmark, round } => {
                self.current.clone_from(benchmark);
                self.round = *round;
            }
            Event::RoundFinished { benchmark, .. } => {
                self.run += 1;
                *self.open.entry(benchmark.clone()).or_insert(0) += 1;
            }
            Event::Settled { benchmark, .. } => {
                self.settled += 1;
                let run = self.open.remove(benchmark).unwrap_or(0);
                self.spared += self.max_rounds.saturating_sub(run);
            }
            _ => {}
        }
    }

    fn now(&self) -> (String, f64) {
        let all = self.benchmarks * self.max_rounds;
        // Rounds that turned out not to be needed take no time, so they do not count in the total.
        let total = all.saturating_sub(self.spared).max(self.run);
        let done = if total == 0 {
            1.0
        } else {
            self.run as f64 / total as f64
        };
        let settled = format!("{} of {} done", self.settled, self.benchmarks);
        let current = match self.current.as_str() {
            "" => String::new(),
            current => format!(", round {} of {current}", self.round),
        };
        (format!("{}: {settled}{current}", noun(self.pass)), done)
    }
}

fn discovered(event: &Event) -> Option<ProgressStep> {
    let Event::Discovered {
        measured,
        identical,
        added,
        removed,
        skipped_targets,
    } = event
    else {
        return None;
    };
    let mut text = format!(
        "{} to measure",
        plural(*measured, "benchmark", "benchmarks")
    );
    for (n, what) in [
        (identical, "with identical code"),
        (added, "added"),
        (removed, "removed"),
    ] {
        if *n > 0 {
            text.push_str(&format!(", {n} {what}"));
        }
    }
    if *skipped_targets > 0 {
        text.push_str(&format!(
            "; {} skipped",
            plural(*skipped_targets, "target", "targets")
        ));
    }
    step("Found", text)
}

/// The smallest share that is worth an extrapolation.
const ENOUGH: f64 = 0.02;

fn left(spent: Duration, done: f64) -> Option<Duration> {
    if !(ENOUGH..1.0).contains(&done) || spent.is_zero() {
        return None;
    }
    Duration::try_from_secs_f64(spent.as_secs_f64() * (1.0 - done) / done).ok()
}

fn step(verb: &'static str, text: String) -> Option<ProgressStep> {
    Some(ProgressStep {
        verb,
        text: printable(&text),
    })
}

/// `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `text` without characters that would move a cursor.
pub(super) fn printable(text: &str) -> String {
    let harmless = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(harmless).collect()
}
