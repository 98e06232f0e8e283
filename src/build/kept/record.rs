//! What a build made, and from what: it proves later that an artefact comes from that build.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::super::compile::Compiled;
use super::super::dep_info::dep_info;
use super::variables::Reads;
use super::{BuildEnvironment, key, libraries};

/// What one side's builds made of packages inside the checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::build) struct Record {
    /// The full version output of the compiler and cargo.
    toolchain: String,
    artefacts: BTreeMap<PathBuf, Made>,
    /// The environment variables that build scripts and macros read.
    #[serde(default)]
    reads: Reads,
    /// The system's libraries that build scripts have linked, with their stamps.
    #[serde(default)]
    libraries: BTreeMap<PathBuf, String>,
}

/// One file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    digest: String,
    /// The files that the compiler read, with their digests.
    sources: BTreeMap<PathBuf, String>,
}

impl Record {
    /// A record of nothing yet.
    pub(in crate::build) fn new(toolchain: &str) -> Record {
        Record {
            toolchain: toolchain.to_owned(),
            artefacts: BTreeMap::new(),
            reads: Reads::default(),
            libraries: BTreeMap::new(),
        }
    }

    /// Records what the build in `target_dir` has read from the system. If nothing was compiled, this
    /// is unchanged.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn note_environment(
        &mut self,
        target_dir: &Path,
        environment: &BuildEnvironment,
        compiled: &Compiled,
    ) -> io::Result<()> {
        if compiled.made_anything() || self.reads == Reads::default() {
            let BuildEnvironment { variables, secret } = environment;
            self.reads = Reads::of(target_dir, variables, secret)?;
        }
        self.libraries = libraries::linked(&compiled.scripts, target_dir);
        Ok(())
    }

    /// Whether a build in `target_dir` would read the same from the system now.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn fits(
        &self,
        target_dir: &Path,
        environment: &BuildEnvironment,
    ) -> io::Result<bool> {
        let mut libraries = self.libraries.iter();
        if !libraries.all(|(file, stamp)| key::stamp(file).as_ref() == Some(stamp)) {
            return Ok(false);
        }
        let BuildEnvironment { variables, secret } = environment;
        self.reads.hold(target_dir, variables, secret)
    }

    /// Reads a record; `None` if there is none, or if it cannot be trusted: it was made with other tools or,
    /// compared with the time of `now` (a file that was just written), in the future. After such a jump of the
    /// clock, cargo would think that old artefacts are newer than changed sources.
    pub(super) fn read(path: &Path, now: &Path, toolchain: &str) -> Option<Record> {
        let modified = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        if modified(now)? < modified(path)? {
            return None;
        }
        let record: Record = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (record.toolchain == toolchain).then_some(record)
    }

    /// Writes the record atomically.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes over from `earlier` the files that still exist: this build may have been for other targets.
    pub(in crate::build) fn inherit(&mut self, earlier: Record) {
        self.reads = earlier.reads;
        for (file, made) in earlier.artefacts {
            if file.is_file() {
                self.artefacts.entry(file).or_insert(made);
            }
        }
    }

    /// Notes a file that was just made by a compiler run in `workspace`.
    ///
    /// # Errors
    /// Where it or one of its sources cannot be read.
    pub(in crate::build) fn note(&mut self, file: &Path, workspace: &Path) -> io::Result<()> {
        let mut sources = BTreeMap::new();
        for source in dep_info(file)?.into_iter().flatten() {
            let source = workspace.join(source);
            // A file that a build script wrote may be gone after the build.
            if source.is_file() {
                sources.insert(source.clone(), digest(&source)?);
            }
        }
        let made = Made {
            digest: digest(file)?,
            sources,
        };
        self.artefacts.insert(file.to_owned(), made);
        Ok(())
    }

    /// Copies the entry that `earlier` has for a file that was not made anew.
    pub(in crate::build) fn keep(&mut self, file: &Path, earlier: &Record) {
        if let Some(made) = earlier.artefacts.get(file) {
            self.artefacts.insert(file.to_owned(), made.clone());
        }
    }

    /// Why a file that cargo takes as fresh cannot be trusted; `None` if it can.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(in crate::build) fn objection(&self, file: &Path) -> io::Result<Option<String>> {
        let Some(made) = self.artefacts.get(file) else {
            return Ok(Some("no earlier build is known to have made it".to_owned()));
        };
        if digest(file)? != made.digest {
            return Ok(Some("it is not what the earlier build made".to_owned()));
        }
        for (source, recorded) in &made.sources {
            if !source.is_file() || digest(source)? != *recorded {
                let reason = format!("{} has changed since it was made", source.display());
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }
}

/// The name that git would give the file's content.
fn digest(file: &Path) -> io::Result<String> {
    let id = git2::Oid::hash_file(git2::ObjectType::Blob, file).map_err(io::Error::other)?;
    Ok(id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with an artefact, its source, and a record of both.
    fn recorded() -> (tempfile::TempDir, Record) {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::write(at("lib.rs"), "fn a() {}").unwrap();
        fs::write(at("it.d"), format!("{}: lib.rs\n", at("it").display())).unwrap();
        fs::write(at("it"), "code").unwrap();
        let mut record = Record::new("rustc 1");
        record.note(&at("it"), temp.path()).unwrap();
        (temp, record)
    }

    #[test]
    fn what_was_recorded_is_accepted_and_nothing_else() {
        let (temp, record) = recorded();
        let at = |name: &str| temp.path().join(name);
        assert_eq!(record.objection(&at("it")).unwrap(), None);
        fs::write(at("lib.rs"), "fn b() {}").unwrap();
        let reason = record.objection(&at("it")).unwrap().unwrap();
        assert!(reason.contains("lib.rs has changed"), "{reason}");
        fs::write(at("lib.rs"), "fn a() {}").unwrap();
        fs::write(at("it"), "c0de").unwrap();
        assert!(record.objection(&at("it")).unwrap().is_some());
        assert!(record.objection(&at("it.d")).unwrap().is_some());
    }

    #[test]
    fn a_record_of_other_tools_from_the_future_or_broken_is_none() {
        let (temp, record) = recorded();
        let (path, now) = (temp.path().join("base.json"), temp.path().join("used"));
        let touch = |path: &Path, seconds| {
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options()
                .append(true)
                .create(true)
                .open(path)
                .unwrap();
            fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .file()
                .set_modified(time)
                .unwrap();
        };
        record.write(&path).unwrap();
        touch(&path, 1_000);
        touch(&now, 2_000);
        assert_eq!(Record::read(&path, &now, "rustc 1"), Some(record));
        assert_eq!(Record::read(&path, &now, "rustc 2"), None);
        touch(&now, 999);
        assert_eq!(Record::read(&path, &now, "rustc 1"), None);
        touch(&now, 9_000_000_000);
        fs::write(&path, "{\"toolchain\":").unwrap();
        assert_eq!(Record::read(&path, &now, "rustc 1"), None);
    }
}
