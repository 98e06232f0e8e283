//! From a function to the pieces of the change that explain it.

use crate::units::{Paired, Side};

use super::hunks::{HunkId, Hunks};
use super::model::{Hunk, Location};
use super::site::{PairedSite, Site};

/// No more hunks are shown for one function.
const MOST: usize = 3;

/// The hunks that concern a function, the closest first: those in the function itself, unless the compiler made the
/// same code from it; those in what it calls or uses; those in its callers.
pub(super) fn hunks(site: &PairedSite, same_code: bool, hunks: &Hunks) -> Vec<Hunk> {
    let mut found: Vec<(HunkId, String)> = Vec::new();
    let mut add = |id: HunkId, relation: String| {
        if !found.iter().any(|(known, _)| *known == id) {
            found.push((id, relation));
        }
    };
    let places = site
        .sites
        .as_ref()
        .map(|site| site.as_ref().and_then(Site::hottest));
    for (side, at) in both(&places).into_iter().filter(|_| !same_code) {
        for id in hunks.within(side, &at.path, at.line) {
            add(id, "in this function".to_owned());
        }
    }
    for (side, at) in both(&places) {
        for (id, name) in hunks.used_by(side, &at.path, at.line) {
            add(id, format!("in `{name}`, which it uses"));
        }
    }
    for side in [Side::Head, Side::Base] {
        let callers = site.sites.get(side).iter().flat_map(|site| &site.callers);
        for ((_, name), at) in callers {
            for id in hunks.within(side, &at.path, at.line) {
                add(id, format!("in `{name}`, which calls it"));
            }
        }
    }
    for side in [Side::Head, Side::Base] {
        let callers = site.sites.get(side).iter().flat_map(|site| &site.callers);
        for ((_, caller), at) in callers {
            for (id, name) in hunks.used_by(side, &at.path, at.line) {
                add(id, format!("in `{name}`, which its caller `{caller}` uses"));
            }
        }
    }
    found.truncate(MOST);
    let shown = found.into_iter();
    shown
        .map(|(id, relation)| hunks.get(id, relation))
        .collect()
}

/// Whether the change touches a function, or something that it calls or uses.
pub(super) fn is_touched(site: &PairedSite, hunks: &Hunks) -> bool {
    let places = site
        .sites
        .as_ref()
        .map(|site| site.as_ref().and_then(Site::hottest));
    both(&places).into_iter().any(|(side, at)| {
        !hunks.within(side, &at.path, at.line).is_empty()
            || !hunks.used_by(side, &at.path, at.line).is_empty()
    })
}

/// The values that exist, the head side first.
fn both<'a>(places: &Paired<Option<&'a Location>>) -> Vec<(Side, &'a Location)> {
    let sides = [Side::Head, Side::Base].into_iter();
    sides
        .filter_map(|side| Some((side, (*places.get(side))?)))
        .collect()
}
