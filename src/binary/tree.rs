//! The folders that an executable was made in, and that it names.

use std::path::Path;

use crate::units::Paired;

/// Where a side's source and artefacts are.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// The checkout's root.
    pub checkout: &'a Path,
    /// The folder that the compiler was run in: relative paths in the executable start there.
    pub workspace: &'a Path,
    /// The target folder.
    pub target_dir: &'a Path,
}

/// Writes the base side's folders for those of the head side.
pub(crate) fn equalise_folders(head: &mut [u8], trees: Paired<Tree<'_>>) {
    for (from, to) in [
        (trees.head.checkout, trees.base.checkout),
        (trees.head.target_dir, trees.base.target_dir),
    ] {
        replace(head, from, to);
    }
}

/// Writes `to` wherever `from`, an equally long path, stands. Texts in an executable follow each
/// other without a terminator, so what comes after the path is no check; the random name of the
/// folder is.
fn replace(bytes: &mut [u8], from: &Path, to: &Path) {
    let (from, to) = (
        from.as_os_str().as_encoded_bytes(),
        to.as_os_str().as_encoded_bytes(),
    );
    if from.len() != to.len() || from.is_empty() {
        return;
    }
    let finder = regex::bytes::Regex::new(&regex::escape(&String::from_utf8_lossy(from)));
    let Ok(finder) = finder else { return };
    let starts: Vec<usize> = finder.find_iter(bytes).map(|found| found.start()).collect();
    for start in starts {
        bytes[start..start + from.len()].copy_from_slice(to);
    }
}
