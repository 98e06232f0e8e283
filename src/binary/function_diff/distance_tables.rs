//! Tables of distances to data, as compilers make them for a `match` that gives texts.
//!
//! A pointer in a table would need a relocation. So compilers for position-independent code write the distance from
//! the table to the text instead, four bytes, and add the table's address when they have read it (LLVM's relative
//! lookup tables):
//!
//! ```text
//! lea    rcx, [rip + table]
//! movsxd rax, dword ptr [rcx + 4*rax]
//! add    rax, rcx
//! ```
//!
//! The distances change with whatever lies between, although the texts stay the same.

use std::collections::{BTreeSet, HashMap, HashSet};

use iced_x86::{
    Code, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};

/// Registers that a function may leave changed (System V ABI, x86-64).
const CALLERS: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// What a function's instructions say of such tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DistanceTables {
    /// Where tables are for certain.
    pub(super) certain: BTreeSet<u64>,
    /// Some distance may be read from elsewhere.
    pub(super) may_be_others: bool,
}

impl DistanceTables {
    /// Of a function's instructions, in the order of addresses; control comes to `labels` from elsewhere.
    pub(super) fn of(
        instructions: impl Iterator<Item = Instruction>,
        labels: &HashSet<u64>,
    ) -> DistanceTables {
        let mut search = TableSearch::new();
        for instruction in instructions {
            if labels.contains(&instruction.ip()) {
                search.forget_all();
            }
            search.see(&instruction);
        }
        DistanceTables {
            may_be_others: !search.unknown.is_empty(),
            certain: search.found,
        }
    }

    /// Whether an instruction may read an entry of a table as a signed distance. One at a fixed place of the stack is no
    /// entry; the frame's register may hold any address where functions do without frames.
    pub(super) fn is_read(instruction: &Instruction) -> bool {
        let base = instruction.memory_base();
        let is_fixed = instruction.memory_index() == Register::None;
        instruction.code() == Code::Movsxd_r64_rm32
            && instruction.op1_kind() == OpKind::Memory
            && !matches!(base, Register::RSP | Register::RIP)
            && !(is_fixed && base == Register::RBP)
    }
}

struct TableSearch {
    info: InstructionInfoFactory,
    /// Registers that hold an address that the function has taken.
    held: HashMap<Register, u64>,
    /// Distances that were read and not yet added: in which register, to which, and of which table.
    read: Vec<DistanceRead>,
    found: BTreeSet<u64>,
    /// Instructions that read a distance of which more is not known.
    unknown: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy)]
struct DistanceRead {
    by: u64,
    distance: Register,
    base: Register,
    table: u64,
}

impl TableSearch {
    fn new() -> TableSearch {
        TableSearch {
            info: InstructionInfoFactory::new(),
            held: HashMap::new(),
            read: Vec::new(),
            found: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }

    /// Takes in the next instruction.
    fn see(&mut self, instruction: &Instruction) {
        if let Some(sum) = sum(instruction) {
            let is_of = |read: &&DistanceRead| {
                sum == [read.distance, read.base] || sum == [read.base, read.distance]
            };
            for read in self.read.iter().filter(is_of) {
                self.found.insert(read.table);
                self.unknown.remove(&read.by);
            }
        }
        let read = self.distance_read(instruction);
        if DistanceTables::is_read(instruction) {
            self.unknown.insert(instruction.ip());
        }
        self.forget_what_is_overwritten(instruction);
        // In its own register the table's address is gone.
        self.read
            .extend(read.filter(|read| read.distance != read.base));
        if instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand() {
            let address = instruction.ip_rel_memory_address();
            self.held.insert(instruction.op0_register(), address);
        }
    }

    fn distance_read(&self, instruction: &Instruction) -> Option<DistanceRead> {
        let base = instruction.memory_base();
        let is_entry = DistanceTables::is_read(instruction)
            && instruction.memory_index_scale() == 4
            && instruction.memory_index() != Register::None
            && instruction.memory_displacement64() == 0;
        is_entry.then_some(DistanceRead {
            by: instruction.ip(),
            distance: instruction.op0_register(),
            base,
            table: *self.held.get(&base)?,
        })
    }

    fn forget_what_is_overwritten(&mut self, instruction: &Instruction) {
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::ConditionalBranch => {}
            FlowControl::Call | FlowControl::IndirectCall => {
                CALLERS.into_iter().for_each(|one| self.forget(one));
            }
            // What comes next is reached from elsewhere.
            _ => self.forget_all(),
        }
        let used = self.info.info(instruction).used_registers().iter();
        let written =
            used.filter(|used| !matches!(used.access(), OpAccess::Read | OpAccess::CondRead));
        let written: Vec<Register> = written.map(|one| one.register().full_register()).collect();
        written.into_iter().for_each(|one| self.forget(one));
    }

    fn forget(&mut self, register: Register) {
        self.held.remove(&register);
        self.read
            .retain(|read| read.distance != register && read.base != register);
    }

    fn forget_all(&mut self) {
        self.held.clear();
        self.read.clear();
    }
}

/// The two registers whose sum an instruction makes.
fn sum(instruction: &Instruction) -> Option<[Register; 2]> {
    let registers = match instruction.code() {
        Code::Add_r64_rm64 | Code::Add_rm64_r64 if instruction.op1_kind() == OpKind::Register => {
            (instruction.op0_kind() == OpKind::Register)
                .then(|| [instruction.op0_register(), instruction.op1_register()])?
        }
        Code::Lea_r64_m
            if instruction.memory_index_scale() == 1
                && instruction.memory_displacement64() == 0 =>
        {
            [instruction.memory_base(), instruction.memory_index()]
        }
        _ => return None,
    };
    Some(registers)
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    /// What is found in code that lies at 0x1000.
    fn found(code: &[u8]) -> (Vec<u64>, bool) {
        found_with(code, &[])
    }

    fn found_with(code: &[u8], labels: &[u64]) -> (Vec<u64>, bool) {
        let instructions = Decoder::with_ip(64, code, 0x1000, DecoderOptions::NONE);
        let labels = labels.iter().copied().collect();
        let tables = DistanceTables::of(instructions.into_iter(), &labels);
        (tables.certain.into_iter().collect(), tables.may_be_others)
    }

    /// `lea rcx, [rip + 0x100]`, of 7 bytes.
    const LEA: [u8; 7] = [0x48, 0x8d, 0x0d, 0x00, 0x01, 0, 0];
    const TABLE: u64 = 0x1107;
    /// `movsxd rax, dword ptr [rcx + 4*rax]`
    const MOVSXD: [u8; 4] = [0x48, 0x63, 0x04, 0x81];
    /// `add rax, rcx`
    const ADD: [u8; 3] = [0x48, 0x01, 0xc8];
    const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];
    const RET: [u8; 1] = [0xc3];
    /// `mov rcx, rdx`
    const OVERWRITE: [u8; 3] = [0x48, 0x89, 0xd1];

    #[test]
    fn a_table_is_what_a_distance_is_read_from_and_added_to() {
        let certain = (vec![TABLE], false);
        assert_eq!(found(&[&LEA[..], &MOVSXD, &ADD].concat()), certain);
        // Something in between that touches neither: `mov rdi, rdx`.
        let apart = [&LEA[..], &MOVSXD, &[0x48, 0x89, 0xd7], &ADD].concat();
        assert_eq!(found(&apart), certain);
        // `lea rax, [rax + rcx]`
        let lea = [&LEA[..], &MOVSXD, &[0x48, 0x8d, 0x04, 0x08]].concat();
        assert_eq!(found(&lea), certain);
        // The frame's register is one like any other: `lea rbp, [rip + 0x100]`, `movsxd rax, dword ptr [rbp + 4*rax]`,
        // `add rax, rbp`.
        let frame = [
            &[0x48, 0x8d, 0x2d, 0x00, 0x01, 0, 0][..],
            &[0x48, 0x63, 0x44, 0x85, 0x00],
            &[0x48, 0x01, 0xe8],
        ];
        assert_eq!(found(&frame.concat()), certain);
        assert_eq!(found(frame[1]), (vec![], true));
        // Another one is read from who knows where.
        let two = [&LEA[..], &MOVSXD, &ADD, &MOVSXD].concat();
        assert_eq!(found(&two), (vec![TABLE], true));
    }

    #[test]
    fn numbers_that_are_not_added_to_their_own_address_are_no_distances() {
        let none = (vec![], true);
        assert_eq!(found(&[&LEA[..], &MOVSXD].concat()), none);
        // `add rax, rdx`
        let other = [&LEA[..], &MOVSXD, &[0x48, 0x01, 0xd0]].concat();
        assert_eq!(found(&other), none);
        // `movsxd rax, dword ptr [rcx + 8*rax]`
        let scaled = [&LEA[..], &[0x48, 0x63, 0x04, 0xc1], &ADD].concat();
        assert_eq!(found(&scaled), none);
        // Without any read there is nothing to know.
        assert_eq!(found(&[&LEA[..], &ADD].concat()), (vec![], false));
    }

    #[test]
    fn a_register_that_may_hold_something_else_by_then_is_not_believed() {
        let none = (vec![], true);
        for between in [&CALL[..], &RET, &OVERWRITE] {
            assert_eq!(found(&[&LEA[..], between, &MOVSXD, &ADD].concat()), none);
            assert_eq!(found(&[&LEA[..], &MOVSXD, between, &ADD].concat()), none);
        }
        // Control comes to the read, or to the sum, from elsewhere.
        let code = [&LEA[..], &MOVSXD, &ADD].concat();
        assert_eq!(found_with(&code, &[0x1007]), none);
        assert_eq!(found_with(&code, &[0x100b]), none);
        assert_eq!(found_with(&code, &[0x1000]), (vec![TABLE], false));
    }
}
