//! Which functions are the same on both sides, and where the others begin to differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::units::{Paired, Side};

use super::super::image::Content;
use super::code::{Body, Reference};
use super::cuts::data_at_distance;
use super::data::DataMap;
use super::divergence::Alignment;
use super::program::{Function, FunctionExtent, Program};
use super::sides::Sides;
use super::{ChangedFunction, FunctionDifference, Unclear};

/// Code of the C runtime, without sizes, that is run before and after `main`.
const RUNTIME: [&str; 4] = [
    "deregister_tm_clones",
    "register_tm_clones",
    "__do_global_dtors_aux",
    "frame_dummy",
];

/// The functions, and what comparing them has shown so far.
pub(super) struct FunctionComparison<'a> {
    sides: Sides<'a>,
    bodies: &'a Paired<Vec<Option<Body>>>,
    map: DataMap,
    /// Functions of the base side; those of the head side follow from their partners.
    same: BTreeSet<usize>,
    /// Those with the same instructions, whatever they refer to.
    alike: BTreeSet<usize>,
    /// The others of the base side that have a partner, as far as their instructions can be aligned.
    aligned: BTreeMap<usize, Alignment<'a>>,
}

impl<'a> FunctionComparison<'a> {
    pub(super) fn of(
        sides: Sides<'a>,
        bodies: &'a Paired<Vec<Option<Body>>>,
    ) -> Result<FunctionComparison<'a>, Unclear> {
        let alike: Vec<(usize, usize)> = sides
            .pairing
            .to_head
            .iter()
            .map(|(base, head)| (*base, *head))
            .filter(
                |(base, head)| match (&bodies.base[*base], &bodies.head[*head]) {
                    (Some(base), Some(head)) => alike(base, head),
                    _ => false,
                },
            )
            .collect();
        let same: BTreeSet<usize> = alike.iter().map(|(base, _)| *base).collect();
        let others = sides
            .pairing
            .to_head
            .keys()
            .filter(|base| !same.contains(base));
        let aligned = others.filter_map(|base| Some((*base, alignment_of(sides, bodies, *base)?)));
        let aligned = aligned.collect();
        let mut comparison = FunctionComparison {
            sides,
            bodies,
            map: DataMap::default(),
            alike: same.clone(),
            same,
            aligned,
        };
        comparison.map = DataMap::of(sides, &comparison.votes())?;
        comparison.settle();
        Ok(comparison)
    }

    /// For each pair of addresses in data, how many functions use them for the same thing.
    fn votes(&self) -> BTreeMap<(u64, u64), u32> {
        let mut votes = BTreeMap::new();
        for base in &self.alike {
            let head = self.sides.pairing.to_head[base];
            if let (Some(base), Some(head)) = (&self.bodies.base[*base], &self.bodies.head[head]) {
                vote(
                    &mut votes,
                    self.sides,
                    base.references.iter().zip(&head.references),
                );
            }
        }
        for alignment in self.aligned.values() {
            vote(&mut votes, self.sides, alignment.references());
        }
        // Panic locations of one wording name one file.
        let files = Paired::from_fn(|side| {
            let program = self.sides.programs.get(side);
            self.sides.cuts.get(side).files_of_locations(program)
        });
        for (words, base) in &files.base {
            if let Some(head) = files.head.get(words) {
                *votes.entry((*base, *head)).or_default() += 1;
            }
        }
        votes
    }

    /// Removes functions that refer to something that differs, until no more have to go: a branch
    /// into the middle of a function skips its beginning.
    fn settle(&mut self) {
        loop {
            let differing: Vec<usize> = self
                .same
                .iter()
                .copied()
                .filter(|base| !self.holds(*base))
                .collect();
            if differing.is_empty() {
                return;
            }
            for base in differing {
                self.same.remove(&base);
            }
        }
    }

    /// Whether all that a function refers to is the same on the head side.
    fn holds(&self, function: usize) -> bool {
        let Some(head) = self.sides.pairing.to_head.get(&function) else {
            return false;
        };
        let bodies = Paired::new(&self.bodies.base[function], &self.bodies.head[*head]);
        let (Some(base), Some(head)) = (bodies.base, bodies.head) else {
            return false;
        };
        if self.may_read_other_places(Side::Base, base) {
            return false;
        }
        let mut references = base.references.iter().zip(&head.references);
        references.all(|references| self.same_reference(references))
    }

    fn same_reference(&self, references: (&Reference, &Reference)) -> bool {
        match references {
            (Reference::Branch(base), Reference::Branch(head))
            | (Reference::Address(base), Reference::Address(head)) => {
                self.same_address(*base, *head)
            }
            (Reference::Access(base, size), Reference::Access(head, _)) => {
                self.same_access(*base, *head, *size as u64)
            }
            (Reference::Table { targets: base, .. }, Reference::Table { targets: head, .. }) => {
                base == head
            }
            _ => false,
        }
    }

    fn same_address(&self, base: u64, head: u64) -> bool {
        let programs = self.sides.programs;
        let functions = Paired::new(
            programs.base.function_at(base),
            programs.head.function_at(head),
        );
        match (functions.base, functions.head) {
            (Some(b), Some(h)) => {
                let offset = base - programs.base.functions[b].start;
                self.sides.pairing.to_head.get(&b) == Some(&h)
                    && offset == head - programs.head.functions[h].start
                    && (offset == 0 || self.same.contains(&b))
            }
            (None, None) => {
                self.map.token(self.sides, Side::Base, base)
                    == self.map.token(self.sides, Side::Head, head)
            }
            _ => false,
        }
    }

    /// Whether these bytes, and no others, are the same; and where they can be written, whether it
    /// is the same variable.
    fn same_access(&self, base: u64, head: u64, size: u64) -> bool {
        let Some(section) = self.sides.programs.base.section_of(base) else {
            return false;
        };
        if section.content == Content::Variable && self.map.to_head.get(&base) != Some(&head) {
            return false;
        }
        let stream = |side: Side, at: u64| self.map.stream(self.sides, side, at..at + size);
        stream(Side::Base, base) == stream(Side::Head, head)
    }

    /// Whether constants differ, and a function takes the address of what may be a table of distances to them without
    /// being one for certain.
    fn may_read_other_places(&self, side: Side, body: &Body) -> bool {
        let tables = &body.distance_tables;
        let endless = &self.sides.cuts.get(side).endless;
        let may_be_table = |reference: &Reference| {
            let Reference::Address(at) = reference else {
                return false;
            };
            let program = self.sides.programs.get(side);
            let is_other = !tables.certain.contains(at) && looks_like_distances(program, *at);
            endless.contains(at) || (tables.may_be_others && is_other)
        };
        self.map.constants_differ && body.references.iter().any(may_be_table)
    }

    pub(super) fn changed(mut self) -> Result<Vec<ChangedFunction>, Unclear> {
        let programs = self.sides.programs;
        let mut changed = Vec::new();
        for (index, function) in programs.base.functions.iter().enumerate() {
            let alike = self.alike.contains(&index);
            // The C runtime's own code uses the ends of sections, whatever lies before them.
            let is_runtime = alike && RUNTIME.contains(&function.name.as_str());
            if self.same.contains(&index) || is_runtime {
                continue;
            }
            let head = self.sides.pairing.to_head.get(&index);
            let head = head.map(|head| &programs.head.functions[*head]);
            let difference = if alike {
                FunctionDifference::Reference
            } else {
                FunctionDifference::Code
            };
            let functions = Paired::new(Some(function), head);
            let entries = self.entries(index).unwrap_or_else(|| first(&functions));
            changed.push(named(functions, entries, difference)?);
        }
        for (index, function) in programs.head.functions.iter().enumerate() {
            if !self.sides.pairing.to_base.contains_key(&index) {
                let functions = Paired::new(None, Some(function));
                let entries = first(&functions);
                changed.push(named(functions, entries, FunctionDifference::Code)?);
            }
        }
        changed.sort_by_key(|one| (one.address(Side::Head), one.address(Side::Base)));
        Ok(changed)
    }

    /// Where the execution of a function of the base side and of its partner can diverge. `None` where that is
    /// unknown.
    fn entries(&mut self, base: usize) -> Option<Paired<Vec<u64>>> {
        let head = *self.sides.pairing.to_head.get(&base)?;
        let bodies = (
            self.bodies.base[base].as_ref()?,
            self.bodies.head[head].as_ref()?,
        );
        if self.may_read_other_places(Side::Base, bodies.0)
            || self.may_read_other_places(Side::Head, bodies.1)
        {
            return None;
        }
        let alignment = self.aligned.remove(&base);
        let alignment = alignment.or_else(|| alignment_of(self.sides, self.bodies, base))?;
        let entries = alignment.entries(|references| self.same_reference(references));
        // The functions do differ, even if only in padding.
        (!entries.base.is_empty() || !entries.head.is_empty()).then_some(entries)
    }
}

/// Whether constant numbers at `at` could be a table of two distances to data, or more: beyond its own first two entries.
fn looks_like_distances(program: &Program<'_>, at: u64) -> bool {
    const FEWEST_BYTES: u64 = 8;
    let section = program.section_of(at);
    let is_constant = section.is_some_and(|section| section.content == Content::Constant);
    let end = at.saturating_add(FEWEST_BYTES);
    let is_filled_in = program.image.slots.range(at..end).next().is_some();
    let bytes = program.bytes(at, end).unwrap_or_default();
    let mut entries = bytes.chunks_exact(4);
    is_constant
        && !is_filled_in
        && !bytes.is_empty()
        && entries.all(|entry| {
            let target = data_at_distance(program, at, entry);
            target.is_some_and(|target| !(at..end).contains(&target))
        })
}

/// The first addresses of these functions.
fn first(functions: &Paired<Option<&Function>>) -> Paired<Vec<u64>> {
    let first = |function: &Option<&Function>| function.map(|function| function.start);
    functions
        .as_ref()
        .map(|function| first(function).into_iter().collect())
}

fn named(
    functions: Paired<Option<&Function>>,
    entries: Paired<Vec<u64>>,
    difference: FunctionDifference,
) -> Result<ChangedFunction, Unclear> {
    let code = functions.map(|function| function.map(Function::code));
    let either = functions.base.or(functions.head);
    match either {
        Some(Function {
            extent: FunctionExtent::Gap,
            name,
            ..
        }) => Err(Unclear::because(format!(
            "code differs that belongs to no function ({name})"
        ))),
        _ => Ok(ChangedFunction {
            name: either
                .map(|function| function.name.clone())
                .unwrap_or_default(),
            code,
            entries,
            difference,
        }),
    }
}

/// The instructions of a function of the base side and of its partner.
fn alignment_of<'a>(
    sides: Sides<'a>,
    bodies: &'a Paired<Vec<Option<Body>>>,
    base: usize,
) -> Option<Alignment<'a>> {
    let head = *sides.pairing.to_head.get(&base)?;
    let Paired { base: b, head: h } = sides.programs;
    Alignment::of(
        sides.programs.as_ref(),
        Paired::new(&b.functions[base], &h.functions[head]),
        Paired::new(bodies.base[base].as_ref()?, bodies.head[head].as_ref()?),
    )
}

/// Whether two functions do the same with whatever they refer to.
fn alike(base: &Body, head: &Body) -> bool {
    let kinds = |body: &Body| -> Vec<_> {
        let kind = |reference: &Reference| match reference {
            Reference::Branch(_) => (0, 0),
            Reference::Address(_) => (1, 0),
            Reference::Access(_, size) => (2, *size),
            Reference::Table { .. } => (3, 0),
        };
        body.references.iter().map(kind).collect()
    };
    base.bytes == head.bytes && kinds(base) == kinds(head)
}

/// Counts these references to data as votes that they are the same.
fn vote<'r>(
    votes: &mut BTreeMap<(u64, u64), u32>,
    sides: Sides<'_>,
    references: impl Iterator<Item = (&'r Reference, &'r Reference)>,
) {
    let data = |base: &u64, head: &u64| {
        sides.programs.base.data_section_of(*base).is_some()
            && sides.programs.head.data_section_of(*head).is_some()
    };
    for references in references {
        match references {
            (Reference::Address(base), Reference::Address(head))
            | (Reference::Access(base, _), Reference::Access(head, _))
                if data(base, head) =>
            {
                *votes.entry((*base, *head)).or_default() += 1;
            }
            _ => {}
        }
    }
}
