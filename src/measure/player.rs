//! One side's process in a round: it is released, followed, and held again after each benchmark.

mod patience;

use std::time::{Duration, Instant};

use crate::build::CommandLine;
use crate::discover::Failure;
use crate::harness::{CriterionVersion, Ending, Invocation, Message, Process};
use crate::process::Runner;
use crate::scratch::Scratch;
use crate::seam::Pace;
use crate::units::Side;

use super::batches::Idle;
use super::enough::Announced;
use super::reported::SideReport;
use super::standstill::Restless;
use super::threads::{ThreadTimes, worker};

pub(super) use patience::LONGEST_ROUND;

/// How often to poll a process that will stop without sending a message.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

/// What became of a turn.
#[derive(Debug)]
pub(super) enum Turn {
    /// One benchmark is measured; the process is held.
    Complete(Box<SideReport>),
    /// It has run enough of the benchmark and waits in it; it is to be ended.
    Enough(Box<SideReport>),
    /// The process ran to its end, as it should.
    Over,
}

/// What went wrong, and in which benchmark.
#[derive(Debug)]
pub(super) struct Fault {
    /// The benchmark that had begun and did not end; `None` outside any.
    pub(super) id: Option<String>,
    pub(super) failure: Failure,
}

/// One side's process, which perfcheck releases and holds.
#[derive(Debug)]
pub(super) struct Player {
    side: Side,
    process: Process,
    /// The process that runs the benchmarks: its own, or a child where a runner makes one.
    worker: u32,
    runner: Option<Runner>,
    held: Held,
    timeout: Duration,
    /// How long it may be silent from now on.
    patience: Duration,
    heard_at: Instant,
    released_at: Instant,
    current: Option<String>,
    /// The warm-up time of the current benchmark.
    warm_up: Duration,
    command_line: CommandLine,
    announced: Option<Announced>,
    threads: ThreadTimes,
    unit: Option<String>,
    idle: Idle,
    rests: bool,
    /// Translates the announced time of a measurement into the real one, if the warm-up may be shortened.
    pace: Option<Pace>,
    /// The processor time that it had used when it was last found silent.
    at_work: ThreadTimes,
    /// How long it has run outside of any benchmark.
    set_up: Duration,
}

/// Where a process stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    AtHandshake,
    AfterMeasurement,
    NotAtAll,
}

impl Player {
    /// Starts a process and holds it at its handshake.
    pub(super) fn start(
        invocation: &Invocation<'_>,
        scratch: &Scratch,
        timeout: Duration,
    ) -> Result<Player, Fault> {
        let side = invocation.side;
        let nowhere = |ending: Ending, words: String| Fault {
            id: None,
            failure: Failure {
                side,
                reason: ending.to_string(),
                stderr_tail: words,
            },
        };
        let mut process =
            Process::spawn(invocation, scratch).map_err(|ending| nowhere(ending, String::new()))?;
        let began = Instant::now();
        let executable = invocation.executable;
        let worker = |process: &Process| match &executable.runner {
            Some(_) => worker(process.id(), &executable.path),
            None => process.id(),
        };
        let mut before = ThreadTimes::default();
        let mut connected = process.connect(timeout);
        while matches!(connected, Err(Ending::Silent { .. })) && began.elapsed() < LONGEST_ROUND {
            let now = ThreadTimes::of(worker(&process));
            if !before.has_worked(now) {
                break;
            }
            before = now;
            connected = process.connect(timeout);
        }
        let worker = worker(&process);
        match connected {
            Ok(()) => Ok(Player {
                side,
                worker,
                runner: executable.runner.clone(),
                threads: ThreadTimes::of(worker),
                at_work: ThreadTimes::default(),
                set_up: began.elapsed(),
                process,
                held: Held::AtHandshake,
                timeout,
                patience: timeout,
                heard_at: Instant::now(),
                released_at: Instant::now(),
                current: None,
                warm_up: Duration::ZERO,
                command_line: executable.command_line,
                announced: None,
                unit: None,
                idle: Idle::Stopped,
                rests: false,
                pace: None,
            }),
            Err(ending) => Err(nowhere(ending, process.into_last_words())),
        }
    }

    /// Says what [`Player::rest`] is to do.
    pub(super) fn while_idle(self, idle: Idle) -> Player {
        Player { idle, ..self }
    }

    /// From now on the announced times are translated.
    pub(super) fn at(&mut self, pace: Pace) {
        self.pace = Some(pace);
    }

    /// The process is held, and the other side is about to run: stops its other threads and children, unless they
    /// are to continue.
    pub(super) fn rest(&mut self) {
        if self.idle == Idle::Stopped && self.held != Held::NotAtAll && !self.rests {
            self.rests = true;
            self.process.pause();
        }
    }

    /// Continues this side after the other one has stopped it and cannot continue it any more.
    pub(super) fn resume(&mut self) {
        self.process.resume();
    }

    /// Why stopping it while the other side runs would disturb it, as far as that can be seen.
    pub(super) fn restless(&self) -> Option<Restless> {
        Restless::of(self.worker, self.process.port()?)
    }

    /// The process's id.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What may have kept the preloaded library out of the benchmark, as the end of a sentence; or nothing.
    pub(super) fn kept_out_by(&self) -> String {
        let Some(runner) = &self.runner else {
            return String::new();
        };
        match self.worker == self.process.id() {
            true => format!(": {runner} started it without `LD_PRELOAD`"),
            false => format!(": {runner} starts it as a process of its own"),
        }
    }

    /// Lets the process run until one more benchmark is measured, or to its end.
    pub(super) fn turn(&mut self) -> Result<Turn, Ending> {
        self.release()?;
        loop {
            let wait = match self.is_watched() {
                true => GLANCE.min(self.patience),
                false => self.patience,
            };
            match self.process.next(wait) {
                Ok(message) => {
                    if let Some(report) = self.hear(message)? {
                        return Ok(Turn::Complete(Box::new(report)));
                    }
                }
                Err(Ending::Silent { .. }) if self.is_enough() => {}
                Err(Ending::Silent { .. }) if self.deadline() > Instant::now() => {}
                Err(Ending::Silent { .. }) if self.sets_up() => self.excuse(),
                Err(Ending::Silent { .. }) => return Err(self.silence()),
                Err(ending) => return self.ended(ending),
            }
            if self.is_enough() {
                return Ok(Turn::Enough(Box::new(self.cut())));
            }
        }
    }

    /// Lets a held process run.
    pub(super) fn release(&mut self) -> Result<(), Ending> {
        self.heard_at = Instant::now();
        self.released_at = self.heard_at;
        self.patience = self.timeout;
        if std::mem::take(&mut self.rests) {
            self.process.resume();
        }
        self.threads = ThreadTimes::of(self.worker);
        match std::mem::replace(&mut self.held, Held::NotAtAll) {
            Held::AtHandshake => self
                .process
                .greet(self.timeout)
                .map(drop::<Option<CriterionVersion>>),
            Held::AfterMeasurement => self.process.proceed(),
            Held::NotAtAll => Ok(()),
        }
    }

    /// Handles a message. Returns a report, and holds the process, when a benchmark has been measured.
    pub(super) fn hear(&mut self, message: Message) -> Result<Option<SideReport>, Ending> {
        self.heard_at = Instant::now();
        self.patience = self.timeout;
        match message {
            Message::BeginningBenchmark { id } => {
                self.set_up += self.released_at.elapsed();
                self.current = Some(id.full());
            }
            Message::Warmup { nanos, .. } => {
                self.warm_up = self.real(nanos);
                self.announced = None;
                self.allow(self.warm_up, self.is_watched())?;
            }
            Message::MeasurementStart {
                estimate_ns,
                sample_count,
                iter_count,
                ..
            } => {
                let announced = Announced {
                    samples: sample_count,
                    iterations: iter_count,
                    takes: self.real(estimate_ns),
                };
                self.announced = Some(announced);
                let ends = self.pace.as_ref().is_some_and(|pace| {
                    pace.is_certain_to_end() || (pace.ends_slow() && announced.is_slow())
                });
                self.allow(announced.takes, ends)?;
            }
            Message::FinishedBenchmarkGroup { .. } => self.process.proceed()?,
            Message::MeasurementComplete {
                id,
                iters,
                times,
                sampling_method,
                benchmark_config,
                summary,
            } => {
                self.held = Held::AfterMeasurement;
                self.current = None;
                return Ok(Some(SideReport {
                    id: id.full(),
                    iterations: iters,
                    times,
                    config: benchmark_config,
                    method: sampling_method,
                    summary,
                    threads: self.threads.since(ThreadTimes::of(self.worker)),
                    unit: self.ask_unit()?,
                    ended: false,
                }));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Whether it has to be polled, since it may stop without sending a message.
    pub(super) fn is_watched(&self) -> bool {
        self.pace.as_ref().is_some_and(Pace::is_bounded)
    }

    /// Whether it has run enough of its benchmark.
    pub(super) fn is_enough(&self) -> bool {
        let slow = |pace: &Pace| pace.ends_slow() && self.announced.is_some_and(|it| it.is_slow());
        let enough = |pace: &Pace| pace.is_bounded() && (pace.is_enough() || slow(pace));
        self.current.is_some() && self.pace.as_ref().is_some_and(enough)
    }

    /// Called when it has run enough: returns what is known about the benchmark except its times. The process is
    /// held and never continued.
    pub(super) fn cut(&mut self) -> SideReport {
        self.held = Held::AfterMeasurement;
        let id = self.current.clone().unwrap_or_default();
        let threads = self.threads.since(ThreadTimes::of(self.worker));
        let planned = self.pace.as_ref().and_then(Pace::planned_iterations);
        SideReport::cut(id, self.announced, planned, self.warm_up, threads)
    }

    /// The process will send nothing more: returns its orderly end, or what is wrong.
    pub(super) fn ended(&self, ending: Ending) -> Result<Turn, Ending> {
        match ending {
            Ending::Exited { status } if status.success() && self.current.is_none() => {
                Ok(Turn::Over)
            }
            other => Err(other),
        }
    }

    /// Ends the process, and returns the reason.
    pub(super) fn into_fault(self, ending: &Ending) -> Fault {
        let reason = match (ending, &self.current) {
            (Ending::Exited { status }, Some(_)) if status.success() => {
                "exited in the middle of the benchmark".into()
            }
            _ => ending.to_string(),
        };
        Fault {
            id: self.current,
            failure: Failure {
                side: self.side,
                reason,
                stderr_tail: self.process.into_last_words(),
            },
        }
    }

    /// How long it has run outside of any benchmark, up to its last one.
    pub(super) fn set_up(&self) -> Duration {
        self.set_up
    }

    /// The process, to be listened to together with another.
    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Asks, once per process, for the unit: a benchmark may have a measurement of its own.
    fn ask_unit(&mut self) -> Result<Option<String>, Ending> {
        if self.unit.is_none() {
            self.process.format_value(1.0)?;
            if let Message::FormattedValue { value } = self.process.next(self.timeout)? {
                self.unit = Some(value);
            }
        }
        Ok(self.unit.clone())
    }
}
