//! Budgets and requirements of the configuration, against what was found.

use super::compare::Ready;
use super::failure::Failure;
use crate::analyse::{self, BudgetCheck, Comparison};
use crate::build::{self, BinarySize};
use crate::discover::Discovery;
use crate::plan::Plan;
use crate::scratch::Scratch;
use crate::units::EventSink;

/// What came of them.
pub(super) struct Limits {
    pub(super) checks: Vec<BudgetCheck>,
    /// Required entries that speak of no benchmark, as they were typed.
    pub(super) required_in_vain: Vec<String>,
    /// What to tell, as lower-case fragments.
    pub(super) warnings: Vec<String>,
}

/// Checks the budgets; programs are built only where one speaks of them.
pub(super) fn check(
    plan: &Plan,
    ready: &Ready,
    comparisons: &[Comparison],
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Limits, Failure> {
    let binaries = if plan.budgets.speak_of_binaries() {
        build::binary_sizes(&ready.builds, &plan.selection, scratch, events)?
    } else {
        Vec::new()
    };
    let confidence = plan.thresholds.confidence;
    let mut limits = Limits {
        checks: analyse::check_budgets(comparisons, &binaries, &plan.budgets, confidence),
        required_in_vain: Vec::new(),
        warnings: Vec::new(),
    };
    // Whoever asked for a part of the benchmarks knows that the rest is not there.
    if is_whole(plan) {
        limits.look_for_misses(plan, &ready.discovery, comparisons, &binaries);
    }
    Ok(limits)
}

impl Limits {
    fn look_for_misses(
        &mut self,
        plan: &Plan,
        discovery: &Discovery,
        comparisons: &[Comparison],
        binaries: &[BinarySize],
    ) {
        let keys = comparisons.iter().map(|comparison| &comparison.key);
        let benchmarks = keys.map(|key| (&*key.package, &*key.target, &*key.id));
        // The benchmarks of a target that was skipped are not known.
        if discovery.skipped.is_empty() {
            self.required_in_vain = plan.sampling.rules.required_in_vain(benchmarks.clone());
        }
        let binaries = binaries.iter().map(|b| (&*b.package, &*b.name));
        let in_vain = plan.budgets.without_benchmark(benchmarks);
        let warn = |what: &str, pattern: String| format!("a budget matches no {what}: {pattern}");
        self.warnings
            .extend(in_vain.into_iter().map(|p| warn("benchmark", p)));
        let in_vain = plan.budgets.without_binary(binaries);
        self.warnings
            .extend(in_vain.into_iter().map(|p| warn("program", p)));
    }
}

/// Whether nothing was left out on purpose.
fn is_whole(plan: &Plan) -> bool {
    let selection = &plan.selection;
    plan.filter.is_none()
        && selection.packages.is_empty()
        && selection.exclude.is_empty()
        && selection.benches.is_empty()
}
