//! Whether the change shows what it claims to gain.

use super::{Basis, Changed, ClaimCheck, ClaimStanding, Reason};
use crate::analyse::{Comparison, Direction, Verdict};
use crate::plan::Claim;
use crate::units::{Better, Metric, Ratio};

/// Checks every claim. A shard checks none: the benchmarks may be in other shards.
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
        match outcome(comparison, claim.metric()) {
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

/// What one benchmark says about a claim.
enum Outcome {
    /// It is better, by this ratio of head ÷ base if there is one.
    Gain(Option<Ratio>),
    /// It is worse.
    Loss(Option<Ratio>),
    /// It is neither.
    Unmoved,
    /// It is not known.
    Open,
}

fn outcome(comparison: &Comparison, metric: Metric) -> Outcome {
    let unmeasured = match comparison.verdict {
        Verdict::Identical | Verdict::Unreached => Outcome::Unmoved,
        _ => Outcome::Open,
    };
    if metric == Metric::TIME {
        let ratio = comparison.estimate().map(|change| change.ratio);
        return match comparison.verdict {
            Verdict::Faster => Outcome::Gain(ratio),
            Verdict::Slower => Outcome::Loss(ratio),
            Verdict::Unchanged => Outcome::Unmoved,
            _ => unmeasured,
        };
    }
    let Some(change) = comparison.metrics.get(metric) else {
        return unmeasured;
    };
    let quotient = change.values().map(|both| both.head / both.base);
    let quotient = quotient.filter(|quotient| quotient.is_finite());
    let ratio = quotient.map(Ratio::from_quotient);
    match (change.direction, metric.better) {
        (None, _) => unmeasured,
        (Some(Direction::Same), _) => Outcome::Unmoved,
        (Some(Direction::Fewer), Better::Lower) | (Some(Direction::More), Better::Higher) => {
            Outcome::Gain(ratio)
        }
        (Some(Direction::Fewer | Direction::More), _) => Outcome::Loss(ratio),
    }
}
