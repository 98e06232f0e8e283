//! A repository of its own that borrows the objects of another.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{Oid, Repository, RepositoryInitOptions};

/// Settings in the repository's own configuration that decide how files are written.
const SETTINGS: &[&str] = &["core.autocrlf", "core.eol", "core.symlinks"];

/// Makes a repository at `root` whose objects are those of `source` (and of what that one borrows
/// from), with the tags of `source`, so that `git describe` in a build script works; no hooks, no
/// remotes, no other configuration.
pub(super) fn create(source: &Repository, root: &Path) -> Result<Repository, CheckoutFailure> {
    let mut options = RepositoryInitOptions::new();
    options
        .external_template(false)
        .no_reinit(true)
        .mkpath(true);
    let repository = Repository::init_opts(root, &options)?;
    let git_dir = repository.path().to_owned();
    // One path per line, unquoted: the only form that git and libgit2 both read. Their real place:
    // a stand-in has only links, which go when it goes.
    let mut objects = fs_err::canonicalize(source.commondir().join("objects"))?.into_os_string();
    if objects.as_bytes().contains(&b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!("{} has a line break in its path", objects.display()),
        )
        .into());
    }
    objects.push("\n");
    fs_err::create_dir_all(git_dir.join("objects/info"))?;
    fs_err::write(git_dir.join("objects/info/alternates"), objects.as_bytes())?;
    copy_if_there(
        &source.commondir().join("shallow"),
        &git_dir.join("shallow"),
    )?;
    copy_if_there(
        &source.commondir().join("info/attributes"),
        &git_dir.join("info/attributes"),
    )?;
    fs_err::write(git_dir.join("packed-refs"), tags(source))?;
    let (from, mut to) = (source.config()?, repository.config()?);
    for name in SETTINGS {
        if let Ok(value) = from.get_string(name) {
            to.set_str(name, &value)?;
        }
    }
    // The object store was opened before the alternates existed, so open it again.
    Ok(Repository::open(root)?)
}

/// Writes the files of `commit` and sets HEAD to it.
pub(super) fn populate(repository: &Repository, commit: Oid) -> Result<(), git2::Error> {
    repository.set_head_detached(commit)?;
    let tree = repository.find_commit(commit)?.into_object();
    repository.checkout_tree(&tree, Some(CheckoutBuilder::new().force()))
}

/// A failure here, which does not know yet of which side.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckoutFailure {
    #[error(transparent)]
    Git(#[from] git2::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Interrupted(#[from] crate::process::Interrupted),
}

fn copy_if_there(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_file() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder)?;
    }
    fs_err::copy(from, to).map(drop)
}

/// The tags in the format of `packed-refs` (gitrepository-layout(5)).
fn tags(source: &Repository) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = source
        .references_glob("refs/tags/*")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|tag| {
            let id = tag.target()?.to_string();
            Some([id.as_bytes(), b" ", tag.name_bytes(), b"\n"].concat())
        })
        .collect();
    // Sorted by name: all ids have the same length.
    lines.sort_by(|one, other| one[40..].cmp(&other[40..]));
    lines.concat()
}
