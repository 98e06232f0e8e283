//! What happens during a run, as typed events. Rooms emit them, `ui/` consumes them.

use std::time::Duration;

use serde::Serialize;

use super::Side;

/// Where a room sends its events. Shared by threads, hence `Fn` and `Sync`.
pub type EventSink<'a> = &'a (dyn Fn(Event) + Sync);

/// One of the passes over the benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Times, and nothing else.
    Time,
    /// Allocations.
    Allocations,
    /// Instructions.
    Instructions,
    /// CPU profiles.
    Profile,
    /// Which benchmarks execute what has changed.
    Reach,
    /// Times of whole programs, and what they take beside.
    Programs,
}

/// Something that a waiting user may want to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The revisions are known: their short names and subjects.
    Resolved {
        /// The side.
        side: Side,
        /// Short commit id, or `working tree`.
        short_id: String,
        /// First line of the commit message.
        subject: String,
    },
    /// A side's source is being laid out.
    CheckingOut {
        /// The side.
        side: Side,
    },
    /// A side's build has begun.
    BuildStarted {
        /// The side.
        side: Side,
    },
    /// One more crate is compiled.
    Compiled {
        /// The side.
        side: Side,
        /// The crate's name.
        #[serde(rename = "crate")]
        krate: String,
        /// How many are finished.
        done: usize,
        /// How many there are, if cargo says.
        total: Option<usize>,
    },
    /// A side is built.
    BuildFinished {
        /// The side.
        side: Side,
        /// How long it took.
        #[serde(rename = "took_seconds", serialize_with = "as_seconds")]
        took: Duration,
        /// How many benchmark executables it gave.
        executables: usize,
        /// How many programs that workloads and services name.
        programs: usize,
    },
    /// The benchmarks of both sides are matched.
    Discovered {
        /// How many will be measured.
        measured: usize,
        /// How many are in executables with identical code.
        identical: usize,
        /// How many exist only on the head side.
        added: usize,
        /// How many exist only on the base side.
        removed: usize,
        /// How many targets are skipped.
        skipped_targets: usize,
    },
    /// It is known which benchmarks the change can affect.
    Reached {
        /// How many it can affect, as far as perfcheck can tell.
        reached: usize,
        /// How many both sides have.
        benchmarks: usize,
    },
    /// A pass begins.
    PassStarted {
        /// Which.
        pass: Pass,
        /// How many benchmarks take part.
        benchmarks: usize,
        /// How many rounds at the most.
        rounds: usize,
    },
    /// How long this pass will take, estimated from its first processes.
    Estimated {
        /// If most benchmarks are decided at the first interim analysis.
        #[serde(rename = "expected_seconds", serialize_with = "as_seconds")]
        expected: Duration,
        /// If none is decided before its last one.
        #[serde(rename = "at_most_seconds", serialize_with = "as_seconds")]
        at_most: Duration,
    },
    /// A benchmark is being run on one or both sides.
    Measuring {
        /// Package, target and id, for a person.
        benchmark: String,
        /// Which round, from one.
        round: usize,
    },
    /// One benchmark has one more round.
    RoundFinished {
        /// Package, target and id, for a person.
        benchmark: String,
        /// Which round, from one.
        round: usize,
    },
    /// Nothing more will be measured for this benchmark.
    Settled {
        /// Package, target and id, for a person.
        benchmark: String,
        /// The verdict, as the report words it.
        verdict: String,
        /// How many rounds it took.
        rounds: usize,
    },
    /// A pass is over.
    PassFinished {
        /// Which.
        pass: Pass,
        /// How long it took.
        #[serde(rename = "took_seconds", serialize_with = "as_seconds")]
        took: Duration,
    },
    /// Something the user should know, which does not end the run.
    Warning {
        /// A lower-case fragment that names the object.
        message: String,
    },
}

/// A duration as a plain number of seconds: what every reader of JSON can use.
fn as_seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}
