//! The pieces of the change behind places that ask for more memory or run more statements.

use serde::{Deserialize, Serialize};

use crate::analyse::{AllocationSite, Comparison, StatementChange};
use crate::build::Build;
use crate::measure::CodeOwner;
use crate::units::{BenchmarkKey, Paired, Side};

use super::hunks::Hunks;
use super::model::Hunk;
use super::source_change::SourceChange;

/// So many places of a benchmark are traced to the change, those that changed most.
const PLACES: usize = 5;

/// No more hunks are shown for one place.
const HUNKS: usize = 2;

/// The pieces of the change that concern a place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceHunks {
    /// The benchmark: package, target and id.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// The function, as the place names it.
    pub function: String,
    /// `path:line`, as the place gives it.
    pub location: String,
    /// The closest first; never empty.
    pub hunks: Vec<Hunk>,
}

/// A place of the workspace where something changed.
struct ChangedPlace<'a> {
    key: &'a BenchmarkKey,
    function: &'a str,
    location: &'a str,
    /// The side whose source the location is in.
    side: Side,
}

/// The pieces of the change behind each place that changed, as far as there are any.
#[must_use]
pub fn hunks_of_places(comparisons: &[Comparison], builds: &Paired<Build>) -> Vec<PlaceHunks> {
    let places: Vec<ChangedPlace<'_>> = comparisons.iter().flat_map(changed_places).collect();
    if places.is_empty() {
        return Vec::new();
    }
    // The causes of changed times already say what is not known of the sources.
    let change = SourceChange::of(builds, &mut Vec::new());
    let found = places.iter().filter_map(|place| {
        let hunks = hunks(place, &change.hunks);
        (!hunks.is_empty()).then(|| PlaceHunks {
            key: place.key.clone(),
            function: place.function.to_owned(),
            location: place.location.to_owned(),
            hunks,
        })
    });
    found.collect()
}

fn changed_places(comparison: &Comparison) -> Vec<ChangedPlace<'_>> {
    let key = &comparison.key;
    let sites = comparison.sites.iter().filter_map(|site| {
        let AllocationSite { count, bytes, .. } = site;
        let keeps = site.left_behind.head != site.left_behind.base;
        let differs = (count.head - count.base).abs() >= 0.01 || bytes.head != bytes.base || keeps;
        let is_own = site.origin == CodeOwner::Workspace;
        Some(ChangedPlace {
            key,
            function: &site.function,
            location: site.location.as_deref().filter(|_| differs && is_own)?,
            side: later(count),
        })
    });
    let statements = comparison.statements.iter().filter_map(|statement| {
        let StatementChange { count, origin, .. } = statement;
        Some(ChangedPlace {
            key,
            function: statement.function.as_deref()?,
            location: statement
                .location
                .as_deref()
                .filter(|_| *origin == CodeOwner::Workspace)?,
            side: later(count),
        })
    });
    sites.take(PLACES).chain(statements.take(PLACES)).collect()
}

/// Where something is: on the head side, if it is still there.
fn later(count: &Paired<f64>) -> Side {
    match count.head > 0.0 {
        true => Side::Head,
        false => Side::Base,
    }
}

/// Those in the function around the place, or else in what it uses.
fn hunks(place: &ChangedPlace<'_>, hunks: &Hunks) -> Vec<Hunk> {
    let Some((path, line)) = place.location.rsplit_once(':') else {
        return Vec::new();
    };
    let Ok(line) = line.parse() else {
        return Vec::new();
    };
    let within = hunks.within(place.side, path, line).into_iter();
    let mut found: Vec<_> = within
        .map(|id| (id, "in this function".to_owned()))
        .collect();
    if found.is_empty() {
        let used = hunks.used_by(place.side, path, line).into_iter();
        found.extend(used.map(|(id, name)| (id, format!("in `{name}`, which it uses"))));
    }
    found.truncate(HUNKS);
    let shown = found.into_iter();
    shown
        .map(|(id, relation)| hunks.get(id, relation))
        .collect()
}
