//! What the file of an executable says.

use std::collections::BTreeMap;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader as _, SectionHeader as _};
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, ObjectSymbolTable as _,
    RelocationFlags, RelocationTarget, SymbolKind,
};

use super::Unclear;
use super::name::normalised;
use super::program::{Content, Datum, Extent, Function, Program, Section, Slot, Symbols};

/// Takes an executable apart.
pub(super) fn read(bytes: &[u8]) -> Result<Program<'_>, Unclear> {
    let file = ElfFile64::<Endianness>::parse(bytes)
        .map_err(|error| Unclear::because(format!("an executable is not understood: {error}")))?;
    let header = file.elf_header();
    let endian = file.endian();
    if header.e_machine(endian) != elf::EM_X86_64 {
        return Err(Unclear::because("functions can be compared on x86-64 only"));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(Unclear::because(
            "the executable has a fixed address, so that addresses look like numbers",
        ));
    }
    let sections = sections(&file)?;
    let slots = slots(&file)?;
    let symbols = symbols(&file, &sections);
    if symbols.functions.is_empty() {
        return Err(Unclear::because("an executable has no symbols"));
    }
    Ok(Program::new(sections, slots, symbols))
}

fn content(name: &str, flags: elf::SectionFlags, kind: elf::SectionType) -> Content {
    let tables = [
        ".interp",
        ".hash",
        ".eh_frame",
        ".eh_frame_hdr",
        ".gcc_except_table",
        ".dynamic",
        ".debug_gdb_scripts",
    ];
    if flags.contains(elf::SHF_TLS) {
        Content::Thread
    } else if flags.contains(elf::SHF_EXECINSTR) {
        if name.starts_with(".plt") || name.starts_with(".iplt") {
            Content::Stubs
        } else {
            Content::Code
        }
    } else if tables.contains(&name)
        || name.starts_with(".gnu.")
        || name.starts_with(".gcc_except_table")
        || [
            elf::SHT_NOTE,
            elf::SHT_DYNSYM,
            elf::SHT_STRTAB,
            elf::SHT_RELA,
            elf::SHT_GNU_HASH,
        ]
        .contains(&kind)
    {
        Content::Tables
    } else if !flags.contains(elf::SHF_WRITE)
        || name.starts_with(".data.rel.ro")
        || name.starts_with(".got")
        || name == ".relro_padding"
    {
        Content::Constant
    } else {
        Content::Variable
    }
}

fn sections<'a>(file: &ElfFile64<'a, Endianness>) -> Result<Vec<Section<'a>>, Unclear> {
    let endian = file.endian();
    let mut sections = Vec::new();
    for section in file.sections() {
        let header = section.elf_section_header();
        let flags = header.sh_flags(endian);
        let kind = header.sh_type(endian);
        if !flags.contains(elf::SHF_ALLOC) {
            continue;
        }
        if kind == elf::SHT_RELR {
            return Err(Unclear::because("the executable's relocations are packed"));
        }
        let unreadable = |error| Unclear::because(format!("a section cannot be read: {error}"));
        let name = section.name().map_err(unreadable)?.to_owned();
        sections.push(Section {
            content: content(&name, flags, kind),
            name,
            address: section.address(),
            size: section.size(),
            bytes: section.data().map_err(unreadable)?,
        });
    }
    // A thread's reserved variables take no room in the image: what follows has the same address.
    sections.retain(|section| section.content != Content::Thread || !section.bytes.is_empty());
    sections.sort_by_key(|section| section.address);
    Ok(sections)
}

fn slots(file: &ElfFile64<'_, Endianness>) -> Result<BTreeMap<u64, Slot>, Unclear> {
    let symbols = file.dynamic_symbol_table();
    let mut slots = BTreeMap::new();
    for (at, relocation) in file.dynamic_relocations().into_iter().flatten() {
        let RelocationFlags::Elf { r_type } = relocation.flags() else {
            return Err(Unclear::because("a relocation is not understood"));
        };
        let addend = relocation.addend();
        let symbol = match relocation.target() {
            RelocationTarget::Symbol(index) => symbols
                .as_ref()
                .and_then(|symbols| symbols.symbol_by_index(index).ok()),
            _ => None,
        };
        let own = symbol
            .as_ref()
            .filter(|symbol| symbol.is_definition() && symbol.address() != 0);
        let slot = match (r_type, own) {
            (elf::R_X86_64_RELATIVE | elf::R_X86_64_IRELATIVE, _) => {
                Slot::Own(addend.cast_unsigned())
            }
            (elf::R_X86_64_64 | elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT, Some(symbol)) => {
                Slot::Own(symbol.address().wrapping_add_signed(addend))
            }
            _ => Slot::Foreign {
                kind: r_type.0,
                symbol: symbol
                    .and_then(|symbol| symbol.name().ok().map(str::to_owned))
                    .unwrap_or_default(),
                addend,
            },
        };
        slots.insert(at, slot);
    }
    Ok(slots)
}

fn symbols(file: &ElfFile64<'_, Endianness>, sections: &[Section<'_>]) -> Symbols {
    let mut functions: BTreeMap<u64, (u64, Vec<String>)> = BTreeMap::new();
    let mut data: BTreeMap<u64, Datum> = BTreeMap::new();
    let mut thread_locals = Vec::new();
    let mut labels = BTreeMap::new();
    let section_of = |address: u64| {
        let found = sections
            .iter()
            .find(|s| (s.address..s.end().max(s.address + 1)).contains(&address));
        found.map(|section| section.content)
    };
    for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
        let Ok(name) = symbol.name() else { continue };
        let (address, size) = (symbol.address(), symbol.size());
        if symbol.kind() == SymbolKind::Tls {
            thread_locals.push((normalised(name), address, size));
            continue;
        }
        match section_of(address) {
            Some(Content::Code) if symbol.kind() == SymbolKind::Text && size > 0 => {
                let known = functions.entry(address).or_default();
                known.0 = known.0.max(address + size);
                known.1.push(normalised(name));
            }
            Some(Content::Code) if size == 0 && !name.is_empty() => {
                labels.insert(address, normalised(name));
            }
            Some(Content::Constant | Content::Variable) if !name.is_empty() => {
                let datum = Datum {
                    size,
                    name: normalised(name),
                };
                let known = data.entry(address).or_insert_with(|| datum.clone());
                if (datum.size, &known.name) > (known.size, &datum.name) {
                    *known = datum;
                }
            }
            _ => {}
        }
    }
    let functions = functions.into_iter().map(|(start, (end, mut names))| {
        names.sort();
        names.dedup();
        Function {
            start,
            end,
            name: names.join(" = "),
            extent: Extent::Known,
        }
    });
    thread_locals.sort();
    Symbols {
        functions: functions.collect(),
        labels,
        data,
        thread_locals,
    }
}
