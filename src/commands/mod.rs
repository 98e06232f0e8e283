//! The commands beside a comparison: each takes what was typed and writes to the stream it is given.

mod config;
mod doctor;

pub(crate) use config::config;
pub(crate) use doctor::doctor;
