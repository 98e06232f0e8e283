//! What is measured of runs of whole programs. The list of all metrics is in `metric_table.rs`.

use super::metric_table::{ALLOCATIONS, TIME};
use super::{
    Better, Exactness, Form, LimitKey, Metric, MetricFacts, MetricGroup, Prominence, Unit,
};

const PROCESSOR_TIME: MetricFacts = MetricFacts {
    id: "processor-time",
    name: "processor time",
    form: Form::Sum,
    group: MetricGroup::Resources,
    limit: Some(LimitKey {
        name: "processor-time",
        help: "Upper limit for the processor time of a run of a program, in user and system mode together",
    }),
    gain: None,
    ..TIME
};

const PAGE_FAULTS: MetricFacts = MetricFacts {
    id: "page-faults",
    name: "page faults",
    unit: Unit::Count,
    prominence: Prominence::Column,
    limit: Some(LimitKey {
        name: "page-faults",
        help: "Upper limit for the page faults of a run of a program",
    }),
    ..PROCESSOR_TIME
};

impl Metric {
    /// Statements that a run of a program has its database execute.
    pub const QUERIES: Metric = Metric(&MetricFacts {
        id: "queries",
        name: "queries",
        group: MetricGroup::Queries,
        limit: Some(LimitKey {
            name: "queries",
            help: "Upper limit for the statements that a run of a program has SQLite execute",
        }),
        gain: None,
        ..ALLOCATIONS
    });
    /// The processor time of a run of a program, of all its threads and of the children that it waited for.
    pub const PROCESSOR_TIME: Metric = Metric(&PROCESSOR_TIME);
    /// The part of it that was spent in user mode; many kernels estimate the parts from samples.
    pub const USER_TIME: Metric = Metric(&MetricFacts {
        id: "user-time",
        name: "user time",
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "user-time",
            help: "Upper limit for the processor time of a run of a program in user mode",
        }),
        ..PROCESSOR_TIME
    });
    /// The part of it that was spent in system mode.
    pub const SYSTEM_TIME: Metric = Metric(&MetricFacts {
        id: "system-time",
        name: "system time",
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "system-time",
            help: "Upper limit for the processor time of a run of a program in system mode",
        }),
        ..PROCESSOR_TIME
    });
    /// The most memory that a process of a run had resident, of the program and the children that it waited for.
    pub const PEAK_MEMORY: Metric = Metric(&MetricFacts {
        id: "peak-memory",
        name: "peak memory",
        unit: Unit::Bytes,
        form: Form::Level,
        limit: Some(LimitKey {
            name: "peak-memory",
            help: "Upper limit for the resident memory of a program, for example `64 MiB`",
        }),
        ..PROCESSOR_TIME
    });
    /// What the loader maps of a program's file: its code and data, without symbols and debugging information.
    pub const PROGRAM_SIZE: Metric = Metric(&MetricFacts {
        id: "program-size",
        name: "program size",
        unit: Unit::Bytes,
        exactness: Exactness::Exact,
        form: Form::Level,
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "program-size",
            help: "Upper limit for the code and data of a program, for example `4 MiB`",
        }),
        ..PROCESSOR_TIME
    });
    /// Page faults of a run, those that needed no input or output among them.
    pub const PAGE_FAULTS: Metric = Metric(&PAGE_FAULTS);
    /// Page faults of a run that waited for input or output.
    pub const MAJOR_FAULTS: Metric = Metric(&MetricFacts {
        id: "major-faults",
        name: "major faults",
        better: Better::Neither,
        prominence: Prominence::Detail,
        limit: None,
        ..PAGE_FAULTS
    });
    /// How often a run waited for something and left its processor.
    pub const WAITS: Metric = Metric(&MetricFacts {
        id: "waits",
        name: "waits",
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "waits",
            help: "Upper limit for the voluntary context switches of a run of a program",
        }),
        ..PAGE_FAULTS
    });
    /// How often the kernel took a run's processor away: that is the machine's doing.
    pub const PREEMPTIONS: Metric = Metric(&MetricFacts {
        id: "preemptions",
        name: "preemptions",
        better: Better::Neither,
        prominence: Prominence::Detail,
        limit: None,
        ..PAGE_FAULTS
    });
    /// Bytes that a run read through system calls, from files, pipes and sockets.
    pub const READ_BYTES: Metric = Metric(&MetricFacts {
        id: "read-bytes",
        name: "bytes read",
        unit: Unit::Bytes,
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "read-bytes",
            help: "Upper limit for what a run of a program reads through system calls",
        }),
        ..PAGE_FAULTS
    });
    /// Bytes that a run wrote through system calls, to files, pipes and sockets.
    pub const WRITTEN_BYTES: Metric = Metric(&MetricFacts {
        id: "written-bytes",
        name: "bytes written",
        unit: Unit::Bytes,
        prominence: Prominence::IfChanged,
        limit: Some(LimitKey {
            name: "written-bytes",
            help: "Upper limit for what a run of a program writes through system calls",
        }),
        ..PAGE_FAULTS
    });
}
