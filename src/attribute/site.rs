//! What a profile says about one function.

use std::collections::BTreeMap;

use super::model::{Location, Origin};
use crate::units::Paired;

/// The samples of one side that belong to one function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
    pub(super) samples: u64,
    /// How many of them are in code that is the same on the other side, including all callers.
    pub(super) in_same_code: u64,
    pub(super) origin: Origin,
    /// Samples by place in the function itself.
    pub(super) lines: BTreeMap<Location, u64>,
    /// Samples by the function that it was calling; `None` for samples in the function itself.
    pub(super) callees: BTreeMap<Option<String>, u64>,
    /// Its callers within the project: how many frames further out (from 1), the name, and a place
    /// in it.
    pub(super) callers: BTreeMap<(usize, String), Location>,
}

/// The sites of one side, by comparable name.
pub(super) type Sites = BTreeMap<String, Site>;

impl Site {
    pub(super) fn hottest(&self) -> Option<&Location> {
        let most = self.lines.iter().max_by_key(|(_, samples)| **samples);
        most.map(|(location, _)| location)
    }
}

/// A site on both sides; absent on a side that has no sample of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PairedSite {
    /// Its names: they differ where a function was renamed or moved.
    pub(super) names: Paired<Option<String>>,
    pub(super) sites: Paired<Option<Site>>,
}

impl PairedSite {
    /// Its name, on the head side where it exists there.
    pub(super) fn name(&self) -> Option<String> {
        self.names.head.clone().or_else(|| self.names.base.clone())
    }

    /// Its name on the base side, if it has another one now.
    pub(super) fn former_name(&self) -> Option<String> {
        let Paired { base, head } = &self.names;
        base.clone().filter(|_| head.is_some() && base != head)
    }
}
