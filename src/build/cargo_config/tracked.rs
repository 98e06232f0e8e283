//! Cargo's configuration within a checkout.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// All files in folders called `.cargo`, by their paths from `root`. What they set reaches every package of a build, also
/// those outside of the checkout.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(in crate::build) fn tracked(root: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if root.is_dir() {
        search(root, Path::new(""), false, &mut files)?;
    }
    Ok(files)
}

fn search(
    root: &Path,
    folder: &Path,
    is_cargos: bool,
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let is_cargos = is_cargos || entry.file_name() == ".cargo";
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            search(root, &path, is_cargos, files)?;
        } else if is_cargos {
            // A link by what it leads to, if that is a file.
            let text = fs::read(entry.path()).unwrap_or_default();
            files.insert(path, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_found_wherever_it_lies_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = temp.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        put("src/lib.rs");
        put(".git/.cargo/config");
        assert_eq!(tracked(temp.path()).unwrap(), BTreeMap::new());
        put("inner/.cargo/config.toml");
        fs::os::unix::fs::symlink("inner/.cargo", temp.path().join(".cargo")).unwrap();
        let found = tracked(temp.path()).unwrap();
        let paths: Vec<&Path> = found.keys().map(PathBuf::as_path).collect();
        assert_eq!(
            paths,
            [Path::new(".cargo"), Path::new("inner/.cargo/config.toml")]
        );
        assert_eq!(tracked(&temp.path().join("none")).unwrap(), BTreeMap::new());
    }
}
