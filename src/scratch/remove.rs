//! Removing folders that resist: read-only ones, and those in which dying processes still write.

use std::io;
use std::path::Path;
use std::time::Duration;

/// How often to retry while dying processes still write into the folder.
const ATTEMPTS: u32 = 40;

/// Removes `folder` and all below, `last` (a file in it) at the very end. Folders without write
/// permission are given it; a folder that is gone already is fine. Symbolic links are never followed.
pub(crate) fn remove_tree(folder: &Path, last: Option<&str>) -> io::Result<()> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match try_remove(folder, last) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) if attempt < ATTEMPTS => std::thread::sleep(Duration::from_millis(50)),
            other => return other,
        }
    }
}

fn try_remove(folder: &Path, last: Option<&str>) -> io::Result<()> {
    make_writable(folder)?;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if last.is_some_and(|last| entry.file_name() == last) {
            continue;
        }
        let removed = if entry.file_type()?.is_dir() {
            remove_folder(&entry.path())
        } else {
            fs_err::remove_file(entry.path())
        };
        ignore_missing(removed)?;
    }
    if let Some(last) = last {
        ignore_missing(fs_err::remove_file(folder.join(last)))?;
    }
    fs_err::remove_dir(folder)
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_writable_below(folder)?;
            fs_err::remove_dir_all(folder)
        }
        other => other,
    }
}

fn make_writable_below(folder: &Path) -> io::Result<()> {
    make_writable(folder)?;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable_below(&entry.path())?;
        }
    }
    Ok(())
}

fn make_writable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mut permissions = fs_err::symlink_metadata(folder)?.permissions();
    if permissions.mode() & 0o700 != 0o700 {
        permissions.set_mode(permissions.mode() | 0o700);
        fs_err::set_permissions(folder, permissions)?;
    }
    Ok(())
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
