//! The compiler's lists of the files that it read.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Build, Executable};

impl Build {
    /// The files of the checkout that the compiler read to make this executable itself, libraries
    /// aside, as paths from the checkout's root; empty if it wrote no list.
    #[must_use]
    pub fn sources(&self, executable: &Executable) -> Vec<PathBuf> {
        let listed = dep_info(&executable.path).ok().flatten();
        let files = listed.into_iter().flatten();
        files.filter_map(|file| self.in_checkout(file)).collect()
    }

    /// The files of the checkout that the compiler read to make any artefact beside the benchmark
    /// executables, as paths from the checkout's root.
    ///
    /// # Errors
    /// Where a folder or list cannot be read.
    pub fn compiled(&self) -> io::Result<BTreeSet<PathBuf>> {
        let folders = self.executables.iter().filter_map(|e| e.path.parent());
        let folders: BTreeSet<&Path> = folders.collect();
        let mut found = BTreeSet::new();
        for folder in folders {
            for entry in fs::read_dir(folder)? {
                let list = entry?.path();
                if list.extension().is_some_and(|extension| extension == "d") {
                    let text = fs::read(&list)?;
                    let sources = rule_sources(&String::from_utf8_lossy(&text));
                    found.extend(
                        sources
                            .into_iter()
                            .filter_map(|file| self.in_checkout(file)),
                    );
                }
            }
        }
        Ok(found)
    }

    fn in_checkout(&self, file: PathBuf) -> Option<PathBuf> {
        let file = self.workspace_root.join(file);
        Some(file.strip_prefix(&self.checkout.root).ok()?.to_owned())
    }
}

/// The files that the compiler read to make `artifact`, where it wrote that list: `deps/x-hash.d`
/// for `deps/x-hash` and `deps/libx-hash.rlib`.
pub(super) fn dep_info(artifact: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let Some(name) = artifact.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let stem = name
        .strip_suffix(".rlib")
        .or_else(|| name.strip_suffix(".rmeta"))
        .or_else(|| name.strip_suffix(".so"))
        .map_or(name, |stem| stem.strip_prefix("lib").unwrap_or(stem));
    let list = artifact.with_file_name(format!("{stem}.d"));
    if !list.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(&list)?;
    Ok(Some(rule_sources(&String::from_utf8_lossy(&bytes))))
}

/// The prerequisites of the first rule of a makefile as rustc writes it: spaces are escaped.
fn rule_sources(text: &str) -> Vec<PathBuf> {
    let Some((_, sources)) = text.lines().find_map(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let mut paths = vec![String::new()];
    let mut chars = sources.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, paths.last_mut()) {
            ('\\', Some(path)) if chars.peek() == Some(&' ') => {
                path.extend(chars.next());
            }
            (' ', _) => paths.push(String::new()),
            (c, Some(path)) => path.push(c),
            (_, None) => {}
        }
    }
    paths.retain(|path| !path.is_empty());
    paths.into_iter().map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_makefile_rule_gives_its_sources_with_their_spaces() {
        let text = "/t/deps/a-1.d: src/lib.rs src/my\\ mod.rs\n\n/t/deps/a-1: src/lib.rs\n";
        assert_eq!(
            rule_sources(text),
            ["src/lib.rs", "src/my mod.rs"].map(PathBuf::from)
        );
    }
}
