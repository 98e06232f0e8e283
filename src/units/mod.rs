//! Vocabulary: quantities whose unit is in their type, the two sides of a comparison, what names a
//! benchmark, and the events that progress consumes. Imports nothing of ours.

mod benchmark;
mod event;
mod paired;
mod paths;
mod quantity;
mod terminal;

pub use benchmark::{BenchmarkKey, Throughput};
pub use event::{Event, EventSink, Pass};
pub use paired::{Paired, Side};
pub use paths::{EITHER_SIDE, normal, on_side};
pub use quantity::{Bytes, Nanos, Ratio};
pub use terminal::{Charset, Colour};
