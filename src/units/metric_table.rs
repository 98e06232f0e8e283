//! Every metric there is. To add one is to add an entry here and to observe it: reports, budgets and claims
//! follow.

use super::{
    Better, Exactness, Form, LimitKey, Metric, MetricFacts, MetricGroup, Prominence, Unit,
};

pub(super) const TIME: MetricFacts = MetricFacts {
    id: "time",
    name: "p50",
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    exactness: Exactness::Sampled,
    form: Form::Percentile,
    group: MetricGroup::Time,
    prominence: Prominence::Lead,
    limit: Some(LimitKey {
        name: "p50",
        help: "Upper limit for the median of the samples, for example `2ms`",
    }),
    gain: Some("faster"),
};

pub(super) const ALLOCATIONS: MetricFacts = MetricFacts {
    id: "allocations",
    name: "allocations",
    unit: Unit::Count,
    better: Better::Lower,
    exactness: Exactness::Exact,
    form: Form::Sum,
    group: MetricGroup::Allocations,
    prominence: Prominence::Lead,
    limit: Some(LimitKey {
        name: "allocations",
        help: "Upper limit for allocations per iteration",
    }),
    gain: Some("fewer-allocations"),
};

const INSTRUCTIONS: MetricFacts = MetricFacts {
    id: "instructions",
    name: "instructions",
    unit: Unit::Count,
    better: Better::Lower,
    exactness: Exactness::Exact,
    form: Form::Sum,
    group: MetricGroup::Instructions,
    prominence: Prominence::Lead,
    limit: Some(LimitKey {
        name: "instructions",
        help: "Upper limit for instructions per iteration",
    }),
    gain: Some("fewer-instructions"),
};

pub(super) const BYTES_PER_SECOND: MetricFacts = MetricFacts {
    id: "bytes-per-second",
    name: "throughput",
    unit: Unit::BytesPerSecond,
    better: Better::Higher,
    form: Form::Level,
    group: MetricGroup::Throughput,
    limit: Some(LimitKey {
        name: "throughput",
        help: "Lower limit for what is processed per second, for example `100 MiB/s` or `20 Melem/s`",
    }),
    gain: None,
    ..TIME
};

impl Metric {
    /// The typical time of an iteration: the median of the samples. A sample's time is the mean of its
    /// iterations.
    pub const TIME: Metric = Metric(&TIME);
    /// The mean time of an iteration.
    pub const MEAN: Metric = Metric(&MetricFacts {
        id: "mean",
        name: "mean",
        form: Form::Sum,
        prominence: Prominence::Detail,
        limit: Some(LimitKey {
            name: "mean",
            help: "Upper limit for the mean time of an iteration",
        }),
        gain: None,
        ..TIME
    });
    /// The 95th percentile of the samples; of iterations only where each sample is one iteration.
    pub const P95: Metric = Metric(&MetricFacts {
        id: "p95",
        name: "p95",
        prominence: Prominence::Detail,
        limit: Some(LimitKey {
            name: "p95",
            help: "Upper limit for the 95th percentile of the samples; a sample is the mean of its iterations",
        }),
        gain: None,
        ..TIME
    });
    /// The 99th percentile of the samples; of iterations only where each sample is one iteration.
    pub const P99: Metric = Metric(&MetricFacts {
        id: "p99",
        name: "p99",
        prominence: Prominence::Detail,
        limit: Some(LimitKey {
            name: "p99",
            help: "Upper limit for the 99th percentile of the samples; a sample is the mean of its iterations",
        }),
        gain: None,
        ..TIME
    });
    /// The standard deviation of the samples.
    pub const STD_DEV: Metric = Metric(&MetricFacts {
        id: "std-dev",
        name: "std. dev.",
        better: Better::Neither,
        form: Form::Level,
        prominence: Prominence::Detail,
        limit: None,
        gain: None,
        ..TIME
    });
    /// Bytes processed in a second, at the typical time.
    pub const BYTES_PER_SECOND: Metric = Metric(&BYTES_PER_SECOND);
    /// Things processed in a second, at the typical time.
    pub const ELEMENTS_PER_SECOND: Metric = Metric(&MetricFacts {
        id: "elements-per-second",
        unit: Unit::ElementsPerSecond,
        ..BYTES_PER_SECOND
    });
    /// Bits processed in a second, at the typical time.
    pub const BITS_PER_SECOND: Metric = Metric(&MetricFacts {
        id: "bits-per-second",
        unit: Unit::BitsPerSecond,
        ..BYTES_PER_SECOND
    });
    /// Fresh allocations per iteration; reallocations are counted separately.
    pub const ALLOCATIONS: Metric = Metric(&ALLOCATIONS);
    /// Reallocations of an iteration.
    pub const REALLOCATIONS: Metric = Metric(&MetricFacts {
        id: "reallocations",
        name: "reallocations",
        prominence: Prominence::Column,
        limit: None,
        gain: None,
        ..ALLOCATIONS
    });
    /// Frees of an iteration.
    pub const FREES: Metric = Metric(&MetricFacts {
        id: "frees",
        name: "frees",
        better: Better::Neither,
        prominence: Prominence::Detail,
        limit: None,
        gain: None,
        ..ALLOCATIONS
    });
    /// Bytes asked for in an iteration.
    pub const BYTES: Metric = Metric(&MetricFacts {
        id: "bytes",
        name: "bytes",
        unit: Unit::Bytes,
        limit: Some(LimitKey {
            name: "bytes",
            help: "Upper limit for bytes requested per iteration, for example `64 KiB`",
        }),
        gain: Some("fewer-bytes"),
        ..ALLOCATIONS
    });
    /// The most bytes in use at once, above those in use at the start of the timed region.
    pub const PEAK: Metric = Metric(&MetricFacts {
        id: "peak",
        name: "peak",
        unit: Unit::Bytes,
        form: Form::Level,
        prominence: Prominence::Column,
        limit: Some(LimitKey {
            name: "peak",
            help: "Upper limit for bytes in use at once",
        }),
        gain: Some("lower-peak"),
        ..ALLOCATIONS
    });
    /// Bytes that an iteration leaves behind for good.
    pub const LEFT_BEHIND: Metric = Metric(&MetricFacts {
        id: "left-behind",
        name: "left behind",
        unit: Unit::Bytes,
        form: Form::Level,
        prominence: Prominence::IfChanged,
        limit: None,
        gain: None,
        ..ALLOCATIONS
    });
    /// The largest single request of an iteration, in bytes.
    pub const LARGEST: Metric = Metric(&MetricFacts {
        id: "largest",
        name: "largest",
        unit: Unit::Bytes,
        better: Better::Neither,
        form: Form::Level,
        prominence: Prominence::Detail,
        limit: None,
        gain: None,
        ..ALLOCATIONS
    });
    /// Instructions that an iteration executes, in all threads: not the cycles that they take.
    pub const INSTRUCTIONS: Metric = Metric(&INSTRUCTIONS);
    /// The size of a program built for release.
    pub const SIZE: Metric = Metric(&MetricFacts {
        id: "size",
        name: "size",
        unit: Unit::Bytes,
        better: Better::Lower,
        exactness: Exactness::Exact,
        form: Form::Level,
        group: MetricGroup::Program,
        prominence: Prominence::Lead,
        limit: Some(LimitKey {
            name: "size",
            help: "Upper limit for the size of the program's file, for example `12 MiB`",
        }),
        gain: None,
    });
    /// The time relative to that at a commit of the past, as the recorded history has it.
    pub const DRIFT: Metric = Metric(&MetricFacts {
        id: "drift",
        name: "drift",
        unit: Unit::Share,
        form: Form::Level,
        group: MetricGroup::History,
        limit: Some(LimitKey {
            name: "drift",
            help: "How much slower than the last release a benchmark may be, by the recorded history, for example `5%`",
        }),
        gain: None,
        ..TIME
    });

    /// Every metric, in the order of reports.
    pub const ALL: [Metric; 44] = [
        Metric::MEAN,
        Metric::TIME,
        Metric::P95,
        Metric::P99,
        Metric::STD_DEV,
        Metric::BYTES_PER_SECOND,
        Metric::ELEMENTS_PER_SECOND,
        Metric::BITS_PER_SECOND,
        Metric::REQUESTS_PER_SECOND,
        Metric::BREAKING_POINT,
        Metric::ALLOCATIONS,
        Metric::REALLOCATIONS,
        Metric::FREES,
        Metric::BYTES,
        Metric::PEAK,
        Metric::LEFT_BEHIND,
        Metric::LARGEST,
        Metric::QUERIES,
        Metric::INSTRUCTIONS,
        Metric::PROCESSOR_TIME,
        Metric::USER_TIME,
        Metric::SYSTEM_TIME,
        Metric::PEAK_MEMORY,
        Metric::PROGRAM_SIZE,
        Metric::PAGE_FAULTS,
        Metric::MAJOR_FAULTS,
        Metric::WAITS,
        Metric::PREEMPTIONS,
        Metric::READ_BYTES,
        Metric::WRITTEN_BYTES,
        Metric::REQUEST_PROCESSOR_TIME,
        Metric::RESIDENT_MEMORY,
        Metric::OPEN_FILES,
        Metric::THREADS,
        Metric::TIME_TO_READY,
        Metric::ERRORS,
        Metric::RECOVERY_TIME,
        Metric::LOST_REQUESTS,
        Metric::MEMORY_GROWTH,
        Metric::NEIGHBOUR_SLOWDOWN,
        Metric::NEIGHBOUR_LOSS,
        Metric::BROKEN_LIMITS,
        Metric::SIZE,
        Metric::DRIFT,
    ];
}
