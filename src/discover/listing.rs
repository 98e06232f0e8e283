//! What one executable says of itself: asked to run nothing, a Criterion benchmark walks through
//! its groups and names what it skips.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::build::Executable;
use crate::protocol::{
    CriterionVersion, Ending, Invocation, Message, Placement, Process, ThroughputSpec,
};
use crate::scratch::Scratch;
use crate::units::Side;

use super::harness::{self, Harness};
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
    /// It speaks the protocol.
    Criterion(Listing),
    /// It is no Criterion benchmark, or not one that can be driven; why, as a lower-case fragment.
    Other(String),
}

/// The benchmarks of an executable that speaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) criterion: CriterionVersion,
    /// In the order in which it runs them; each id once.
    pub(super) benchmarks: Vec<Listed>,
    /// Ids that name more than one benchmark.
    pub(super) repeated: BTreeSet<String>,
    /// What ended the list before its end.
    pub(super) failure: Option<Failure>,
}

/// Asks `executable` for its benchmarks. `timeout` is how long it may be silent: setup code runs
/// even when no benchmark does.
pub(super) fn list(
    executable: &Executable,
    side: Side,
    timeout: Duration,
    scratch: &Scratch,
) -> Answer {
    match harness::recognise(&executable.path) {
        Ok(Harness::Criterion) => {}
        Ok(Harness::Other(reason)) => return Answer::Other(reason.into()),
        Err(error) => return Answer::Other(format!("its executable cannot be read: {error}")),
    }
    let invocation = Invocation {
        executable,
        side,
        filter: Invocation::NOTHING.into(),
        timing: None,
        placement: Placement::Free,
        env: Vec::new(),
    };
    let mut process = match Process::spawn(&invocation, scratch) {
        Ok(process) => process,
        Err(ending) => return Answer::Other(ending.to_string()),
    };
    let greeted = process
        .connect(timeout)
        .and_then(|()| process.greet(timeout));
    match greeted {
        Ok(criterion) => follow(process, criterion, side, timeout),
        Err(ending) => Answer::Other(never_spoke(&ending, &process.into_last_words())),
    }
}

fn follow(
    mut process: Process,
    criterion: CriterionVersion,
    side: Side,
    timeout: Duration,
) -> Answer {
    let mut listing = Listing {
        criterion,
        benchmarks: Vec::new(),
        repeated: BTreeSet::new(),
        failure: None,
    };
    let mut seen = BTreeSet::new();
    let ending = loop {
        match process.next(timeout) {
            Ok(Message::SkippingBenchmark { id }) => {
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
            Ok(Message::BeginningBenchmark { .. }) => {
                let reason = "ignores its command line, so that its benchmarks cannot be chosen \
                              (its main function does not call `configure_from_args`)";
                return Answer::Other(reason.into());
            }
            Ok(Message::FinishedBenchmarkGroup { .. }) => {
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
    Answer::Criterion(listing)
}

/// Why a process that contains Criterion never spoke with us.
fn never_spoke(ending: &Ending, last_words: &str) -> String {
    if last_words.contains("Unrecognized option") || last_words.contains("running 0 tests") {
        return "uses the default harness (its [[bench]] lacks `harness = false`)".into();
    }
    match ending {
        Ending::Exited { status } if status.success() => {
            "ran to its end without using Criterion".into()
        }
        _ => {
            let words = last_words.lines().next_back().unwrap_or_default();
            let colon = if words.is_empty() { "" } else { ": " };
            format!("{ending} before it used Criterion{colon}{words}")
        }
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
    use crate::protocol::fake;

    fn ask(executable: &Executable, timeout: Duration) -> Answer {
        list(executable, Side::Head, timeout, fake::scratch())
    }

    fn ask_script(script: &str) -> Answer {
        ask(&fake::executable(script), Duration::from_secs(60))
    }

    fn listing(answer: Answer) -> Listing {
        match answer {
            Answer::Criterion(listing) => listing,
            Answer::Other(reason) => panic!("{reason}"),
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
        assert_eq!(listing.criterion.to_string(), "0.5.1");
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
        let listing = listing(ask(&executable, Duration::from_millis(500)));
        let reason = listing.failure.unwrap().reason;
        assert!(reason.starts_with("no sign of life for 500ms"), "{reason}");
    }

    #[test]
    fn an_executable_that_never_connects_is_named_with_the_reason() {
        let silent = |how: &str| {
            let mut executable = fake::executable("");
            executable.env.push(("FAKE_SILENT".into(), how.into()));
            match ask(&executable, Duration::from_millis(500)) {
                Answer::Other(reason) => reason,
                Answer::Criterion(listing) => panic!("{listing:?}"),
            }
        };
        assert_eq!(silent("ok"), "ran to its end without using Criterion");
        assert!(silent("exit=2").starts_with("exited with status 2 before"));
        assert!(silent("hang").starts_with("no sign of life for 500ms before"));
    }

    #[test]
    fn an_executable_of_another_harness_is_not_run_at_all() {
        let mut executable = fake::executable("");
        executable.path = std::env::current_exe().unwrap().with_file_name("missing");
        assert!(matches!(
            ask(&executable, Duration::ZERO),
            Answer::Other(reason) if reason.contains("missing")
        ));
        executable.path = "/bin/true".into();
        assert_eq!(
            ask(&executable, Duration::ZERO),
            Answer::Other("does not use Criterion".into())
        );
    }
}
