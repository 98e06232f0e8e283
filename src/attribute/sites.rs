//! Samples by site: the innermost function on each stack whose code the project can change.

use std::collections::BTreeMap;

use crate::flame::Stack;
use crate::units::{Paired, Side};

use super::estimate::{Count, TimeDifference};
use super::model::{Contributor, NanosEstimate, Origin};
use super::names::comparable;
use super::origin::Origins;
use super::site::{PairedSite, Site, Sites};
use super::stacks::{Sameness, Sampled, Stacks};

/// What a callee must account for to be named as the way the change came in.
const MAINLY: f64 = 0.5;
/// A smaller part of a change does not explain it.
const NOTICEABLE: f64 = 0.1;

/// A part of a change that is known, or believed to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartOfChange {
    /// How much; nanoseconds or instructions, as the whole has them.
    amount: f64,
    is_certain: bool,
}

impl From<NanosEstimate> for PartOfChange {
    fn from(estimate: NanosEstimate) -> Self {
        PartOfChange {
            amount: estimate.ns,
            is_certain: estimate.is_certain(),
        }
    }
}

impl PartOfChange {
    /// What was counted.
    pub(super) fn exactly(amount: f64) -> PartOfChange {
        PartOfChange {
            amount,
            is_certain: true,
        }
    }
}

/// What the samples of a function say about it; hunks are left out.
pub(super) fn contributor(
    site: &PairedSite,
    of: Paired<u64>,
    change: TimeDifference,
) -> Contributor {
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
    let estimate = change.part(count(samples));
    Contributor {
        function: site.name().unwrap_or_default(),
        formerly: site.former_name(),
        origin: origin(site),
        location: site
            .sites
            .as_ref()
            .map(|site| site.as_ref()?.hottest().cloned()),
        share: count(samples).map(Count::share),
        through: through(site, estimate.into(), |hits| {
            change.part(count(hits)).into()
        }),
        change: estimate,
        instructions: None,
        same_code: is_same_code(site, estimate.into(), |hits| {
            change.part(count(hits)).into()
        }),
        hunks: Vec::new(),
    }
}

/// Whether the code of both sides is the same, apart from samples that are too few to explain a noticeable part of
/// the change.
pub(super) fn is_same_code(
    site: &PairedSite,
    whole: PartOfChange,
    part: impl Fn(Paired<u64>) -> PartOfChange,
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
        || (!differing.is_certain && differing.amount.abs() <= NOTICEABLE * whole.amount.abs())
}

pub(super) fn origin(site: &PairedSite) -> Origin {
    let any = site.sites.head.as_ref().or(site.sites.base.as_ref());
    any.map_or(Origin::System, |site| site.origin.clone())
}

/// The callee, not of the project, in which most of the change happened.
pub(super) fn through(
    site: &PairedSite,
    whole: PartOfChange,
    part: impl Fn(Paired<u64>) -> PartOfChange,
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
    let direction = whole.amount.signum();
    let (name, change) =
        changes.max_by(|a, b| (a.1.amount * direction).total_cmp(&(b.1.amount * direction)))?;
    let mainly = change.amount * direction >= MAINLY * whole.amount.abs() && change.is_certain;
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
