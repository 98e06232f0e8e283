//! `cargo perfcheck` compares the performance of a Rust workspace at two git revisions.
//!
//! The folders are the pipeline; each room takes plain owned data from the rooms above it in this
//! table and gives plain owned data to those below. Imports point upwards only.
//!
//! | room | takes | gives |
//! |---|---|---|
//! | [`units`] | – | vocabulary: quantities, sides, events |
//! | [`process`] | programs | their start, as it is to be, and their certain end |
//! | [`load_generator`] | an order | requests, sent from a process of their own, and their latencies |
//! | [`plan`] | argv, environment, configuration | a [`plan::Plan`] in which nothing is left open |
//! | [`environment`] | – | facts about the machine that measures, and what disturbs it |
//! | [`scratch`] | – | the run's private folder, with which its children end |
//! | [`binary`] | executables | symbols, lines, and what differs between two of them |
//! | [`revision`] | a range | both revisions, then their checkouts |
//! | [`build`] | checkouts | the benchmark executables of both sides |
//! | [`flame`] | call stacks with weights | flame graphs, folded stacks, pprof files |
//! | [`harness`] | executables | how their benchmarks are started, listened to, and held |
//! | [`file_access`] | files | which of them processes open |
//! | [`discover`] | builds | the benchmarks, matched across the sides |
//! | [`seam`] | executables | the clock of both sides, in alternation, and its log |
//! | [`measure`] | matched benchmarks | raw paired samples |
//! | [`workload`] | command lines, builds | whole programs as benchmarks, and their paired runs |
//! | [`stats`] | numbers | estimates, intervals, decisions |
//! | [`service`] | services, builds | both sides alive under load, in turns |
//! | [`analyse`] | raw samples | comparisons with verdicts |
//! | [`attribute`] | profiles | which functions a change comes from |
//! | [`judge`] | comparisons, budgets, rules, coverage | the vote and its typed reasons |
//! | [`report`] | one [`report::Report`] | bytes in every format |
//! | [`history`] | reports | the store of runs, and their trend |
//! | [`ui`] | events | progress |

pub mod units;

pub mod process;

pub mod load_generator;

pub mod plan;

mod environment;

pub mod scratch;

pub mod binary;

mod revision;

pub mod build;

mod flame;

pub mod harness;

mod file_access;

pub mod discover;

pub mod seam;

pub mod measure;

pub mod workload;

pub mod stats;

pub mod service;

pub mod analyse;

pub mod attribute;

pub mod judge;

pub mod report;

mod history;

mod ui;

mod demo;

mod doctor;

mod hook;

mod commands;

mod app;

pub use app::{exit_on_panic, run};
