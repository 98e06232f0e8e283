//! Which function of the base side is which of the head side.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::units::{Paired, Side};

use super::super::image::Slot;
use super::code::{Body, Reference};
use super::program::Program;

/// How often what is known of a function is joined with what is known of those it refers to.
const ROUNDS: usize = 3;

/// How much of the data behind an address tells functions of one name apart.
const GLIMPSE: u64 = 32;

/// The functions of both sides, matched: a function's number on one side to that on the other.
#[derive(Debug)]
pub(super) struct FunctionPairing {
    pub(super) to_head: HashMap<usize, usize>,
    pub(super) to_base: HashMap<usize, usize>,
}

impl FunctionPairing {
    /// Matches by normalised name. Where a name stands for several functions (the older mangling
    /// leaves generic arguments out), by what they do and by what those do that they call; then by
    /// what they do alone; and at last what is left over in the order of addresses, where both sides have as
    /// many of it. A wrong
    /// match is no danger: it is compared like any other, and found to differ.
    pub(super) fn of(
        programs: &Paired<Program<'_>>,
        bodies: &Paired<Vec<Option<Body>>>,
    ) -> FunctionPairing {
        let colours = Paired::from_fn(|side| colours(programs.get(side), bodies.get(side)));
        let names = Paired::from_fn(|side| by_name(programs.get(side)));
        let mut pairing = FunctionPairing {
            to_head: HashMap::new(),
            to_base: HashMap::new(),
        };
        for (name, base) in &names.base {
            let Some(head) = names.head.get(name) else {
                continue;
            };
            for round in [ROUNDS, 0] {
                let of = |side: Side, functions: &[usize]| -> BTreeMap<u64, Vec<usize>> {
                    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
                    for function in functions.iter().filter(|f| !pairing.has(side, **f)) {
                        let colour = colours.get(side)[round][*function];
                        groups.entry(colour).or_default().push(*function);
                    }
                    groups
                };
                let groups = Paired::new(of(Side::Base, base), of(Side::Head, head));
                for (colour, base) in groups.base {
                    let head = groups.head.get(&colour).map_or(&[][..], Vec::as_slice);
                    base.iter().zip(head).for_each(|(b, h)| pairing.add(*b, *h));
                }
            }
            let left = |side: Side, functions: &[usize]| -> Vec<usize> {
                let all = functions.iter().copied();
                all.filter(|f| !pairing.has(side, *f)).collect()
            };
            let left = (left(Side::Base, base), left(Side::Head, head));
            if left.0.len() == left.1.len() {
                left.0
                    .iter()
                    .zip(&left.1)
                    .for_each(|(b, h)| pairing.add(*b, *h));
            }
        }
        pairing
    }

    fn has(&self, side: Side, function: usize) -> bool {
        match side {
            Side::Base => self.to_head.contains_key(&function),
            Side::Head => self.to_base.contains_key(&function),
        }
    }

    fn add(&mut self, base: usize, head: usize) {
        self.to_head.insert(base, head);
        self.to_base.insert(head, base);
    }
}

fn by_name<'p>(program: &'p Program<'_>) -> BTreeMap<&'p str, Vec<usize>> {
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, function) in program.functions.iter().enumerate() {
        names.entry(&function.name).or_default().push(index);
    }
    names
}

/// For each round, a number for each function: equal ones are alike as far as that round sees.
fn colours(program: &Program<'_>, bodies: &[Option<Body>]) -> Vec<Vec<u64>> {
    let own = program
        .functions
        .iter()
        .zip(bodies)
        .map(|(function, body)| digest(&(&function.name, body.as_ref().map(|body| &body.bytes))));
    let mut rounds: Vec<Vec<u64>> = vec![own.collect()];
    for round in 0..ROUNDS {
        let before = &rounds[round];
        let next = bodies.iter().zip(before).map(|(body, own)| {
            let references = body.iter().flat_map(|body| &body.references);
            let seen: Vec<u64> = references
                .map(|reference| seen(program, before, reference))
                .collect();
            digest(&(own, seen))
        });
        let next = next.collect();
        rounds.push(next);
    }
    rounds
}

fn seen(program: &Program<'_>, colours: &[u64], reference: &Reference) -> u64 {
    match reference {
        Reference::Branch(target) => place(program, colours, *target),
        Reference::Address(target) | Reference::Access(target, _) => {
            match program.image.slots.get(target) {
                Some(Slot::Own(to)) => place(program, colours, *to),
                Some(Slot::Foreign { symbol, .. }) => digest(symbol),
                None => place(program, colours, *target),
            }
        }
        Reference::Table { targets, .. } => digest(targets),
    }
}

fn place(program: &Program<'_>, colours: &[u64], target: u64) -> u64 {
    if let Some(function) = program.function_at(target) {
        return digest(&(
            colours[function],
            target - program.functions[function].start,
        ));
    }
    if let Some((datum, distance)) = program.datum_of(target) {
        return digest(&(&datum.name, distance));
    }
    let end = target.saturating_add(GLIMPSE);
    // What the loader fills in, panic locations among it, says too little or too much.
    let filled_in = program.image.slots.range(target..end).next().is_some();
    digest(&program.bytes(target, end).filter(|_| !filled_in))
}

fn digest(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
