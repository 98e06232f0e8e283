//! Where in an executable a harness reads the clock around the code that it times, and in which order.

use std::ops::Range;

use crate::binary::{Binary, Symbol};

use super::ALL;

/// The order in which a harness reads the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOrder {
    /// Criterion's: each call of `Bencher::iter` or a relative is a sample.
    Criterion,
    /// libtest's: one call times all samples of a benchmark.
    Libtest,
}

/// The functions that read the clock around the code that they time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClockReads {
    /// How they do it.
    pub(crate) order: ReadOrder,
    /// Addresses as in the symbol table, sorted, without overlaps; empty for a program that is no benchmark.
    pub(crate) ranges: Vec<Range<u64>>,
}

impl ClockReads {
    /// `None` where there are no such functions.
    pub(super) fn of(order: ReadOrder, ranges: Vec<Range<u64>>) -> Option<ClockReads> {
        (!ranges.is_empty()).then_some(ClockReads { order, ranges })
    }

    /// Those of a program that is no benchmark.
    pub(crate) fn none() -> ClockReads {
        ClockReads {
            order: ReadOrder::Criterion,
            ranges: Vec::new(),
        }
    }

    /// The functions of the harness in `file`; `None` if its symbols show none.
    pub(crate) fn find(file: &Binary<'_>, functions: &[Symbol<'_>]) -> Option<ClockReads> {
        let mut all = ALL.iter();
        all.find_map(|harness| harness.clock_reads(file, functions))
    }
}

/// The ranges in order. Identical functions may have been folded into one.
pub(super) fn sorted(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = ranges.collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(next.end);
        }
        overlaps
    });
    ranges
}
