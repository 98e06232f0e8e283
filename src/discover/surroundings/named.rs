//! What stands in executables.

use std::io;
use std::path::Path;

use aho_corasick::AhoCorasick;
use fs_err as fs;

use crate::binary::Binary;

/// What a running program can see of its file.
#[derive(Debug)]
pub(super) struct Contents {
    sections: Vec<Vec<u8>>,
}

impl Contents {
    /// The contents of an executable or library, or the whole file if it is neither.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn of_file(path: &Path) -> io::Result<Contents> {
        Ok(Contents::of(fs::read(path)?))
    }

    fn of(bytes: Vec<u8>) -> Contents {
        let sections =
            Binary::parse(&bytes).map(|binary| binary.program_data().map(<[u8]>::to_vec).collect());
        Contents {
            sections: sections.unwrap_or_else(|_| vec![bytes]),
        }
    }

    /// Whether one of the texts stands in it.
    pub(super) fn hold_any(&self, texts: &[&[u8]]) -> bool {
        if texts.is_empty() {
            return false;
        }
        // What cannot be searched for may be present.
        AhoCorasick::new(texts).map_or(true, |search| {
            self.sections.iter().any(|data| search.is_match(data))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_executable_is_searched_as_a_whole() {
        let contents = Contents::of(b"\0tests/inputs/mod.rs\0".to_vec());
        assert!(contents.hold_any(&[b"nothing", b"inputs/mod.rs"]));
        assert!(!contents.hold_any(&[b"nothing"]));
        assert!(!contents.hold_any(&[]));
    }
}
