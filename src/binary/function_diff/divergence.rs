//! Where the executions of two functions that are not the same can part.
//!
//! The instructions of both are aligned. As long as both sides stand at instructions that are aligned with each
//! other, and with the same state, they do the same. They part at the first instruction after which they do not: there
//! at least one of them stands at an instruction that is aligned with none. So watching the places where control
//! enters such instructions, on both sides, misses nothing. An aligned pair that refers to different things, or that
//! branches to instructions that are both aligned, but not with each other, is taken apart.

use std::collections::HashSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::units::{Paired, Side};

use super::code::{Body, Reference};
use super::operations::{Operation, Operations};
use super::program::{Function, Program};

/// More instructions that may differ are not aligned: that would take longer than it is worth.
const LONGEST: usize = 8_000;

/// The instructions of two functions, aligned.
#[derive(Debug)]
pub(super) struct Alignment<'a> {
    bodies: Paired<&'a Body>,
    starts: Paired<u64>,
    operations: Paired<Operations>,
    /// For each instruction of a side, the one of the other side that does the same.
    partners: Paired<Vec<Option<usize>>>,
}

impl<'a> Alignment<'a> {
    /// `None` where that cannot be told: control may go to places that nobody sees, or the functions are too long.
    pub(super) fn of(
        programs: Paired<&Program<'_>>,
        functions: Paired<&Function>,
        bodies: Paired<&'a Body>,
    ) -> Option<Alignment<'a>> {
        let decode = |side: Side| {
            Operations::decode(programs.get(side), functions.get(side), bodies.get(side))
        };
        let operations = Paired::new(decode(Side::Base)?, decode(Side::Head)?);
        Alignment::between(functions.map(|function| function.start), bodies, operations)
    }

    fn between(
        starts: Paired<u64>,
        bodies: Paired<&'a Body>,
        operations: Paired<Operations>,
    ) -> Option<Alignment<'a>> {
        let tokens = operations.as_ref().map(|operations| {
            operations
                .all
                .iter()
                .map(|operation| operation.token)
                .collect::<Vec<_>>()
        });
        let partners = align(&tokens.base, &tokens.head)?;
        Some(Alignment {
            bodies,
            starts,
            operations,
            partners,
        })
    }

    /// What the aligned instructions refer to.
    pub(super) fn references(&self) -> impl Iterator<Item = (&'a Reference, &'a Reference)> {
        let pairs = self.pairs().filter_map(|(base, head)| {
            let references = (self.base(base).reference?, self.head(head).reference?);
            Some(references)
        });
        let Paired { base, head } = self.bodies;
        pairs
            .map(|(at_base, at_head)| (&base.references[at_base], &head.references[at_head]))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The addresses at which control enters code that the other side does not have. `same` says whether two
    /// references mean the same.
    pub(super) fn entries(
        mut self,
        same: impl Fn((&Reference, &Reference)) -> bool,
    ) -> Paired<Vec<u64>> {
        let pairs: Vec<_> = self.pairs().collect();
        let apart = pairs
            .into_iter()
            .filter(|(base, head)| !self.holds(*base, *head, &same));
        for (base, head) in apart.collect::<Vec<_>>() {
            self.partners.base[base] = None;
            self.partners.head[head] = None;
        }
        Paired::from_fn(|side| self.entries_of(side))
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let partners = self.partners.base.iter().enumerate();
        partners.filter_map(|(base, head)| Some((base, (*head)?)))
    }

    fn base(&self, at: usize) -> &Operation {
        &self.operations.base.all[at]
    }

    fn head(&self, at: usize) -> &Operation {
        &self.operations.head.all[at]
    }

    /// Whether an aligned pair does the same and is followed by the same, or by what is aligned with nothing.
    fn holds(
        &self,
        base: usize,
        head: usize,
        same: &impl Fn((&Reference, &Reference)) -> bool,
    ) -> bool {
        let (base, head) = (self.base(base), self.head(head));
        let leads_on = match (base.branch, head.branch) {
            (Some(base), Some(head)) => self.meet(base, head),
            (None, None) => true,
            _ => false,
        };
        let refers = match (base.reference, head.reference) {
            (Some(base), Some(head)) => {
                let references = (
                    &self.bodies.base.references[base],
                    &self.bodies.head.references[head],
                );
                match references {
                    (
                        Reference::Table { targets: base, .. },
                        Reference::Table { targets: head, .. },
                    ) => self.same_table(base, head),
                    _ => same(references),
                }
            }
            (None, None) => true,
            _ => false,
        };
        leads_on && refers
    }

    /// Whether control that goes there on both sides stays together, or is seen to part.
    fn meet(&self, base: usize, head: usize) -> bool {
        match (self.partners.base[base], self.partners.head[head]) {
            (Some(partner), Some(_)) => partner == head,
            _ => true,
        }
    }

    fn same_table(&self, base: &[u32], head: &[u32]) -> bool {
        let mut entries = base.iter().zip(head);
        base.len() == head.len()
            && entries.all(|(base, head)| {
                let base = self.operations.base.at((*base).into());
                let head = self.operations.head.at((*head).into());
                matches!((base, head), (Some(base), Some(head)) if self.meet(base, head))
            })
    }

    fn entries_of(&self, side: Side) -> Vec<u64> {
        let (operations, partners) = (self.operations.get(side), self.partners.get(side));
        let targets: HashSet<usize> = operations.targets(self.bodies.get(side));
        let is_entry = |at: usize| {
            let before = at.checked_sub(1).map(|before| &operations.all[before]);
            partners[at].is_none()
                && (targets.contains(&at)
                    || before.is_none_or(|before| {
                        partners[at - 1].is_some() || !before.falls_through || before.calls
                    }))
        };
        let begins = (0..operations.all.len()).filter(|at| is_entry(*at));
        let addresses = begins.map(|at| *self.starts.get(side) + operations.all[at].offset);
        // Nobody gets past the first instruction.
        match partners.first() {
            Some(None) => addresses.take(1).collect(),
            _ => addresses.collect(),
        }
    }
}

/// For each token its place on the other side.
fn align(base: &[u64], head: &[u64]) -> Option<Paired<Vec<Option<usize>>>> {
    let mut pairs = base.iter().zip(head);
    let before = pairs.by_ref().take_while(|(b, h)| b == h).count();
    let rest = (&base[before..], &head[before..]);
    let after = rest.0.iter().rev().zip(rest.1.iter().rev());
    let after = after.take_while(|(b, h)| b == h).count();
    let middle = (
        &rest.0[..rest.0.len() - after],
        &rest.1[..rest.1.len() - after],
    );
    if middle.0.len() + middle.1.len() > LONGEST {
        return None;
    }
    let mut partners = Paired::new(vec![None; base.len()], vec![None; head.len()]);
    let mut join = |at_base: usize, at_head: usize, length: usize| {
        for operation in 0..length {
            partners.base[at_base + operation] = Some(at_head + operation);
            partners.head[at_head + operation] = Some(at_base + operation);
        }
    };
    join(0, 0, before);
    join(base.len() - after, head.len() - after, after);
    for operation in capture_diff_slices(Algorithm::Myers, middle.0, middle.1) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = operation
        {
            join(before + old_index, before + new_index, len);
        }
    }
    Some(partners)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an instruction of a made-up function does.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Made {
        Does(u64),
        /// Goes on, or to the place in so many hundredths of the function.
        Perhaps(usize),
        Jumps(usize),
        Returns,
        /// Refers to something outside.
        Refers(u64),
        /// Goes to one of these places.
        Table(Vec<usize>),
    }

    fn made() -> impl Strategy<Value = Made> {
        prop_oneof![
            4 => (0..4_u64).prop_map(Made::Does),
            2 => (0..100_usize).prop_map(Made::Perhaps),
            1 => (0..100_usize).prop_map(Made::Jumps),
            1 => Just(Made::Returns),
            1 => (0..3_u64).prop_map(Made::Refers),
            1 => prop::collection::vec(0..100_usize, 2..4).prop_map(Made::Table),
        ]
    }

    /// A function, and another one that was made of it by a few edits.
    fn edited() -> impl Strategy<Value = (Vec<Made>, Vec<Made>)> {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, made()), 0..4);
        (prop::collection::vec(made(), 1..40), edits).prop_map(|(base, edits)| {
            let mut head = base.clone();
            for (at, kind, made) in edits {
                let at = at.index(head.len());
                match kind {
                    0 => head.insert(at, made),
                    1 => head[at] = made,
                    _ if head.len() > 1 => drop(head.remove(at)),
                    _ => {}
                }
            }
            (base, head)
        })
    }

    fn place(hundredths: usize, length: usize) -> usize {
        hundredths * length / 100
    }

    fn assembled(function: &[Made]) -> (Body, Operations) {
        let (mut references, mut all) = (Vec::new(), Vec::new());
        let length = function.len();
        for (at, made) in function.iter().enumerate() {
            let (token, reference, branch) = match made {
                Made::Does(what) => (*what, None, None),
                Made::Perhaps(to) => (10, None, Some(place(*to, length))),
                Made::Jumps(to) => (11, None, Some(place(*to, length))),
                Made::Returns => (12, None, None),
                Made::Refers(to) => (13, Some(Reference::Branch(*to)), None),
                Made::Table(to) => {
                    let to = to.iter().map(|to| place(*to, length) as u32);
                    let targets = to.collect();
                    (14, Some(Reference::Table { at: 0, targets }), None)
                }
            };
            all.push(Operation {
                offset: at as u64,
                token,
                reference: reference.is_some().then_some(references.len()),
                branch,
                falls_through: !matches!(made, Made::Jumps(_) | Made::Returns | Made::Table(_)),
                calls: false,
            });
            references.extend(reference);
        }
        let body = Body {
            bytes: Vec::new(),
            references,
            distance_tables: Default::default(),
        };
        (body, Operations::made(all))
    }

    /// Where a function is as long as its conditions come out like this, and what it has done there.
    fn executed(function: &[Made], conditions: &[u8]) -> Vec<(usize, String)> {
        let (mut at, mut conditions) = (0, conditions.iter());
        let mut trace = Vec::new();
        while let Some(made) = function.get(at).filter(|_| trace.len() < 200) {
            let does = match made {
                Made::Jumps(_) => String::new(),
                Made::Perhaps(_) => "perhaps".to_owned(),
                Made::Table(_) => "table".to_owned(),
                other => format!("{other:?}"),
            };
            trace.push((at, does));
            let mut condition = || conditions.next().map(|condition| usize::from(*condition));
            let length = function.len();
            let next = match made {
                Made::Perhaps(to) => condition().map(|condition| match condition % 2 {
                    0 => at + 1,
                    _ => place(*to, length),
                }),
                Made::Jumps(to) => Some(place(*to, length)),
                Made::Returns => None,
                Made::Table(to) => {
                    condition().map(|condition| place(to[condition % to.len()], length))
                }
                Made::Does(_) | Made::Refers(_) => Some(at + 1),
            };
            let Some(next) = next else {
                break;
            };
            at = next;
        }
        trace
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Whatever the conditions, what both sides do is the same until one of them enters what is watched.
        #[test]
        fn executions_that_part_are_seen_to((base, head) in edited(), conditions in prop::collection::vec(any::<u8>(), 0..30)) {
            let (base_body, base_steps) = assembled(&base);
            let (head_body, head_steps) = assembled(&head);
            let alignment = Alignment::between(
                Paired::new(0, 0),
                Paired::new(&base_body, &head_body),
                Paired::new(base_steps, head_steps),
            );
            let entries = alignment.unwrap().entries(|(base, head)| base == head);
            let trace = |function: &[Made], entries: &[u64]| {
                let trace = executed(function, &conditions);
                let seen = trace.iter().any(|(at, _)| entries.contains(&(*at as u64)));
                let does: Vec<String> = trace.into_iter().map(|(_, what)| what).filter(|what| !what.is_empty()).collect();
                (does, seen)
            };
            let (base_does, base_seen) = trace(&base, &entries.base);
            let (head_does, head_seen) = trace(&head, &entries.head);
            prop_assert!(base_seen || head_seen || base_does == head_does, "{base_does:?} {head_does:?} {entries:?}");
        }
    }
}
