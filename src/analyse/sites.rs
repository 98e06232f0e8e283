//! Which places of the source ask for memory, and what changed there.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{AllocationSite, Comparison};
use crate::measure::{CodeOwner, Counted, Place, Traced, TracedStack};
use crate::units::{Metric, Paired, Side};

/// What identifies a place across revisions: its line may have moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlaceIdentity {
    file: Option<String>,
    /// The last part of the function's name: the rest depends on inlining.
    function: String,
    /// The text of the line, or its number if the text is unknown.
    line: String,
}

/// What one side asks for at one place, per iteration.
struct PlaceDemand {
    place: Place,
    count: f64,
    bytes: f64,
    left_behind: f64,
    /// The stack that asked most often.
    stack: Vec<String>,
    most: u64,
}

/// The places of both sides, most changed first.
pub(super) fn of(counted: &Counted, comparison: &Comparison) -> Vec<AllocationSite> {
    let mut shares = Paired::from_fn(|side| {
        let traced = counted.traced.get(side).as_ref();
        let found = traced.and_then(|traced| shares(traced, comparison, side));
        found.unwrap_or_default()
    });
    if counted.traced.base.is_none() && counted.traced.head.is_none() {
        return Vec::new();
    }
    let mut identities: Vec<PlaceIdentity> = shares.base.keys().cloned().collect();
    identities.extend(shares.head.keys().cloned());
    identities.sort();
    identities.dedup();
    let mut sites: Vec<AllocationSite> = identities
        .iter()
        .filter_map(|identity| {
            let base = shares.base.remove(identity);
            let head = shares.head.remove(identity);
            site(base, head)
        })
        .collect();
    let same = |of: fn(&Comparison, Side) -> Option<f64>| {
        of(comparison, Side::Base) == of(comparison, Side::Head)
    };
    // Then differences of these are those of the estimate.
    let asks_the_same =
        same(|all, side| all.requests(side)) && same(|all, side| all.value(Metric::BYTES, side));
    sites.sort_by(|a, b| {
        let by = |of: fn(&AllocationSite) -> &Paired<f64>| change(of(b)).total_cmp(&change(of(a)));
        let first = match asks_the_same {
            true => by(|site| &site.left_behind),
            false => Ordering::Equal,
        };
        first
            .then_with(|| by(|site| &site.count))
            .then_with(|| by(|site| &site.bytes))
            .then_with(|| by(|site| &site.left_behind))
            .then_with(|| b.bytes.head.total_cmp(&a.bytes.head))
    });
    sites
}

fn change(values: &Paired<f64>) -> f64 {
    (values.head - values.base).abs()
}

fn site(base: Option<PlaceDemand>, head: Option<PlaceDemand>) -> Option<AllocationSite> {
    let figures = |of: fn(&PlaceDemand) -> f64| {
        Paired::new(base.as_ref().map_or(0.0, of), head.as_ref().map_or(0.0, of))
    };
    let (count, bytes) = (figures(|share| share.count), figures(|share| share.bytes));
    let left_behind = figures(|share| share.left_behind);
    let shown = head.or(base)?;
    Some(AllocationSite {
        function: shown.place.function.clone(),
        location: shown.place.location(),
        origin: shown.place.origin,
        stack: shown.stack,
        count,
        bytes,
        left_behind,
    })
}

/// What each place asks for. Stacks were counted over some iterations only, so each place gets its
/// share of the known total per iteration.
fn shares(
    traced: &Traced,
    comparison: &Comparison,
    side: Side,
) -> Option<BTreeMap<PlaceIdentity, PlaceDemand>> {
    let all_requests = comparison.requests(side)?;
    let all_bytes = comparison.value(Metric::BYTES, side)?;
    let requests: u64 = traced.stacks.iter().map(|stack| stack.requests).sum();
    let bytes: u64 = traced.stacks.iter().map(|stack| stack.bytes).sum();
    let left: u64 = traced.stacks.iter().map(|stack| stack.left_behind).sum();
    // Where it varies, one in so many blocks is known by its stack.
    let all_left = comparison.value(Metric::LEFT_BEHIND, side);
    let all_left = all_left.unwrap_or((left * traced.stride) as f64).max(0.0);
    let each = |part: u64, all: u64, whole: f64| match all {
        0 => 0.0,
        all => part as f64 * whole / all as f64,
    };
    let mut shares: BTreeMap<PlaceIdentity, PlaceDemand> = BTreeMap::new();
    for stack in &traced.stacks {
        let place = responsible(stack);
        let share = shares
            .entry(identity(&place))
            .or_insert_with(|| PlaceDemand {
                place,
                count: 0.0,
                bytes: 0.0,
                left_behind: 0.0,
                stack: Vec::new(),
                most: 0,
            });
        share.count += each(stack.requests, requests, all_requests);
        share.bytes += each(stack.bytes, bytes, all_bytes);
        share.left_behind += each(stack.left_behind, left, all_left);
        if stack.requests > share.most {
            share.most = stack.requests;
            share.stack = stack.places.iter().rev().map(words).collect();
        }
    }
    Some(shares)
}

/// The innermost place in the workspace; or else in a dependency; or else the innermost whose name is
/// not the allocator's own.
pub(super) fn responsible(stack: &TracedStack) -> Place {
    let of = |origin: CodeOwner| stack.places.iter().find(|place| place.origin == origin);
    let any = || {
        let named = |place: &&Place| !place.function.contains("alloc");
        stack.places.iter().find(named).or(stack.places.last())
    };
    of(CodeOwner::Workspace)
        .or_else(|| of(CodeOwner::Dependency))
        .or_else(any)
        .cloned()
        .unwrap_or_else(|| Place {
            function: "unknown".to_owned(),
            origin: CodeOwner::Unknown,
            file: None,
            line: None,
            text: None,
        })
}

pub(super) fn identity(place: &Place) -> PlaceIdentity {
    // Generic arguments contain `::`, too.
    let plain = place.function.split('<').next().unwrap_or_default();
    let function = plain.trim_end_matches(':').rsplit("::").next();
    PlaceIdentity {
        file: place.file.clone(),
        function: function.unwrap_or_default().to_owned(),
        line: match (&place.text, place.line) {
            (Some(text), _) => text.clone(),
            (None, line) => line.map(|line| line.to_string()).unwrap_or_default(),
        },
    }
}

pub(super) fn words(place: &Place) -> String {
    match place.location() {
        Some(location) => format!("{} at {location}", place.function),
        None => place.function.clone(),
    }
}

/// Notes on how the places were found.
pub(super) fn notes(counted: &Counted) -> Vec<String> {
    let mut notes = Vec::new();
    for side in Side::BOTH {
        let Some(traced) = counted.traced.get(side) else {
            continue;
        };
        if traced.stride > 1 {
            notes.push(format!(
                "{side}: its places are estimated from one request in {} on average",
                traced.stride
            ));
        }
        if traced.lost > 0 {
            notes.push(format!(
                "{side}: {} requests came from more call stacks than are told apart",
                traced.lost
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::{Change, Observed, Verdict};
    use crate::units::BenchmarkKey;

    fn place(function: &str, origin: CodeOwner, line: u32, text: &str) -> Place {
        Place {
            function: function.to_owned(),
            origin,
            file: Some(format!("src/{function}.rs")),
            line: Some(line),
            text: (origin == CodeOwner::Workspace).then(|| text.to_owned()),
        }
    }

    fn stack(line: u32, text: &str, requests: u64, bytes: u64) -> TracedStack {
        TracedStack {
            places: vec![
                place("alloc", CodeOwner::Standard, 7, ""),
                place("seal", CodeOwner::Workspace, line, text),
                place("bench", CodeOwner::Workspace, 3, "b.iter(seal)"),
            ],
            requests,
            bytes,
            left_behind: 0,
        }
    }

    /// What both sides ask for: how often, and how many bytes.
    fn comparison(base: [f64; 2], head: [f64; 2]) -> Comparison {
        let key = BenchmarkKey::new("p", "t", "i");
        let mut comparison = Comparison::unobserved(key, Verdict::Unchanged);
        let change = |amount: Paired<f64>| Change {
            sides: amount.map(|amount| Some(Observed::exactly(amount))),
            ..Change::default()
        };
        comparison.metrics.extend([
            (Metric::ALLOCATIONS, change(Paired::new(base[0], head[0]))),
            (Metric::REALLOCATIONS, change(Paired::new(0.0, 0.0))),
            (Metric::BYTES, change(Paired::new(base[1], head[1]))),
        ]);
        comparison
    }

    fn traced(stacks: Vec<TracedStack>) -> Option<Traced> {
        Some(Traced {
            stacks,
            stride: 1,
            lost: 0,
        })
    }

    fn counted(base: Vec<TracedStack>, head: Vec<TracedStack>) -> Counted {
        Counted {
            key: BenchmarkKey::new("p", "t", "i"),
            processes: Paired::new(Vec::new(), Vec::new()),
            traced: Paired::new(traced(base), traced(head)),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_new_line_that_allocates_is_named_and_lines_that_only_moved_are_not_changes() {
        let base = vec![stack(10, "let out = Vec::new();", 30, 900)];
        let head = vec![
            stack(12, "let out = Vec::new();", 20, 600),
            stack(11, "let nonce = vec![0; 4];", 20, 640),
        ];
        let sites = of(&counted(base, head), &comparison([1.0, 30.0], [2.0, 62.0]));
        assert_eq!(sites[0].location.as_deref(), Some("src/seal.rs:11"));
        assert_eq!(sites[0].count, Paired::new(0.0, 1.0));
        assert_eq!(sites[0].bytes, Paired::new(0.0, 32.0));
        assert_eq!(sites[1].location.as_deref(), Some("src/seal.rs:12"));
        assert_eq!(sites[1].count, Paired::new(1.0, 1.0));
        assert_eq!(
            sites[0].stack,
            [
                "bench at src/bench.rs:3",
                "seal at src/seal.rs:11",
                "alloc at src/alloc.rs:7"
            ]
        );
    }

    #[test]
    fn what_is_left_behind_has_the_known_sum_and_comes_first_where_nothing_else_changed() {
        let keeps = |line: u32, text: &str, requests: u64, left_behind: u64| TracedStack {
            left_behind,
            ..stack(line, text, requests, 8 * requests)
        };
        let base = vec![keeps(1, "busy", 30, 0), keeps(2, "kept", 10, 0)];
        let head = vec![keeps(1, "busy", 20, 0), keeps(2, "kept", 11, 88)];
        let mut comparison = comparison([400.0, 3200.0], [400.0, 3200.0]);
        let left = Paired::new(0.0, 1000.0).map(|left| Some(Observed::exactly(left)));
        let change = Change {
            sides: left,
            ..Change::default()
        };
        let metrics = &mut comparison.metrics;
        metrics.extend([(Metric::LEFT_BEHIND, change)]);
        let sites = of(&counted(base, head), &comparison);
        assert_eq!(sites[0].location.as_deref(), Some("src/seal.rs:2"));
        assert_eq!(sites[0].left_behind, Paired::new(0.0, 1000.0));
    }

    #[test]
    fn a_place_of_a_dependency_stands_in_where_the_workspace_has_none() {
        let mut only = stack(1, "", 1, 8);
        only.places
            .retain(|place| place.origin == CodeOwner::Standard);
        only.places
            .push(place("grow", CodeOwner::Dependency, 5, ""));
        let sites = of(
            &counted(Vec::new(), vec![only]),
            &comparison([0.0, 0.0], [1.0, 8.0]),
        );
        assert_eq!(sites[0].function, "grow");
    }
}
