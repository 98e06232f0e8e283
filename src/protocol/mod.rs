//! Criterion's machine protocol, unchanged from 0.3.3 to 0.8: handshake, frames of CBOR, and the
//! gate after each benchmark; and the processes that speak it.
//!
//! A benchmark process that finds `CARGO_CRITERION_PORT` in its environment connects to that port
//! of the loopback interface and waits to be greeted ([`Process::greet`]). From then on it says what
//! it does ([`Message`]), and waits for [`Process::proceed`] after each `MeasurementComplete` and
//! each `FinishedBenchmarkGroup`. A process that is not greeted, or not told to proceed, stands
//! still: that is how two live processes are made to take turns.

mod error;
mod frame;
mod handshake;
mod invocation;
mod message;
mod process;

#[cfg(test)]
pub(crate) mod fake;

pub use error::ProtocolError;
pub use frame::{FrameBuffer, MAX_FRAME_BYTES, encode};
pub use handshake::CriterionVersion;
pub use invocation::{Filter, Invocation, Length, Timing};
pub use message::{
    BenchmarkConfig, BenchmarkId, Message, SamplingMethod, ThroughputSpec, WallSpan,
};
pub use process::{Ending, Process, next_of};
