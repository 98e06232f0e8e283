//! First benchmarks for changed functions that have none.

use super::{FunctionSkeleton, Report};

/// The most that are shown in a document; the JSON report has all of them.
const SHOWN: usize = 5;

/// The functions with their skeletons, as many as a document shows.
pub(super) fn of(report: &Report) -> Vec<&FunctionSkeleton> {
    let Some(reach) = &report.reach else {
        return Vec::new();
    };
    let all = reach.skeletons.iter();
    all.filter(|one| reach.uncovered.contains(&one.function))
        .take(SHOWN)
        .collect()
}

/// How a skeleton becomes a benchmark.
pub(super) const HOW: &str = "Save it below `benches/` of the package, name it in its Cargo.toml as a `[[bench]]` with \
    `harness = false`, and give it real input.";
