//! Builds that outlive a run, so that the next one compiles only what has changed.
//!
//! Each repository (in one environment of variables and cargo configuration, see [`key`]) has a folder
//! beside those of the runs, with both checkouts and both target folders at paths that stay, so that
//! cargo finds what it made. A new checkout is laid over the one that is there and only what differs
//! is written ([`sync`]); what cargo then takes as fresh is compared with a record of the build that made
//! it ([`record`]). A run that finds the folder in use builds in its own private one instead.

mod entries;
mod key;
mod record;
mod sync;

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::plan::Cache;
use crate::revision::Checkout;
use crate::units::{Bytes, Paired, Side};

pub use entries::{Cleaned, clean};
pub(super) use record::Record;
use sync::Changes;

/// The text that says what a folder is for, in full: its name is only a digest of it.
const KEY: &str = "key.json";

/// A file that every run writes anew: its time says when the folder was last used, by the clock of
/// the file system.
const USED: &str = "used";

/// A repository's folder, held by this run alone; free for the next when this is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    bound: Bytes,
    _lock: fs::File,
}

impl Kept {
    /// The folder for `checkouts` (still in the run's own folder, `run`); `None` where there is to be
    /// none or another run is using it.
    ///
    /// # Errors
    /// Where files cannot be read or written. Building in the run's own folder is still possible.
    pub(super) fn open(
        cache: Cache,
        run: &Path,
        checkouts: &Paired<Checkout>,
    ) -> io::Result<Option<Kept>> {
        let (Cache::Bounded(bound), Some(parent)) = (cache, run.parent()) else {
            return Ok(None);
        };
        let key = key::of(&checkouts.head.original_root)?;
        let path = parent.join(entries::name(&key)?);
        let Some(lock) = entries::hold(&path)? else {
            return Ok(None);
        };
        // A folder without its key is half made, one with another is a collision of digests.
        if fs::read_to_string(path.join(KEY)).ok().as_deref() != Some(&*key) {
            entries::empty(&path)?;
            fs::write(path.join(KEY), key)?;
        }
        fs::write(path.join(USED), [])?;
        Ok(Some(Kept {
            path,
            bound,
            _lock: lock,
        }))
    }

    /// Brings the checkouts here; what was built of sources that are gone, or from inputs that cargo
    /// may not know of and that have changed, is discarded.
    ///
    /// # Errors
    /// Where files cannot be read, moved or removed.
    pub(super) fn take_in(&self, checkouts: Paired<Checkout>) -> io::Result<Paired<Checkout>> {
        Paired::try_from_fn(|side| {
            let checkout = checkouts.get(side);
            let root = self.path.join(side.name());
            match sync::bring(&checkout.root, &root)? {
                Changes::None => {}
                Changes::Tracked => sync::wake_build_scripts(&root)?,
                Changes::Untracked => self.discard(side)?,
            }
            let inside = checkout.manifest_path.strip_prefix(&checkout.root);
            Ok(Checkout {
                manifest_path: root.join(inside.unwrap_or(Path::new("Cargo.toml"))),
                root,
                ..checkout.clone()
            })
        })
    }

    /// The record of a side's last build, taken out, so that a run that is killed leaves none. Where
    /// there is none that holds, what was built is discarded.
    ///
    /// # Errors
    /// Where files cannot be removed.
    pub(super) fn take_record(&self, side: Side, toolchain: &str) -> io::Result<Option<Record>> {
        let path = self.record_path(side);
        let record = Record::read(&path, &self.path.join(USED), toolchain);
        entries::remove_if_there(&path)?;
        if record.is_none() {
            self.discard(side)?;
        }
        Ok(record)
    }

    /// Writes a side's record: the sign that its build is whole.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn put_record(&self, side: Side, record: &Record) -> io::Result<()> {
        record.write(&self.record_path(side))
    }

    /// Removes what was built of a side.
    ///
    /// # Errors
    /// Where files cannot be removed.
    pub(super) fn discard(&self, side: Side) -> io::Result<()> {
        entries::remove_if_there(&self.record_path(side))?;
        entries::remove_folder(&super::tool::target_dir(&self.path, side))
    }

    /// Removes the builds of other repositories, the longest unused first, until all together are
    /// within the bound. One alone that is larger goes when its run has ended.
    ///
    /// # Errors
    /// Where a folder cannot be read or removed.
    pub(super) fn trim(&self) -> io::Result<()> {
        entries::trim(&self.path, self.bound)
    }

    fn record_path(&self, side: Side) -> PathBuf {
        self.path.join(format!("{}.json", side.name()))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let too_large = entries::size(&self.path).is_ok_and(|size| size > self.bound);
        if too_large {
            // Still locked: nobody is in there.
            let _ = entries::remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
