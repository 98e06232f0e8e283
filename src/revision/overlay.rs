//! The user's uncommitted changes, on top of a checkout of HEAD.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use git2::{Delta, DiffOptions, FileMode, IndexEntryExtendedFlag, Repository};

use super::standalone::CheckoutFailure;

/// The first bytes of a `CACHEDIR.TAG` (<https://bford.info/cachedir/>).
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What was found beside plain files.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// Nested repositories that the checkout does not track; relative to its root.
    pub(super) nested: Vec<PathBuf>,
    /// Untracked folders that are marked as caches (such as `target`).
    pub(super) caches: Vec<PathBuf>,
}

/// Makes the files at `root`, a checkout of HEAD of `source`, what they are in the user's checkout:
/// changed, deleted and untracked-but-not-ignored ones.
pub(super) fn apply(source: &Repository, root: &Path) -> Result<Extras, CheckoutFailure> {
    let Some(from) = source.workdir() else {
        return Ok(Extras::default());
    };
    let mut options = DiffOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_typechange(true)
        .ignore_submodules(true)
        .skip_binary_check(true);
    let head = source.head().ok().map(|head| head.peel_to_tree());
    let head = head.transpose()?;
    let diff = source.diff_tree_to_workdir_with_index(head.as_ref(), Some(&mut options))?;
    let outside = not_checked_out(source)?;
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for delta in diff.deltas() {
        let file = match delta.status() {
            Delta::Deleted => delta.old_file(),
            _ => delta.new_file(),
        };
        let Some(path) = file.path() else { continue };
        match delta.status() {
            _ if file.mode() == FileMode::Commit => {}
            Delta::Unmodified | Delta::Ignored => {}
            Delta::Deleted if outside.contains(path.as_os_str().as_bytes()) => {}
            Delta::Deleted => gone.push(path.to_owned()),
            Delta::Untracked => there.push((path.to_owned(), Tracking::Untracked)),
            _ => there.push((path.to_owned(), Tracking::Tracked)),
        }
    }
    for path in &gone {
        remove(root, path)?;
    }
    let mut extras = Extras::default();
    let mut caches = Caches::default();
    for (path, tracking) in there {
        crate::process::check()?;
        if tracking == Tracking::Untracked
            && let Some(cache) = caches.around(from, &path)
        {
            if !extras.caches.contains(&cache) {
                extras.caches.push(cache);
            }
        } else if from.join(&path).join(".git").exists() {
            extras.nested.push(path);
        } else {
            copy(from, root, &path)?;
        }
    }
    Ok(extras)
}

/// The files that git leaves out of the checkout on purpose (`git sparse-checkout`): their absence
/// does not count as a deletion.
pub(super) fn not_checked_out(source: &Repository) -> Result<HashSet<Vec<u8>>, git2::Error> {
    let flag = IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
    let entries = source.index()?;
    let outside = entries
        .iter()
        .filter(|entry| entry.flags_extended & flag != 0);
    Ok(outside.map(|entry| entry.path).collect())
}

/// Copies one file or symbolic link, as it is, to the same place below `to`. Anything else (a
/// folder, a socket) is left out; a file that no longer exists is removed there, too.
pub(super) fn copy(from: &Path, to: &Path, path: &Path) -> io::Result<()> {
    let origin = from.join(path);
    let kind = match fs_err::symlink_metadata(&origin) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return remove(to, path),
        Err(error) => return Err(error),
    };
    if !kind.is_file() && !kind.is_symlink() {
        return Ok(());
    }
    let target = make_way(to, path)?;
    if kind.is_symlink() {
        fs_err::os::unix::fs::symlink(fs_err::read_link(&origin)?, target)
    } else {
        fs_err::copy(&origin, target).map(drop)
    }
}

/// Removes what is at `path` below `root`, and the folders that are empty then, as git does.
fn remove(root: &Path, path: &Path) -> io::Result<()> {
    let target = root.join(path);
    match fs_err::symlink_metadata(&target) {
        Ok(metadata) if !metadata.is_dir() => fs_err::remove_file(&target)?,
        _ => return Ok(()),
    }
    for folder in target.ancestors().skip(1) {
        if folder == root || fs_err::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Makes room for `path` below `root`. A parent that is not a folder (a symbolic link in HEAD that
/// the user has replaced by a folder, say) is removed: nothing is ever written through a link.
pub(super) fn make_way(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut place = root.to_owned();
    let mut names: Vec<OsString> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_owned()),
            Component::CurDir => {}
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidFilename,
                    format!("{} leads out of the repository", path.display()),
                ));
            }
        }
    }
    let last = names.pop();
    for name in names {
        place.push(name);
        match fs_err::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                fs_err::remove_file(&place)?;
                fs_err::create_dir(&place)?;
            }
            Err(_) => fs_err::create_dir(&place)?,
        }
    }
    place.extend(last);
    match fs_err::symlink_metadata(&place) {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(&place)?,
        Ok(_) => fs_err::remove_file(&place)?,
        Err(_) => {}
    }
    Ok(place)
}

/// Whether a folder is marked as a cache.
pub(super) fn is_cache(folder: &Path) -> bool {
    fs_err::read(folder.join("CACHEDIR.TAG")).is_ok_and(|tag| tag.starts_with(CACHE_TAG))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracking {
    Tracked,
    Untracked,
}

/// Which folders are caches; each is looked at once.
#[derive(Debug, Default)]
struct Caches(HashMap<PathBuf, bool>);

impl Caches {
    /// The outermost cache folder around `path`.
    fn around(&mut self, root: &Path, path: &Path) -> Option<PathBuf> {
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        let is_cache = |folder: &&Path| {
            !folder.as_os_str().is_empty()
                && *self
                    .0
                    .entry((*folder).to_owned())
                    .or_insert_with(|| is_cache(&root.join(folder)))
        };
        folders.into_iter().find(is_cache).map(Path::to_owned)
    }
}
