//! A repository that our library can read, in place of one that only `git` can read.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use git2::{IndexEntry, IndexEntryExtendedFlag, IndexTime, Oid, Repository};

use super::program::Git;

/// Parts of the user's repository that the stand-in links to.
const LINKED: &[&str] = &["objects", "info", "modules", "lfs", "shallow", "logs"];

/// Configuration that decides how files are read and written, and which remotes there are.
const SETTINGS: &str = r"^(core\.(autocrlf|eol|symlinks|ignorecase|filemode|excludesfile|attributesfile|precomposeunicode)|remote\..*\.(url|fetch))$";

/// Makes a repository at `place` that is like the one in `git_dir`.
pub(super) fn make(
    program: &Git,
    git_dir: &Path,
    common_dir: &Path,
    place: &Path,
) -> io::Result<Repository> {
    for name in LINKED {
        let of_worktree = git_dir.join(name);
        let target = match of_worktree.exists() && *name != "info" && *name != "logs" {
            true => of_worktree,
            false => common_dir.join(name),
        };
        if target.exists() {
            let target = fs_err::canonicalize(target)?;
            fs_err::os::unix::fs::symlink(target, place.join(name))?;
        }
    }
    fs_err::create_dir_all(place.join("refs"))?;
    let top = program.read(&["rev-parse", "--show-toplevel"])?;
    let top = Path::new(OsStr::from_bytes(top.trim_ascii_end()));
    fs_err::write(place.join("HEAD"), head(program)?)?;
    write_references(program, place)?;
    fs_err::write(
        place.join("config"),
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n",
    )?;
    let repository = Repository::open(place).map_err(io::Error::other)?;
    configure(program, &repository).map_err(io::Error::other)?;
    repository
        .set_workdir(top, false)
        .map_err(io::Error::other)?;
    fill_index(program, &repository)?;
    Ok(repository)
}

/// What the file `HEAD` holds.
fn head(program: &Git) -> io::Result<Vec<u8>> {
    match program.read(&["symbolic-ref", "--quiet", "HEAD"]) {
        Ok(branch) => Ok([b"ref: ".as_slice(), &branch].concat()),
        Err(_) => program.read(&["rev-parse", "HEAD"]),
    }
}

/// All references, in the format of `packed-refs`; symbolic ones have a file each.
fn write_references(program: &Git, place: &Path) -> io::Result<()> {
    let format = "--format=%(objectname) %(refname) %(symref)";
    let listed = program.read(&["for-each-ref", format])?;
    let mut packed = Vec::new();
    for line in listed.split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else {
            continue;
        };
        match words.next() {
            Some(target) if !target.is_empty() => {
                let file = place.join(OsStr::from_bytes(name));
                if let Some(folder) = file.parent() {
                    fs_err::create_dir_all(folder)?;
                }
                fs_err::write(file, [b"ref: ", target, b"\n"].concat())?;
            }
            _ => packed.extend([id, b" ", name, b"\n"].concat()),
        }
    }
    fs_err::write(place.join("packed-refs"), packed)
}

fn configure(program: &Git, repository: &Repository) -> Result<(), git2::Error> {
    // It fails where nothing is set.
    let listed = program
        .read(&["config", "--null", "--get-regexp", SETTINGS])
        .unwrap_or_default();
    let mut config = repository.config()?;
    for entry in String::from_utf8_lossy(&listed).split_terminator('\0') {
        let (name, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        config.set_str(name, value)?;
    }
    Ok(())
}

/// Puts the entries of the user's index into that of `repository`, in memory only. Their time stamps are left out,
/// so that files are compared by content.
fn fill_index(program: &Git, repository: &Repository) -> io::Result<()> {
    let listed = program.read(&["ls-files", "--full-name", "--stage", "-t", "-z", ":/"])?;
    let mut index = repository.index().map_err(io::Error::other)?;
    for line in listed
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        let entry = entry(line).ok_or_else(|| {
            let line = String::from_utf8_lossy(line);
            io::Error::other(format!("git ls-files: `{line}` is no entry of an index"))
        })?;
        index.add(&entry).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Reads `H 100644 <id> 0<TAB><path>`; the first letter is `S` where the file is not checked out.
fn entry(line: &[u8]) -> Option<IndexEntry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (words, path) = line.split_at(tab);
    let mut words = std::str::from_utf8(words).ok()?.split(' ');
    let tag = words.next()?;
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let id = Oid::from_str(words.next()?).ok()?;
    let stage: u16 = words.next()?.parse().ok()?;
    let skipped = matches!(tag, "S" | "s");
    Some(IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        // The stage's place in the flags; git's index-format.
        flags: stage << 12,
        flags_extended: match skipped {
            true => IndexEntryExtendedFlag::SKIP_WORKTREE.bits(),
            false => 0,
        },
        path: path[1..].to_vec(),
    })
}
