//! The first instructions of a function: can a jump replace them?
//!
//! Rust's allocator has four entry points. With the system's allocator (and with any, in older versions of Rust)
//! they are one jump each; otherwise they are whatever the compiler made of the program's own. To redirect a
//! function, the probe moves its first instructions elsewhere, as many as a jump needs, and corrects their
//! distances.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::layout::SHIM_CODE_BYTES;

/// Bytes of `jmp rel32`.
const JUMP_BYTES: usize = 5;

/// What the probe must know to redirect a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prologue {
    /// How many bytes are moved, in whole instructions.
    pub(super) length: usize,
    /// Where they contain a 32-bit distance from the next instruction.
    pub(super) distances: Vec<usize>,
    /// Where the last of them is, if that is a conditional branch with a distance of 8 bits: it is written with one of 32.
    pub(super) branch: Option<usize>,
    /// The function's first bytes.
    pub(super) code: [u8; SHIM_CODE_BYTES],
}

/// The prologue of the function whose code from `address` on, to its end and perhaps beyond, is
/// `code`; `size` is its length in the symbol table. `None` if it cannot be moved.
pub(super) fn of(code: &[u8], address: u64, size: usize) -> Option<Prologue> {
    let head: [u8; SHIM_CODE_BYTES] = *code.first_chunk()?;
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut length = 0;
    let mut distances = Vec::new();
    let mut branch = None;
    while length < JUMP_BYTES {
        let instruction = decoder.decode();
        if is_short_branch(&instruction) && length + instruction.len() >= JUMP_BYTES {
            branch = Some(length);
        } else {
            distances.extend(distance(&decoder, &instruction)?.map(|at| length + at));
        }
        length += instruction.len();
        if matches!(instruction.mnemonic(), Mnemonic::Jmp | Mnemonic::Ret) && length < JUMP_BYTES {
            let padding = code.get(length..JUMP_BYTES)?;
            if length < size || !padding.iter().all(|byte| [0xcc, 0x90].contains(byte)) {
                return None;
            }
            length = JUMP_BYTES;
        }
    }
    let gap = address + 1..address + length as u64;
    let function = code.get(..size)?;
    let fits = length <= SHIM_CODE_BYTES && !leads_into(function, address, &gap);
    fits.then_some(Prologue {
        length,
        distances,
        branch,
        code: head,
    })
}

/// Whether it is a conditional branch of two bytes.
fn is_short_branch(instruction: &Instruction) -> bool {
    instruction.is_jcc_short() && instruction.len() == 2
}

/// Where in an instruction its 32-bit distance is, if it has one; the outer `None` if it cannot be
/// moved at all.
fn distance(decoder: &Decoder<'_>, instruction: &Instruction) -> Option<Option<usize>> {
    let place = decoder.get_constant_offsets(instruction);
    let (at, size) = if instruction.op0_kind() == OpKind::NearBranch64 {
        (place.immediate_offset(), place.immediate_size())
    } else if instruction.memory_base() == Register::RIP {
        (place.displacement_offset(), place.displacement_size())
    } else {
        (0, 0)
    };
    // A moved call would leave a return address that no unwinder knows.
    let fixed = matches!(instruction.mnemonic(), Mnemonic::Call | Mnemonic::Jrcxz)
        || instruction.code() == Code::INVALID;
    match size {
        _ if fixed => None,
        0 => Some(None),
        4 => Some(Some(at)),
        _ => None,
    }
}

/// Whether a branch of the function leads between the first instructions.
fn leads_into(function: &[u8], address: u64, gap: &std::ops::Range<u64>) -> bool {
    Decoder::with_ip(64, function, address, DecoderOptions::NONE)
        .iter()
        .any(|instruction| {
            instruction.op0_kind() == OpKind::NearBranch64
                && gap.contains(&instruction.near_branch64())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(code: &[u8]) -> Vec<u8> {
        let mut padded = code.to_vec();
        padded.resize(32, 0xcc);
        padded
    }

    #[test]
    fn a_jump_makes_way_with_its_distance() {
        let found = of(&padded(&[0xe9, 1, 2, 3, 0]), 0x1000, 5).unwrap();
        assert_eq!((found.length, found.distances), (5, vec![1]));
    }

    #[test]
    fn an_indirect_jump_through_a_table_makes_way_with_its_distance() {
        // mov rsi, rcx; jmp [rip + 0x1bf31f]
        let code = [0x48, 0x89, 0xce, 0xff, 0x25, 0x1f, 0xf3, 0x1b, 0x00];
        let found = of(&padded(&code), 0x1000, 9).unwrap();
        assert_eq!((found.length, found.distances), (9, vec![5]));
    }

    #[test]
    fn whole_instructions_make_way() {
        // cmp rsi, 0x11; setb al; ret
        let code = [0x48, 0x83, 0xfe, 0x11, 0x0f, 0x92, 0xc0, 0xc3];
        let found = of(&padded(&code), 0x1000, 8).unwrap();
        assert_eq!((found.length, found.distances), (7, vec![]));
    }

    #[test]
    fn a_function_shorter_than_a_jump_makes_way_if_padding_follows() {
        assert_eq!(of(&padded(&[0xc3]), 0x1000, 1).unwrap().length, 5);
        let mut crowded = padded(&[0xc3]);
        crowded[2] = 0x55;
        assert_eq!(of(&crowded, 0x1000, 1), None);
    }

    #[test]
    fn a_short_branch_makes_way_as_the_last_instruction() {
        // test rdi, rdi; je +11; jmp …: sqlite3_reset
        let code = [0x48, 0x85, 0xff, 0x74, 0x0b, 0xe9, 0xf6, 0xf9, 0xff, 0xff];
        let found = of(&padded(&code), 0x1000, 19).unwrap();
        assert_eq!((found.length, found.branch), (5, Some(3)));
        assert!(found.distances.is_empty());
    }

    #[test]
    fn short_branches_and_calls_and_loops_back_do_not_make_way() {
        assert_eq!(
            of(&padded(&[0x74, 0x10, 0x90, 0x90, 0x90]), 0x1000, 5),
            None
        );
        assert_eq!(of(&padded(&[0xe8, 0, 0, 0, 0, 0xc3]), 0x1000, 6), None);
        // push rax; mov rax, rdi; … ; jne back to the second instruction
        let code = [0x50, 0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75, 0xf8, 0xc3];
        assert_eq!(of(&padded(&code), 0x1000, 10), None);
    }
}
