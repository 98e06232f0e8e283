//! Whether the change shows what it claims to gain.

use super::{Basis, Changed, ClaimCheck, ClaimStanding, Reason};
use crate::analyse::{AllocationVerdict, Comparison, Verdict};
use crate::plan::{Claim, Gain};
use crate::units::Ratio;

/// Checks every claim. Of a shard nothing follows: the benchmarks may be in the others.
#[must_use]
pub fn check_claims(comparisons: &[Comparison], basis: &Basis) -> Vec<ClaimCheck> {
    match basis.part {
        Some(_) => Vec::new(),
        None => {
            let claims = basis.claims.iter();
            claims.map(|claim| check(comparisons, claim)).collect()
        }
    }
}

/// The claims that nothing supports.
pub(super) fn reason_of_claims(claims: &[ClaimCheck]) -> Option<Reason> {
    let unshown = claims.iter().filter(|c| c.standing != ClaimStanding::Shown);
    let claims: Vec<ClaimCheck> = unshown.cloned().collect();
    (!claims.is_empty()).then_some(Reason::NoEvidence { claims })
}

fn check(comparisons: &[Comparison], claim: &Claim) -> ClaimCheck {
    let is_meant = claim.matcher();
    let mut check = ClaimCheck {
        claim: claim.clone(),
        standing: ClaimStanding::Unshown,
        shown: Vec::new(),
        contrary: Vec::new(),
        unmoved: Vec::new(),
        open: Vec::new(),
    };
    for comparison in comparisons.iter().filter(|c| is_meant(&c.key.id)) {
        let key = comparison.key.clone();
        let changed = |ratio| Changed {
            benchmark: comparison.key.clone(),
            ratio,
        };
        match outcome(comparison, claim.gain()) {
            Outcome::Gain(ratio) => check.shown.push(changed(ratio)),
            Outcome::Loss(ratio) => check.contrary.push(changed(ratio)),
            Outcome::Unmoved => check.unmoved.push(key),
            Outcome::Open => check.open.push(key),
        }
    }
    for list in [&mut check.shown, &mut check.contrary] {
        let size = |one: &Changed| one.ratio.map_or(0.0, |ratio| ratio.ln().abs());
        list.sort_by(|a, b| size(b).total_cmp(&size(a)));
    }
    check.standing = match (&check.shown[..], &check.contrary[..]) {
        (_, [_, ..]) => ClaimStanding::Contradicted,
        ([], []) => ClaimStanding::Unshown,
        ([_, ..], []) => ClaimStanding::Shown,
    };
    check
}

/// What one benchmark says of a claim.
enum Outcome {
    /// It is better, by this ratio of head ÷ base where there is one.
    Gain(Option<Ratio>),
    /// It is worse.
    Loss(Option<Ratio>),
    /// It is neither.
    Unmoved,
    /// It is not known.
    Open,
}

fn outcome(comparison: &Comparison, gain: Gain) -> Outcome {
    let unmeasured = match comparison.verdict {
        Verdict::Identical | Verdict::Unreached => Outcome::Unmoved,
        _ => Outcome::Open,
    };
    if gain == Gain::Faster {
        let ratio = comparison.change().map(|change| change.ratio);
        return match comparison.verdict {
            Verdict::Faster => Outcome::Gain(ratio),
            Verdict::Slower => Outcome::Loss(ratio),
            Verdict::Unchanged => Outcome::Unmoved,
            _ => unmeasured,
        };
    }
    let (verdict, ratio) = allocations(comparison, gain);
    match verdict {
        Some(AllocationVerdict::Fewer) => Outcome::Gain(ratio),
        Some(AllocationVerdict::More) => Outcome::Loss(ratio),
        Some(AllocationVerdict::Same) => Outcome::Unmoved,
        _ => unmeasured,
    }
}

/// What is known of one figure of the allocations.
fn allocations(comparison: &Comparison, gain: Gain) -> (Option<AllocationVerdict>, Option<Ratio>) {
    let Some(all) = &comparison.allocations else {
        return (None, None);
    };
    let verdict = match (&all.figures, gain) {
        (Some(figures), Gain::FewerBytes) => figures.bytes,
        (Some(figures), Gain::LowerPeak) => figures.peak,
        (Some(figures), _) => figures.allocations,
        (None, _) => None,
    };
    let ratio = all.base.as_ref().zip(all.head.as_ref());
    let ratio = ratio.and_then(|(base, head)| {
        let quotient = match gain {
            Gain::FewerBytes => head.bytes / base.bytes,
            Gain::LowerPeak => head.peak_bytes as f64 / base.peak_bytes as f64,
            _ => head.count / base.count,
        };
        (quotient.is_finite()).then(|| Ratio::from_quotient(quotient))
    });
    (verdict, ratio)
}
