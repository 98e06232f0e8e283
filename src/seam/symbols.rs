//! What the probe must know about an executable.

use std::path::Path;

use object::{Architecture, FileKind};

use crate::binary::{Binary, Symbol};
use crate::harness::ClockReads;

use super::SeamError;
use super::hooks::{self, Hooks};
use super::sqlite::SqliteCode;

/// What is looked at in an executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProbedSubject {
    /// Its benchmarks, one by one.
    Benchmarks,
    /// The whole process.
    Program,
}

/// What the probe must know about an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProbeSymbols {
    /// Where it reads the clock.
    pub(super) clock_reads: ClockReads,
    /// What has to be redirected so that the probe sees allocations.
    pub(super) hooks: Hooks,
    /// What has to be redirected so that the probe sees statements.
    pub(super) sqlite: SqliteCode,
}

impl ProbeSymbols {
    /// Reads the executable at `path`.
    ///
    /// # Errors
    /// If the probe cannot be preloaded into it, or it should have benchmarks and its symbols show no function that
    /// times one.
    pub(super) fn read(path: &Path, subject: ProbedSubject) -> Result<ProbeSymbols, SeamError> {
        let bytes = fs_err::read(path)?;
        let file = check_preloadable(path, &bytes)?;
        let symbols = file.symbols();
        let functions: Vec<Symbol<'_>> = symbols.filter(|s| s.is_code && s.size > 0).collect();
        let clock_reads = match subject {
            ProbedSubject::Benchmarks => ClockReads::find(&file, &functions),
            ProbedSubject::Program => Some(ClockReads::none()),
        };
        Ok(ProbeSymbols {
            clock_reads: clock_reads.ok_or_else(|| SeamError::NoBencher {
                path: path.to_owned(),
            })?,
            hooks: hooks::of(&file, &functions),
            sqlite: match subject {
                ProbedSubject::Benchmarks => SqliteCode::NONE,
                ProbedSubject::Program => SqliteCode::of(&file, &functions, &bytes),
            },
        })
    }
}

/// Reads an executable. Fails where the loader would not preload the probe into it.
pub(super) fn check_preloadable<'a>(path: &Path, bytes: &'a [u8]) -> Result<Binary<'a>, SeamError> {
    let refuse = |reason| {
        Err(SeamError::NotPreloadable {
            path: path.to_owned(),
            reason,
        })
    };
    if FileKind::parse(bytes) != Ok(FileKind::Elf64) {
        return refuse("it is not a 64-bit ELF file");
    }
    let file = Binary::parse(bytes).map_err(|source| SeamError::Symbols {
        path: path.to_owned(),
        source,
    })?;
    if !file.can_be_loaded() {
        return refuse("it is not an executable");
    }
    match file.interpreter() {
        None => return refuse("it is statically linked"),
        Some(name) if !String::from_utf8_lossy(name).contains("/ld-linux") => {
            return refuse("its C library is not glibc");
        }
        Some(_) => {}
    }
    let own = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        _ => return refuse("the probe does not know this architecture"),
    };
    if file.architecture() != own {
        return refuse("it was built for another architecture");
    }
    Ok(file)
}
