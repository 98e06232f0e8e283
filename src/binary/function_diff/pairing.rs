//! Which function of the base side is which of the head side.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::units::{Paired, Side};

use super::super::image::Slot;
use super::code::{Body, Reference};
use super::cuts::Cuts;
use super::program::Program;

/// How often a function's number is combined with the numbers of those that it refers to.
const ROUNDS: usize = 3;

/// How many bytes of a table of methods are looked at.
const TABLE: u64 = 64;

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
    /// leaves generic arguments out), by what they do, by the data that they refer to and by what those do that they
    /// call; then the same without data, whose surroundings change; then by what they do alone; and in the end what
    /// is left over in the order of addresses, where both sides have as many of it. What two matched functions call
    /// at the same place is matched before a choice has to be made. A wrong match is no danger: it is compared like
    /// any other, and found to differ.
    pub(super) fn of(
        programs: &Paired<Program<'_>>,
        bodies: &Paired<Vec<Option<Body>>>,
        cuts: &Paired<Cuts>,
    ) -> FunctionPairing {
        let mut matching = Matching {
            programs,
            bodies,
            cuts,
            own: Paired::from_fn(|side| own_colours(programs.get(side), bodies.get(side))),
            pairing: FunctionPairing {
                to_head: HashMap::new(),
                to_base: HashMap::new(),
            },
        };
        let [data, code] = [Glimpse::Data, Glimpse::CodeAlone].map(|glimpse| {
            let refined = |side| {
                let view = View {
                    program: programs.get(side),
                    cuts: cuts.get(side),
                    glimpse,
                };
                view.colours(bodies.get(side))
            };
            Paired::from_fn(refined)
        });
        let views = [data, code, matching.own.clone()];
        for ambiguity in [Ambiguity::Left, Ambiguity::ByOrder] {
            for view in &views {
                matching.match_groups(view, ambiguity);
            }
        }
        matching.match_what_is_left();
        matching.pairing
    }

    fn has(&self, side: Side, function: usize) -> bool {
        match side {
            Side::Base => self.to_head.contains_key(&function),
            Side::Head => self.to_base.contains_key(&function),
        }
    }
}

/// What is done where several functions could be the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ambiguity {
    /// Nothing yet.
    Left,
    /// The first that is left by address.
    ByOrder,
}

/// The matching while it is made.
struct Matching<'a> {
    programs: &'a Paired<Program<'a>>,
    bodies: &'a Paired<Vec<Option<Body>>>,
    cuts: &'a Paired<Cuts>,
    /// By name and instructions alone.
    own: Paired<Vec<u64>>,
    pairing: FunctionPairing,
}

impl Matching<'_> {
    /// Matches functions of one colour.
    fn match_groups(&mut self, colours: &Paired<Vec<u64>>, ambiguity: Ambiguity) {
        let groups = Paired::from_fn(|side| self.free_by(side, |at| colours.get(side)[at]));
        for (colour, base) in &groups.base {
            let head = groups.head.get(colour).map_or(&[][..], Vec::as_slice);
            if ambiguity == Ambiguity::ByOrder || (base.len() == 1 && head.len() == 1) {
                self.match_in_order(base, head);
            }
        }
    }

    fn match_what_is_left(&mut self) {
        let names = Paired::from_fn(|side| {
            let functions = &self.programs.get(side).functions;
            self.free_by(side, |at| functions[at].name.as_str())
        });
        for (name, base) in &names.base {
            let head = names.head.get(name).map_or(&[][..], Vec::as_slice);
            if base.len() == head.len() {
                self.match_in_order(base, head);
            }
        }
    }

    /// Those of one side that have no partner yet, by a key.
    fn free_by<K: Ord>(&self, side: Side, key: impl Fn(usize) -> K) -> BTreeMap<K, Vec<usize>> {
        let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        let all = 0..self.programs.get(side).functions.len();
        for function in all.filter(|function| !self.pairing.has(side, *function)) {
            groups.entry(key(function)).or_default().push(function);
        }
        groups
    }

    fn match_in_order(&mut self, base: &[usize], head: &[usize]) {
        let mut heads = head.iter();
        for base in base {
            if self.pairing.has(Side::Base, *base) {
                continue;
            }
            // What was called by others that were matched meanwhile has its partner.
            let free = heads.find(|head| !self.pairing.has(Side::Head, **head));
            let Some(head) = free else { return };
            self.add(*base, *head);
        }
    }

    /// Matches two functions, and what they refer to at the same place if it does the same.
    fn add(&mut self, base: usize, head: usize) {
        let mut fresh = vec![(base, head)];
        while let Some((base, head)) = fresh.pop() {
            if self.pairing.has(Side::Base, base) || self.pairing.has(Side::Head, head) {
                continue;
            }
            self.pairing.to_head.insert(base, head);
            self.pairing.to_base.insert(head, base);
            if self.own.base[base] == self.own.head[head] {
                fresh.extend(self.referred_to(base, head));
            }
        }
    }

    fn referred_to(&self, base: usize, head: usize) -> Vec<(usize, usize)> {
        let (Some(base), Some(head)) = (&self.bodies.base[base], &self.bodies.head[head]) else {
            return Vec::new();
        };
        let named = |side: Side, reference: &Reference| {
            functions_at(self.programs.get(side), self.cuts.get(side), reference)
        };
        let references = base.references.iter().zip(&head.references);
        let functions = references.flat_map(|(base, head)| {
            let head = named(Side::Head, head);
            let base = named(Side::Base, base).into_iter();
            base.filter_map(move |(offset, base)| Some((base, *head.get(&offset)?)))
        });
        functions
            .filter(|(base, head)| self.own.base[*base] == self.own.head[*head])
            .collect()
    }
}

/// The functions that begin where something refers to, or where the pointers there lead: of a table of methods by their
/// distance from its start.
fn functions_at(program: &Program<'_>, cuts: &Cuts, reference: &Reference) -> BTreeMap<u64, usize> {
    let (Reference::Branch(target) | Reference::Address(target) | Reference::Access(target, _)) =
        reference
    else {
        return BTreeMap::new();
    };
    let itself = [(0, *target)].into_iter();
    let all = itself.chain(pointers_at(program, cuts, *target));
    let begins = |(offset, at): (u64, u64)| {
        let function = program.function_at(at)?;
        (program.functions[function].start == at).then_some((offset, function))
    };
    all.filter_map(begins).collect()
}

/// The pointers in the first bytes of data at an address, with their distances from it.
fn pointers_at(
    program: &Program<'_>,
    cuts: &Cuts,
    target: u64,
) -> impl Iterator<Item = (u64, u64)> {
    let end = target.saturating_add(TABLE);
    let end = cuts.next(target).map_or(end, |next| next.min(end));
    let slots = program.image.slots.range(target..end.max(target));
    slots.filter_map(move |(at, slot)| match slot {
        Slot::Own(to) => Some((at - target, *to)),
        Slot::Foreign { .. } => None,
    })
}

/// How much of what a function refers to is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glimpse {
    /// The first bytes of data as well.
    Data,
    /// Only functions, also those in tables of pointers, and named variables.
    CodeAlone,
}

/// A number for each function: equal ones have one name and the same instructions.
fn own_colours(program: &Program<'_>, bodies: &[Option<Body>]) -> Vec<u64> {
    let functions = program.functions.iter().zip(bodies);
    functions
        .map(|(function, body)| digest(&(&function.name, body.as_ref().map(|body| &body.bytes))))
        .collect()
}

/// One side, as far as it is looked at.
struct View<'a> {
    program: &'a Program<'a>,
    cuts: &'a Cuts,
    glimpse: Glimpse,
}

impl View<'_> {
    /// The functions' own numbers, joined with the numbers of what they refer to, [`ROUNDS`] times: colour refinement, as
    /// tests for isomorphic graphs do it (Weisfeiler and Leman, 1968).
    fn colours(&self, bodies: &[Option<Body>]) -> Vec<u64> {
        let mut colours = own_colours(self.program, bodies);
        for _ in 0..ROUNDS {
            let next = bodies.iter().zip(&colours).map(|(body, own)| {
                let references = body.iter().flat_map(|body| &body.references);
                let seen: Vec<u64> = references
                    .map(|reference| self.seen(&colours, reference))
                    .collect();
                digest(&(own, seen))
            });
            colours = next.collect();
        }
        colours
    }

    fn seen(&self, colours: &[u64], reference: &Reference) -> u64 {
        match reference {
            Reference::Branch(target) => self.place(colours, *target),
            Reference::Address(target) | Reference::Access(target, _) => {
                match self.program.image.slots.get(target) {
                    Some(Slot::Foreign { symbol, .. }) => digest(symbol),
                    _ => self.data(colours, *target),
                }
            }
            Reference::Table { targets, .. } => digest(targets),
        }
    }

    /// Data by the functions that it points to, else by what it is.
    fn data(&self, colours: &[u64], target: u64) -> u64 {
        let pointers = pointers_at(self.program, self.cuts, target);
        let places: Vec<(u64, u64)> = pointers
            .map(|(offset, to)| (offset, self.place(colours, to)))
            .collect();
        match places.is_empty() {
            true => self.place(colours, target),
            false => digest(&places),
        }
    }

    fn place(&self, colours: &[u64], target: u64) -> u64 {
        let program = self.program;
        if let Some(function) = program.function_at(target) {
            let offset = target - program.functions[function].start;
            return digest(&(colours[function], offset));
        }
        if let Some((datum, distance)) = program.datum_of(target) {
            return digest(&(&datum.name, distance));
        }
        if self.glimpse == Glimpse::CodeAlone {
            return 0;
        }
        let end = target.saturating_add(GLIMPSE);
        // What the loader fills in, panic locations among it, says too little or too much.
        let filled_in = program.image.slots.range(target..end).next().is_some();
        digest(&program.bytes(target, end).filter(|_| !filled_in))
    }
}

fn digest(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
