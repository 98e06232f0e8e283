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

impl Metric {
    /// Requests that a service answers in a second, as fast as it can.
    pub const REQUESTS_PER_SECOND: Metric = Metric(&MetricFacts {
        id: "requests-per-second",
        unit: Unit::RequestsPerSecond,
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
