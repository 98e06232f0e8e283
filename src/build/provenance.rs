//! Proof that an executable was made from its own side's source, in this build.
//!
//! Three independent witnesses: cargo's own statement that it compiled the file instead of reusing it;
//! the time stamp, compared with a file written just before the build; and the compiler's list of the
//! files that it read (the `.d` file beside the artefact). Where builds are kept, what cargo reused
//! from an earlier one must be, byte by byte, what the record says that build made from the same
//! files.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cargo_metadata::Artifact;
use fs_err as fs;

use crate::units::normal;

use super::dep_info::dep_info;
use super::kept::Record;

/// What one side's artefacts are checked against.
#[derive(Debug)]
pub(super) struct Provenance {
    /// This side's checkout.
    own: PathBuf,
    /// Folders whose files this side must not use: the other side's checkout and target folder.
    foreign: Vec<PathBuf>,
    /// The folder that cargo runs the compiler in.
    workspace_root: PathBuf,
    /// When the build began, by the clock of the file system it is on.
    began: SystemTime,
    /// What an earlier build made here, and from what.
    earlier: Option<Record>,
}

impl Provenance {
    /// Call it just before the build begins.
    ///
    /// # Errors
    /// Where no file can be written into `target_dir`.
    pub(super) fn begin(
        own: &Path,
        foreign: Vec<PathBuf>,
        workspace_root: &Path,
        target_dir: &Path,
        earlier: Option<Record>,
    ) -> io::Result<Provenance> {
        fs::create_dir_all(target_dir)?;
        let marker = target_dir.join(".perfcheck-began");
        fs::write(&marker, [])?;
        Ok(Provenance {
            own: own.to_owned(),
            foreign,
            workspace_root: workspace_root.to_owned(),
            began: fs::metadata(&marker)?.modified()?,
            earlier,
        })
    }

    /// Why `artifact` cannot be trusted; `None` if it can. Artefacts of packages outside the
    /// checkout may be shared by the sides and are not checked.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn objection(&self, artifact: &Artifact) -> io::Result<Option<String>> {
        // As the manifest writes it: `package/../shared/lib.rs`, say.
        let root_file = normal(artifact.target.src_path.as_std_path());
        let in_checkout = root_file.starts_with(&self.own);
        if self.is_foreign(&root_file) {
            return Ok(Some(format!("its source is {}", root_file.display())));
        }
        if !in_checkout && artifact.executable.is_none() {
            return Ok(None);
        }
        for file in &artifact.filenames {
            let file = file.as_std_path();
            match &self.earlier {
                None if artifact.fresh => {
                    return Ok(Some("cargo took it from an earlier build".to_owned()));
                }
                Some(earlier) if artifact.fresh => {
                    if let Some(reason) = earlier.objection(file)? {
                        return Ok(Some(reason));
                    }
                }
                _ if fs::metadata(file)?.modified()? < self.began => {
                    return Ok(Some("it is older than the build".to_owned()));
                }
                _ => {}
            }
            let Some(listed) = dep_info(file)? else {
                continue;
            };
            let sources: Vec<PathBuf> = listed
                .iter()
                .map(|source| normal(&self.workspace_root.join(source)))
                .collect();
            if let Some(source) = sources.iter().find(|source| self.is_foreign(source)) {
                return Ok(Some(format!("it was made from {}", source.display())));
            }
            if !sources.contains(&root_file) {
                return Ok(Some(format!(
                    "it was not made from {}",
                    root_file.display()
                )));
            }
        }
        Ok(None)
    }

    /// The record of what this side has now, for the next build; `artifacts` have passed [`Provenance::objection`].
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn record(&self, toolchain: &str, artifacts: &[Artifact]) -> io::Result<Record> {
        let mut record = Record::new(toolchain);
        for artifact in artifacts {
            let inside = normal(artifact.target.src_path.as_std_path()).starts_with(&self.own);
            if !inside && artifact.executable.is_none() {
                continue;
            }
            for file in &artifact.filenames {
                match &self.earlier {
                    Some(earlier) if artifact.fresh => record.keep(file.as_std_path(), earlier),
                    _ => record.note(file.as_std_path(), &self.workspace_root)?,
                }
            }
        }
        if let Some(earlier) = &self.earlier {
            record.inherit(earlier.clone());
        }
        Ok(record)
    }

    fn is_foreign(&self, path: &Path) -> bool {
        self.foreign.iter().any(|folder| path.starts_with(folder))
    }
}
