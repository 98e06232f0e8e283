//! Where data begins: every address that something refers to.
//!
//! Constants have no symbols, and nothing says how long one is. All that is known is which
//! addresses are referred to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::image::{Content, Slot};
use super::code::{Body, Reference};
use super::program::Program;

/// What is pointed to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    /// An instruction reads or writes so many bytes here and no others.
    Access,
    /// A table of distances leads here. Its other entries may lead into the same constant.
    Distance,
    /// An address is taken: whatever follows may be read through it.
    Address,
}

/// Bytes of a panic location: a text's address and length, line and column.
const LOCATION_BYTES: u64 = 24;

/// The alignment of constants that follow a panic location.
const PADDING: u64 = 8;

/// The addresses in the data of one side that are referred to.
#[derive(Debug)]
pub(super) struct Cuts {
    pub(super) all: BTreeMap<u64, Cut>,
    /// Panic locations that are referred to as such, in words that are the same on both sides where
    /// one has merely moved.
    pub(super) locations: BTreeMap<u64, String>,
    /// Entries of tables of distances, four bytes each, with where they lead.
    pub(super) distances: BTreeMap<u64, u64>,
    /// Tables of distances of which it is not known where they end.
    pub(super) endless: BTreeSet<u64>,
    /// What is not data like other: panic locations and jump tables, sorted.
    set_aside: Vec<Range<u64>>,
}

impl Cuts {
    /// `words` words the panic location at an address, where there is one.
    pub(super) fn of(
        program: &Program<'_>,
        bodies: &[Option<Body>],
        words: impl Fn(u64) -> Option<String>,
    ) -> Cuts {
        let mut all = BTreeMap::new();
        let mut tables = BTreeSet::new();
        let mut cut = |address: u64, cut: Cut| {
            if program.data_section_of(address).is_some() {
                let known = all.entry(address).or_insert(cut);
                *known = cut.max(*known);
            }
        };
        for reference in bodies.iter().flatten().flat_map(|body| &body.references) {
            match reference {
                Reference::Branch(_) => {}
                Reference::Address(at) => cut(*at, Cut::Address),
                Reference::Access(at, _) => cut(*at, Cut::Access),
                Reference::Table { at, targets } => {
                    cut(*at, Cut::Address);
                    tables.insert((*at, *at + 4 * targets.len() as u64));
                }
            }
        }
        for slot in program.image.slots.values() {
            if let Slot::Own(at) = slot {
                cut(*at, Cut::Address);
            }
        }
        for (at, datum) in &program.data {
            cut(*at, Cut::Address);
            cut(*at + datum.size, Cut::Address);
        }
        let mut cuts = Cuts {
            locations: BTreeMap::new(),
            distances: BTreeMap::new(),
            endless: BTreeSet::new(),
            set_aside: Vec::new(),
            all,
        };
        cuts.find_distances(program, bodies);
        for target in cuts.distances.values() {
            let known = cuts.all.entry(*target).or_insert(Cut::Distance);
            *known = (*known).max(Cut::Distance);
        }
        cuts.locations = cuts.find_locations(program, words);
        let tables = tables.into_iter().map(|(start, end)| {
            let next = cuts.next(start);
            start..next.map_or(end, |next| end.min(next))
        });
        let locations = cuts.locations.keys().map(|at| *at..*at + LOCATION_BYTES);
        let mut set_aside: Vec<Range<u64>> = tables.chain(locations).collect();
        set_aside.sort_by_key(|range| range.start);
        cuts.set_aside = set_aside;
        cuts
    }

    /// Where the file's name lies of each panic location, by the location's words.
    pub(super) fn files_of_locations(&self, program: &Program<'_>) -> BTreeMap<&str, u64> {
        let files =
            self.locations
                .iter()
                .filter_map(|(at, words)| match program.image.slots.get(at) {
                    Some(Slot::Own(file)) => Some((words.as_str(), *file)),
                    _ => None,
                });
        files.collect()
    }

    /// The first cut behind `address`.
    pub(super) fn next(&self, address: u64) -> Option<u64> {
        self.all.range(address + 1..).next().map(|(at, _)| *at)
    }

    /// The end of the separate data that contains `address`.
    pub(super) fn set_aside_until(&self, address: u64) -> Option<u64> {
        let after = self
            .set_aside
            .partition_point(|range| range.start <= address);
        let range = self.set_aside[..after].last()?;
        range.contains(&address).then_some(range.end)
    }

    /// Whether a jump table or panic location that is referred to begins here.
    pub(super) fn is_set_aside(&self, address: u64) -> bool {
        self.set_aside_until(address).is_some()
    }

    /// A table goes on until something does not lead to data outside of it. Where somebody points to something in
    /// between that could be an entry as well, or another table leads there, its end is not known.
    fn find_distances(&mut self, program: &Program<'_>, bodies: &[Option<Body>]) {
        let tables: BTreeSet<u64> = bodies
            .iter()
            .flatten()
            .flat_map(|body| body.distance_tables.certain.iter().copied())
            .collect();
        let mut found: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
        for table in &tables {
            let next = self.next(*table).unwrap_or(u64::MAX);
            let entries: BTreeMap<u64, u64> = entries(program, *table)
                .take_while(|(at, _)| *at == *table || !tables.contains(at))
                .collect();
            let is_cut = entries.keys().any(|at| *at + 4 > next);
            if is_cut || entries.is_empty() {
                self.endless.insert(*table);
            } else {
                found.insert(*table, entries);
            }
        }
        let targets: BTreeSet<u64> = found.values().flat_map(BTreeMap::values).copied().collect();
        for (table, entries) in found {
            let end = table + 4 * entries.len() as u64;
            match targets.range(table + 1..end).next() {
                Some(_) => drop(self.endless.insert(table)),
                None => self.distances.extend(entries),
            }
        }
    }

    /// The look of a panic location is not enough: a program's own table may look the same. So one
    /// counts that is pointed to and ends where the next constant begins.
    fn find_locations(
        &self,
        program: &Program<'_>,
        words: impl Fn(u64) -> Option<String>,
    ) -> BTreeMap<u64, String> {
        let mut locations = BTreeMap::new();
        for (at, _) in self.all.iter().filter(|(_, cut)| **cut == Cut::Address) {
            let starts_with_pointer = matches!(program.image.slots.get(at), Some(Slot::Own(_)));
            let section = program.section_of(*at);
            let constant = section.is_some_and(|section| section.content == Content::Constant);
            if !starts_with_pointer || !constant {
                continue;
            }
            let end = at + LOCATION_BYTES;
            let ends = self
                .next(*at)
                .is_none_or(|next| (end..end + PADDING).contains(&next));
            if let Some(words) = ends.then(|| words(*at)).flatten() {
                locations.insert(*at, words);
            }
        }
        locations
    }
}

/// The address in data that lies as far from `table` as the first four bytes of `entry` say.
pub(super) fn data_at_distance(program: &Program<'_>, table: u64, entry: &[u8]) -> Option<u64> {
    let distance = i32::from_le_bytes(entry.get(..4)?.try_into().ok()?);
    let target = table.wrapping_add_signed(distance.into());
    program.data_section_of(target).map(|_| target)
}

/// What a table of distances holds at `table` and behind it, as long as it leads to data outside of the table.
fn entries(program: &Program<'_>, table: u64) -> impl Iterator<Item = (u64, u64)> {
    let section = program.section_of(table);
    let section = section.filter(|section| section.content == Content::Constant);
    let bytes = section.and_then(|section| program.bytes(table, section.end()));
    let bytes = bytes.unwrap_or_default().chunks_exact(4);
    bytes
        .zip((table..).step_by(4))
        .map_while(move |(entry, at)| {
            let target = data_at_distance(program, table, entry)?;
            (!(table..=at).contains(&target)).then_some((at, target))
        })
}
