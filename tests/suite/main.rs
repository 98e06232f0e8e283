//! One integration binary, many modules; names are sentences.

mod architecture;
mod attribution;
mod bad_input;
mod cache;
mod cleanup;
mod commands;
mod criterion_versions;
mod demo;
mod faults;
mod harness_shapes;
mod hook;
mod measure;
mod package;
mod partial;
mod pprof_reader;
mod probe;
mod probe_allocations;
mod probe_faults;
mod reach;
mod readme;
mod recipes;
mod reports;
mod revisions;
mod shards;
mod support;
mod trust;
