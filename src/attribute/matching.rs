//! Which functions of the base side and the head side correspond.
//!
//! The same name is the same function. The others may have been moved (the last part of its name is the same; or
//! its body) or renamed (it is in the same file, and takes about the same part of the time). If there is more than
//! one candidate, perfcheck does not guess.

use crate::units::{Paired, Side};

use super::hunks::Hunks;
use super::names::last_segment;
use super::site::{PairedSite, Site, Sites};

/// A function without a partner gets one only if it has this share of its side's samples.
const WORTH_MATCHING: f64 = 0.01;
/// Shares of a renamed function differ by no more than this factor.
const SIMILAR: f64 = 2.0;

/// Pairs the sites of both sides.
pub(super) fn pair(sites: Paired<Sites>, hunks: &Hunks) -> Vec<PairedSite> {
    let Paired { base, mut head } = sites;
    let total = |sites: &Sites| sites.values().map(|site| site.samples).sum::<u64>();
    let totals = Paired::new(total(&base), total(&head));
    let mut paired = Vec::new();
    let mut left = Sites::new();
    for (name, site) in base {
        match head.remove(&name) {
            Some(other) => paired.push(both(name.clone(), site, name, other)),
            None => {
                left.insert(name, site);
            }
        }
    }
    let similar = |a: &Site, b: &Site| {
        let a = a.samples as f64 / totals.base as f64;
        let b = b.samples as f64 / totals.head as f64;
        a.min(b) >= WORTH_MATCHING && a.max(b) <= SIMILAR * a.min(b)
    };
    let evidence = MatchEvidence {
        hunks,
        similar: &similar,
    };
    for kin in [Kin::SameBody, Kin::Moved, Kin::Renamed] {
        for (from, to) in partners(&left, &head, kin, &evidence) {
            if let (Some(a), Some(b)) = (left.remove(&from), head.remove(&to)) {
                paired.push(both(from, a, to, b));
            }
        }
    }
    paired.extend(left.into_iter().map(|(name, site)| PairedSite {
        names: Paired::new(Some(name), None),
        sites: Paired::new(Some(site), None),
    }));
    paired.extend(head.into_iter().map(|(name, site)| PairedSite {
        names: Paired::new(None, Some(name)),
        sites: Paired::new(None, Some(site)),
    }));
    paired
}

fn both(from: String, a: Site, to: String, b: Site) -> PairedSite {
    PairedSite {
        names: Paired::new(Some(from), Some(to)),
        sites: Paired::new(Some(a), Some(b)),
    }
}

/// Evidence that two names are one function.
#[derive(Clone, Copy)]
enum Kin {
    /// Both have the same body.
    SameBody,
    /// The last part of the name is the same.
    Moved,
    /// The file is the same, and the share of the time similar.
    Renamed,
}

/// What is known beside the names.
struct MatchEvidence<'a> {
    hunks: &'a Hunks,
    /// Whether the shares of the time are similar.
    similar: &'a dyn Fn(&Site, &Site) -> bool,
}

impl MatchEvidence<'_> {
    fn body(&self, side: Side, site: &Site) -> Option<String> {
        let at = site.hottest()?;
        self.hunks.body_at(side, &at.path, at.line)
    }

    /// Whether both are in one file, which may have been renamed.
    fn same_file(&self, a: &Site, b: &Site) -> bool {
        let (Some(a), Some(b)) = (a.hottest(), b.hottest()) else {
            return false;
        };
        a.path == b.path || self.hunks.former_path(&b.path) == Some(&a.path)
    }
}

impl Kin {
    fn holds(self, a: (&str, &Site), b: (&str, &Site), evidence: &MatchEvidence<'_>) -> bool {
        match self {
            Kin::SameBody => {
                let body = evidence.body(Side::Base, a.1);
                body.is_some() && body == evidence.body(Side::Head, b.1)
            }
            Kin::Moved => last_segment(a.0) == last_segment(b.0) && a.1.origin.is_akin(&b.1.origin),
            Kin::Renamed => evidence.same_file(a.1, b.1) && (evidence.similar)(a.1, b.1),
        }
    }
}

/// Pairs of names, each the only candidate of the other.
fn partners(
    base: &Sites,
    head: &Sites,
    kin: Kin,
    evidence: &MatchEvidence<'_>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (from, a) in base {
        let candidates: Vec<&String> = head
            .iter()
            .filter(|(to, b)| kin.holds((from, a), (to, b), evidence))
            .map(|(to, _)| to)
            .collect();
        let [to] = candidates[..] else { continue };
        let rivals = base.iter().filter(|(other, b)| {
            *other != from && kin.holds((other, b), (to, &head[to]), evidence)
        });
        if rivals.count() == 0 {
            found.push((from.clone(), to.clone()));
        }
    }
    found
}
