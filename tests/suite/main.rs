//! One integration binary, many modules; names are sentences.

mod architecture;
mod cleanup;
mod demo;
mod probe;
mod readme;
mod reports;
mod revisions;
mod support;
mod versions;
