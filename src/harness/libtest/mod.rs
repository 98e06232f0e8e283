//! Rust's built-in harness: functions with `#[bench]`, which the compiler accepts on nightly only.
//!
//! libtest has no protocol. perfcheck asks each process for one benchmark by its whole name. The process's own output
//! holds it before the benchmark ([`console`]), and it ends after it. It reports one line with a median. The samples are in
//! the log of the clock seam, and count only if that line is their summary ([`LibtestSummary::samples`]).

mod clock_reads;
mod console;
mod list;

use std::process::Command;

use crate::binary::{Binary, Symbol};

use super::{
    ClockReads, Conversation, Ending, Filter, Harness, Invocation, LibtestSummary, ReadOrder,
};

pub(crate) use list::list_libtest;

/// No benchmark has such a name.
const NOTHING: &str = "no benchmark";

/// libtest.
#[derive(Debug)]
pub(super) struct Libtest;

impl Harness for Libtest {
    fn arguments(&self, invocation: &Invocation<'_>) -> Vec<String> {
        // With more threads, it names a benchmark only after it has run.
        let mut words = vec!["--bench".to_owned(), "--test-threads=1".to_owned()];
        match invocation.own_filter() {
            Filter::Nothing => words.extend(["--exact".to_owned(), NOTHING.to_owned()]),
            Filter::Ids(ids) => words.extend(["--exact".to_owned()].into_iter().chain(ids)),
            Filter::Pattern(part) => words.push(part),
        }
        words
    }

    fn open(
        &self,
        invocation: &Invocation<'_>,
        command: &mut Command,
    ) -> Result<Box<dyn Conversation>, Ending> {
        let console = console::Console::open(invocation, command).map_err(Ending::NotStarted)?;
        Ok(Box::new(console))
    }

    fn timing(&self) -> &'static str {
        "test::bench::"
    }

    fn clock_reads(&self, file: &Binary<'_>, functions: &[Symbol<'_>]) -> Option<ClockReads> {
        ClockReads::of(ReadOrder::Libtest, clock_reads::ranges(file, functions))
    }
}
