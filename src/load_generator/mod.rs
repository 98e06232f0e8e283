//! The load generator: requests of HTTP/1.1 over TCP or a Unix socket, from a process of its own (`perfcheck-load`), so
//! that no asynchronous runtime enters the process that measures.
//!
//! - A *closed loop* has as many requests under way as there are connections: each sends its next one when it has the
//!   answer. It finds the capacity.
//! - An *open loop* sends at a fixed rate, whatever the server does. Latency counts from the moment at which a request
//!   was to be sent, so that a server that stalls is charged for every request that had to wait (no coordinated
//!   omission).
//!
//! Everything is bounded: requests, connections, time. Hosts other than this one are refused unless they are named.
//! The generator measures itself, too: where it was late, or had no processor time left, its numbers are of itself, and
//! the outcome says so.

mod cli;
mod connection;
mod error;
mod order;
mod outcome;
mod pace;
mod run;
mod sequence;
mod tally;
mod transport;
mod windows;

pub use cli::main;
pub use error::LoadError;
pub use order::{Address, LoadOrder, LoadShape, PlannedRequest};
pub use outcome::{
    Distribution, FEWEST_BEYOND, GeneratorUse, LoadOutcome, LoadWindow, NotUsable, Percentile,
    RequestError, RequestErrorKind,
};
pub use run::{check, run};

#[cfg(test)]
mod tests;
