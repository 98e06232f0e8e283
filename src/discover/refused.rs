//! Executables that name no benchmarks: another harness's, and those that cannot be started or driven.

use crate::units::{Paired, Side};

use super::listing::{Answer, Listing};
use super::{Failure, Identity, LastWords, SkippedTarget, TargetOutcome};

/// A target that does not list its benchmarks.
pub(super) struct Refused<'a> {
    package: &'a str,
    target: &'a str,
    /// What a failure to run it means.
    failure: TargetOutcome,
    pub(super) targets: Vec<SkippedTarget>,
    /// What the failures wrote.
    pub(super) last_words: Vec<LastWords>,
}

impl<'a> Refused<'a> {
    pub(super) fn new(package: &'a str, target: &'a str, identity: &Identity) -> Refused<'a> {
        Refused {
            package,
            target,
            // Identical code need not be run to be known as identical.
            failure: match identity {
                Identity::Identical => TargetOutcome::Skipped,
                Identity::Different(_) | Identity::SameCode(_) | Identity::OneSided => {
                    TargetOutcome::Failed
                }
            },
            targets: Vec::new(),
            last_words: Vec::new(),
        }
    }

    /// Keeps the listings and puts the refusals where they belong. A side that failed gets a listing
    /// with only the failure, so that the other side's benchmarks have it as well.
    pub(super) fn sort_out(&mut self, answers: Paired<Option<Answer>>) -> Paired<Option<Listing>> {
        if let (Some(Answer::Other(base)), Some(Answer::Other(head))) =
            (&answers.base, &answers.head)
            && base == head
        {
            self.skip(None, base.clone(), TargetOutcome::Skipped);
            return Paired::new(None, None);
        }
        let mut keep = |side: Side, answer: Option<Answer>| match answer? {
            Answer::Named(listing) => Some(listing),
            Answer::Failed(failure) => Some(Listing::failed(failure)),
            Answer::Other(reason) => {
                self.skip(Some(side), reason, TargetOutcome::Skipped);
                None
            }
        };
        let listings = Paired::new(
            keep(Side::Base, answers.base),
            keep(Side::Head, answers.head),
        );
        let named = listings
            .as_ref()
            .map(|l| l.as_ref().is_some_and(Listing::names_something));
        if named.base || named.head {
            return listings;
        }
        // No benchmark could carry the reason.
        self.fail(
            listings
                .as_ref()
                .map(|l| l.as_ref().and_then(|l| l.failure.as_ref())),
        );
        listings.map(|listing| listing.filter(|listing| listing.failure.is_none()))
    }

    /// Each target appears once, whatever the reasons of its sides.
    fn fail(&mut self, failures: Paired<Option<&Failure>>) {
        let (package, target) = (self.package, self.target);
        let words = [failures.base, failures.head].into_iter().flatten();
        self.last_words.extend(words.map(|failure| LastWords {
            package: package.into(),
            target: target.into(),
            side: failure.side,
            text: failure.stderr_tail.clone(),
        }));
        let Paired { base, head } = failures.map(|failure| failure.map(with_last_line));
        let (side, reason) = match (base, head) {
            (None, None) => return,
            (Some(base), Some(head)) if base == head => (None, base),
            (Some(base), Some(head)) => (None, format!("{base} on base, {head} on head")),
            (Some(base), None) => (Some(Side::Base), base),
            (None, Some(head)) => (Some(Side::Head), head),
        };
        self.skip(side, reason, self.failure);
    }

    fn skip(&mut self, side: Option<Side>, reason: String, outcome: TargetOutcome) {
        self.targets.push(SkippedTarget {
            package: self.package.into(),
            target: self.target.into(),
            side,
            reason,
            outcome,
        });
    }
}

impl Listing {
    /// The listing of a side that could not be started or driven.
    fn failed(failure: Failure) -> Listing {
        Listing {
            failure: Some(failure),
            ..Listing::empty(None)
        }
    }

    fn names_something(&self) -> bool {
        !self.benchmarks.is_empty()
    }
}

fn with_last_line(failure: &Failure) -> String {
    // After the message of a panic, the standard library adds how to see more.
    let mut lines = failure.stderr_tail.lines().rev();
    match lines.find(|line| !line.starts_with("note: ")) {
        Some(line) => format!("{}: {line}", failure.reason),
        None => failure.reason.clone(),
    }
}
