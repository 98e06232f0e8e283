//! The compiler's list of the files that it read.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

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
