//! Builds that outlive a run, so that the next one compiles only what has changed.
//!
//! Each repository (in one environment of variables and cargo configuration, see [`key`]) has a folder beside those
//! of the runs, with both checkouts and both target folders at paths that stay, so that cargo finds what it made. A
//! new checkout is laid over the one that is there and only what differs is written ([`sync`]); perfcheck then
//! compares what cargo takes as fresh with a record of the build that made it ([`record`]). A run that finds the
//! folder in use builds in its own private one instead.

mod archive;
mod entries;
mod key;
mod libraries;
mod record;
mod secret;
mod settings;
mod sync;
mod variables;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;

use crate::plan::Cache;
use crate::revision::Checkout;
use crate::units::{Bytes, Event, EventSink, Paired, Side};

use super::cargo_config::tracked;
use super::compile::Compiled;
use super::reuse::{self, Reusable};
use archive::Packed;
pub use entries::{Cleaned, clean};
pub(super) use record::Record;
use secret::Secret;
use sync::TreeChanges;
use variables::Variables;

/// The full digest of what a folder is for; the folder's name has the beginning of it. It is written
/// when the folder is complete.
const KEY: &str = "key";

/// The content of a mark that what was built of packages outside of the checkout may be outdated as well.
const EVERYWHERE: &[u8] = b"everywhere";

/// A file that every run writes anew: its time says when the folder was last used, by the clock of
/// the file system.
const USED: &str = "used";

/// The archive of a folder's trees, where they may not lie in the folder itself.
const ARCHIVE: &str = "trees.tar.lz4";

/// Where a run's folders are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    /// The run's own folder; kept trees lie beside it.
    pub(super) run: &'a Path,
    /// Where an archive of the trees is stored, if they do not stay.
    pub(super) store: Option<&'a Path>,
}

/// What builds get from the system in addition to files.
#[derive(Debug)]
struct BuildEnvironment {
    variables: Variables,
    secret: Secret,
}

/// A repository's folder, locked by this run and free for the next one when this is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    bound: Bytes,
    environment: BuildEnvironment,
    store: Option<Store>,
    /// Whether the trees differ from the archive.
    changed: AtomicBool,
    _lock: fs::File,
}

/// The folder of an archive, which is locked, too.
#[derive(Debug)]
struct Store {
    path: PathBuf,
    _lock: fs::File,
}

impl Kept {
    /// The folder for `checkouts` (which are still in the run's own folder); `None` if builds are not
    /// kept or another run is using it.
    ///
    /// # Errors
    /// Where files cannot be read or written. Building in the run's own folder is still possible.
    pub(super) fn open(
        cache: Cache,
        places: Places<'_>,
        checkouts: &Paired<Checkout>,
        events: EventSink<'_>,
    ) -> io::Result<Option<Kept>> {
        let (Cache::Bounded(bound), Some(parent)) = (cache, places.run.parent()) else {
            return Ok(None);
        };
        let secret = Secret::of(places.store.unwrap_or(parent))?;
        let key = key::of(&checkouts.head, &secret)?;
        let name = entries::name(&key);
        let store = match places
            .store
            .map(|store| Store::hold(&store.join(&name), &key))
        {
            Some(held) => match held? {
                None => return Ok(None),
                held => held,
            },
            None => None,
        };
        let path = parent.join(&name);
        let Some(lock) = entries::hold(&path)? else {
            return Ok(None);
        };
        let mut kept = Kept {
            path,
            bound,
            environment: BuildEnvironment {
                variables: variables::of_process(),
                secret,
            },
            store,
            changed: AtomicBool::new(true),
            _lock: lock,
        };
        kept.fill(&key, events)?;
        fs::write(kept.path.join(USED), [])?;
        Ok(Some(kept))
    }

    /// Prepares the folder for `key`. A folder without a key is incomplete; another key is a collision of digests.
    fn fill(&mut self, key: &str, events: EventSink<'_>) -> io::Result<()> {
        entries::remove_folder(&self.path.join(".cargo"))?;
        if entries::is_for(&self.path, key) {
            return Ok(());
        }
        entries::empty(&self.path)?;
        if let Some(store) = &self.store
            && store.archive().exists()
        {
            match archive::unpack(&store.archive(), &self.path) {
                Ok(()) => self.changed = AtomicBool::new(false),
                Err(error) => {
                    entries::empty(&self.path)?;
                    let message = format!(
                        "earlier builds cannot be used: {}: {error}",
                        store.archive().display()
                    );
                    events(Event::Warning { message });
                }
            }
        }
        fs::write(self.path.join(KEY), key)
    }

    /// Brings the checkouts here. Where inputs have changed that cargo may not know of, what was built of the
    /// side's own packages is outdated ([`Kept::drop_outdated`]).
    ///
    /// # Errors
    /// Where files cannot be read, moved or removed.
    pub(super) fn take_in(&self, checkouts: Paired<Checkout>) -> io::Result<Paired<Checkout>> {
        Paired::try_from_fn(|side| {
            let checkout = checkouts.get(side);
            let root = self.path.join(side.name());
            let mark = self.outdated_path(side);
            let has_configuration = |root: &Path| Ok::<_, io::Error>(!tracked(root)?.is_empty());
            // What cargo's configuration names or sets reaches packages outside of the checkout, too.
            let everywhere = !root.is_dir()
                || has_configuration(&root)?
                || has_configuration(&checkout.root)?
                || fs::read(&mark).is_ok_and(|said| said == EVERYWHERE);
            // It is outdated until it is removed: a run may be killed in between.
            let was_outdated = mark.exists();
            fs::write(&mark, if everywhere { EVERYWHERE } else { &[] })?;
            let mut changes = sync::bring(&checkout.root, &root)?;
            if was_outdated {
                changes = changes.max(TreeChanges::Untracked);
            }
            if changes != TreeChanges::None {
                self.changed.store(true, Ordering::Relaxed);
            }
            match changes {
                TreeChanges::None => fs::remove_file(mark)?,
                TreeChanges::Tracked => {
                    sync::wake_build_scripts(&root)?;
                    fs::remove_file(mark)?;
                }
                TreeChanges::Untracked if everywhere => self.discard(side)?,
                TreeChanges::Untracked => {}
            }
            let inside = checkout.manifest_path.strip_prefix(&checkout.root);
            Ok(Checkout {
                manifest_path: root.join(inside.unwrap_or(Path::new("Cargo.toml"))),
                root,
                ..checkout.clone()
            })
        })
    }

    /// Takes the record of a side's last build, so that a killed run leaves none. If there is no
    /// valid record, what was built is discarded.
    ///
    /// # Errors
    /// Where files cannot be removed.
    pub(super) fn take_record(&self, side: Side, toolchain: &str) -> io::Result<Option<Record>> {
        let path = self.record_path(side);
        let target_dir = super::tool::target_dir(&self.path, side);
        let record = match Record::read(&path, &self.path.join(USED), toolchain) {
            Some(record) if record.fits(&target_dir, &self.environment)? => Some(record),
            _ => None,
        };
        entries::remove_if_there(&path)?;
        if record.is_none() {
            self.discard(side)?;
        }
        Ok(record)
    }

    /// Writes a side's record, with what the build has read from the system. The record marks the build as
    /// complete.
    ///
    /// # Errors
    /// Where files cannot be read or it cannot be written.
    pub(super) fn put_record(
        &self,
        side: Side,
        mut record: Record,
        compiled: &Compiled,
    ) -> io::Result<()> {
        let target_dir = super::tool::target_dir(&self.path, side);
        record.note_environment(&target_dir, &self.environment, compiled)?;
        self.note_whether_made(compiled);
        record.write(&self.record_path(side))
    }

    /// Notes whether something here is new.
    pub(super) fn note_whether_made(&self, compiled: &Compiled) {
        if compiled.made_anything() {
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    /// Packs the trees into the archive, if there is to be one and it is out of date. A failure is
    /// only reported, since the run can go on without the archive.
    pub(super) fn store(&self, events: EventSink<'_>) {
        let Some(store) = &self.store else { return };
        let used = fs::write(store.path.join(USED), []);
        let packed = used.and_then(|()| {
            if self.changed.swap(false, Ordering::Relaxed) {
                archive::pack(&self.path, &store.archive(), self.bound)
            } else {
                Ok(Packed::Stored)
            }
        });
        let why = match packed {
            Ok(Packed::Stored) => return,
            Ok(Packed::TooLarge) => format!("they take more than {}", self.bound),
            Err(error) => error.to_string(),
        };
        let message = format!("builds are not kept for the next run: {why}");
        events(Event::Warning { message });
    }

    /// Removes what was built of the side's own packages where it is outdated. Artefacts of packages outside the
    /// checkout stay; where these are unknown, nothing stays.
    ///
    /// # Errors
    /// Where files cannot be removed.
    pub(super) fn drop_outdated(&self, side: Side, outside: Option<&Reusable>) -> io::Result<()> {
        if !self.outdated_path(side).exists() {
            return Ok(());
        }
        match outside {
            None => self.discard(side),
            Some(outside) => {
                reuse::retain(&super::tool::target_dir(&self.path, side), outside)?;
                entries::remove_if_there(&self.outdated_path(side))
            }
        }
    }

    /// Removes what was built of a side.
    ///
    /// # Errors
    /// Where files cannot be removed.
    pub(super) fn discard(&self, side: Side) -> io::Result<()> {
        self.changed.store(true, Ordering::Relaxed);
        entries::remove_if_there(&self.record_path(side))?;
        entries::remove_folder(&super::tool::target_dir(&self.path, side))?;
        entries::remove_if_there(&self.outdated_path(side))
    }

    /// Removes the builds of other repositories, the longest unused first, until all together are
    /// within the bound. A single build that exceeds the bound is removed when its run has ended.
    ///
    /// # Errors
    /// Where a folder cannot be read or removed.
    pub(super) fn trim(&self) -> io::Result<()> {
        let kept = self.store.as_ref().map_or(&self.path, |store| &store.path);
        entries::trim(kept, self.bound)
    }

    /// The path of a file that exists while a side's build may come from other inputs.
    fn outdated_path(&self, side: Side) -> PathBuf {
        self.path.join(format!("{}.outdated", side.name()))
    }

    fn record_path(&self, side: Side) -> PathBuf {
        self.path.join(format!("{}.json", side.name()))
    }
}

impl Store {
    /// Holds the folder of an archive for `key`; `None` where another run has it.
    fn hold(path: &Path, key: &str) -> io::Result<Option<Store>> {
        let Some(lock) = entries::hold(path)? else {
            return Ok(None);
        };
        if !entries::is_for(path, key) {
            entries::empty(path)?;
            fs::write(path.join(KEY), key)?;
        }
        Ok(Some(Store {
            path: path.to_owned(),
            _lock: lock,
        }))
    }

    fn archive(&self) -> PathBuf {
        self.path.join(ARCHIVE)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let too_large = || entries::size(&self.path).is_ok_and(|size| size > self.bound);
        if self.store.is_some() || too_large() {
            // Still locked: nobody is in there.
            let _ = entries::remove(&self.path);
        } else {
            // The user's own configuration, which may hold passwords.
            let _ = entries::remove_folder(&self.path.join(".cargo"));
        }
    }
}

#[cfg(test)]
mod tests;
