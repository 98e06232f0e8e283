//! The store in a folder.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::HistoryError;
use super::files::NamedFile;

/// The store in a folder.
pub(crate) struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// That of `folder`, which need not exist.
    pub(super) fn of(folder: &Path) -> FolderStore {
        FolderStore {
            folder: folder.to_owned(),
        }
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    fn failed(&self, source: std::io::Error) -> HistoryError {
        HistoryError::Folder {
            folder: self.folder.clone(),
            source,
        }
    }

    /// Every file, in the order of their names.
    pub(super) fn read(&self) -> Result<Vec<NamedFile>, HistoryError> {
        self.read_all().map_err(|source| self.failed(source))
    }

    fn read_all(&self) -> std::io::Result<Vec<NamedFile>> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs_err::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let path = entry?.path();
                let name = path.strip_prefix(&self.folder).unwrap_or(&path);
                if path.is_dir() {
                    folders.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "json")
                {
                    files.push(NamedFile {
                        path: name.to_string_lossy().into_owned(),
                        bytes: fs_err::read(&path)?,
                    });
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Adds files. Each appears whole or not at all.
    pub(super) fn add(&self, files: &[NamedFile]) -> Result<(), HistoryError> {
        let add = |file: &NamedFile| -> std::io::Result<()> {
            let path = self.folder.join(&file.path);
            let folder = path.parent().unwrap_or(&self.folder);
            fs_err::create_dir_all(folder)?;
            let mut temporary = tempfile::Builder::new()
                .prefix(".perfcheck-")
                .tempfile_in(folder)?;
            temporary.write_all(&file.bytes)?;
            temporary.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        files
            .iter()
            .try_for_each(add)
            .map_err(|source| self.failed(source))
    }

    /// Removes the files with these paths.
    pub(super) fn remove(&self, paths: &[String]) -> Result<(), HistoryError> {
        let remove = |path: &String| fs_err::remove_file(self.folder.join(path));
        paths
            .iter()
            .try_for_each(remove)
            .map_err(|source| self.failed(source))
    }
}
