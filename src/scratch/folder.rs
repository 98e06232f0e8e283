//! The run's private folder.

use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::guardian::{Guardian, end_dead_run};
use super::place::{RunPlace, make_parent};
use super::remove::remove_tree;
use super::{KEPT, LOCK, PREFIX, ScratchError};
use crate::process::{Child, Children};

/// The run's private folder and the registry of its child processes. The folder is removed, and
/// every child killed, when this is closed or dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    children: Children,
    notes: Vec<String>,
    place: Option<RunPlace>,
    state: FolderState,
    /// Told that all is clean only afterwards, since fields drop after the folder is removed: if the run is killed
    /// in the middle of removing, the guardian removes the rest.
    _guardian: Option<Guardian>,
    /// Held as long as the run lives: other runs know that it is dead when they can take this lock.
    _lock: fs_err::File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FolderState {
    InUse,
    Removed,
    Kept,
}

impl Scratch {
    /// Makes a private folder (mode 0700) in `parent`, which is made where it is missing, and
    /// removes what dead runs left there. All such folders have paths of the same length.
    ///
    /// `guardian` is this program (`std::env::current_exe()`). Without a guardian, only the next
    /// run cleans up after a sudden death.
    ///
    /// # Errors
    /// Where the folder cannot be made or locked (no permission, a full disk), or the guardian
    /// cannot be started.
    pub fn create(parent: &Path, guardian: Option<&Path>) -> Result<Scratch, ScratchError> {
        let failed = |source| ScratchError::Create {
            parent: parent.to_owned(),
            source,
        };
        make_parent(parent).map_err(failed)?;
        // Absolute and without links, so that cargo and git name files the same way as we do.
        let parent = fs_err::canonicalize(parent).map_err(failed)?;
        let turn = FolderTurn::take(&parent)?;
        let dead = dead_runs(&parent).map_err(failed)?;
        // Before the folder is made: a run that is killed at any moment has a guardian that knows of it.
        let mut guardian = guardian.map(Guardian::start).transpose()?;
        let path = make_folder(&parent, guardian.as_mut()).map_err(failed)?;
        let equipped = lock_folder(&path).and_then(|lock| {
            drop(turn);
            Ok((lock, Children::of_run(&path).map_err(failed)?))
        });
        let (lock, children) = equipped.inspect_err(|_| {
            let _ = remove_tree(&path, None);
        })?;
        Ok(Scratch {
            path,
            children,
            notes: dead.iter().map(DeadRun::end).collect(),
            place: None,
            state: FolderState::InUse,
            _guardian: guardian,
            _lock: lock,
        })
    }

    /// [`Scratch::create`] at `place`.
    ///
    /// # Errors
    /// As [`Scratch::create`].
    pub fn create_at(place: &RunPlace, guardian: Option<&Path>) -> Result<Scratch, ScratchError> {
        let mut scratch = Scratch::create(&place.trees, guardian)?;
        scratch.place = Some(place.clone());
        Ok(scratch)
    }

    /// The folder; absolute, without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for archives of kept builds, where they do not stay as trees beside [`Scratch::path`].
    #[must_use]
    pub fn store(&self) -> Option<&Path> {
        self.place.as_ref()?.store.as_deref()
    }

    /// Why the folder is not in the user's cache folder, where it is elsewhere.
    #[must_use]
    pub fn elsewhere(&self) -> Option<&str> {
        self.place.as_ref()?.note.as_deref()
    }

    /// What was found and cleaned at the start, as lower-case fragments.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Starts `command` in a process group of its own, which ends with the child, with this
    /// `Scratch`, with the run and with the run's sudden death. Set its standard input (null or a
    /// pipe): a group in the background that reads from the terminal would be stopped.
    ///
    /// # Errors
    /// What starting it fails with; [`crate::process::Interrupted`] inside where the run was told to stop.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        self.children.spawn(command)
    }

    /// Like [`Scratch::spawn`], for a process of a benchmark: daemons that it leaves, in whatever
    /// group or session, end with it as well. Daemons of tools stay, since they serve others, too:
    /// the server of a compilation cache, say.
    ///
    /// # Errors
    /// As [`Scratch::spawn`].
    pub fn spawn_benchmark(&self, command: &mut Command) -> io::Result<Child> {
        self.children.spawn_benchmark(command)
    }

    /// Kills every child and removes the folder.
    ///
    /// # Errors
    /// Where something in it cannot be removed.
    pub fn close(mut self) -> Result<(), ScratchError> {
        self.remove().map_err(|source| ScratchError::Remove {
            path: self.path.clone(),
            source,
        })
    }

    /// Kills every child, leaves the folder where it is and returns its path; no later run removes it.
    ///
    /// # Errors
    /// Where it cannot be marked as kept; it is removed then.
    pub fn keep(mut self) -> Result<PathBuf, ScratchError> {
        self.children.end();
        fs_err::write(self.path.join(KEPT), "").map_err(|source| ScratchError::Create {
            parent: self.path.clone(),
            source,
        })?;
        self.state = FolderState::Kept;
        Ok(self.path.clone())
    }

    fn remove(&mut self) -> io::Result<()> {
        self.children.end();
        if self.state == FolderState::InUse {
            self.state = FolderState::Removed;
            remove_tree(&self.path, Some(LOCK))?;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.remove();
    }
}

/// Makes a folder of mode 0700 with a name of its own, which `guardian` knows before it is there.
fn make_folder(parent: &Path, mut guardian: Option<&mut Guardian>) -> io::Result<PathBuf> {
    let make = |path: &Path| {
        // Never the folder of another run, where by chance it has this name.
        if fs_err::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Some(guardian) = &mut guardian {
            guardian.watch(path)?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(path)
    };
    let mut builder = tempfile::Builder::new();
    let made = builder
        .prefix(PREFIX)
        .rand_bytes(12)
        .make_in(parent, make)?;
    made.into_temp_path().keep().map_err(|error| error.error)
}

/// Takes the lock that tells other runs that this one lives.
fn lock_folder(folder: &Path) -> Result<fs_err::File, ScratchError> {
    let path = folder.join(LOCK);
    let lock = fs_err::File::create(&path).map_err(|source| ScratchError::Create {
        parent: folder.to_owned(),
        source,
    })?;
    match lock.file().lock() {
        Ok(()) => Ok(lock),
        Err(source) => Err(ScratchError::Lock { path, source }),
    }
}

/// The right to examine and create the folders of runs: between its creation and its locking, a
/// folder must not be taken for one of a dead run.
struct FolderTurn {
    _file: fs_err::File,
}

impl FolderTurn {
    fn take(parent: &Path) -> Result<FolderTurn, ScratchError> {
        let path = parent.join(LOCK);
        let file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| ScratchError::Create {
                parent: parent.to_owned(),
                source,
            })?;
        file.file()
            .lock()
            .map_err(|source| ScratchError::Lock { path, source })?;
        Ok(FolderTurn { _file: file })
    }
}

/// The folder of a run that is dead.
struct DeadRun {
    path: PathBuf,
    /// Ensures that only one of two runs that start together cleans it.
    _lock: Option<fs_err::File>,
}

impl DeadRun {
    /// Cleans it up and says so.
    fn end(&self) -> String {
        match end_dead_run(&self.path) {
            Ok(()) => format!(
                "removed what a run that was killed left in {}",
                self.path.display()
            ),
            Err(error) => format!(
                "a run that was killed left {}, which cannot be removed: {error}",
                self.path.display()
            ),
        }
    }
}

fn dead_runs(parent: &Path) -> io::Result<Vec<DeadRun>> {
    let mut dead = Vec::new();
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type()?.is_dir() || path.join(KEPT).exists() {
            continue;
        }
        let lock = match fs_err::File::open(path.join(LOCK)) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // Another user's, or unreadable: leave it alone.
            Err(_) => continue,
        };
        match lock.as_ref().map(|lock| lock.file().try_lock()) {
            None | Some(Ok(())) => dead.push(DeadRun { path, _lock: lock }),
            Some(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => {}
        }
    }
    Ok(dead)
}
