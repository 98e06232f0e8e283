//! Which benchmarks one executable has: asked to run nothing, a Criterion benchmark walks through
//! its groups and names what it skips.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::build::{CommandLine, Executable};
use crate::harness::{
    CriterionVersion, Ending, Invocation, Message, PORT_VARIABLE, Process, ProtocolError,
    RecognisedHarness, ThroughputSpec, list_libtest, recognise,
};
use crate::process::Runner;
use crate::scratch::Scratch;
use crate::units::Side;

use super::{Failure, Throughput};

/// A benchmark as its executable names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) throughput: Option<Throughput>,
}

/// What an executable answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It names its benchmarks.
    Named(Listing),
    /// It is not a Criterion benchmark; what it is, as a lower-case fragment.
    Other(String),
    /// It is, or may be, a Criterion benchmark, but cannot be started or driven.
    Failed(Failure),
}

/// The benchmarks of an executable that speaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// `None` if the executable did not report it.
    pub(super) criterion: Option<CriterionVersion>,
    pub(super) command_line: CommandLine,
    /// In the order in which the executable runs them; each id once.
    pub(super) benchmarks: Vec<Listed>,
    /// Ids that name more than one benchmark.
    pub(super) repeated: BTreeSet<String>,
    /// The failure that cut the list short, if any.
    pub(super) failure: Option<Failure>,
}

impl Listing {
    /// Nothing has been named yet.
    pub(super) fn empty(criterion: Option<CriterionVersion>) -> Listing {
        Listing {
            criterion,
            command_line: CommandLine::default(),
            benchmarks: Vec::new(),
            repeated: BTreeSet::new(),
            failure: None,
        }
    }
}

/// Asks `executable` for its benchmarks. `timeout` is how long it may be silent: setup code runs
/// even when no benchmark does.
pub(super) fn list(
    executable: &Executable,
    side: Side,
    timeout: Duration,
    scratch: &Scratch,
) -> Answer {
    let command_line = match recognise(&executable.path) {
        Ok(RecognisedHarness::Driven(CommandLine::Libtest)) => {
            return list_default(executable, side, timeout, scratch);
        }
        Ok(RecognisedHarness::Driven(command_line)) => command_line,
        Ok(RecognisedHarness::Other(reason)) => return Answer::Other(reason.into()),
        Err(error) => {
            return Answer::Failed(Failure {
                side,
                reason: format!("cannot be read: {error}"),
                stderr_tail: String::new(),
            });
        }
    };
    match ask(executable, command_line, side, timeout, scratch) {
        Ok(listing) => Answer::Named(listing),
        Err(Refusal::OtherHarness(reason)) => Answer::Other(reason),
        Err(Refusal::Final(failure)) => Answer::Failed(failure),
        // Its own parser of the command line may not know our options.
        Err(Refusal::Options(failure)) => {
            match ask(executable, CommandLine::Own, side, timeout, scratch) {
                Ok(listing) => Answer::Named(listing),
                Err(_) => Answer::Failed(failure),
            }
        }
    }
}

/// Asks an executable of the built-in harness.
fn list_default(
    executable: &Executable,
    side: Side,
    timeout: Duration,
    scratch: &Scratch,
) -> Answer {
    match list_libtest(executable, side, timeout, scratch) {
        Ok(names) if names.is_empty() => {
            let reason = "uses the default harness (libtest) and has no function with `#[bench]`";
            Answer::Other(reason.to_owned())
        }
        Ok(names) => Answer::Named(Listing {
            command_line: CommandLine::Libtest,
            benchmarks: names
                .into_iter()
                .map(|id| Listed {
                    id,
                    throughput: None,
                })
                .collect(),
            ..Listing::empty(None)
        }),
        Err((ending, stderr_tail)) => Answer::Failed(Failure {
            side,
            reason: format!("{ending} while it was asked for its benchmarks"),
            stderr_tail,
        }),
    }
}

/// Why an executable did not speak.
enum Refusal {
    /// It is not a Criterion benchmark; what it is, as a lower-case fragment.
    OtherHarness(String),
    /// Whatever it is asked.
    Final(Failure),
    /// It may not know the options.
    Options(Failure),
}

fn ask(
    executable: &Executable,
    command_line: CommandLine,
    side: Side,
    timeout: Duration,
    scratch: &Scratch,
) -> Result<Listing, Refusal> {
    let executable = &Executable {
        command_line,
        ..executable.clone()
    };
    let invocation = Invocation::of_nothing(executable, side);
    let mut process = match Process::spawn(&invocation, scratch) {
        Ok(process) => process,
        Err(ending) => {
            return Err(Refusal::Final(Failure {
                side,
                reason: ending.to_string(),
                stderr_tail: String::new(),
            }));
        }
    };
    let greeted = process
        .connect(timeout)
        .and_then(|()| process.greet(timeout));
    match greeted {
        Ok(criterion) => {
            let listing = Listing {
                command_line,
                ..Listing::empty(criterion)
            };
            Ok(follow(process, listing, side, timeout))
        }
        Err(ending) => Err(never_spoke(
            &ending,
            side,
            executable.runner.as_ref(),
            process.into_last_words(),
        )),
    }
}

/// How much longer than announced a phase may last, as while measuring.
const OVERRUN: f64 = 4.0;

/// No phase of a benchmark may last longer, as while measuring.
const LONGEST_PHASE: Duration = Duration::from_secs(3600);

/// Follows a process to its end. If it runs its benchmarks although it was asked not to, it ignores its
/// command line. perfcheck lets it run, since there is no other way to learn their names.
fn follow(mut process: Process, mut listing: Listing, side: Side, timeout: Duration) -> Listing {
    let mut seen = BTreeSet::new();
    let mut patience = timeout;
    let ending = loop {
        let message = process.next(patience);
        patience = timeout;
        match message {
            Ok(Message::BeginningBenchmark { id } | Message::SkippingBenchmark { id }) => {
                let full = id.full();
                if seen.insert(full.clone()) {
                    listing.benchmarks.push(Listed {
                        id: full,
                        throughput: id.throughput().map(Throughput::from),
                    });
                } else {
                    listing.repeated.insert(full);
                }
            }
            Ok(
                Message::Warmup { nanos, .. }
                | Message::MeasurementStart {
                    estimate_ns: nanos, ..
                },
            ) => {
                listing.command_line = CommandLine::Own;
                let announced = Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::MAX);
                if announced > LONGEST_PHASE {
                    break Ending::TooLong {
                        announced,
                        limit: LONGEST_PHASE,
                    };
                }
                patience = timeout + announced.mul_f64(OVERRUN);
            }
            Ok(Message::FinishedBenchmarkGroup { .. } | Message::MeasurementComplete { .. }) => {
                if let Err(ending) = process.proceed() {
                    break ending;
                }
            }
            Ok(_) => {}
            Err(ending) => break ending,
        }
    };
    if !matches!(ending, Ending::Exited { status } if status.success()) {
        listing.failure = Some(Failure {
            side,
            reason: format!("{ending} before it had named all its benchmarks"),
            stderr_tail: process.into_last_words(),
        });
    }
    listing
}

/// Why a process that contains Criterion never connected. If it ran to its end or waits silently, its runner may
/// have dropped the port variable; if it failed, its own message says why.
fn never_spoke(
    ending: &Ending,
    side: Side,
    runner: Option<&Runner>,
    last_words: String,
) -> Refusal {
    if last_words.contains("Unrecognized option") || last_words.contains("running 0 tests") {
        let reason = "uses the default harness (its [[bench]] lacks `harness = false`)";
        return Refusal::OtherHarness(reason.into());
    }
    // It uses Criterion, a newer one.
    if let Ending::Protocol(ProtocolError::UnknownVersion { .. }) = ending {
        return Refusal::Final(Failure {
            side,
            reason: ending.to_string(),
            stderr_tail: last_words,
        });
    }
    let failure = |reason: String| Failure {
        side,
        reason,
        stderr_tail: last_words,
    };
    let without_port = |reason: String| match runner {
        Some(runner) => format!(
            "{reason}; {runner} may have dropped {PORT_VARIABLE}, which perfcheck needs to list its benchmarks: \
             set {}=env to start it without the runner",
            runner.variable
        ),
        None => reason,
    };
    let before = format!("{ending} before it used Criterion");
    match ending {
        Ending::Exited { status } if status.success() => {
            let reason = "ran to its end without using Criterion";
            Refusal::Final(failure(without_port(reason.to_owned())))
        }
        Ending::Exited { .. } => Refusal::Options(failure(before)),
        Ending::Silent { .. } => Refusal::Final(failure(without_port(before))),
        _ => Refusal::Final(failure(before)),
    }
}

impl From<ThroughputSpec> for Throughput {
    fn from(spec: ThroughputSpec) -> Self {
        match spec {
            ThroughputSpec::Bytes(bytes) | ThroughputSpec::BytesDecimal(bytes) => {
                Throughput::Bytes(bytes)
            }
            ThroughputSpec::Elements(elements)
            | ThroughputSpec::ElementsAndBytes { elements, .. } => Throughput::Elements(elements),
            ThroughputSpec::Bits(bits) => Throughput::Bits(bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::fake;

    fn answer(executable: &Executable, timeout: Duration) -> Answer {
        list(executable, Side::Head, timeout, fake::scratch())
    }

    fn ask_script(script: &str) -> Answer {
        answer(&fake::executable(script), Duration::from_secs(60))
    }

    fn listing(answer: Answer) -> Listing {
        match answer {
            Answer::Named(listing) => listing,
            Answer::Other(reason) => panic!("{reason}"),
            Answer::Failed(failure) => panic!("{failure:?}"),
        }
    }

    fn ids(listing: &Listing) -> Vec<&str> {
        listing.benchmarks.iter().map(|b| b.id.as_str()).collect()
    }

    #[test]
    fn benchmarks_are_named_in_order_and_none_is_run() {
        let script = "group\tg\nbench\tg/z\tpanic\nbench\tg/a/1 2\tpanic\ngroup\th\nbench\tgröße \"x\" (.*)\tpanic";
        let listing = listing(ask_script(script));
        assert_eq!(ids(&listing), ["g/z", "g/a/1 2", "größe \"x\" (.*)"]);
        assert_eq!(listing.failure, None);
        assert_eq!(listing.criterion.unwrap().to_string(), "0.5.1");
    }

    #[test]
    fn an_id_that_names_two_benchmarks_is_told_apart_from_the_others() {
        let listing = listing(ask_script("bench\ta\nbench\tb\nbench\ta"));
        assert_eq!(ids(&listing), ["a", "b"]);
        assert_eq!(listing.repeated, BTreeSet::from(["a".to_owned()]));
    }

    #[test]
    fn a_panic_in_setup_keeps_what_was_named_before() {
        let listing = listing(ask_script("bench\ta\ndo\tpanic\nbench\tb"));
        assert_eq!(ids(&listing), ["a"]);
        let failure = listing.failure.unwrap();
        assert_eq!(failure.side, Side::Head);
        assert!(
            failure.reason.starts_with("exited with status 101"),
            "{failure:?}"
        );
        assert!(failure.stderr_tail.contains("planted panic"), "{failure:?}");
    }

    #[test]
    fn a_hang_in_setup_is_a_failure_after_the_timeout() {
        let executable = fake::executable("bench\ta\ndo\thang");
        let listing = listing(answer(&executable, Duration::from_millis(500)));
        let reason = listing.failure.unwrap().reason;
        assert!(reason.starts_with("no sign of life for 500ms"), "{reason}");
    }

    #[test]
    fn an_executable_that_never_connects_is_named_with_the_reason() {
        let silent = |how: &str| {
            let mut executable = fake::executable("");
            executable.env.push(("FAKE_SILENT".into(), how.into()));
            match answer(&executable, Duration::from_millis(500)) {
                Answer::Failed(failure) => failure.reason,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(silent("ok"), "ran to its end without using Criterion");
        assert!(silent("exit=2").starts_with("exited with status 2 before"));
        assert!(silent("hang").starts_with("no sign of life for 500ms before"));
    }

    #[test]
    fn a_runner_that_keeps_the_port_from_a_benchmark_is_named_with_what_to_type() {
        let reason = |how: &str, timeout| {
            let mut executable = fake::executable("bench\ta");
            executable.runner = Some(Runner {
                program: "env".into(),
                arguments: vec!["-u".into(), PORT_VARIABLE.into()],
                typed: "drop-all".into(),
                named_in: "`target.x.runner` of .cargo/config.toml".into(),
                variable: "CARGO_TARGET_X_RUNNER".into(),
            });
            executable.env.push(("FAKE_SILENT".into(), how.into()));
            match answer(&executable, timeout) {
                Answer::Failed(failure) => failure.reason,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            reason("ok", Duration::from_secs(60)),
            "ran to its end without using Criterion; `drop-all` (`target.x.runner` of .cargo/config.toml) may have \
             dropped CARGO_CRITERION_PORT, which perfcheck needs to list its benchmarks: set CARGO_TARGET_X_RUNNER=env \
             to start it without the runner"
        );
        let silent = reason("hang", Duration::from_millis(500));
        assert!(silent.contains("dropped CARGO_CRITERION_PORT"), "{silent}");
        // What failed failed by itself.
        assert_eq!(
            reason("exit=101", Duration::from_secs(60)),
            "exited with status 101 before it used Criterion"
        );
    }

    #[test]
    fn a_criterion_of_the_future_is_a_failure_that_says_what_to_type() {
        let ending = Ending::Protocol(ProtocolError::UnknownVersion {
            version: 2,
            format: 1,
        });
        let Refusal::Final(failure) = never_spoke(&ending, Side::Head, None, String::new()) else {
            panic!("it can be asked again");
        };
        assert_eq!(
            failure.reason,
            "speaks version 2, format 1 of Criterion's protocol; this cargo-perfcheck knows \
             version 1, format 1; a newer cargo-perfcheck may support it: `cargo install cargo-perfcheck`"
        );
    }

    #[test]
    fn an_executable_of_another_harness_is_not_run_at_all() {
        let mut executable = fake::executable("");
        executable.path = std::env::current_exe().unwrap().with_file_name("missing");
        assert!(matches!(
            answer(&executable, Duration::ZERO),
            Answer::Failed(failure) if failure.reason.contains("missing")
        ));
        executable.path = "/bin/true".into();
        assert_eq!(
            answer(&executable, Duration::ZERO),
            Answer::Other("does not use Criterion".into())
        );
    }
}
