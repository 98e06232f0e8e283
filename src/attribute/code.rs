//! Whether a sample was taken in code that is the same on both sides.
//!
//! Where the time of a function has changed though neither its code nor that of its callers differs, no
//! line of it is to blame: it is called more or less often, is given other data, or the linker has put it at
//! other addresses (Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!",
//! ASPLOS 2009).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::build::Build;
use crate::discover::{self, BenchmarkKey, ChangedFunction, Discovery};
use crate::units::{Paired, Side};

/// The code that differs, by package and target; without those of which it is not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Code {
    targets: BTreeMap<(String, String), Paired<Differing>>,
}

/// The code of one side that differs from the other's.
#[derive(Debug, Clone, Default)]
pub(super) struct Differing {
    /// Functions of the executable, by address; those that overlap are one.
    functions: Vec<Range<u64>>,
    /// Where the build puts libraries: those may differ as a whole.
    folders: Vec<PathBuf>,
}

impl Code {
    /// Compares the executables of these benchmarks.
    pub(super) fn of<'a>(
        builds: &Paired<Build>,
        discovery: &Discovery,
        keys: impl Iterator<Item = &'a BenchmarkKey>,
    ) -> Code {
        let mut targets = BTreeMap::new();
        for key in keys {
            let name = (key.package.clone(), key.target.clone());
            let mut all = discovery.targets.iter();
            let target = all.find(|t| t.package == key.package && t.target == key.target);
            if let (Some(target), false) = (target, targets.contains_key(&name)) {
                let functions = discover::differing_functions(builds, target).ok();
                targets.insert(name, functions.map(|found| differing(&found, builds)));
            }
        }
        let known = targets.into_iter();
        Code {
            targets: known
                .filter_map(|(name, found)| Some((name, found?)))
                .collect(),
        }
    }

    /// What differs in the executable of a benchmark on one side.
    pub(super) fn differing(&self, key: &BenchmarkKey, side: Side) -> Option<&Differing> {
        let target = (key.package.clone(), key.target.clone());
        Some(self.targets.get(&target)?.get(side))
    }
}

fn differing(functions: &[ChangedFunction], builds: &Paired<Build>) -> Paired<Differing> {
    Paired::from_fn(|side| {
        let code = functions
            .iter()
            .filter_map(|one| one.code.get(side).clone());
        let build = builds.get(side);
        let folders = vec![build.target_dir.clone(), build.checkout.root.clone()];
        Differing::new(code.collect(), folders)
    })
}

/// Ranges that overlap, joined: a symbol can lie within another.
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
    /// Of these functions, and of the libraries in these folders.
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
