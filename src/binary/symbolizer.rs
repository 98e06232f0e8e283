//! Which functions and lines an address of an executable belongs to.
//!
//! Addresses are those of the symbol table, that is without the offset at which the loader put the
//! executable. Names come from the debug information where there is any (with the functions that were
//! inlined at the address), else from the symbol table.

use std::io;
use std::path::{Path, PathBuf};

use addr2line::{Loader, demangle_auto};

/// A function at an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame {
    /// Demangled, without the compiler's hash.
    pub function: String,
    /// The source file, as the compiler wrote it down.
    pub file: Option<PathBuf>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
}

/// The symbols and lines of one executable or shared library.
pub(crate) struct Symbols {
    loader: Loader,
}

impl Symbols {
    /// Opens the executable or shared library at `path`.
    ///
    /// # Errors
    /// If it is missing or not understood. One without symbols is understood; it has no names.
    pub(crate) fn open(path: &Path) -> io::Result<Symbols> {
        let unreadable = |error| {
            let path = path.display();
            io::Error::other(format!("cannot read the symbols of {path}: {error}"))
        };
        let loader = Loader::new(path).map_err(unreadable)?;
        Ok(Symbols { loader })
    }

    /// The functions at `address`, the innermost first: those that were inlined there, and last the one
    /// that they were inlined into. Empty where nothing is known.
    ///
    /// To look a caller up, give the return address less one: the return address itself can be the
    /// first instruction of the next line, or of the next function.
    #[must_use]
    pub(crate) fn frames(&self, address: u64) -> Vec<Frame> {
        let mut found = Vec::new();
        // Debug information that cannot be parsed is as good as none.
        if let Ok(mut frames) = self.loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame
                    .function
                    .and_then(|name| name.demangle().ok().map(|name| name.into_owned()));
                let location = frame.location;
                found.push(Frame {
                    function: name.unwrap_or_default(),
                    file: location.as_ref().and_then(|at| at.file).map(PathBuf::from),
                    line: location.and_then(|at| at.line),
                });
            }
        }
        if found.is_empty() {
            found.push(Frame {
                function: String::new(),
                file: None,
                line: None,
            });
        }
        // Line tables alone give names without paths; the symbol has the whole name.
        if let (Some(outermost), Some(symbol)) = (found.last_mut(), self.symbol(address)) {
            outermost.function = symbol;
        }
        found.retain(|frame| !frame.function.is_empty());
        found
    }

    /// Hands over every stretch of instructions that the line table places: where it begins, and file and
    /// line of the innermost function there, inlined ones included.
    pub(crate) fn each_line(&self, mut take: impl FnMut(u64, &str, u32)) {
        let Some(code) = self.loader.get_section_range(b".text") else {
            return;
        };
        // Debug information that cannot be parsed is as good as none.
        if let Ok(lines) = self.loader.find_location_range(code.begin, code.end) {
            for (address, _, location) in lines {
                if let (Some(file), Some(line)) = (location.file, location.line) {
                    take(address, file, line);
                }
            }
        }
    }

    /// The demangled name of the symbol that covers `address`.
    #[must_use]
    pub(crate) fn symbol(&self, address: u64) -> Option<String> {
        let name = self.loader.find_symbol(address)?;
        Some(demangle_auto(name.into(), None).into_owned())
    }
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use object::{Object, ObjectSymbol};

    use super::*;

    #[inline(never)]
    fn a_function_that_stays_a_function(x: u64) -> u64 {
        std::hint::black_box(x) + 1
    }

    /// Where this test's own executable keeps the function whose name contains `wanted`.
    fn address_of(wanted: &str) -> u64 {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        file.symbols()
            .find(|symbol| symbol.name().is_ok_and(|name| name.contains(wanted)))
            .map(|symbol| symbol.address())
            .expect("it is never inlined")
    }

    #[test]
    fn a_function_is_found_with_its_file_and_line_and_without_a_hash() {
        assert_eq!(a_function_that_stays_a_function(1), 2);
        let symbols = Symbols::open(&std::env::current_exe().unwrap()).unwrap();
        let frames = symbols.frames(address_of("a_function_that_stays_a_function"));
        let outermost = frames.last().expect("the tests are built with line tables");
        assert!(
            outermost
                .function
                .ends_with("symbolizer::tests::a_function_that_stays_a_function"),
            "{frames:?}"
        );
        let file = outermost.file.as_ref().expect("with line tables");
        assert!(file.ends_with("src/binary/symbolizer.rs"), "{frames:?}");
        assert!(outermost.line.is_some());
    }

    #[test]
    fn an_address_outside_of_all_code_has_no_function() {
        let symbols = Symbols::open(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(symbols.frames(u64::MAX / 2), []);
    }

    #[test]
    fn a_file_that_is_no_executable_is_named() {
        let error = Symbols::open(Path::new("Cargo.toml")).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
