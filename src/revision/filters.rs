//! Files that git stores in another form than in a checkout, such as those of Git LFS. The library
//! that writes our checkouts runs no filters; this module gets what it can without them.

use std::io;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, Repository};

use super::overlay;
use super::{Source, standalone::CheckoutFailure};

/// How a pointer file of Git LFS begins, and how long it may be
/// (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const LONGEST_POINTER: u64 = 1024;

/// Gives the files of `checkout` that pass through a filter their real content: from the user's
/// checkout if that is what is compared, else from the store of Git LFS. Returns the filters whose
/// files stay as git stores them, each with an example and the number of files.
pub(super) fn materialise(
    source: &Repository,
    checkout: &Repository,
    kind: Source,
) -> Result<Vec<(String, PathBuf, usize)>, CheckoutFailure> {
    let Some(root) = checkout.workdir() else {
        return Ok(Vec::new());
    };
    let mut left: Vec<(String, PathBuf, usize)> = Vec::new();
    for (path, filter) in filtered(checkout)? {
        let place = root.join(&path);
        let is_file = fs_err::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_file());
        if !is_file {
            continue;
        }
        if kind == Source::WorkingTree
            && let Some(workdir) = source.workdir()
        {
            overlay::copy(workdir, root, &path)?;
            if !is_pointer(&place)? {
                continue;
            }
        }
        if fill_pointer(source, &place)? {
            continue;
        }
        match left.iter_mut().find(|(known, _, _)| *known == filter) {
            Some((_, _, count)) => *count += 1,
            None => left.push((filter, path, 1)),
        }
    }
    Ok(left)
}

/// The tracked files that have a `filter` attribute, with its value.
fn filtered(checkout: &Repository) -> Result<Vec<(PathBuf, String)>, git2::Error> {
    let index = checkout.index()?;
    let own = checkout.path().join("info/attributes").exists();
    // Asking for every file of a large repository takes seconds, and few repositories need it.
    if !own
        && !index
            .iter()
            .any(|entry| entry.path.ends_with(b".gitattributes"))
    {
        return Ok(Vec::new());
    }
    let mut filtered = Vec::new();
    for entry in index.iter() {
        let Ok(path) = std::str::from_utf8(&entry.path) else {
            continue;
        };
        let path = Path::new(path);
        let flags = AttrCheckFlags::FILE_THEN_INDEX;
        if let Ok(Some(filter)) = checkout.get_attr(path, "filter", flags) {
            filtered.push((path.to_owned(), filter.to_owned()));
        }
    }
    Ok(filtered)
}

fn is_pointer(place: &Path) -> io::Result<bool> {
    Ok(pointer(place)?.is_some())
}

/// The object id in a pointer file: 64 hexadecimal digits.
fn pointer(place: &Path) -> io::Result<Option<String>> {
    if fs_err::symlink_metadata(place)?.len() > LONGEST_POINTER {
        return Ok(None);
    }
    let content = fs_err::read(place)?;
    if !content.starts_with(POINTER) {
        return Ok(None);
    }
    let content = String::from_utf8_lossy(&content);
    let id = content
        .lines()
        .find_map(|line| line.strip_prefix("oid sha256:"))
        .filter(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    Ok(id.map(str::to_owned))
}

/// Replaces a pointer with the content that it stands for, if this machine has it.
fn fill_pointer(source: &Repository, place: &Path) -> io::Result<bool> {
    let Some(id) = pointer(place)? else {
        return Ok(false);
    };
    let store = source.commondir().join("lfs/objects");
    let object = store.join(&id[..2]).join(&id[2..4]).join(&id);
    if !object.is_file() {
        return Ok(false);
    }
    // The checkout's own permissions stay: they hold the executable bit.
    fs_err::write(place, fs_err::read(object)?)?;
    Ok(true)
}
