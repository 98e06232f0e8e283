//! One function's instructions, one by one, without those that do nothing. They are compared where
//! two functions are not the same.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::code::{Body, Reference, reference};
use super::program::{Function, Program};

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// Where it begins, from the start of the function.
    pub(super) offset: u64,
    /// What it does: equal for equal instructions, wherever they branch to within the function and whatever
    /// they refer to outside of it.
    pub(super) token: u64,
    /// What it refers to outside of the function: the place in [`Body::references`].
    pub(super) reference: Option<usize>,
    /// Where it branches to within the function: the place in [`Operations::all`].
    pub(super) branch: Option<usize>,
    /// Whether the next one may follow it.
    pub(super) falls_through: bool,
    /// Whether it calls, so that it may also be left by unwinding.
    pub(super) calls: bool,
}

/// The instructions of a function, without those that do nothing.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) all: Vec<Operation>,
    /// The offsets at which instructions begin, those that do nothing included.
    starts: HashSet<u64>,
}

impl Operations {
    /// `None` where control may go to an unknown place in the function: it takes an address of its own code, or
    /// data contains one, or it jumps through a register without a known table.
    pub(super) fn decode(
        program: &Program<'_>,
        function: &Function,
        body: &Body,
    ) -> Option<Operations> {
        if program.is_pointed_into(function) {
            return None;
        }
        let code = program.bytes(function.start, function.end)?;
        let mut operations = Operations {
            all: Vec::new(),
            starts: HashSet::new(),
        };
        let (mut references, mut jumps) = (0, 0);
        let mut targets = Vec::new();
        let mut decoder = Decoder::with_ip(64, code, function.start, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            let at = decoder.position();
            decoder.decode_out(&mut instruction);
            let offset = at as u64;
            operations.starts.insert(offset);
            let flow = instruction.flow_control();
            jumps += usize::from(
                flow == FlowControl::IndirectBranch && instruction.op0_kind() == OpKind::Register,
            );
            if instruction.mnemonic() == Mnemonic::Nop {
                continue;
            }
            let outside = reference(&instruction, function);
            let inside = within(&instruction, function, outside.is_some())?;
            let what = body.bytes.get(at..at + instruction.len())?;
            let kind = outside.as_ref().map(kind);
            let token = match inside {
                Some(_) => digest(&instruction.mnemonic()),
                None => digest(&(what, kind)),
            };
            let is_reference = outside.is_some();
            operations.all.push(Operation {
                offset,
                token,
                reference: is_reference.then_some(references),
                branch: None,
                falls_through: !matches!(
                    flow,
                    FlowControl::UnconditionalBranch
                        | FlowControl::IndirectBranch
                        | FlowControl::Return
                        | FlowControl::Exception
                ),
                calls: matches!(flow, FlowControl::Call | FlowControl::IndirectCall),
            });
            references += usize::from(is_reference);
            targets.extend(inside.map(|target| (operations.all.len() - 1, target)));
        }
        for (operation, target) in targets {
            let target = operations.at(target)?;
            operations.all[operation].branch = Some(target);
        }
        let mut tables = 0;
        for reference in &body.references {
            if let Reference::Table { targets, .. } = reference {
                tables += 1;
                for target in targets {
                    operations.at((*target).into())?;
                }
            }
        }
        (jumps <= tables && references == body.references.len()).then_some(operations)
    }

    /// Made up.
    #[cfg(test)]
    pub(super) fn made(all: Vec<Operation>) -> Operations {
        let starts = all.iter().map(|operation| operation.offset);
        Operations {
            starts: starts.collect(),
            all,
        }
    }

    /// The instruction that is executed where control goes to `offset`. `None` in the middle of an instruction, and
    /// after the last one.
    pub(super) fn at(&self, offset: u64) -> Option<usize> {
        if !self.starts.contains(&offset) {
            return None;
        }
        let place = self
            .all
            .partition_point(|operation| operation.offset < offset);
        (place < self.all.len()).then_some(place)
    }

    /// Where branches and tables lead to.
    pub(super) fn targets(&self, body: &Body) -> HashSet<usize> {
        let tables = body
            .references
            .iter()
            .filter_map(|reference| match reference {
                Reference::Table { targets, .. } => Some(targets),
                _ => None,
            });
        let by_table = tables
            .flatten()
            .filter_map(|target| self.at((*target).into()));
        let by_branch = self.all.iter().filter_map(|operation| operation.branch);
        by_branch.chain(by_table).collect()
    }
}

/// Where an instruction branches to within its function. `None` where it takes an address of the
/// function's own code.
fn within(instruction: &Instruction, function: &Function, outside: bool) -> Option<Option<u64>> {
    if outside {
        return Some(None);
    }
    if instruction.op0_kind() == OpKind::NearBranch64 {
        return Some(instruction.near_branch64().checked_sub(function.start));
    }
    (!instruction.is_ip_rel_memory_operand()).then_some(None)
}

/// The kind of a reference, and how many bytes it covers.
fn kind(reference: &Reference) -> (u8, usize) {
    match reference {
        Reference::Branch(_) => (0, 0),
        Reference::Address(_) | Reference::Table { .. } => (1, 0),
        Reference::Access(_, size) => (2, *size),
    }
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
