//! What the symbol table of an executable says.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSymbol as _, SymbolKind};

use super::super::image::{Content, Image, Section};
use super::super::name::normalised;
use super::program::{Datum, Function, FunctionExtent};

/// What the symbol table says.
pub(super) struct SymbolTable {
    pub(super) functions: Vec<Function>,
    /// Names in code that have no size.
    pub(super) labels: BTreeMap<u64, String>,
    pub(super) data: BTreeMap<u64, Datum>,
    /// Name, offset and size.
    pub(super) thread_locals: Vec<(String, u64, u64)>,
}

/// Reads it; `sections` are those that have an address of their own.
pub(super) fn read(image: &Image<'_>, sections: &[Section<'_>]) -> SymbolTable {
    let mut functions: BTreeMap<u64, (u64, Vec<String>)> = BTreeMap::new();
    let mut data: BTreeMap<u64, Datum> = BTreeMap::new();
    let mut thread_locals = Vec::new();
    let mut labels = BTreeMap::new();
    let section_of = |address: u64| {
        let mut all = sections.iter();
        let found = all.find(|s| (s.address..s.end().max(s.address + 1)).contains(&address));
        found.map(|section| section.content)
    };
    for symbol in image.file.symbols().filter(|symbol| symbol.is_definition()) {
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
            extent: FunctionExtent::Known,
        }
    });
    thread_locals.sort();
    SymbolTable {
        functions: functions.collect(),
        labels,
        data,
        thread_locals,
    }
}
