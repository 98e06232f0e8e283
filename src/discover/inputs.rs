//! Files that benchmarks may read while they run.
//!
//! The same code with another input is another benchmark. Which files an executable opens cannot be
//! known without running it, but it has to name them: a file that differs between the sides counts
//! as an input where its name stands in the executable, or where it lies in a `benches` folder.
//! Rust sources that were compiled are left out: panic locations name them all. Others (what a parser is
//! tried on, what belongs to another system) count where the executable names them with their folder. A
//! benchmark that lists a folder elsewhere and reads whatever is in it is not recognised. What build scripts
//! have made is the business of [`super::outputs`].

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::build::Build;
use crate::units::Paired;

/// The files, other than Rust sources that were compiled, that differ between two checkouts or that
/// one side alone has; relative to the root, sorted.
///
/// # Errors
/// Where a file or folder cannot be read.
pub(super) fn differing_inputs(builds: &Paired<Build>) -> io::Result<Vec<PathBuf>> {
    let mut differing = differing_files(builds.as_ref().map(|build| &*build.checkout.root))?;
    if differing.iter().any(|file| is_rust(file)) {
        let compiled = builds.as_ref().try_map(Build::compiled)?;
        differing.retain(|file| !compiled.base.contains(file) && !compiled.head.contains(file));
    }
    Ok(differing)
}

fn differing_files(roots: Paired<&Path>) -> io::Result<Vec<PathBuf>> {
    let listed = roots.try_map(|root| {
        let mut files = BTreeSet::new();
        list(root, Path::new(""), &mut files)?;
        Ok::<_, io::Error>(files)
    })?;
    let mut differing = Vec::new();
    for file in listed.base.union(&listed.head) {
        let on_both = listed.base.contains(file) && listed.head.contains(file);
        if !on_both || !same(&roots.base.join(file), &roots.head.join(file))? {
            differing.push(file.clone());
        }
    }
    Ok(differing)
}

/// The first of `files` that `executable` may read.
///
/// # Errors
/// Where the executable cannot be read.
pub(super) fn may_read<'a>(
    executable: &Path,
    files: &'a [PathBuf],
) -> io::Result<Option<&'a Path>> {
    if files.is_empty() {
        return Ok(None);
    }
    let bytes = fs::read(executable)?;
    let read = files.iter().find(|file| {
        if is_rust(file) {
            return names(&bytes, with_folder(file).as_os_str());
        }
        let in_benches = file.parent().is_some_and(|folder| {
            folder
                .components()
                .any(|part| part.as_os_str() == "benches")
        });
        in_benches || file.file_name().is_some_and(|name| names(&bytes, name))
    });
    Ok(read.map(PathBuf::as_path))
}

fn is_rust(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("rs"))
}

/// The last two parts of a path: `mod.rs` alone is in every executable.
fn with_folder(file: &Path) -> PathBuf {
    let folder = file.parent().and_then(Path::file_name);
    Path::new(folder.unwrap_or_default()).join(file.file_name().unwrap_or_default())
}

fn names(bytes: &[u8], name: &OsStr) -> bool {
    regex::bytes::Regex::new(&regex::escape(&name.to_string_lossy()))
        .is_ok_and(|name| name.is_match(bytes))
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != ".git" {
                list(root, &name, files)?;
            }
        } else if !is_cargos(&name) {
            files.insert(name);
        }
    }
    Ok(())
}

/// Whether it is a manifest or a lock file: what they change, they change through the build.
fn is_cargos(name: &Path) -> bool {
    name.file_name()
        .is_some_and(|name| name == "Cargo.toml" || name == "Cargo.lock")
}

fn same(base: &Path, head: &Path) -> io::Result<bool> {
    let meta = Paired::new(fs::symlink_metadata(base)?, fs::symlink_metadata(head)?);
    if meta.base.is_symlink() || meta.head.is_symlink() {
        let both = meta.base.is_symlink() && meta.head.is_symlink();
        return Ok(both && fs::read_link(base)? == fs::read_link(head)?);
    }
    if !(meta.base.is_file() && meta.head.is_file()) || meta.base.len() != meta.head.len() {
        return Ok(false);
    }
    Ok(fs::read(base)? == fs::read(head)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_data_file_that_differs_counts_where_the_executable_names_it() {
        let temp = tempfile::tempdir().unwrap();
        let (base, head) = (temp.path().join("base"), temp.path().join("head"));
        for (root, text) in [(&base, "one"), (&head, "two")] {
            write(root, "data/corpus.json", text);
            write(root, "docs/guide.md", text);
            write(root, "src/lib.rs", text);
            write(root, "Cargo.toml", text);
            write(root, ".git/HEAD", text);
            write(root, "data/same.json", "same");
        }
        write(&head, "LICENSE", "new");
        let files = differing_files(Paired::new(&base, &head)).unwrap();
        let expected = ["LICENSE", "data/corpus.json", "docs/guide.md", "src/lib.rs"];
        assert_eq!(files, expected.map(PathBuf::from));

        let executable = temp.path().join("executable");
        fs::write(&executable, "\0src/lib.rs\0data/corpus.jsonand more").unwrap();
        let read = may_read(&executable, &files).unwrap();
        assert_eq!(read, Some(Path::new("data/corpus.json")));
        fs::write(&executable, "\0a/lib.rs\0").unwrap();
        assert_eq!(may_read(&executable, &files).unwrap(), None);
    }

    #[test]
    fn a_rust_file_that_nobody_compiled_counts_where_it_is_named_with_its_folder() {
        let temp = tempfile::tempdir().unwrap();
        let executable = temp.path().join("executable");
        let files = ["benches/other.rs", "tests/inputs/mod.rs"].map(PathBuf::from);
        fs::write(&executable, "\0core/mod.rs\0").unwrap();
        assert_eq!(may_read(&executable, &files).unwrap(), None);
        fs::write(&executable, "\0tests/inputs/mod.rs\0").unwrap();
        assert_eq!(may_read(&executable, &files).unwrap(), Some(&*files[1]));
    }

    #[test]
    fn a_file_beside_the_benchmarks_counts_without_being_named() {
        let temp = tempfile::tempdir().unwrap();
        let executable = temp.path().join("executable");
        fs::write(&executable, "names nothing").unwrap();
        let files = [PathBuf::from("crates/a/benches/inputs/1.txt")];
        assert!(may_read(&executable, &files).unwrap().is_some());
    }
}
