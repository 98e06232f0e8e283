//! Bench targets that do not compile on one side, while others do.

use crate::build::{BrokenTarget, Build};
use crate::units::{Paired, Side};

use super::listing::Listing;
use super::{Failure, SkippedTarget, TargetOutcome};

fn broken_on<'b>(
    builds: &'b Paired<Build>,
    side: Side,
    package: &str,
    target: &str,
) -> Option<&'b BrokenTarget> {
    let mut broken = builds.get(side).broken.iter();
    broken.find(|one| one.package == package && one.target == target)
}

/// If the head side does not compile a target that the base side can run, every benchmark of the
/// target has failed. In the opposite case they are added: the base side never had them.
pub(super) fn enter(
    builds: &Paired<Build>,
    package: &str,
    target: &str,
    listings: &mut Paired<Option<Listing>>,
) {
    let Some(broken) = broken_on(builds, Side::Head, package, target) else {
        return;
    };
    if let (Some(base), None) = (&listings.base, &listings.head) {
        listings.head = Some(Listing {
            failure: Some(Failure {
                side: Side::Head,
                reason: broken.reason(),
                stderr_tail: broken.errors.clone(),
            }),
            ..Listing::empty(base.criterion)
        });
    }
}

/// Targets without a benchmark that could report their failure: those that do not compile on the base side, or on
/// either side.
pub(super) fn skipped(builds: &Paired<Build>) -> Vec<SkippedTarget> {
    let told = |side: Option<Side>, broken: &BrokenTarget, outcome| SkippedTarget {
        package: broken.package.clone(),
        target: broken.target.clone(),
        side,
        reason: broken.reason(),
        outcome,
    };
    let failed = |side, broken| told(side, broken, TargetOutcome::Failed);
    let mut all = Vec::new();
    for base in &builds.base.broken {
        match broken_on(builds, Side::Head, &base.package, &base.target) {
            Some(head) if head.reason() == base.reason() => all.push(failed(None, base)),
            Some(head) => {
                all.push(failed(Some(Side::Base), base));
                all.push(failed(Some(Side::Head), head));
            }
            None => all.push(told(Some(Side::Base), base, TargetOutcome::Skipped)),
        }
    }
    // New with the change, and broken: there is nothing to compare.
    for head in &builds.head.broken {
        let executables = &builds.base.executables;
        let runs = executables
            .iter()
            .any(|e| e.package == head.package && e.target == head.target);
        if !runs && broken_on(builds, Side::Base, &head.package, &head.target).is_none() {
            all.push(failed(Some(Side::Head), head));
        }
    }
    all
}
