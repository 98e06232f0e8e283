//! Which constants and variables are the same on both sides.
//!
//! Nothing says how long a constant is, so none is compared alone. Functions with the same
//! instructions show which address of the base side corresponds to which of the head side. Between
//! two such addresses that follow each other on both sides, everything must be equal, or one side
//! has an additional constant, which begins at an address that is referred to. Anything else has
//! changed. So may have every constant that begins shortly before it (it may reach that far) or
//! shortly after it (it may be read backwards from its end).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::units::{Paired, Side};

use super::super::image::{Content, Slot};
use super::Unclear;
use super::cuts::Cut;
use super::program::Program;
use super::segments::{SegmentOutcome, Stream, compare};
use super::sides::Sides;

/// How many of the referenced addresses before and after a changed constant count as part of that
/// constant. A constant seldom has more than one within it: its end, or its middle.
const NEIGHBOURS: usize = 16;

/// How often "what points to something changed has changed" is applied: longer than any chain of pointers.
const ROUNDS: usize = 200;

/// Which addresses in the data of both sides correspond, and which have changed.
#[derive(Debug, Default)]
pub(super) struct DataMap {
    pub(super) to_head: BTreeMap<u64, u64>,
    to_base: BTreeMap<u64, u64>,
    changed: HashMap<Side, BTreeSet<u64>>,
    /// Whether any constant differs, was added or went away.
    pub(super) constants_differ: bool,
}

impl DataMap {
    /// Takes the addresses that most functions agree on: `votes` counts the functions by pair.
    pub(super) fn of(
        sides: Sides<'_>,
        votes: &BTreeMap<(u64, u64), u32>,
    ) -> Result<DataMap, Unclear> {
        let mut map = DataMap::default();
        let mut ranked: Vec<(u32, (u64, u64))> =
            votes.iter().map(|(pair, count)| (*count, *pair)).collect();
        ranked.sort_by_key(|(count, pair)| (std::cmp::Reverse(*count), *pair));
        let mut fresh: Vec<(u64, u64)> = Vec::new();
        for (_, (base, head)) in ranked {
            if map.add(sides, base, head) {
                fresh.push((base, head));
            }
        }
        while let Some((base, head)) = fresh.pop() {
            let found = map.follow(sides, base, head);
            fresh.extend(found);
        }
        sections_alike(sides, &map)?;
        map.spread(sides)?;
        Ok(map)
    }

    /// Whether the pair is new and contradicts no other.
    fn add(&mut self, sides: Sides<'_>, base: u64, head: u64) -> bool {
        if self.to_head.contains_key(&base) || self.to_base.contains_key(&head) {
            return false;
        }
        if sides.cuts.base.is_set_aside(base) || sides.cuts.head.is_set_aside(head) {
            return false;
        }
        if !same_kind(sides.programs, base, head) {
            return false;
        }
        self.to_head.insert(base, head);
        self.to_base.insert(head, base);
        true
    }

    /// What the pointers of two constants that are the same point to, is the same as well.
    fn follow(&mut self, sides: Sides<'_>, base: u64, head: u64) -> Vec<(u64, u64)> {
        let length = |side: Side, at: u64| {
            let next = sides.cuts.get(side).next(at);
            next.unwrap_or(u64::MAX) - at
        };
        let length = length(Side::Base, base).min(length(Side::Head, head));
        let reach = base..base.saturating_add(length);
        let slots = &sides.programs.base.image.slots;
        let pointers = slots.range(reach.clone()).filter_map(|(at, slot)| {
            let there = sides.programs.head.image.slots.get(&(head + (at - base)));
            match (slot, there) {
                (Slot::Own(base), Some(Slot::Own(head))) => Some((*base, *head)),
                _ => None,
            }
        });
        let distances = sides.cuts.base.distances.range(reach);
        let distances = distances.filter_map(|(at, target)| {
            let there = sides.cuts.head.distances.get(&(head + (at - base)))?;
            Some((*target, *there))
        });
        let pairs: Vec<(u64, u64)> = pointers.chain(distances).collect();
        let mut new = Vec::new();
        for (base, head) in pairs {
            if self.add(sides, base, head) {
                new.push((base, head));
            }
        }
        new
    }

    /// Compares section by section until no further pointer leads to something that has changed.
    fn spread(&mut self, sides: Sides<'_>) -> Result<(), Unclear> {
        for _ in 0..ROUNDS {
            let before: usize = self.changed.values().map(BTreeSet::len).sum();
            for section in &sides.programs.base.sections {
                let same = sides.programs.head.image.section(section.name);
                let Some(head) = same.filter(|head| head.is_data() && section.is_data()) else {
                    continue;
                };
                if !section.bytes.is_empty() && !head.bytes.is_empty() {
                    let ranges = Paired::new(section, head).map(|s| s.address..s.end());
                    self.compare_section(sides, section.name, &ranges);
                }
            }
            let after: usize = self.changed.values().map(BTreeSet::len).sum();
            if after == before {
                return Ok(());
            }
        }
        Err(Unclear::because(
            "constants point to each other in chains that are too long",
        ))
    }

    fn compare_section(&mut self, sides: Sides<'_>, name: &str, whole: &Paired<Range<u64>>) {
        let mut pairs = vec![(whole.base.start, whole.head.start)];
        let inside = self.to_head.range(whole.base.clone());
        let inside = inside.filter(|(base, head)| {
            **base > whole.base.start && **head > whole.head.start && **head < whole.head.end
        });
        pairs.extend(inside.map(|(base, head)| (*base, *head)));
        pairs.push((whole.base.end, whole.head.end));
        let mut order: Vec<u64> = pairs.iter().map(|(_, head)| *head).collect();
        order.sort_unstable();
        for window in pairs.windows(2) {
            let &[(base, head), (next_base, next_head)] = window else {
                continue;
            };
            let follower = order.partition_point(|at| *at <= head);
            let follows = order.get(follower).copied().unwrap_or(whole.head.end);
            let segment = Paired::new(base..next_base, head..follows);
            let token = |side: Side, slot: &Slot| self.slot_token(sides, side, slot);
            let outcome = compare(sides, &token, &segment);
            // What came next on the base side and is elsewhere now is another constant: two places
            // of one constant stay together. What lies between is compared.
            let moved = follows != next_head;
            if (outcome != SegmentOutcome::Equal || moved) && !name.starts_with(".got") {
                self.constants_differ = true;
            }
            if let SegmentOutcome::Changed(where_) = outcome {
                for side in Side::BOTH {
                    self.mark(sides, side, whole.get(side), where_.get(side).clone());
                }
            }
        }
    }

    /// Marks what may reach into `what`, of the section `whole`.
    fn mark(&mut self, sides: Sides<'_>, side: Side, whole: &Range<u64>, what: Range<u64>) {
        let cuts = &sides.cuts.get(side).all;
        let pointed_to = |range: Range<u64>| {
            let found = cuts.range(range).filter(|(_, cut)| **cut != Cut::Access);
            found.map(|(at, cut)| (*at, *cut))
        };
        let changed = self.changed.entry(side).or_default();
        changed.extend(pointed_to(what.clone()).map(|(at, _)| at));
        let before = whole.start..what.start.max(whole.start);
        changed.extend(near(pointed_to(before).rev()));
        let after = what.end..(whole.end + 1).max(what.end);
        changed.extend(near(pointed_to(after)));
    }

    /// Whether `address` is one that a changed constant may begin at or be read from.
    pub(super) fn has_changed(&self, side: Side, address: u64) -> bool {
        let changed = self.changed.get(&side);
        changed.is_some_and(|changed| changed.contains(&address))
    }

    /// A number for what an address in the executable stands for: the same on both sides where it
    /// is the same thing.
    pub(super) fn token(&self, sides: Sides<'_>, side: Side, address: u64) -> u64 {
        let program = sides.programs.get(side);
        let unlike = || digest(&("of one side", side, address));
        if let Some(words) = sides.cuts.get(side).locations.get(&address) {
            return digest(&("location", words));
        }
        if let Some(index) = program.function_at(address) {
            let offset = address - program.functions[index].start;
            let same = match side {
                Side::Base => sides.pairing.to_head.contains_key(&index).then_some(index),
                Side::Head => sides.pairing.to_base.get(&index).copied(),
            };
            // Into the middle of a function: it may be another place.
            let same = same.filter(|_| offset == 0);
            return same.map_or_else(unlike, |index| digest(&("function", index)));
        }
        let base = match side {
            Side::Base => self.to_head.contains_key(&address).then_some(address),
            Side::Head => self.to_base.get(&address).copied(),
        };
        if let Some(base) = base.filter(|_| !self.has_changed(side, address)) {
            return digest(&("data", base));
        }
        match program.section_of(address) {
            Some(section) if section.content == Content::Stubs => program
                .stub(address)
                .map_or_else(unlike, |slot| self.slot_token(sides, side, slot)),
            Some(section) if section.content == Content::Tables => {
                digest(&("table", section.name, address - section.address))
            }
            _ => unlike(),
        }
    }

    /// All of a stretch of data, as numbers that are the same on both sides where it is the same.
    pub(super) fn stream(&self, sides: Sides<'_>, side: Side, range: Range<u64>) -> Vec<u64> {
        let token = |side: Side, slot: &Slot| self.slot_token(sides, side, slot);
        Stream::raw(sides, &token, side, range).tokens
    }

    fn slot_token(&self, sides: Sides<'_>, side: Side, slot: &Slot) -> u64 {
        match slot {
            Slot::Own(address) => self.token(sides, side, *address),
            Slot::Foreign {
                kind,
                symbol,
                addend,
            } => digest(&("foreign", kind, symbol, addend)),
        }
    }
}

/// The first places, of which [`NEIGHBOURS`] are no entries' targets: all entries of a table may lead into one constant.
fn near(places: impl Iterator<Item = (u64, Cut)>) -> impl Iterator<Item = u64> {
    let mut counted = 0;
    let near = places.take_while(move |(_, cut)| {
        counted += usize::from(*cut == Cut::Address);
        counted <= NEIGHBOURS
    });
    near.map(|(at, _)| at)
}

/// A variable is the same only by its name: two with the same first value are two.
fn same_kind(programs: &Paired<Program<'_>>, base: u64, head: u64) -> bool {
    let sections = Paired::new(base, head);
    let found = Paired::from_fn(|side| {
        let program = programs.get(side);
        program.data_section_of(*sections.get(side))
    });
    let (Some(base_section), Some(head_section)) = (found.base, found.head) else {
        return false;
    };
    if base_section.name != head_section.name {
        return false;
    }
    let data = Paired::new(programs.base.datum_of(base), programs.head.datum_of(head));
    match (data.base, data.head) {
        (Some(base), Some(head)) => {
            base.0.name == head.0.name && base.1 == head.1 && base.0.size == head.0.size
        }
        (None, None) => {
            base_section.content == Content::Constant
                || (
                    // No symbol at all: only where nothing has moved.
                    base_section.size == head_section.size
                        && base - base_section.address == head - head_section.address
                )
        }
        _ => base_section.content == Content::Constant,
    }
}

/// Lists that are walked from the first to the last element, by the loader or by the program, and
/// the first values of thread-local variables: they are referred to as a whole or not at all.
fn sections_alike(sides: Sides<'_>, map: &DataMap) -> Result<(), Unclear> {
    let usual = [
        ".rodata",
        ".data",
        ".bss",
        ".got",
        ".tm_clone_table",
        ".lrodata",
        ".ldata",
        ".lbss",
        ".relro_padding",
    ];
    for section in &sides.programs.base.sections {
        let listed = section.is_data() && !usual.iter().any(|name| section.name.starts_with(name));
        if !listed && section.content != Content::Thread {
            continue;
        }
        let Some(head) = sides.programs.head.image.section(section.name) else {
            continue;
        };
        let ranges = Paired::new(section, head).map(|section| section.address..section.end());
        let streams = Paired::from_fn(|side| map.stream(sides, side, ranges.get(side).clone()));
        if streams.base != streams.head || section.size != head.size {
            return Err(Unclear::because(format!(
                "the section {} differs",
                section.name
            )));
        }
    }
    Ok(())
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    // Never that of a plain byte.
    hasher.finish() | 1 << 63
}
