//! Samples by site: the innermost function on each stack whose code the project can change.

use std::collections::BTreeMap;

use crate::flame::Stack;
use crate::units::{Paired, Side};

use super::blame;
use super::estimate::{Count, TimeDifference};
use super::matching::pair;
use super::model::{Contributor, Explanation, NanosEstimate, Origin};
use super::names::comparable;
use super::origin::Origins;
use super::shares;
use super::site::{PairedSite, Site, Sites};
use super::source_change::SourceChange;
use super::stacks::{Sameness, Sampled, Stacks};

/// Contributors are listed until this share of the change is explained.
const ENOUGH: f64 = 0.9;
/// No more contributors are listed.
const MOST: usize = 8;
/// What a callee must account for to be named as the way the change came in.
const MAINLY: f64 = 0.5;
/// A smaller part of a change does not explain it.
const NOTICEABLE: f64 = 0.1;

/// Which functions a change comes from; `beside` has other possible reasons.
pub(super) fn explain(
    stacks: Paired<&Stacks>,
    change: TimeDifference,
    ground: &SourceChange,
    beside: Vec<String>,
) -> Explanation {
    let SourceChange { origins, hunks, .. } = ground;
    let of = stacks.map(Stacks::total);
    let sites = Paired::from_fn(|side| sites(stacks.get(side), side, origins));
    let total = change.total().ns;
    let mut all: Vec<(Contributor, PairedSite)> = pair(sites, hunks)
        .into_iter()
        .map(|site| (contributor(&site, of, change), site))
        .collect();
    // First those that contribute in the direction of the change.
    let push = |each: &(Contributor, PairedSite)| each.0.change.ns * total.signum();
    all.sort_by(|a, b| push(b).total_cmp(&push(a)));
    let kept = enough(all, total).into_iter();
    let contributors: Vec<Contributor> = kept
        .map(|(contributor, site)| Contributor {
            hunks: blame::hunks(&site, contributor.same_code, hunks),
            ..contributor
        })
        .collect();
    let explained: f64 = contributors.iter().map(|c| c.change.ns).sum();
    Explanation {
        contributors,
        unexplained_ns: total - explained,
        beside,
        functions: shares::functions(stacks, change, origins),
    }
}

/// The first ones, until the change is explained or nothing certain is left; then those that work
/// against it for certain.
fn enough(all: Vec<(Contributor, PairedSite)>, total: f64) -> Vec<(Contributor, PairedSite)> {
    let mut explained = 0.0;
    let mut kept = Vec::new();
    for (contributor, site) in all {
        let ns = contributor.change.ns;
        let helps = ns * total > 0.0;
        let needed = helps && explained / total < ENOUGH;
        let certain = contributor.change.is_certain();
        if (needed && (certain || kept.is_empty())) || (!helps && certain) {
            explained += ns;
            kept.push((contributor, site));
        }
    }
    kept.truncate(MOST);
    kept
}

fn contributor(site: &PairedSite, of: Paired<u64>, change: TimeDifference) -> Contributor {
    let count = |hits: Paired<u64>| {
        Paired::from_fn(|side| Count {
            hits: *hits.get(side),
            of: *of.get(side),
        })
    };
    let samples = site
        .sites
        .as_ref()
        .map(|site| site.as_ref().map_or(0, |site| site.samples));
    let Paired { base, head } = site.names.clone();
    let formerly = base.clone().filter(|_| head.is_some() && base != head);
    let estimate = change.part(count(samples));
    Contributor {
        function: head.or(base).unwrap_or_default(),
        formerly,
        origin: origin(site),
        location: site
            .sites
            .as_ref()
            .map(|site| site.as_ref()?.hottest().cloned()),
        share: count(samples).map(Count::share),
        through: through(site, estimate, |hits| change.part(count(hits))),
        change: estimate,
        same_code: is_same_code(site, estimate, |hits| change.part(count(hits))),
        hunks: Vec::new(),
    }
}

/// Whether the code of both sides is the same, apart from samples that are too few to explain a noticeable part of
/// the change.
fn is_same_code(
    site: &PairedSite,
    whole: NanosEstimate,
    part: impl Fn(Paired<u64>) -> NanosEstimate,
) -> bool {
    let differing = site.sites.as_ref().map(|site| {
        let site = site.as_ref()?;
        Some(site.samples - site.in_same_code)
    });
    let (Some(base), Some(head)) = (differing.base, differing.head) else {
        return false;
    };
    let differing = part(Paired::new(base, head));
    (base, head) == (0, 0)
        || (!differing.is_certain() && differing.ns.abs() <= NOTICEABLE * whole.ns.abs())
}

fn origin(site: &PairedSite) -> Origin {
    let any = site.sites.head.as_ref().or(site.sites.base.as_ref());
    any.map_or(Origin::System, |site| site.origin.clone())
}

/// The callee, not of the project, in which most of the change happened.
fn through(
    site: &PairedSite,
    whole: NanosEstimate,
    part: impl Fn(Paired<u64>) -> NanosEstimate,
) -> Option<String> {
    let names = [&site.sites.base, &site.sites.head].into_iter().flatten();
    let names = names.flat_map(|site| site.callees.keys());
    let changes = names.map(|name| {
        let hits = site.sites.as_ref().map(|site| {
            let site = site.as_ref();
            site.and_then(|site| site.callees.get(name).copied())
                .unwrap_or(0)
        });
        (name, part(hits))
    });
    let direction = whole.ns.signum();
    let (name, change) =
        changes.max_by(|a, b| (a.1.ns * direction).total_cmp(&(b.1.ns * direction)))?;
    let mainly = change.ns * direction >= MAINLY * whole.ns.abs() && change.is_certain();
    name.clone().filter(|_| mainly)
}

/// The samples of one side by site.
pub(super) fn sites(stacks: &Stacks, side: Side, origins: &Origins) -> Sites {
    let mut sites = Sites::new();
    for Sampled { stack, code } in &stacks.sampled {
        let Some(at) = site_of(stack, side, origins) else {
            continue;
        };
        let frame = &stack.frames[at];
        let site = sites
            .entry(comparable(&frame.function))
            .or_insert_with(|| Site {
                samples: 0,
                in_same_code: 0,
                origin: origins.of_frame(frame, side),
                lines: BTreeMap::new(),
                callees: BTreeMap::new(),
                callers: BTreeMap::new(),
            });
        site.samples += stack.weight;
        if *code == Sameness::Same {
            site.in_same_code += stack.weight;
        }
        if let Some(location) = origins.location(frame, side) {
            *site.lines.entry(location).or_default() += stack.weight;
        }
        let callee = at
            .checked_sub(1)
            .map(|at| comparable(&stack.frames[at].function));
        *site.callees.entry(callee).or_default() += stack.weight;
        for (further, caller) in stack.frames[at + 1..].iter().enumerate() {
            if origins.of_frame(caller, side) != Origin::Workspace {
                continue;
            }
            if let Some(location) = origins.location(caller, side) {
                let key = (further + 1, comparable(&caller.function));
                site.callers.entry(key).or_insert(location);
            }
        }
    }
    sites
}

/// Which frame of a stack a sample belongs to: the innermost that the project can change. If there is
/// none (the loop of the harness, a thread of a library), the outermost frame stands in.
pub(super) fn site_of(stack: &Stack, side: Side, origins: &Origins) -> Option<usize> {
    let changeable = |frame| origins.is_changeable(&origins.of_frame(frame, side), side);
    let found = stack.frames.iter().position(changeable);
    found.or(stack.frames.len().checked_sub(1))
}
