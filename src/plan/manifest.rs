//! Which manifest a command is about.

use std::path::{Path, PathBuf};

use super::PlanError;

/// The manifest that was named, or else the nearest one from `cwd` upwards, as cargo finds it.
///
/// # Errors
/// The named file is not a `Cargo.toml`, or there is no manifest.
pub(super) fn find(named: Option<&Path>, cwd: &Path) -> Result<PathBuf, PlanError> {
    if let Some(named) = named {
        let path = cwd.join(named);
        return if path.is_file() && path.file_name().is_some_and(|name| name == "Cargo.toml") {
            Ok(absolute(&path))
        } else {
            Err(PlanError::NotAManifest { path })
        };
    }
    cwd.ancestors()
        .map(|folder| folder.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
        .ok_or_else(|| PlanError::NoManifest {
            folder: cwd.to_owned(),
        })
}

/// Without `.` and `..`, symbolic links resolved where the file system lets us.
fn absolute(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_manifest_upwards_is_meant() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("crates/inner/src");
        fs_err::create_dir_all(&inner).unwrap();
        fs_err::write(root.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(find(None, &inner).unwrap(), root.path().join("Cargo.toml"));
        fs_err::write(root.path().join("crates/inner/Cargo.toml"), "").unwrap();
        assert_eq!(
            find(None, &inner).unwrap(),
            root.path().join("crates/inner/Cargo.toml")
        );
    }

    #[test]
    fn a_folder_in_place_of_a_manifest_is_answered_with_its_manifest() {
        let root = tempfile::tempdir().unwrap();
        let error = find(Some(Path::new(".")), root.path()).unwrap_err();
        assert!(error.hint().unwrap().contains("Cargo.toml"));
    }

    #[test]
    fn no_manifest_at_all_names_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let error = find(None, root.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&root.path().display().to_string())
        );
    }
}
