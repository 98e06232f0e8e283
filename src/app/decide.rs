//! What judging takes beside the findings.

use super::coverage::FunctionCoverage;
use super::limits::CheckedLimits;
use super::rules;
use crate::analyse::Comparison;
use crate::judge::{self, Basis, PartBasis};
use crate::plan::{Extent, Plan};
use crate::report::ReachSummary;

/// The basis of the vote from the configuration. In a whole run, coverage is entered in `reach`; in a
/// shard, it is left to the merged run.
pub(super) fn basis(
    plan: &Plan,
    comparisons: &[Comparison],
    limits: &CheckedLimits,
    coverage: &FunctionCoverage,
    reach: &mut Option<ReachSummary>,
) -> Basis {
    let FunctionCoverage { covered, uncovered } = coverage;
    let mut basis = Basis {
        allocations: Some(plan.thresholds.allocations),
        required: rules::required(comparisons, &plan.sampling.rules),
        claims: plan.claims.clone(),
        ..Basis::default()
    };
    match plan.extent() {
        Extent::Selection => {}
        Extent::Whole => {
            basis.required_in_vain.clone_from(&limits.required_in_vain);
            if let Some(reach) = reach {
                reach.uncovered = judge::uncovered(covered.iter(), uncovered.iter());
            }
        }
        Extent::Shard => {
            basis.part = Some(PartBasis {
                covered: covered.clone(),
                uncovered: uncovered.clone(),
                required_in_vain: limits.required_in_vain.clone(),
                budgets_in_vain: limits.budgets_in_vain.clone(),
            });
        }
    }
    basis
}
