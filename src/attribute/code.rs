//! Whether a sample was taken in code that is the same on both sides.
//!
//! If the time of a function has changed although neither its code nor that of its callers differs, none of its
//! lines is the cause: it is called more or less often, gets other data, or the linker has put it at other
//! addresses (Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!", ASPLOS 2009).

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::build::Build;
use crate::discover::Discovery;
use crate::units::{BenchmarkKey, Paired};

/// The code of one side that differs from the other's.
#[derive(Debug, Clone, Default)]
pub(super) struct Differing {
    /// Functions of the executable, by address; those that overlap are one.
    functions: Vec<Range<u64>>,
    /// Where the build puts libraries: those may differ as a whole.
    folders: Vec<PathBuf>,
}

/// Merges ranges that overlap: a symbol can lie within another.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut found: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match found.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => found.push(range),
        }
    }
    found
}

impl Differing {
    /// The differences between the executables of a benchmark; `None` if unknown.
    pub(super) fn between(
        builds: &Paired<Build>,
        discovery: &Discovery,
        key: &BenchmarkKey,
    ) -> Option<Paired<Differing>> {
        let mut all = discovery.targets.iter();
        let target = all.find(|t| t.benchmarks.iter().any(|one| one.key == *key))?;
        let functions = target.changed_functions(builds).ok()?;
        Some(Paired::from_fn(|side| {
            let code = functions.iter();
            let code = code.filter_map(|one| one.code.get(side).clone());
            let build = builds.get(side);
            let folders = vec![build.target_dir.clone(), build.checkout.root.clone()];
            Differing::new(code.collect(), folders)
        }))
    }

    /// From these functions, and the libraries in these folders.
    pub(super) fn new(functions: Vec<Range<u64>>, folders: Vec<PathBuf>) -> Differing {
        Differing {
            functions: joined(functions),
            folders,
        }
    }

    /// Whether this address of the executable lies in a function that differs.
    pub(super) fn has(&self, address: u64) -> bool {
        let before = self.functions.partition_point(|code| code.start <= address);
        let code = before.checked_sub(1).map(|index| &self.functions[index]);
        code.is_some_and(|code| code.contains(&address))
    }

    /// Whether the build has made this library.
    pub(super) fn has_library(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_differs_within_a_function_that_does_and_nowhere_else() {
        let functions = vec![0x2000..0x2010, 0x1000..0x1040, 0x1010..0x1020];
        let differing = Differing::new(functions, vec!["/run/base-target".into()]);
        let inside = [
            0x0fff, 0x1000, 0x1030, 0x103f, 0x1040, 0x2000, 0x200f, 0x2010,
        ];
        let inside = inside.map(|address| differing.has(address));
        assert_eq!(inside, [false, true, true, true, false, true, true, false]);
        assert!(differing.has_library(Path::new("/run/base-target/release/libown.so")));
        assert!(!differing.has_library(Path::new("/lib/libc.so.6")));
    }
}
