//! An executable taken apart: sections, symbols, and the places that the loader fills in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use object::elf;
use object::read::elf::FileHeader as _;

use super::super::image::{Content, Image, Section, Slot};
use super::Unclear;
use super::symbol_table;

/// A function by the symbol table, or code that no symbol gives a size to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Normalised.
    pub(super) name: String,
    pub(super) extent: FunctionExtent,
}

impl Function {
    pub(super) fn code(&self) -> Range<u64> {
        self.start..self.end
    }
}

/// Whether a symbol says where a function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionExtent {
    /// The symbol table does.
    Known,
    /// It is what lies between two functions.
    Gap,
}

/// A variable or constant with a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datum {
    pub(super) size: u64,
    /// Normalised.
    pub(super) name: String,
}

/// An executable.
#[derive(Debug)]
pub(super) struct Program<'a> {
    pub(super) image: Image<'a>,
    /// By address.
    pub(super) sections: Vec<Section<'a>>,
    /// By start.
    pub(super) functions: Vec<Function>,
    /// Symbols in data, by address; the largest where there are several.
    pub(super) data: BTreeMap<u64, Datum>,
    /// Thread-local variables: name, offset and size.
    pub(super) thread_locals: Vec<(String, u64, u64)>,
    by_start: HashMap<u64, usize>,
    /// Where pointers in data lead.
    pointed_to: BTreeSet<u64>,
}

impl<'a> Program<'a> {
    /// Takes an executable apart; code that no symbol gives a size to is found between the rest.
    pub(super) fn of(image: Image<'a>) -> Result<Program<'a>, Unclear> {
        let header = image.file.elf_header();
        if header.e_machine(image.file.endian()) != elf::EM_X86_64 {
            return Err(Unclear::because("functions can be compared on x86-64 only"));
        }
        if header.e_type(image.file.endian()) != elf::ET_DYN {
            return Err(Unclear::because(
                "the executable has a fixed address, so that addresses look like numbers",
            ));
        }
        let mut sections = image.sections.clone();
        if sections.iter().any(|section| section.kind == elf::SHT_RELR) {
            return Err(Unclear::because("the executable's relocations are packed"));
        }
        // Uninitialised thread-local variables take no space in the image: what follows has the same address.
        sections.retain(|section| section.content != Content::Thread || !section.bytes.is_empty());
        sections.sort_by_key(|section| section.address);
        let symbols = symbol_table::read(&image, &sections);
        if symbols.functions.is_empty() {
            return Err(Unclear::because("an executable has no symbols"));
        }
        let slots = image.slots.values().filter_map(|slot| match slot {
            Slot::Own(to) => Some(*to),
            Slot::Foreign { .. } => None,
        });
        let mut program = Program {
            by_start: HashMap::new(),
            pointed_to: slots.collect(),
            image,
            sections,
            functions: symbols.functions,
            data: symbols.data,
            thread_locals: symbols.thread_locals,
        };
        let gaps = program.gaps(&symbols.labels);
        program.functions.extend(gaps);
        program.functions.sort_by_key(|function| function.start);
        let starts = program.functions.iter().enumerate();
        program.by_start = starts
            .map(|(index, function)| (function.start, index))
            .collect();
        Ok(program)
    }

    /// The section that holds `address`.
    pub(super) fn section_of(&self, address: u64) -> Option<&Section<'a>> {
        let after = self
            .sections
            .partition_point(|section| section.address <= address);
        let earlier = self.sections[..after].iter().rev();
        earlier.take(4).find(|section| address < section.end())
    }

    /// The data section that holds `address`, or ends there: a pointer past the last element.
    pub(super) fn data_section_of(&self, address: u64) -> Option<&Section<'a>> {
        self.section_of(address)
            .or_else(|| self.section_of(address.checked_sub(1)?))
            .filter(|section| section.is_data())
    }

    /// The bytes from `start` to `end`, where one section holds them and the file has them.
    pub(super) fn bytes(&self, start: u64, end: u64) -> Option<&'a [u8]> {
        let section = self.section_of(start)?;
        let from = usize::try_from(start - section.address).ok()?;
        let to = usize::try_from(end.checked_sub(section.address)?).ok()?;
        section.bytes.get(from..to)
    }

    /// The number of the function that holds `address`: the one that begins there, else the
    /// innermost.
    pub(super) fn function_at(&self, address: u64) -> Option<usize> {
        if let Some(index) = self.by_start.get(&address) {
            return Some(*index);
        }
        let after = self
            .functions
            .partition_point(|function| function.start <= address);
        let earlier = self.functions[..after].iter().enumerate().rev();
        let mut near = earlier.take(8).map(|(index, _)| index);
        near.find(|index| address < self.functions[*index].end)
    }

    /// The symbol in data that `address` lies in, with the distance from its start. A symbol
    /// without a size counts at its own address only.
    pub(super) fn datum_of(&self, address: u64) -> Option<(&Datum, u64)> {
        let (start, datum) = self.data.range(..=address).next_back()?;
        let distance = address - start;
        (distance == 0 || distance < datum.size).then_some((datum, distance))
    }

    /// Whether a pointer in data leads into the middle of `function`.
    pub(super) fn is_pointed_into(&self, function: &Function) -> bool {
        let inside = function.start + 1..function.end;
        !inside.is_empty() && self.pointed_to.range(inside).next().is_some()
    }

    /// The import that the stub at `address` jumps to.
    pub(super) fn stub(&self, address: u64) -> Option<&Slot> {
        let section = self.section_of(address)?;
        if section.content != Content::Stubs {
            return None;
        }
        let code = self.bytes(address, section.end())?;
        let decoder = iced_x86::Decoder::with_ip(64, code, address, iced_x86::DecoderOptions::NONE);
        let mut jumps = decoder.into_iter().take(2);
        let jump = jumps.find(|i| i.mnemonic() == iced_x86::Mnemonic::Jmp)?;
        let through = jump.is_ip_rel_memory_operand();
        through.then(|| self.image.slots.get(&jump.ip_rel_memory_address()))?
    }

    /// Code between the functions that is not just padding, from label to label.
    fn gaps(&self, labels: &BTreeMap<u64, String>) -> Vec<Function> {
        let mut gaps = Vec::new();
        for section in self.sections.iter().filter(|s| s.content == Content::Code) {
            let whole = section.address..section.end();
            let mut at = section.address;
            let mut after = section.name;
            let inside = self.functions.iter().filter(|f| whole.contains(&f.start));
            let ends = inside.map(|f| (f.start, f.end, f.name.as_str()));
            for (start, end, name) in ends.chain([(whole.end, whole.end, "")]) {
                if at < start {
                    let starts = [(at, format!("code after {after}"))].into_iter();
                    let labels = labels
                        .range(at..start)
                        .map(|(at, name)| (*at, name.clone()));
                    let starts: BTreeMap<u64, String> = starts.chain(labels).collect();
                    let nexts = starts.keys().skip(1).copied().chain([start]);
                    let pieces = starts.iter().zip(nexts);
                    gaps.extend(pieces.filter_map(|((at, name), next)| self.gap(*at, next, name)));
                }
                at = at.max(end);
                after = name;
            }
        }
        gaps
    }

    fn gap(&self, start: u64, end: u64, name: &str) -> Option<Function> {
        let bytes = self.bytes(start, end)?;
        (!is_padding(bytes)).then(|| Function {
            start,
            end: start + without_padding(bytes) as u64,
            name: name.to_owned(),
            extent: FunctionExtent::Gap,
        })
    }
}

/// How many of these bytes are left without what fills up the room behind the last instruction. mold fills it
/// with zeros, an odd number of which is no instruction.
fn without_padding(bytes: &[u8]) -> usize {
    let is_code = |byte: &u8| !matches!(byte, 0 | 0xcc | 0x90);
    let filler = bytes.iter().rposition(is_code).map_or(0, |last| last + 1);
    let decoder = iced_x86::Decoder::with_ip(64, bytes, 0, iced_x86::DecoderOptions::NONE);
    let mut end = 0;
    for instruction in decoder {
        if instruction.is_invalid() || end >= filler {
            break;
        }
        end += instruction.len();
    }
    match end >= filler {
        true => end,
        false => bytes.len(),
    }
}

/// Whether these bytes are only no-ops, traps and zeros.
fn is_padding(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if matches!(first, 0 | 0xcc | 0x90) {
            rest = &rest[1..];
            continue;
        }
        let mut decoder = iced_x86::Decoder::with_ip(64, rest, 0, iced_x86::DecoderOptions::NONE);
        let instruction = decoder.decode();
        if instruction.mnemonic() != iced_x86::Mnemonic::Nop {
            return false;
        }
        rest = &rest[instruction.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_up_the_room_behind_code_is_no_part_of_it() {
        const JUMP: [u8; 5] = [0xe9, 0x77, 0, 0, 0];
        for filler in [0, 0xcc, 0x90] {
            for room in 0..16 {
                let bytes = [&JUMP[..], &vec![filler; room]].concat();
                assert_eq!(without_padding(&bytes), 5, "{room} of {filler:#x}");
            }
        }
        // Not code, so nothing is known of it.
        let data = [0x06, 0x06, 0, 0];
        assert_eq!(without_padding(&data), 4);
    }
}
