//! Laying a new checkout over an old one, so that only what differs gets a new time stamp.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use fs_err as fs;

/// What differed, as far as it matters to builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TreeChanges {
    /// Nothing.
    None,
    /// Sources, manifests, lock files, documentation: cargo checks those that matter.
    Tracked,
    /// Files that a macro or a build script may read without telling cargo, sources that are new, or files
    /// that are gone, perhaps because an earlier build made them.
    Untracked,
}

/// Makes `kept` what `fresh` is, taking files out of `fresh`. Identical files stay, with their times;
/// others get the current time, which is later than everything that was built here.
///
/// Nothing is written through a symbolic link: what is not a folder on both sides is replaced.
///
/// # Errors
/// Where files cannot be read, moved or removed.
pub(super) fn bring(fresh: &Path, kept: &Path) -> io::Result<TreeChanges> {
    if !kept.is_symlink() && kept.is_dir() {
        folder(fresh, kept, EntryPlace::Source)
    } else {
        super::entries::remove_if_there(kept)?;
        fs::rename(fresh, kept)?;
        renew(kept)?;
        Ok(TreeChanges::Untracked)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryPlace {
    Source,
    /// In git's own folder, whose files tell builds only which commit this is.
    Git,
    /// Files in which git writes the time of day.
    GitsNotes,
}

impl EntryPlace {
    /// The place of an entry called `name` in a folder of this kind.
    fn of(self, name: &OsStr) -> EntryPlace {
        match name.to_str() {
            Some(".git") => EntryPlace::Git,
            Some("index" | "logs") if self == EntryPlace::Git => EntryPlace::GitsNotes,
            _ => self,
        }
    }
}

fn folder(fresh: &Path, kept: &Path, place: EntryPlace) -> io::Result<TreeChanges> {
    let mut changes = TreeChanges::None;
    let there = names(fresh)?;
    for name in names(kept)?.difference(&there) {
        remove(&kept.join(name))?;
        changes = changes.max(importance(name, place.of(name), TreeChanges::Untracked));
    }
    for name in there {
        let place = place.of(&name);
        let (from, to) = (fresh.join(&name), kept.join(&name));
        let (is, was) = (fs::symlink_metadata(&from)?, fs::symlink_metadata(&to).ok());
        if is.is_dir() && was.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            changes = changes.max(folder(&from, &to, place)?);
            continue;
        }
        let was = match was {
            Some(was) if same(&from, &is, &to, &was)? => continue,
            was => was,
        };
        let known = was.is_some();
        if known {
            remove(&to)?;
        }
        fs::rename(&from, &to)?;
        renew(&to)?;
        // A macro that lists the folder may find a new file, and cargo does not know.
        let tracked = known && Path::new(&name).extension() == Some(OsStr::new("rs"));
        let worst = if is.is_file() && tracked {
            TreeChanges::Tracked
        } else {
            TreeChanges::Untracked
        };
        changes = changes.max(importance(&name, place, worst));
    }
    Ok(changes)
}

/// `worst`, or less for files that cargo checks itself or that no build reads without cargo's knowledge.
fn importance(name: &OsStr, place: EntryPlace, worst: TreeChanges) -> TreeChanges {
    let known = |name: &str| {
        matches!(name, "Cargo.toml" | ".gitignore" | ".gitattributes")
            || name.starts_with("LICENSE")
            || name.ends_with(".md")
    };
    match name.to_str() {
        // Shared between the sides or made before every build; cargo reads it anew.
        Some("Cargo.lock") => TreeChanges::None,
        _ if place == EntryPlace::GitsNotes => TreeChanges::None,
        _ if place == EntryPlace::Git => worst.min(TreeChanges::Tracked),
        Some(name) if known(name) => worst.min(TreeChanges::Tracked),
        _ => worst,
    }
}

fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}

fn same(
    from: &Path,
    is: &std::fs::Metadata,
    to: &Path,
    was: &std::fs::Metadata,
) -> io::Result<bool> {
    if is.is_symlink() && was.is_symlink() {
        return Ok(fs::read_link(from)? == fs::read_link(to)?);
    }
    let alike = is.is_file()
        && was.is_file()
        && is.len() == was.len()
        && is.permissions() == was.permissions();
    Ok(alike && fs::read(from)? == fs::read(to)?)
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        super::entries::remove_folder(path)
    } else {
        fs::remove_file(path)
    }
}

/// Gives everything at `path` the current time. The files were laid out earlier, perhaps while
/// another run was still building here, and would look older than what that run made from other
/// sources.
fn renew(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_dir() {
        for name in names(path)? {
            renew(&path.join(name))?;
        }
    } else if meta.is_file() {
        touch(path)?;
    }
    Ok(())
}

/// The owner of a file may do this even if it is read-only.
fn touch(path: &Path) -> io::Result<()> {
    let file = fs::File::open(path)?;
    file.file().set_modified(SystemTime::now())
}

/// Makes cargo run again the build scripts that do not say what they read: for those, cargo checks
/// the newest file of their own package, but they may have read others.
///
/// # Errors
/// Where files cannot be read or touched.
pub(super) fn wake_build_scripts(root: &Path) -> io::Result<()> {
    for name in names(root)? {
        let path = root.join(&name);
        let meta = fs::symlink_metadata(&path)?;
        if meta.is_dir() && name != ".git" {
            wake_build_scripts(&path)?;
        } else if meta.is_file() && name == "Cargo.toml" {
            touch(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = temp.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        temp
    }

    fn age(path: &Path) -> SystemTime {
        let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        fs::File::open(path)
            .unwrap()
            .file()
            .set_modified(old)
            .unwrap();
        old
    }

    fn modified(path: &Path) -> SystemTime {
        fs::metadata(path).unwrap().modified().unwrap()
    }

    #[test]
    fn what_is_the_same_keeps_its_time_and_what_differs_is_the_newest() {
        let fresh = tree(&[("src/a.rs", "1"), ("src/b.rs", "2"), ("Cargo.toml", "x")]);
        let kept = tree(&[("src/a.rs", "1"), ("src/b.rs", "0"), ("Cargo.toml", "x")]);
        let at = |name: &str| kept.path().join(name);
        let old = age(&at("src/a.rs"));
        // Laid out long before it is brought here.
        age(&fresh.path().join("src/b.rs"));
        assert_eq!(
            bring(fresh.path(), kept.path()).unwrap(),
            TreeChanges::Tracked
        );
        assert_eq!(modified(&at("src/a.rs")), old);
        assert!(modified(&at("src/b.rs")) > old);
        assert_eq!(fs::read_to_string(at("src/b.rs")).unwrap(), "2");
    }

    #[test]
    fn what_cargo_may_not_know_of_is_told_from_what_it_looks_at() {
        let change = |name: &str| {
            let fresh = tree(&[(name, "new"), ("src/lib.rs", "")]);
            let kept = tree(&[(name, "old"), ("src/lib.rs", "")]);
            bring(fresh.path(), kept.path()).unwrap()
        };
        assert_eq!(change("src/deep/x.rs"), TreeChanges::Tracked);
        assert_eq!(change("docs/guide.md"), TreeChanges::Tracked);
        assert_eq!(change("a/Cargo.toml"), TreeChanges::Tracked);
        assert_eq!(change(".git/HEAD"), TreeChanges::Tracked);
        assert_eq!(change(".git/index"), TreeChanges::None);
        assert_eq!(change(".git/logs/HEAD"), TreeChanges::None);
        assert_eq!(change("Cargo.lock"), TreeChanges::None);
        assert_eq!(change("templates/page.html"), TreeChanges::Untracked);
        let (fresh, kept) = (tree(&[("a.rs", ""), ("new.rs", "")]), tree(&[("a.rs", "")]));
        assert_eq!(
            bring(fresh.path(), kept.path()).unwrap(),
            TreeChanges::Untracked
        );
        let (fresh, kept) = (
            tree(&[("a.rs", "")]),
            tree(&[("a.rs", ""), ("gone.rs", "")]),
        );
        assert_eq!(
            bring(fresh.path(), kept.path()).unwrap(),
            TreeChanges::Untracked
        );
        assert!(!kept.path().join("gone.rs").exists());
    }

    #[test]
    fn a_link_that_an_earlier_revision_left_is_replaced_and_not_followed() {
        let outside = tree(&[("precious", "mine")]);
        let fresh = tree(&[("data/precious", "theirs"), ("file", "new")]);
        let kept = tree(&[("x", "")]);
        let link = |name: &str, to: &Path| {
            fs::os::unix::fs::symlink(to, kept.path().join(name)).unwrap();
        };
        link("data", outside.path());
        link("file", &outside.path().join("precious"));
        bring(fresh.path(), kept.path()).unwrap();
        let precious = fs::read_to_string(outside.path().join("precious")).unwrap();
        assert_eq!(precious, "mine");
        assert!(!kept.path().join("data").is_symlink());
        assert_eq!(fs::read_to_string(kept.path().join("file")).unwrap(), "new");
    }
}
