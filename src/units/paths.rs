//! Operations on paths that do not ask the file system.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and `..`. The file system is not asked: the path need not exist.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut so_far, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                so_far.pop();
            }
            other => so_far.push(other),
        }
        so_far
    })
}

/// The folder beside both checkouts that stands for either side in executables which would otherwise contain their
/// side's name. The name is as long as the sides' own, and no such folder exists.
pub const EITHER_SIDE: &str = "side";

/// Where `path`, as an executable has it, is in its own side's `checkout`.
#[must_use]
pub fn on_side(path: &Path, checkout: &Path) -> PathBuf {
    match path.strip_prefix(checkout.with_file_name(EITHER_SIDE)) {
        Ok(inside) => checkout.join(inside),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_either_side_is_one_of_its_own() {
        let checkout = Path::new("/kept/head");
        let at = |path: &str| on_side(Path::new(path), checkout);
        assert_eq!(
            at("/kept/side/src/lib.rs"),
            Path::new("/kept/head/src/lib.rs")
        );
        assert_eq!(
            at("/kept/head/src/lib.rs"),
            Path::new("/kept/head/src/lib.rs")
        );
        assert_eq!(
            at("/rustc/library/side/lib.rs"),
            Path::new("/rustc/library/side/lib.rs")
        );
    }
}
