//! Vocabulary: quantities whose unit is in their type, the two sides of a comparison, what names a
//! benchmark, and the events that progress consumes. Imports nothing of ours.

mod benchmark;
mod event;
mod metric;
mod metric_table;
mod note;
mod paired;
mod paths;
mod plural;
mod printed;
mod program_metrics;
mod quantity;
mod service_metrics;
mod shell;
mod terminal;
mod timestamp;
mod unit;

pub use benchmark::{BenchmarkKey, Throughput};
pub use event::{Event, EventSink, Pass};
pub use metric::{Better, Exactness, Form, LimitKey, Metric, MetricFacts, MetricGroup, Prominence};
pub use note::Note;
pub use paired::{Paired, Side};
pub use paths::{EITHER_SIDE, normal, on_side};
pub(crate) use plural::plural;
pub use quantity::{Bytes, Nanos, Ratio};
pub(crate) use shell::{command_line, quoted};
pub use terminal::{Charset, Colour};
pub use timestamp::Timestamp;
pub use unit::Unit;
