//! One function's instructions: its bytes without addresses, and what those addresses refer to.

use std::collections::HashSet;

use iced_x86::{
    Code, ConstantOffsets, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind,
    Register,
};

use super::super::image::Content;
use super::distance_tables::DistanceTables;
use super::program::{Function, Program};

/// What an instruction refers to, outside its own function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// Where it branches to or what it calls.
    Branch(u64),
    /// An address that it takes: how much is read from there is unknown.
    Address(u64),
    /// An access to this many bytes at the address, in one instruction.
    Access(u64, usize),
    /// A table of distances to places in the function itself, as offsets from its start.
    Table { at: u64, targets: Vec<u32> },
}

/// A function, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    /// Its bytes, with zeros in place of distances to other things.
    pub(super) bytes: Vec<u8>,
    /// In the order of the instructions.
    pub(super) references: Vec<Reference>,
    /// Tables of distances to data: to places that are nowhere else named.
    pub(super) distance_tables: DistanceTables,
}

/// The fewest entries of a jump table; compilers make none for fewer cases.
const FEWEST_ENTRIES: usize = 2;

impl Body {
    /// `None` where some bytes are not an instruction that compilers emit: data between code, or an
    /// address of another width.
    pub(super) fn decode(program: &Program<'_>, function: &Function) -> Option<Body> {
        let code = program.bytes(function.start, function.end)?;
        let mut bytes = code.to_vec();
        let mut references = Vec::new();
        let mut reads_distances = false;
        let mut jumps_through_register = false;
        let mut starts = HashSet::new();
        let mut decoder = Decoder::with_ip(64, code, function.start, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            let at = decoder.position();
            decoder.decode_out(&mut instruction);
            if instruction.code() == Code::INVALID {
                return None;
            }
            starts.insert(at as u64);
            jumps_through_register |= instruction.flow_control() == FlowControl::IndirectBranch
                && instruction.op0_kind() == OpKind::Register;
            reads_distances |= DistanceTables::is_read(&instruction);
            if instruction.memory_base() == Register::EIP {
                return None;
            }
            if let Some(reference) = reference(&instruction, function) {
                let places = decoder.get_constant_offsets(&instruction);
                blank(&mut bytes, at, &reference, places)?;
                references.push(reference);
            }
        }
        if jumps_through_register {
            let tables = JumpTables {
                program,
                function,
                starts: &starts,
            };
            tables.recognise(&mut references);
        }
        // Few functions read any.
        let distance_tables = match reads_distances {
            true => distance_tables(code, function, &references),
            false => DistanceTables::default(),
        };
        Some(Body {
            bytes,
            references,
            distance_tables,
        })
    }
}

/// What the code of `function` says of tables of distances; jump tables are known already.
fn distance_tables(code: &[u8], function: &Function, known: &[Reference]) -> DistanceTables {
    let decode = || Decoder::with_ip(64, code, function.start, DecoderOptions::NONE).into_iter();
    let branches = decode().filter(|instruction| instruction.op0_kind() == OpKind::NearBranch64);
    let mut labels: HashSet<u64> = branches
        .map(|instruction| instruction.near_branch64())
        .collect();
    for reference in known {
        if let Reference::Table { targets, .. } = reference {
            labels.extend(targets.iter().map(|at| function.start + u64::from(*at)));
        }
    }
    let mut tables = DistanceTables::of(decode(), &labels);
    for reference in known {
        if let Reference::Table { at, .. } = reference {
            tables.certain.remove(at);
        }
    }
    tables
}

/// What an instruction refers to, if that lies outside its function.
pub(super) fn reference(instruction: &Instruction, function: &Function) -> Option<Reference> {
    let outside = |target: &u64| !(function.start..function.end).contains(target);
    if instruction.op0_kind() == OpKind::NearBranch64 {
        let target = Some(instruction.near_branch64()).filter(outside)?;
        return Some(Reference::Branch(target));
    }
    if !instruction.is_ip_rel_memory_operand() {
        return None;
    }
    let target = Some(instruction.ip_rel_memory_address()).filter(outside)?;
    // These may read a bit at any distance from the address.
    let bits = [Mnemonic::Bt, Mnemonic::Bts, Mnemonic::Btr, Mnemonic::Btc];
    match instruction.memory_size().size() {
        0 => Some(Reference::Address(target)),
        _ if bits.contains(&instruction.mnemonic()) => Some(Reference::Address(target)),
        size => Some(Reference::Access(target, size)),
    }
}

/// Takes the distance out of the instruction at `at`.
fn blank(bytes: &mut [u8], at: usize, what: &Reference, places: ConstantOffsets) -> Option<()> {
    let (offset, size) = match what {
        Reference::Branch(_) => (places.immediate_offset(), places.immediate_size()),
        _ => (places.displacement_offset(), places.displacement_size()),
    };
    // Only hand-written code has a short distance to another function.
    (size == 4).then_some(())?;
    bytes.get_mut(at + offset..at + offset + size)?.fill(0);
    Some(())
}

/// Finds jump tables among the addresses that a function takes.
struct JumpTables<'a> {
    program: &'a Program<'a>,
    function: &'a Function,
    /// Offsets at which instructions begin.
    starts: &'a HashSet<u64>,
}

impl JumpTables<'_> {
    fn recognise(&self, references: &mut [Reference]) {
        for reference in references {
            let Reference::Address(at) = *reference else {
                continue;
            };
            let targets = self.targets(at);
            if targets.len() >= FEWEST_ENTRIES {
                *reference = Reference::Table { at, targets };
            }
        }
    }

    /// The entries from `at` on, as long as they lead to instructions of the function.
    fn targets(&self, at: u64) -> Vec<u32> {
        let section = self.program.section_of(at);
        let Some(section) = section.filter(|section| section.content == Content::Constant) else {
            return Vec::new();
        };
        let bytes = self.program.bytes(at, section.end()).unwrap_or_default();
        let entries = bytes.chunks_exact(4).map(|entry| {
            let distance = i32::from_le_bytes(entry.try_into().unwrap_or_default());
            let target = at.wrapping_add_signed(distance.into());
            let offset = target.checked_sub(self.function.start)?;
            let inside = target < self.function.end && self.starts.contains(&offset);
            inside.then(|| u32::try_from(offset).ok())?
        });
        entries.map_while(|entry| entry).collect()
    }
}
