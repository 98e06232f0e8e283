//! Words of the lines of progress.

use crate::units::{Pass, plural};

/// What a build gave: benchmark executables, programs that workloads and services name, or both.
pub(super) fn built(executables: usize, programs: usize) -> String {
    let of_benchmarks = plural(executables, "benchmark executable", "benchmark executables");
    let of_programs = plural(programs, "program", "programs");
    match (executables, programs) {
        (_, 0) => of_benchmarks,
        (0, _) => of_programs,
        _ => format!("{of_benchmarks} and {of_programs}"),
    }
}

/// What a pass is about.
pub(super) fn noun(pass: Pass) -> &'static str {
    match pass {
        Pass::Time => "time",
        Pass::Allocations => "allocations",
        Pass::Instructions => "instructions",
        Pass::Profile => "CPU profiles",
        Pass::Reach => "executed code",
        Pass::Programs => "programs",
    }
}

#[cfg(test)]
mod tests {
    use super::built;

    #[test]
    fn a_build_is_told_by_what_it_gave() {
        assert_eq!(built(2, 0), "2 benchmark executables");
        assert_eq!(built(0, 1), "1 program");
        assert_eq!(built(1, 2), "1 benchmark executable and 2 programs");
        assert_eq!(built(0, 0), "0 benchmark executables");
    }
}
