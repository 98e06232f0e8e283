//! What is measured of a service under load. The list of all metrics is in `metric_table.rs`.

use super::metric_table::{BYTES_PER_SECOND, TIME};
use super::{Form, LimitKey, Metric, MetricFacts, MetricGroup, Prominence, Unit};

const REQUEST_PROCESSOR_TIME: MetricFacts = MetricFacts {
    id: "request-processor-time",
    name: "processor time per request",
    form: Form::Sum,
    group: MetricGroup::Service,
    limit: Some(LimitKey {
        name: "processor-per-request",
        help: "Upper limit for the processor time of a service per request, for example `200us`",
    }),
    gain: None,
    ..TIME
};

const OPEN_FILES: MetricFacts = MetricFacts {
    id: "open-files",
    name: "open files",
    unit: Unit::Count,
    form: Form::Level,
    prominence: Prominence::IfChanged,
    limit: Some(LimitKey {
        name: "open-files",
        help: "Upper limit for the open files of a service under load",
    }),
    ..REQUEST_PROCESSOR_TIME
};

/// What one of the tests of a service is about.
const OF_A_TEST: MetricFacts = MetricFacts {
    prominence: Prominence::Lead,
    ..OPEN_FILES
};

impl Metric {
    /// Requests that a service answers in a second, as fast as it can.
    pub const REQUESTS_PER_SECOND: Metric = Metric(&MetricFacts {
        id: "requests-per-second",
        unit: Unit::RequestsPerSecond,
        ..BYTES_PER_SECOND
    });
    /// The rate of requests at which a service breaks: it becomes too slow, fails, or falls behind.
    pub const BREAKING_POINT: Metric = Metric(&MetricFacts {
        id: "breaking-point",
        name: "breaking point",
        unit: Unit::RequestsPerSecond,
        limit: Some(LimitKey {
            name: "breaking-point",
            help: "Lower limit for the rate at which a service breaks, for example `2000 req/s`",
        }),
        ..BYTES_PER_SECOND
    });
    /// The processor time of a service per request, of all its processes.
    pub const REQUEST_PROCESSOR_TIME: Metric = Metric(&REQUEST_PROCESSOR_TIME);
    /// Resident memory of a service after a fixed number of requests.
    pub const RESIDENT_MEMORY: Metric = Metric(&MetricFacts {
        id: "resident-memory",
        name: "resident memory",
        unit: Unit::Bytes,
        form: Form::Level,
        limit: Some(LimitKey {
            name: "resident-memory",
            help: "Upper limit for the resident memory of a service under load, for example `64 MiB`",
        }),
        ..REQUEST_PROCESSOR_TIME
    });
    /// Open files of a service under load, sockets included.
    pub const OPEN_FILES: Metric = Metric(&OPEN_FILES);
    /// Threads of a service under load.
    pub const THREADS: Metric = Metric(&MetricFacts {
        id: "threads",
        name: "threads",
        limit: Some(LimitKey {
            name: "threads",
            help: "Upper limit for the threads of a service under load",
        }),
        ..OPEN_FILES
    });
    /// From the start of a service until it takes requests.
    pub const TIME_TO_READY: Metric = Metric(&MetricFacts {
        id: "time-to-ready",
        name: "time to ready",
        unit: Unit::Nanoseconds,
        limit: Some(LimitKey {
            name: "time-to-ready",
            help: "Upper limit for the time until a service takes requests, for example `2s`",
        }),
        ..OPEN_FILES
    });
    /// By how much the memory of a service grows under a long load, per 1000 requests.
    pub const MEMORY_GROWTH: Metric = Metric(&MetricFacts {
        id: "memory-growth",
        name: "growth per 1000 requests",
        unit: Unit::Bytes,
        form: Form::Sum,
        limit: Some(LimitKey {
            name: "memory-growth",
            help: "Upper limit for what the memory of a service grows by per 1000 requests, for example `10 kB`",
        }),
        ..OF_A_TEST
    });
    /// How many times as long a tenant's requests take (p95) beside the heavy load of another.
    pub const NEIGHBOUR_SLOWDOWN: Metric = Metric(&MetricFacts {
        id: "neighbour-slowdown",
        name: "neighbour slowdown",
        limit: Some(LimitKey {
            name: "neighbour-slowdown",
            help: "Upper limit for how many times as long a tenant's requests take beside a noisy neighbour, for example 1.1",
        }),
        ..OF_A_TEST
    });
    /// How many of a thousand requests that a tenant is answered in time alone it loses beside the heavy load of another.
    pub const NEIGHBOUR_LOSS: Metric = Metric(&MetricFacts {
        id: "neighbour-loss",
        name: "lost to a neighbour per 1000",
        limit: Some(LimitKey {
            name: "neighbour-loss",
            help: "Upper limit for the answers in time, per 1000, that a tenant loses to a noisy neighbour",
        }),
        ..OF_A_TEST
    });
    /// From the end of a spike of the load until the latency of a service is as before it.
    pub const RECOVERY_TIME: Metric = Metric(&MetricFacts {
        id: "recovery-time",
        name: "recovery time",
        unit: Unit::Nanoseconds,
        limit: Some(LimitKey {
            name: "recovery-time",
            help: "Upper limit for the time until a service has recovered from a spike, for example `2s`",
        }),
        ..OF_A_TEST
    });
    /// How many of a thousand requests a service loses in a spike of the load, and until it has recovered.
    pub const LOST_REQUESTS: Metric = Metric(&MetricFacts {
        id: "lost-requests",
        name: "lost per 1000 requests",
        limit: Some(LimitKey {
            name: "lost-requests",
            help: "Upper limit for the requests, per 1000, that a service loses in a spike and until it has recovered",
        }),
        ..OF_A_TEST
    });
    /// How many of the limits at which a service is tested break it: it ends, hangs, or answers wrongly.
    pub const BROKEN_LIMITS: Metric = Metric(&MetricFacts {
        id: "broken-limits",
        name: "limits that break it",
        limit: None,
        ..OF_A_TEST
    });
    /// How many of a thousand requests a service does not answer as expected.
    pub const ERRORS: Metric = Metric(&MetricFacts {
        id: "errors",
        name: "errors per 1000 requests",
        limit: Some(LimitKey {
            name: "errors",
            help: "Upper limit for the answers of a service, per 1000 requests, that are not as expected",
        }),
        ..OPEN_FILES
    });
}
