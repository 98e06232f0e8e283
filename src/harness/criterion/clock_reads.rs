//! Where Criterion's `Bencher::iter` functions lie in an executable.

use std::ops::Range;

use crate::binary::Symbol;

use super::super::clock_reads::sorted;

/// The functions in which Criterion reads the clock.
pub(super) fn ranges(functions: &[Symbol<'_>]) -> Vec<Range<u64>> {
    let found = functions
        .iter()
        // Demangling thousands of names takes longer than searching them for a word.
        .filter(|one| one.name.contains("Bencher") && one.name.contains("iter"))
        .filter(|one| is_timed(&format!("{:#}", rustc_demangle::demangle(one.name))))
        .map(Symbol::range);
    sorted(found)
}

/// The methods that time the routine themselves; `iter_custom` leaves that to the benchmark.
const TIMED: [&str; 5] = [
    "iter",
    "iter_batched",
    "iter_batched_ref",
    "iter_with_large_drop",
    "iter_with_setup",
];

/// The modules that contain them: Criterion's (criterion2 uses the same name), and that of CodSpeed's layer.
const BENCHERS: [&str; 2] = [
    "criterion::bencher::",
    "codspeed_criterion_compat_walltime::bencher::",
];

/// Whether a demangled name is one of [`TIMED`] of `Bencher` or `AsyncBencher`, or a closure inside
/// (the future that an `AsyncBencher` runs). Legacy names look like
/// `criterion::bencher::Bencher<M>::iter`, the newer ones like
/// `<criterion::bencher::Bencher<_>>::iter::<u64, bench::f::{closure#0}>`.
fn is_timed(name: &str) -> bool {
    let (quoted, name) = match name.strip_prefix('<') {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let rest = BENCHERS.iter().find_map(|module| name.strip_prefix(module));
    let Some(rest) = rest else {
        return false;
    };
    let Some(rest) = rest
        .strip_prefix("AsyncBencher")
        .or_else(|| rest.strip_prefix("Bencher"))
    else {
        return false;
    };
    let Some(rest) = after_generics(rest) else {
        return false;
    };
    let rest = match (quoted, rest.strip_prefix('>')) {
        (true, Some(rest)) => rest,
        (false, None) => rest,
        _ => return false,
    };
    let Some(rest) = rest.strip_prefix("::") else {
        return false;
    };
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    // CodSpeed's layer reads the clock one call deeper, since version 3.
    let method = rest[..end].trim_start_matches("__codspeed_root_frame__");
    TIMED.contains(&method)
}

/// What follows the `<…>` at the start of `name`, if there is one.
fn after_generics(name: &str) -> Option<&str> {
    if !name.starts_with('<') {
        return Some(name);
    }
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before == '-' => {} // the arrow of a function type
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return name.get(at + 1..);
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timed_methods_are_recognised_in_both_manglings() {
        for name in [
            "criterion::bencher::Bencher<M>::iter",
            "criterion::bencher::Bencher<M>::iter_batched_ref",
            "criterion::bencher::AsyncBencher<A,M>::iter",
            "criterion::bencher::AsyncBencher<A,M>::iter::{{closure}}",
            "<criterion::bencher::Bencher>::iter::<u64, shapes::f::{closure#0}>",
            "<criterion::bencher::Bencher<criterion::measurement::WallTime>>::iter_batched::<A, B>",
            "<criterion::bencher::AsyncBencher<fn() -> X>>::iter::<A>::{closure#0}",
            "codspeed_criterion_compat_walltime::bencher::Bencher<M>::__codspeed_root_frame__iter_batched",
        ] {
            assert!(is_timed(name), "{name}");
        }
    }

    #[test]
    fn other_functions_are_not_taken_for_timed_methods() {
        for name in [
            "criterion::bencher::Bencher<M>::iter_custom",
            "codspeed_criterion_compat_walltime::bencher::Bencher<M>::__codspeed_root_frame__iter_custom",
            "<criterion::bencher::Bencher>::iter_custom::<F>",
            "criterion::bencher::Bencher<M>::iterate",
            "core::ptr::drop_in_place<criterion::bencher::AsyncBencher<E>::iter_batched<A>::{{closure}}>",
            "<criterion::report::BencherReport as criterion::report::Report>::measurement_complete",
            "my::criterion::bencher::Bencher::iter",
            "<criterion::bencher::Bencher as core::iter::Iterator>::iter",
            "criterion::bencher::Bencher<M",
        ] {
            assert!(!is_timed(name), "{name}");
        }
    }

    #[test]
    fn ranges_come_sorted_and_folded_functions_count_once() {
        let name = "_ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h0123456789abcdefE";
        let symbol = |name, address, size| Symbol {
            name,
            address,
            size,
            is_code: true,
        };
        let found = ranges(&[
            symbol(name, 50, 10),
            symbol(name, 10, 10),
            symbol(name, 50, 10),
            symbol("main", 0, 5),
        ]);
        let expected = [10..20, 50..60];
        assert_eq!(found, expected);
    }
}
