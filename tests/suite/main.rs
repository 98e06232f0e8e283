//! One integration binary, many modules; names are sentences.

mod architecture;
mod demo;
mod probe;
mod readme;
mod reports;
mod support;
mod versions;
