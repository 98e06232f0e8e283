//! Where libtest times a benchmark.
//!
//! The function that times (`test::bench::iter`) is generic and called once per benchmark, so the compiler makes a
//! copy for each and usually inlines it into the benchmark's own function, whose name tells nothing. But all copies
//! call `test::stats::winsorize`, which is not generic, and no other function does: a function that refers to it
//! times a benchmark. The function that takes a single sample (`ns_iter_inner`) has its own symbol if it was not
//! inlined.

use std::collections::BTreeSet;
use std::ops::Range;

use object::Architecture;

use crate::binary::{Binary, Symbol};

use super::super::clock_reads::sorted;

/// What every function that times a benchmark calls.
const CALLED: &str = "test::stats::winsorize";

/// How the name of the function that takes a sample begins.
const TAKES_SAMPLE: &str = "test::bench::ns_iter_inner";

/// The functions in which libtest reads the clock.
pub(super) fn ranges(file: &Binary<'_>, functions: &[Symbol<'_>]) -> Vec<Range<u64>> {
    // How code for other processors refers to a function is unknown here.
    if file.architecture() != Architecture::X86_64 {
        return Vec::new();
    }
    let named = |word: &'static str, is: fn(&str) -> bool| {
        let found = functions.iter().filter(move |one| one.name.contains(word));
        found.filter(move |one| is(&format!("{:#}", rustc_demangle::demangle(one.name))))
    };
    let Some(called) = named("winsorize", |name| name == CALLED).next() else {
        return Vec::new();
    };
    let mut goals: BTreeSet<u64> = file.slots_of(called).into_iter().collect();
    goals.insert(called.address);
    let times = functions
        .iter()
        .filter(|one| one.address != called.address && refers_to(file, one, &goals));
    let takes = named("ns_iter_inner", |name| name.starts_with(TAKES_SAMPLE));
    sorted(times.chain(takes).map(Symbol::range))
}

/// Whether an instruction of the function refers to one of these addresses by its distance from the next
/// instruction, as calls and loads do. The four bytes of the distance come last in all of them.
fn refers_to(file: &Binary<'_>, function: &Symbol<'_>, goals: &BTreeSet<u64>) -> bool {
    let code = file.data_from(function.address).unwrap_or_default();
    let length = usize::try_from(function.size).unwrap_or(usize::MAX);
    let code = code.get(..length).unwrap_or(code);
    code.windows(4).enumerate().any(|(at, bytes)| {
        let distance = bytes.try_into().map_or(0, i32::from_le_bytes);
        let next = function.address.wrapping_add(at as u64 + 4);
        goals.contains(&next.wrapping_add_signed(distance.into()))
    })
}
