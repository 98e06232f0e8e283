//! Which functions of an executable have to be redirected so that the probe sees its allocations.

use object::Architecture;

use crate::binary::{Binary, Symbol};

use super::layout;
use super::prologue::{self, Prologue};

/// A function of the executable that may be redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As in the symbol table.
    pub(super) address: u64,
    /// `None` where it cannot be redirected.
    pub(super) prologue: Option<Prologue>,
}

/// A function of an allocator that is linked into the executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Native {
    /// What it does: a `NATIVE_` constant.
    pub(super) kind: u64,
    /// Where it is.
    pub(super) entry: Entry,
}

/// What has to be redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hooks {
    /// None: all requests of the program reach the C library.
    None,
    /// The entry points of Rust's allocator, to count.
    Rust([Entry; 4]),
    /// The functions of an allocator in the executable, to count.
    Native(Vec<Native>),
    /// The entry points of Rust's allocator, to check that each request is passed on to the C library.
    Wrapper([Entry; 4]),
    /// Unknown: there are no entry points, since link-time optimisation has inlined them.
    Unknown,
}

/// The names by which generated code calls the allocator: alloc, dealloc, realloc, alloc_zeroed. Newer
/// compilers mangle them (into `__rustc::__rust_alloc`).
const ENTRIES: [&str; 4] = [
    "__rust_alloc",
    "__rust_dealloc",
    "__rust_realloc",
    "__rust_alloc_zeroed",
];

/// Prefixes of the functions of known allocators: mimalloc's, jemalloc's as Rust and others build it,
/// and none for an allocator that replaces the C library's.
const PREFIXES: [&str; 4] = ["mi_", "_rjem_", "je_", ""];

/// The rest of their names, and what they do. (No allocator uses such a name with a different meaning.)
const FUNCTIONS: [(&str, u64); 15] = [
    ("malloc", layout::NATIVE_ALLOCATE),
    ("zalloc", layout::NATIVE_ALLOCATE),
    ("malloc_aligned", layout::NATIVE_ALLOCATE),
    ("zalloc_aligned", layout::NATIVE_ALLOCATE),
    ("mallocx", layout::NATIVE_ALLOCATE),
    ("aligned_alloc", layout::NATIVE_ALLOCATE_SECOND),
    ("memalign", layout::NATIVE_ALLOCATE_SECOND),
    ("calloc", layout::NATIVE_ALLOCATE_MANY),
    ("posix_memalign", layout::NATIVE_ALLOCATE_INTO),
    ("realloc", layout::NATIVE_REALLOCATE),
    ("realloc_aligned", layout::NATIVE_REALLOCATE),
    ("rallocx", layout::NATIVE_REALLOCATE),
    ("free", layout::NATIVE_FREE),
    ("dallocx", layout::NATIVE_FREE),
    ("sdallocx", layout::NATIVE_FREE),
];

/// What has to be redirected in an executable with these functions.
pub(super) fn of(file: &Binary<'_>, functions: &[Symbol<'_>]) -> Hooks {
    let natives = natives(file, functions);
    if !natives.is_empty() {
        return Hooks::Native(natives);
    }
    let has = |wanted: &str| functions.iter().any(|one| is_internal(one.name, wanted));
    match entries(file, functions) {
        // The system's allocator comes with Rust's standard library, and is there if it is used.
        _ if has("__rdl_alloc") => Hooks::None,
        // Until recently, the compiler made a function for each entry point, which calls the program's own
        // allocator.
        Some(entries) if has("__rg_alloc") => Hooks::Rust(entries),
        // Since then it inlines them.
        Some(entries) => Hooks::Wrapper(entries),
        None => Hooks::Unknown,
    }
}

/// Whether a function of this name belongs to a known allocator that does not replace the C library's.
pub(super) fn is_of_an_allocator(name: &str) -> bool {
    let prefixes = PREFIXES.iter().filter(|prefix| !prefix.is_empty());
    let mut rests = prefixes.filter_map(|prefix| name.strip_prefix(prefix));
    rests.any(|rest| FUNCTIONS.iter().any(|(suffix, _)| *suffix == rest))
}

fn natives(file: &Binary<'_>, functions: &[Symbol<'_>]) -> Vec<Native> {
    let mut natives: Vec<Native> = Vec::new();
    for prefix in PREFIXES {
        for (suffix, kind) in FUNCTIONS {
            let named = |name: &str| name.strip_prefix(prefix).is_some_and(|rest| rest == suffix);
            let Some(function) = functions.iter().find(|one| named(one.name)) else {
                continue;
            };
            // Two names of one function count once.
            let known = natives
                .iter()
                .any(|native| native.entry.address == function.address);
            if !known && natives.len() < layout::NATIVE_MOST {
                let entry = entry(file, function);
                natives.push(Native { kind, entry });
            }
        }
    }
    let frees = natives
        .iter()
        .any(|native| native.kind == layout::NATIVE_FREE);
    let allocates = natives
        .iter()
        .any(|native| native.kind <= layout::NATIVE_ALLOCATE_INTO);
    if frees && allocates {
        natives
    } else {
        Vec::new()
    }
}

fn entries(file: &Binary<'_>, functions: &[Symbol<'_>]) -> Option<[Entry; 4]> {
    let mut found = Vec::with_capacity(ENTRIES.len());
    for name in ENTRIES {
        let mut all = functions.iter().filter(|one| is_internal(one.name, name));
        let first = all.next()?;
        if all.any(|other| other.address != first.address) {
            return None;
        }
        found.push(entry(file, first));
    }
    found.try_into().ok()
}

/// How a function can be redirected.
pub(super) fn entry(file: &Binary<'_>, function: &Symbol<'_>) -> Entry {
    Entry {
        address: function.address,
        prologue: prologue(file, function),
    }
}

fn prologue(file: &Binary<'_>, function: &Symbol<'_>) -> Option<Prologue> {
    if file.architecture() != Architecture::X86_64 {
        return None;
    }
    let code = file.data_from(function.address)?;
    prologue::of(code, function.address, usize::try_from(function.size).ok()?)
}

/// Whether a symbol is the compiler's own `wanted`.
fn is_internal(name: &str, wanted: &str) -> bool {
    name == wanted
        || (name.contains(wanted)
            && format!("{:#}", rustc_demangle::demangle(name))
                .strip_prefix("__rustc::")
                .is_some_and(|rest| rest == wanted))
}
