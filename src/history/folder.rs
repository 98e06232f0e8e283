//! The store in a folder.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::HistoryError;
use super::files::NamedFile;

/// Others read a shared folder, too; the user's umask may take away more.
const READABLE_BY_ALL: u32 = 0o644;

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

    /// What is named as a store names it. Anything else in the folder is the user's, and stays as it is.
    fn read_all(&self) -> std::io::Result<Vec<NamedFile>> {
        let mut files = Vec::new();
        let folders = match fs_err::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(files),
            folders => folders?,
        };
        for folder in folders {
            let folder = folder?;
            // Of a link this says that it is no folder.
            if !folder.file_type()?.is_dir() || !is_hex(&folder.file_name(), 2) {
                continue;
            }
            for file in fs_err::read_dir(folder.path())? {
                let path = file?.path();
                let name = path.strip_prefix(&self.folder).unwrap_or(&path);
                if is_named_by_digest(name) && path.is_file() {
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
                .permissions(Permissions::from_mode(READABLE_BY_ALL))
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

/// Whether it is the rest of a digest, and `.json`.
fn is_named_by_digest(path: &Path) -> bool {
    let is_json = path.extension() == Some(OsStr::new("json"));
    is_json && path.file_stem().is_some_and(|stem| is_hex(stem, 38))
}

/// Whether it is so many lower-case hexadecimal digits.
fn is_hex(name: &OsStr, digits: usize) -> bool {
    let name = name.as_encoded_bytes();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == digits && name.iter().all(is_digit)
}
