//! The recorder, on Linux.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::{Access, RecordError, Watched};

/// The most files to watch: the kernel allows each user some thousands of watches, and the user needs some for
/// other programs.
const MOST: usize = 4096;

/// Records until it is dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    kernel: OwnedFd,
    /// By the number that the kernel gives to a watch; there is one per inode.
    watches: HashMap<i32, WatchedPath>,
    /// How many more openings of the program are expected.
    starts: usize,
}

#[derive(Debug, Clone)]
struct WatchedPath {
    path: PathBuf,
    kind: WatchKind,
}

/// What about it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WatchKind {
    /// Each opening but the expected ones.
    Program,
    /// The folder itself is opened, whatever happens to its entries.
    Listed,
    /// Each opening.
    Opened,
}

impl Recorder {
    /// Begins.
    ///
    /// # Errors
    /// The kernel cannot watch, or not so many files; a folder cannot be read.
    pub(crate) fn start(watched: &Watched) -> Result<Recorder, RecordError> {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let kernel = inotify::init(flags).map_err(|error| RecordError::Refused(error.into()))?;
        let mut recorder = Recorder {
            kernel,
            watches: HashMap::new(),
            starts: 0,
        };
        let mut all = BTreeMap::new();
        for path in &watched.opened {
            add_below(path, &mut all).map_err(|source| RecordError::Watch {
                path: path.clone(),
                source,
            })?;
        }
        for path in &watched.listed {
            all.insert(path.clone(), WatchKind::Listed);
        }
        let files = all.len();
        if files > MOST {
            return Err(RecordError::TooMany { files, most: MOST });
        }
        if let Some(path) = &watched.program {
            recorder.watch(path, WatchKind::Program)?;
        }
        for (path, kind) in &all {
            recorder.watch(path, *kind)?;
        }
        Ok(recorder)
    }

    /// A process of the program is about to be started.
    pub(crate) fn expect_start(&mut self) {
        self.starts = 1;
    }

    /// What was accessed since the last call, each entry once.
    ///
    /// # Errors
    /// The kernel has lost events.
    pub(crate) fn take(&mut self) -> Result<Vec<Access>, RecordError> {
        let mut found = BTreeSet::new();
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = Reader::new(&self.kernel, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(found.into_iter().collect()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(RecordError::Refused(error.into())),
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err(RecordError::Overflow);
            }
            let Some(watch) = self.watches.get(&event.wd()) else {
                continue;
            };
            if !event.events().contains(ReadFlags::OPEN) {
                continue;
            }
            let path = watch.path.clone();
            match watch.kind {
                WatchKind::Program if self.starts > 0 => self.starts -= 1,
                WatchKind::Program => drop(found.insert(Access::StartedAgain(path))),
                WatchKind::Listed if event.file_name().is_none() => {
                    found.insert(Access::Listed(path));
                }
                WatchKind::Listed => {}
                WatchKind::Opened => drop(found.insert(Access::Opened(path))),
            }
        }
    }

    /// Follows symbolic links. A file that does not exist, or a dangling link, cannot be opened.
    fn watch(&mut self, path: &Path, kind: WatchKind) -> Result<(), RecordError> {
        let flags = match kind {
            // The kernel merges an event with an identical one before it. Counting needs other events in between:
            // starting a program also reads its first bytes.
            WatchKind::Program => WatchFlags::OPEN | WatchFlags::ACCESS,
            WatchKind::Listed | WatchKind::Opened => WatchFlags::OPEN,
        };
        match inotify::add_watch(&self.kernel, path, flags) {
            Ok(number) => {
                let path = path.to_owned();
                let watch = WatchedPath { path, kind };
                let known = self.watches.entry(number).or_insert(watch);
                known.kind = known.kind.max(kind);
                Ok(())
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
            Err(error) => Err(RecordError::Watch {
                path: path.to_owned(),
                source: error.into(),
            }),
        }
    }
}

/// Adds `path` and, if it is a folder or leads to one, everything in it.
fn add_below(path: &Path, found: &mut BTreeMap<PathBuf, WatchKind>) -> io::Result<()> {
    if !path.is_dir() {
        found.insert(path.to_owned(), WatchKind::Opened);
        return Ok(());
    }
    // Links that lead back would never end.
    let real = fs_err::canonicalize(path)?;
    if found.len() > MOST || found.insert(real.clone(), WatchKind::Listed).is_some() {
        return Ok(());
    }
    for entry in fs_err::read_dir(&real)? {
        add_below(&entry?.path(), found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn run(program: &str, arguments: &[&Path]) {
        let output = Command::new(program).args(arguments).output();
        assert!(output.unwrap().status.success());
    }

    #[test]
    fn what_other_processes_open_list_and_start_is_seen_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for folder in ["listed", "not listed", "real/deep", "beside"] {
            fs_err::create_dir_all(at(folder)).unwrap();
        }
        for file in [
            "file",
            "other",
            "beside/file",
            "real/deep/file",
            "listed/file",
        ] {
            fs_err::write(at(file), "text").unwrap();
        }
        std::os::unix::fs::symlink("real", at("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        fs_err::copy("/bin/cat", at("program")).unwrap();
        let watched = Watched {
            opened: ["file", "link", "dangling", "missing"].map(at).to_vec(),
            listed: ["listed", "not listed"].map(at).to_vec(),
            program: Some(at("program")),
        };
        let program = at("program").display().to_string();
        let mut recorder = Recorder::start(&watched).unwrap();
        recorder.expect_start();
        run(
            &program,
            &[&at("other"), &at("listed/file"), &at("beside/file")],
        );
        assert_eq!(recorder.take().unwrap(), []);
        recorder.expect_start();
        run(&program, &[&at("file")]);
        run(&program, &[&at("link/deep/file")]);
        run("ls", &[&at("listed")]);
        let deep = fs_err::canonicalize(at("real/deep/file")).unwrap();
        let expected = [
            Access::Opened(at("file")),
            Access::Opened(deep),
            Access::Listed(at("listed")),
            Access::StartedAgain(at("program")),
        ];
        assert_eq!(recorder.take().unwrap(), expected);
        assert_eq!(recorder.take().unwrap(), []);
    }
}
