//! The folders of kept builds, beside those of the runs: locking one, and removing old ones.

use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;

use crate::scratch;
use crate::units::Bytes;

use super::USED;

/// What the names of these folders begin with.
const PREFIX: &str = "kept-";

/// The lock file's name.
const LOCK: &str = "lock";

/// The name of the folder for a key, which is a digest; as long as that of a run's own folder, so that a
/// benchmark's environment has one length wherever it was built.
pub(super) fn name(key: &str) -> String {
    format!("{PREFIX}{key:.11}")
}

/// Whether the folder at `path` is whole and for `key`.
pub(super) fn is_for(path: &Path, key: &str) -> bool {
    fs::read_to_string(path.join(super::KEY)).is_ok_and(|there| there == key)
}

/// Makes the folder if it is missing, and locks it. `None` if another run has locked it.
///
/// # Errors
/// Where it cannot be made or opened.
pub(super) fn hold(path: &Path) -> io::Result<Option<fs::File>> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::Error::other(format!(
            "{} is not a folder",
            path.display()
        )));
    }
    let lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join(LOCK))?;
    match lock.file().try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The previous holder may have removed the folder along with the locked file.
    let in_place = fs::metadata(path.join(LOCK)).is_ok_and(|there| {
        let ours = lock.metadata();
        ours.is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    });
    Ok(in_place.then_some(lock))
}

/// Removes everything but the lock; the folder is held by the caller.
pub(super) fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            remove_folder(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes a folder that is held by the caller, the lock at the very end.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    scratch::remove_tree(path, Some(LOCK))
}

/// Removes a folder, whatever its permissions; none is fine.
pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        scratch::remove_tree(path, None)?;
    }
    Ok(())
}

/// Removes a file or link; none is fine.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The sizes of all files below, without following links.
pub(super) fn size(path: &Path) -> io::Result<Bytes> {
    let mut total = 0;
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                total += entry.metadata()?.len();
            }
        }
    }
    Ok(Bytes::from_bytes(total))
}

/// Removes entries beside `own`, the longest unused first, until all together are within `bound`;
/// those in use stay.
pub(super) fn trim(own: &Path, bound: Bytes) -> io::Result<()> {
    let Some(parent) = own.parent() else {
        return Ok(());
    };
    let mut total = size(own)?.as_bytes();
    let mut others = Vec::new();
    for path in all(parent)?.into_iter().filter(|path| path != own) {
        // Its own run is removing it or writing to it.
        let Ok(size) = size(&path) else { continue };
        total += size.as_bytes();
        others.push((last_used(&path), size.as_bytes(), path));
    }
    others.sort();
    for (_, size, path) in others {
        if total <= bound.as_bytes() {
            break;
        }
        if let Some(_lock) = hold(&path)? {
            remove(&path)?;
            total -= size;
        }
    }
    Ok(())
}

/// What [`clean`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// How much was removed.
    pub removed: Bytes,
    /// Folders that a run is using right now, and that stay.
    pub in_use: Vec<PathBuf>,
}

/// Removes all kept builds in the folder of all runs.
///
/// # Errors
/// Where something cannot be read or removed.
pub fn clean(parent: &Path) -> io::Result<Cleaned> {
    let mut cleaned = Cleaned {
        removed: Bytes::from_bytes(0),
        in_use: Vec::new(),
    };
    for path in all(parent)? {
        match hold(&path)? {
            Some(_lock) => {
                let size = size(&path)?;
                remove(&path)?;
                cleaned.removed = Bytes::from_bytes(cleaned.removed.as_bytes() + size.as_bytes());
            }
            None => cleaned.in_use.push(path),
        }
    }
    Ok(cleaned)
}

fn all(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn last_used(path: &Path) -> SystemTime {
    let used = fs::metadata(path.join(USED)).and_then(|meta| meta.modified());
    used.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(parent: &Path, name: &str, bytes: usize, used: u64) -> PathBuf {
        let path = parent.join(format!("{PREFIX}{name}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("artefact"), vec![0; bytes]).unwrap();
        fs::write(path.join(USED), "").unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(used);
        let stamp = fs::File::open(path.join(USED)).unwrap();
        stamp.file().set_modified(time).unwrap();
        path
    }

    #[test]
    fn the_longest_unused_goes_first_and_what_is_in_use_stays() {
        let temp = tempfile::tempdir().unwrap();
        let own = entry(temp.path(), "own", 100, 1);
        let oldest = entry(temp.path(), "a", 100, 2);
        let held = entry(temp.path(), "b", 100, 3);
        let older = entry(temp.path(), "c", 100, 4);
        let newest = entry(temp.path(), "d", 100, 5);
        let _lock = hold(&held).unwrap().unwrap();
        trim(&own, Bytes::from_bytes(450)).unwrap();
        assert!(!oldest.exists() && older.exists());
        trim(&own, Bytes::from_bytes(350)).unwrap();
        assert!(own.exists() && held.exists() && !older.exists() && newest.exists());
    }

    #[test]
    fn cleaning_removes_all_but_what_is_in_use() {
        let temp = tempfile::tempdir().unwrap();
        entry(temp.path(), "a", 100, 2);
        let held = entry(temp.path(), "b", 100, 3);
        fs::create_dir(temp.path().join("run-1")).unwrap();
        let lock = hold(&held).unwrap().unwrap();
        let cleaned = clean(temp.path()).unwrap();
        assert_eq!(cleaned.removed, Bytes::from_bytes(100));
        assert_eq!(cleaned.in_use, std::slice::from_ref(&held));
        drop(lock);
        assert!(clean(temp.path()).unwrap().in_use.is_empty());
        assert!(!held.exists() && temp.path().join("run-1").exists());
        let nothing = clean(&temp.path().join("nowhere")).unwrap();
        assert_eq!(nothing.removed, Bytes::from_bytes(0));
    }

    #[test]
    fn one_folder_is_held_by_one_run_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("kept-x");
        let first = hold(&path).unwrap();
        assert!(first.is_some() && hold(&path).unwrap().is_none());
        drop(first);
        assert!(hold(&path).unwrap().is_some());
    }
}
