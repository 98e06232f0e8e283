//! What a benchmark process says. Field names are Criterion's (`src/connection.rs`), which have not
//! changed from 0.3.3 to 0.8; fields that perfcheck does not need are left out here, and ignored
//! when they come.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::LibtestSummary;

/// One message of a benchmark process.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub enum Message {
    /// A group is opened.
    BeginningBenchmarkGroup {
        /// Its name.
        group: String,
    },
    /// A group is closed. The process waits to be told to proceed. It also sends this while
    /// unwinding from a panic; then no `MeasurementComplete` has come before.
    FinishedBenchmarkGroup {
        /// Its name.
        group: String,
    },
    /// A benchmark passes the filter and is run now.
    BeginningBenchmark {
        /// Which.
        id: BenchmarkId,
    },
    /// A benchmark does not pass the filter.
    SkippingBenchmark {
        /// Which.
        id: BenchmarkId,
    },
    /// It is run without being measured.
    Warmup {
        /// Which.
        id: BenchmarkId,
        /// For how long, in nanoseconds; at least one iteration, however long that is.
        nanos: f64,
    },
    /// It is measured from now on.
    MeasurementStart {
        /// Which.
        id: BenchmarkId,
        /// How many samples.
        sample_count: u64,
        /// How long all iterations will take, in nanoseconds, estimated from the warm-up.
        estimate_ns: f64,
        /// Iterations of all samples.
        iter_count: u64,
    },
    /// The benchmark was measured. The process waits to be told to proceed.
    MeasurementComplete {
        /// Which.
        id: BenchmarkId,
        /// Iterations of each sample.
        iters: Vec<f64>,
        /// Time of each sample, in nanoseconds (or in the unit of a custom measurement).
        times: Vec<f64>,
        /// How the iteration counts were chosen.
        sampling_method: SamplingMethod,
        /// The settings in force: those in the benchmark's code override the command line.
        benchmark_config: BenchmarkConfig,
        /// The summary, if the harness reports only that. `times` is then one sample of one iteration made from it.
        #[serde(skip)]
        summary: Option<LibtestSummary>,
    },
    /// The answer to [`super::Process::format_value`].
    FormattedValue {
        /// For a person, with its unit.
        value: String,
    },
}

impl Message {
    /// The same message, with the benchmark's name replaced by the one that `names` has for it, if any.
    pub(super) fn renamed(mut self, names: &BTreeMap<String, String>) -> Message {
        if names.is_empty() {
            return self;
        }
        if let Message::BeginningBenchmark { id }
        | Message::SkippingBenchmark { id }
        | Message::Warmup { id, .. }
        | Message::MeasurementStart { id, .. }
        | Message::MeasurementComplete { id, .. } = &mut self
            && let Some(name) = names.get(&id.full())
        {
            *id = id.named(name);
        }
        self
    }
}

/// A benchmark's name in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BenchmarkId {
    /// The group, or the whole name of a benchmark outside any group.
    pub group_id: String,
    /// The function.
    pub function_id: Option<String>,
    /// The parameter.
    pub value_str: Option<String>,
    /// What one iteration processes: at most one entry.
    throughput: Vec<MaybeThroughput>,
}

impl BenchmarkId {
    /// The id of a benchmark that has only a name.
    pub(super) fn of_name(name: String) -> BenchmarkId {
        BenchmarkId {
            group_id: name,
            function_id: None,
            value_str: None,
            throughput: Vec::new(),
        }
    }

    /// The same benchmark under another name.
    fn named(&self, name: &str) -> BenchmarkId {
        BenchmarkId {
            throughput: self.throughput.clone(),
            ..BenchmarkId::of_name(name.to_owned())
        }
    }

    /// The id as Criterion prints it and as it matches filters against, in every version:
    /// the parts that are there, joined by `/`, unescaped and untruncated.
    #[must_use]
    pub fn full(&self) -> String {
        let parts = [&self.function_id, &self.value_str];
        let mut full = self.group_id.clone();
        for part in parts.into_iter().flatten() {
            full.push('/');
            full.push_str(part);
        }
        full
    }

    /// What one iteration processes, if it is declared in a known way.
    #[must_use]
    pub fn throughput(&self) -> Option<ThroughputSpec> {
        self.throughput
            .iter()
            .find_map(|throughput| match throughput {
                MaybeThroughput::Known(spec) => Some(*spec),
                MaybeThroughput::Unknown(_) => None,
            })
    }
}

/// An unknown throughput of a later Criterion must not make the message, and with it the benchmark's name,
/// unreadable.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum MaybeThroughput {
    Known(ThroughputSpec),
    Unknown(IgnoredAny),
}

impl Eq for MaybeThroughput {}

/// What one iteration processes, in Criterion's words: `Bytes` and `Elements` in 0.3,
/// `BytesDecimal` from 0.4, `Bits` from 0.7, `ElementsAndBytes` from 0.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ThroughputSpec {
    /// Bytes, to be shown in multiples of 1024.
    Bytes(u64),
    /// Bytes, to be shown in multiples of 1000.
    BytesDecimal(u64),
    /// Things.
    Elements(u64),
    /// Bits.
    Bits(u64),
    /// Both; the elements are what is reported first.
    ElementsAndBytes {
        /// Things.
        elements: u64,
        /// Bytes.
        bytes: u64,
    },
}

/// How Criterion chose the iteration counts of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SamplingMethod {
    /// d, 2d, 3d, …
    Linear,
    /// The same in each.
    Flat,
}

/// The settings that were in force.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BenchmarkConfig {
    /// How long it was measured, or should have been.
    pub measurement_time: WallSpan,
    /// How many samples.
    pub sample_size: u64,
    /// How long it was run before.
    pub warm_up_time: WallSpan,
}

/// A duration as Criterion sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct WallSpan {
    /// Whole seconds.
    pub secs: u64,
    /// The rest in nanoseconds.
    pub nanos: u32,
}

impl From<std::time::Duration> for WallSpan {
    fn from(time: std::time::Duration) -> Self {
        WallSpan {
            secs: time.as_secs(),
            nanos: time.subsec_nanos(),
        }
    }
}

impl From<WallSpan> for std::time::Duration {
    fn from(span: WallSpan) -> Self {
        std::time::Duration::new(span.secs, 0) + std::time::Duration::from_nanos(span.nanos.into())
    }
}
