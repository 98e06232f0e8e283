//! Libraries of a process that bring an allocator of their own.
//!
//! The probe interposes the C library's functions. A library with an allocator linked into it (a plugin in Rust
//! with a `#[global_allocator]`, say) does not call them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::binary::Binary;

use super::hooks;

/// Which libraries have their own allocator; each is examined once.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    known: HashMap<PathBuf, bool>,
}

impl Libraries {
    /// Whether a library that a process has mapped does (`maps` as the kernel writes it), except those in `but`.
    pub(super) fn bring_an_allocator(&mut self, maps: &str, but: &[&Path]) -> bool {
        let code = maps.lines().filter(|line| line.contains(" r-xp "));
        let files = code.filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])));
        let files: BTreeSet<&Path> = files.filter(|file| !but.contains(file)).collect();
        files.into_iter().any(|file| {
            let known = self.known.get(file).copied();
            known.unwrap_or_else(|| {
                let found = has_an_allocator(file);
                self.known.insert(file.to_owned(), found);
                found
            })
        })
    }
}

/// `false` if the file cannot be read. A library that exports `malloc` is counted under that name.
fn has_an_allocator(path: &Path) -> bool {
    let found = Binary::look(path, |file| {
        let mut symbols = file.symbols().chain(file.exported());
        symbols.any(|symbol| hooks::is_of_an_allocator(symbol.name))
            && !file.exported().any(|symbol| symbol.name == "malloc")
    });
    found.unwrap_or(false)
}
