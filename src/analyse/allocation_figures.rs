//! What changed of each figure of an iteration's allocations, from the processes of both sides.

use serde::{Deserialize, Serialize};

use super::AllocationVerdict;
use crate::measure::{Counted, Figure, Figures};
use crate::plan::Thresholds;
use crate::stats::{Estimate, believable};
use crate::units::{Paired, Side};

/// What changed, figure by figure: none hides another. Absent where that is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AllocationFigures {
    /// Allocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<AllocationVerdict>,
    /// Reallocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reallocations: Option<AllocationVerdict>,
    /// Bytes asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<AllocationVerdict>,
    /// Most live bytes above those at the start of the timed region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<AllocationVerdict>,
    /// Bytes left behind for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<AllocationVerdict>,
}

/// How many figures are compared.
const FIGURES: usize = 5;

/// The error that one figure of one benchmark may have, so that in a report of `family` benchmarks nothing is
/// wrongly called more or fewer with the confidence of the report (Bonferroni's inequality).
pub(super) fn permitted_error(thresholds: &Thresholds, family: usize) -> f64 {
    (1.0 - thresholds.confidence) / (FIGURES * family.max(1)) as f64
}

/// In how many processes a side a difference has to be seen in a report of `family` benchmarks: that many that
/// agree within each side and differ between the sides are no chance any more.
///
/// Where processes fall into modes at random, the sides of identical code differ alike in all of n pairs of
/// processes with a probability of up to 2·(1/4)ⁿ ([`believable`]): with two, in one benchmark of eight.
#[must_use]
pub fn processes_to_believe(thresholds: &Thresholds, family: usize) -> usize {
    let permitted = permitted_error(thresholds, family);
    // Far more than any report's confidence asks for.
    let most = 40;
    (2..most)
        .find(|n| believable(*n) <= permitted)
        .unwrap_or(most)
}

impl AllocationFigures {
    /// What the processes show, where an error of `alpha` is permitted for each figure.
    ///
    /// Hypothesis: processes are independent and alike; the first of base and the first of head make a
    /// pair, and so on. Student's t over the differences, with the bound on what few processes can show.
    pub(super) fn of(counted: &Counted, alpha: f64) -> AllocationFigures {
        let processes = Paired::from_fn(|side| -> Vec<Figures> {
            let processes = counted.processes.get(side).iter();
            processes.map(|process| process.figures()).collect()
        });
        let verdict = |of: fn(&Figures) -> Figure| {
            let side = |side: Side| processes.get(side).iter().map(of).collect::<Vec<Figure>>();
            verdict(&side(Side::Base), &side(Side::Head), alpha)
        };
        AllocationFigures {
            allocations: verdict(|f| f.allocations),
            reallocations: verdict(|f| f.reallocations),
            bytes: verdict(|f| f.bytes),
            peak: verdict(|f| f.peak),
            retained: verdict(|f| f.retained),
        }
    }

    /// All of them together: `more` where any is more, else `fewer` where any is fewer, else the same where
    /// requests and bytes are.
    pub(super) fn overall(&self) -> Option<AllocationVerdict> {
        let all = [
            self.allocations,
            self.reallocations,
            self.bytes,
            self.peak,
            self.retained,
        ];
        let counts = &all[..3];
        [AllocationVerdict::More, AllocationVerdict::Fewer]
            .into_iter()
            .find(|verdict| all.contains(&Some(*verdict)))
            .or_else(|| {
                let same = Some(AllocationVerdict::Same);
                counts.iter().all(|each| *each == same).then_some(same)?
            })
    }
}

fn verdict(base: &[Figure], head: &[Figure], alpha: f64) -> Option<AllocationVerdict> {
    let mut all = base.iter().chain(head);
    if let (Some(first @ Figure::Exact(_)), false) = (base.first(), head.is_empty())
        && all.all(|figure| figure == first)
    {
        return Some(AllocationVerdict::Same);
    }
    let value = |figure: &Figure| match figure {
        Figure::Exact(value) | Figure::Mean(value) => Some(*value),
        Figure::Unknown => None,
    };
    let differences: Option<Vec<f64>> = base
        .iter()
        .zip(head)
        .map(|(base, head)| Some(value(head)? - value(base)?))
        .collect();
    let estimate = Estimate::of(&differences?)?;
    (estimate.p_zero() <= alpha).then_some(if estimate.ln_ratio > 0.0 {
        AllocationVerdict::More
    } else {
        AllocationVerdict::Fewer
    })
}
