//! The functions behind a change, in the order in which they are named: by samples, and by counted instructions where samples
//! do not tell them apart.

use std::collections::BTreeMap;

use crate::units::{Paired, Side};

use super::blame;
use super::counted_stacks::CountedStacks;
use super::estimate::TimeDifference;
use super::hunks::Hunks;
use super::matching::pair;
use super::model::{Contributor, Explanation, Location, NanosEstimate, Origin, Ranking};
use super::resolution::{self, Candidate};
use super::shares;
use super::site::{PairedSite, Site};
use super::sites::{self, PartOfChange, contributor, sites};
use super::source_change::SourceChange;
use super::stacks::Stacks;

/// Contributors are listed until this share of the change is explained.
const ENOUGH: f64 = 0.9;
/// No more contributors are listed.
const MOST: usize = 8;
/// A smaller part of all that changed is not listed.
const NOTICEABLE: f64 = 0.02;
/// Instructions that changed by a smaller part of the change of time do not explain it.
const PLAUSIBLE: f64 = 0.1;
/// Fewer instructions change for no reason.
const NEGLIGIBLE: f64 = 2.0;

/// A function, and what was seen of it.
struct Rated {
    contributor: Contributor,
    site: PairedSite,
}

impl Rated {
    /// With the hunks that concern it.
    fn with_hunks(self, ground: &SourceChange) -> Contributor {
        let same_code = self.contributor.same_code;
        Contributor {
            hunks: blame::hunks(&self.site, same_code, &ground.hunks),
            ..self.contributor
        }
    }

    /// Whether the change of the source can be at work in it: its code differs, and the diff touches it or brings another
    /// version of its package.
    fn is_suspect(&self, ground: &SourceChange) -> bool {
        let origin = &self.contributor.origin;
        let changeable = |side| ground.origins.is_changeable(origin, side);
        let is_new =
            matches!(origin, Origin::Dependency { .. }) && Side::BOTH.into_iter().any(changeable);
        !self.contributor.same_code && (is_new || blame::is_touched(&self.site, &ground.hunks))
    }
}

/// The functions that a change comes from, by samples; `beside` has other possible reasons.
pub(super) fn by_samples(
    stacks: Paired<&Stacks>,
    change: TimeDifference,
    ground: &SourceChange,
    beside: Vec<String>,
) -> Explanation {
    let total = change.total();
    let mut all = sampled(stacks, change, ground);
    // First those that contribute in the direction of the change.
    let push = |each: &Rated| each.contributor.change.ns * total.ns.signum();
    all.sort_by(|a, b| push(b).total_cmp(&push(a)));
    let candidates: Vec<Candidate> = all
        .iter()
        .map(|each| Candidate::of(each.contributor.change, total.ns, each.is_suspect(ground)))
        .collect();
    if let Some(first) = resolution::first(&candidates) {
        let first = all.remove(first);
        all.insert(0, first);
    }
    let ranking = match resolution::unresolved(&candidates, total) {
        None => Ranking::Samples,
        Some(why) => Ranking::Unresolved {
            why,
            instructions: None,
        },
    };
    let kept = enough(all, total.ns).into_iter();
    let contributors: Vec<Contributor> = kept.map(|each| each.with_hunks(ground)).collect();
    Explanation {
        unexplained_ns: unexplained(&contributors, total),
        contributors,
        ranking: Some(ranking),
        beside,
        functions: shares::functions(stacks, change, &ground.origins),
    }
}

/// The same, by what was counted. Where the counts do not explain the change, the samples have the last word; the
/// explanation says what was counted all the same.
pub(super) fn by_counts(
    sampled_only: Explanation,
    stacks: Paired<&Stacks>,
    counted: Paired<&CountedStacks>,
    change: TimeDifference,
    ground: &SourceChange,
) -> Explanation {
    let Some(Ranking::Unresolved { why, .. }) = sampled_only.ranking else {
        return sampled_only;
    };
    let instructions = counted.map(|side| side.per_iteration);
    let counts = CountDifference {
        iterations: counted.map(|side| side.iterations),
        total: instructions.head - instructions.base,
    };
    let mut all = counts.rated(stacks, counted, change, ground);
    let changed: f64 = all.iter().map(|each| each.difference().abs()).sum();
    let relative = (change.time.head / change.time.base).ln().abs();
    let plausible = (PLAUSIBLE * relative * instructions.base).max(NEGLIGIBLE);
    all.retain(|each| each.difference().abs() >= NOTICEABLE * changed);
    let push = |each: &Rated| each.difference() * counts.total.signum();
    // Where an iteration executes more in less time, or less in more, something else is at work.
    let agrees = counts.total * change.total().ns > 0.0;
    if !agrees || counts.total.abs() <= plausible || all.iter().all(|each| push(each) <= 0.0) {
        return Explanation {
            ranking: Some(Ranking::Unresolved {
                why,
                instructions: Some(instructions),
            }),
            ..sampled_only
        };
    }
    all.sort_by(|a, b| push(b).total_cmp(&push(a)));
    all.truncate(MOST);
    let contributors = all.into_iter().map(|each| each.with_hunks(ground));
    let contributors: Vec<Contributor> = contributors.collect();
    Explanation {
        unexplained_ns: unexplained(&contributors, change.total()),
        contributors,
        ranking: Some(Ranking::Instructions { why, instructions }),
        ..sampled_only
    }
}

fn unexplained(contributors: &[Contributor], total: NanosEstimate) -> f64 {
    let explained: f64 = contributors.iter().map(|c| c.change.ns).sum();
    total.ns - explained
}

/// All functions that have a sample.
fn sampled(stacks: Paired<&Stacks>, change: TimeDifference, ground: &SourceChange) -> Vec<Rated> {
    let of = stacks.map(Stacks::total);
    let found = Paired::from_fn(|side| sites(stacks.get(side), side, &ground.origins));
    let all = pair(found, &ground.hunks).into_iter();
    all.map(|site| Rated {
        contributor: contributor(&site, of, change),
        site,
    })
    .collect()
}

/// The first one, and the next ones until the change is explained or nothing certain is left; then those that work
/// against it for certain.
fn enough(all: Vec<Rated>, total: f64) -> Vec<Rated> {
    let mut explained = 0.0;
    let mut kept = Vec::new();
    for each in all {
        let ns = each.contributor.change.ns;
        let helps = ns * total > 0.0;
        let needed = helps && explained / total < ENOUGH;
        let certain = each.contributor.change.is_certain();
        if (needed && certain) || kept.is_empty() || (!helps && certain) {
            explained += ns;
            kept.push(each);
        }
    }
    kept.truncate(MOST);
    kept
}

/// By how much an iteration executes more.
struct CountDifference {
    /// How many iterations were counted of each side.
    iterations: Paired<f64>,
    total: f64,
}

impl CountDifference {
    /// All functions that execute something of their own, with what is known of their time.
    fn rated(
        &self,
        stacks: Paired<&Stacks>,
        counted: Paired<&CountedStacks>,
        change: TimeDifference,
        ground: &SourceChange,
    ) -> Vec<Rated> {
        let of = stacks.map(Stacks::total);
        let timed = sampled(stacks, change, ground);
        let found = Paired::from_fn(|side| sites(&counted.get(side).stacks, side, &ground.origins));
        let all = pair(found, &ground.hunks).into_iter();
        all.map(|site| {
            let time = timed.iter().find(|each| each.is_named_as(&site));
            let none = PairedSite {
                names: site.names.clone(),
                sites: Paired::new(None, None),
            };
            let time =
                time.map_or_else(|| contributor(&none, of, change), |t| t.contributor.clone());
            Rated {
                contributor: self.contributor(&site, time, &ground.hunks),
                site,
            }
        })
        .collect()
    }

    /// What was counted of a function, beside what is known of its `time`.
    fn contributor(&self, site: &PairedSite, time: Contributor, hunks: &Hunks) -> Contributor {
        let per_iteration = |instructions: Paired<u64>| {
            Paired::from_fn(|side| *instructions.get(side) as f64 / self.iterations.get(side))
        };
        let part = |instructions: Paired<u64>| {
            let Paired { base, head } = per_iteration(instructions);
            PartOfChange::exactly(head - base)
        };
        let own = site
            .sites
            .as_ref()
            .map(|site| site.as_ref().map_or(0, |site| site.samples));
        Contributor {
            function: site.name().unwrap_or(time.function),
            formerly: site.former_name(),
            origin: sites::origin(site),
            location: Paired {
                head: most_changed(site, hunks).or_else(|| hottest(&site.sites.head)),
                base: hottest(&site.sites.base),
            },
            through: sites::through(site, part(own), part),
            same_code: sites::is_same_code(site, part(own), part),
            instructions: Some(per_iteration(own)),
            ..time
        }
    }
}

fn hottest(site: &Option<Site>) -> Option<Location> {
    site.as_ref()?.hottest().cloned()
}

/// The line of the head side at which a function executes most more, or most less, than at the same line of the base side,
/// whichever it does as a whole.
fn most_changed(site: &PairedSite, hunks: &Hunks) -> Option<Location> {
    let head = site.sites.head.as_ref()?;
    let mut changed: BTreeMap<Location, i64> = BTreeMap::new();
    for (location, count) in &head.lines {
        changed.insert(location.clone(), i64::try_from(*count).ok()?);
    }
    for (location, count) in site.sites.base.iter().flat_map(|base| &base.lines) {
        // Of a line that differs, everything counts as more on the head side.
        if let Some(location) = hunks.on_head(location) {
            *changed.entry(location).or_default() -= i64::try_from(*count).ok()?;
        }
    }
    let base = site.sites.base.as_ref().map_or(0, |base| base.samples);
    let way = if head.samples < base { -1 } else { 1 };
    let most = changed.into_iter().max_by_key(|(_, more)| more * way)?;
    (most.1 * way > 0).then_some(most.0)
}

impl Rated {
    /// By how many instructions its part of an iteration is longer.
    fn difference(&self) -> f64 {
        let of = |counted: Paired<f64>| counted.head - counted.base;
        self.contributor.instructions.map_or(0.0, of)
    }

    /// Whether both are one function, by its name on either side.
    fn is_named_as(&self, site: &PairedSite) -> bool {
        let same = |side| {
            let own: &Option<String> = self.site.names.get(side);
            own.is_some() && own == site.names.get(side)
        };
        same(Side::Head) || same(Side::Base)
    }
}

#[cfg(test)]
mod tests;
