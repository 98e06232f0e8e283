//! Every function's share of the time, with itself and its callees.

use std::collections::{BTreeMap, BTreeSet};

use crate::units::{Paired, Side};

use super::estimate::{Count, TimeDifference};
use super::model::{FunctionShare, Origin};
use super::names::comparable;
use super::origin::Origins;
use super::stacks::Stacks;

/// Functions with a smaller share of the time on both sides are not listed.
const NOTICEABLE: f64 = 0.01;
/// No more functions are listed.
const MOST: usize = 40;

/// Samples of one function on each side.
struct Hits {
    own: Paired<u64>,
    total: Paired<u64>,
    origin: Origin,
}

/// The functions with a noticeable share, those first whose time with callees changed most.
pub(super) fn functions(
    stacks: Paired<&Stacks>,
    change: TimeDifference,
    origins: &Origins,
) -> Vec<FunctionShare> {
    let of = stacks.map(Stacks::total);
    let counts = |hits: &Paired<u64>| {
        Paired::from_fn(|side| Count {
            hits: *hits.get(side),
            of: *of.get(side),
        })
    };
    let mut functions: Vec<FunctionShare> = hits(stacks, origins)
        .into_iter()
        .map(|(function, hits)| FunctionShare {
            function,
            origin: hits.origin.clone(),
            own: counts(&hits.own).map(Count::share),
            total: counts(&hits.total).map(Count::share),
            own_change: change.part(counts(&hits.own)),
            total_change: change.part(counts(&hits.total)),
        })
        .filter(|function| function.total.base.max(function.total.head) >= NOTICEABLE)
        .collect();
    functions.sort_by(|a, b| {
        let size = |function: &FunctionShare| function.total_change.ns.abs();
        size(b).total_cmp(&size(a))
    });
    functions.truncate(MOST);
    functions
}

fn hits(stacks: Paired<&Stacks>, origins: &Origins) -> BTreeMap<String, Hits> {
    let mut all: BTreeMap<String, Hits> = BTreeMap::new();
    for side in Side::BOTH {
        for stack in stacks.get(side).plain() {
            let mut seen = BTreeSet::new();
            for (depth, frame) in stack.frames.iter().enumerate() {
                let name = comparable(&frame.function);
                let hits = all.entry(name.clone()).or_insert_with(|| Hits {
                    own: Paired::new(0, 0),
                    total: Paired::new(0, 0),
                    origin: origins.of_frame(frame, side),
                });
                if depth == 0 {
                    *hits.own.get_mut(side) += stack.weight;
                }
                // Once per stack, however often a function calls itself.
                if seen.insert(name) {
                    *hits.total.get_mut(side) += stack.weight;
                }
            }
        }
    }
    all
}
