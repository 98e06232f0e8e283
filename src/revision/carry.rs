//! Files that git does not track, brought to both sides because the user asked for it (`--carry`).

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use globset::GlobMatcher;

use super::error::git;
use super::{Checkout, RevisionError, open, overlay};
use crate::plan::Carry;
use crate::units::{Bytes, Paired, Side, normal, plural};

/// The deepest nesting; cycles of links end here.
const DEEPEST: usize = 64;

/// What was brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CarriedFiles {
    /// Each pattern with what it brought: `data/** (3 files, 1.2 MB)`.
    pub patterns: Vec<String>,
    /// What the report should say, as lower-case fragments.
    pub notes: Vec<String>,
}

/// Copies the files of the user's checkout that match `patterns` and that git does not track to both sides. A
/// pattern that matches a folder brings all of it. A file that a side already has stays as it is. Links are
/// followed, so that nothing that a benchmark writes reaches the user's checkout.
///
/// # Errors
/// Where the index or a file cannot be read, or a side cannot be written.
pub(crate) fn carry(
    checkouts: &Paired<Checkout>,
    patterns: &[Carry],
) -> Result<CarriedFiles, RevisionError> {
    let mut carried = CarriedFiles::default();
    if patterns.is_empty() {
        return Ok(carried);
    }
    let from = checkouts.head.original_root.as_path();
    let failed = |side: Side| move |source| RevisionError::Io { side, source };
    let found = CarrySearch::of(from, patterns)?
        .files()
        .map_err(failed(Side::Head))?;
    for path in found.keys() {
        crate::process::check()?;
        for side in Side::BOTH {
            copy(from, &checkouts.get(side).root, path).map_err(failed(side))?;
        }
    }
    for (at, pattern) in patterns.iter().enumerate() {
        let own = found.iter().filter(|(_, by)| **by == at);
        let sizes = own.map(|(path, _)| fs::metadata(from.join(path)).map_or(0, |meta| meta.len()));
        let sizes: Vec<u64> = sizes.collect();
        let size = Bytes::from_bytes(sizes.iter().sum());
        match sizes.len() {
            0 => carried.notes.push(format!(
                "`--carry {pattern}` brings nothing: it matches no untracked file"
            )),
            count => {
                let files = plural(count, "file", "files");
                carried
                    .patterns
                    .push(format!("{pattern} ({files}, {size})"));
            }
        }
    }
    Ok(carried)
}

struct CarrySearch<'a> {
    from: &'a Path,
    tracked: HashSet<Vec<u8>>,
    matchers: Vec<GlobMatcher>,
    /// By path from the top: which pattern brings it.
    found: BTreeMap<PathBuf, usize>,
}

impl<'a> CarrySearch<'a> {
    fn of(from: &'a Path, patterns: &[Carry]) -> Result<CarrySearch<'a>, RevisionError> {
        let index = open(from, None)?.index();
        let index = index.map_err(|error| git("read which files git tracks", error))?;
        let matchers = patterns
            .iter()
            .map(|pattern| pattern.glob().compile_matcher());
        Ok(CarrySearch {
            from,
            tracked: index.iter().map(|entry| entry.path).collect(),
            matchers: matchers.collect(),
            found: BTreeMap::new(),
        })
    }

    fn files(mut self) -> io::Result<BTreeMap<PathBuf, usize>> {
        self.folder(Path::new(""), None, 0)?;
        Ok(self.found)
    }

    /// `inside` is the pattern that matches an enclosing folder, if any.
    fn folder(&mut self, folder: &Path, inside: Option<usize>, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            return Ok(());
        }
        for entry in fs::read_dir(self.from.join(folder))? {
            let entry = entry?;
            if entry.file_name() == ".git" {
                continue;
            }
            let path = folder.join(entry.file_name());
            let is_link = entry.file_type()?.is_symlink();
            let by = inside.or_else(|| self.pattern_for(&path, is_link));
            // The target of a link is needed only if a pattern matches.
            let meta = match by {
                Some(_) => fs::metadata(entry.path()),
                None => fs::symlink_metadata(entry.path()),
            };
            let Ok(meta) = meta else { continue };
            if meta.is_dir() {
                // A cache is searched only if a pattern matches it.
                if by.is_some() || !overlay::is_cache(&entry.path()) {
                    self.folder(&path, by, depth + 1)?;
                }
            } else if let Some(by) = by
                && meta.is_file()
                && !self.is_tracked(&path)
            {
                self.found.insert(path, by);
            }
        }
        Ok(())
    }

    /// The first pattern that matches a path or, for a link, its target.
    fn pattern_for(&self, path: &Path, is_link: bool) -> Option<usize> {
        self.matchers.iter().position(|matcher| {
            matcher.is_match(path) || (is_link && matcher.is_match(path.join("_")))
        })
    }

    fn is_tracked(&self, path: &Path) -> bool {
        self.tracked.contains(path.as_os_str().as_encoded_bytes())
    }
}

fn copy(from: &Path, root: &Path, path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(root.join(path)).is_ok() {
        return Ok(());
    }
    // The file system shares the blocks if it can.
    fs::copy(from.join(path), overlay::make_way(root, path)?).map(drop)
}

/// The first path in a failing side's output that exists in the user's checkout, is not tracked, and is missing on
/// that side; relative to the top of the repository. Paths in the output are relative to one of the side's
/// `folders`.
#[must_use]
pub(crate) fn left_behind(words: &str, checkout: &Checkout, folders: &[&Path]) -> Option<PathBuf> {
    let mut named: Vec<PathBuf> = Vec::new();
    let is_end = |c: char| c.is_whitespace() || "\"'`()[]{}<>,;|=".contains(c);
    for word in words.split(is_end) {
        let word = word.trim_end_matches(['.', ':', '!', '?']);
        let word = word.split_once(':').map_or(word, |(path, _)| path);
        if !word.contains(['.', '/']) || word.len() < 2 {
            continue;
        }
        let bases = [checkout.root.as_path()]
            .into_iter()
            .chain(folders.iter().copied());
        for base in bases {
            let path = normal(&base.join(word));
            if let Ok(inside) = path.strip_prefix(&checkout.root)
                && inside.components().next().is_some()
                && !named.contains(&inside.to_owned())
            {
                named.push(inside.to_owned());
            }
        }
    }
    let users = checkout.original_root.as_path();
    named.retain(|path| users.join(path).exists() && !checkout.root.join(path).exists());
    let repository = open(users, None).ok()?;
    let index = repository.index().ok()?;
    named
        .into_iter()
        .find(|path| index.get_path(path, 0).is_none())
}

/// The first path in a string literal of a source that git ignores and that the side lacks. The literal is relative to
/// `folder`, the result to the top of the repository. No revision can have it, and the user's checkout may lack it, too.
#[must_use]
pub(crate) fn ignored_input(source: &str, checkout: &Checkout, folder: &Path) -> Option<PathBuf> {
    let repository = open(&checkout.original_root, None).ok()?;
    // Between the first and second quotation mark of a line, the third and fourth, and so on.
    let strings = source
        .lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2));
    let names_a_path = |text: &&str| !text.is_empty() && !text.contains(char::is_whitespace);
    strings.filter(names_a_path).find_map(|text| {
        let path = normal(&folder.join(text));
        let inside = path.strip_prefix(&checkout.root).ok()?;
        // Files in an ignored folder are ignored, too. The folder itself does not exist, so git would take it for a
        // file.
        let ignored = [inside.to_owned(), inside.join("_")];
        let ignored = ignored
            .iter()
            .any(|path| repository.is_path_ignored(path).unwrap_or(false));
        let is_named = inside.components().next().is_some() && !path.exists();
        (is_named && ignored).then(|| inside.to_owned())
    })
}
