//! Reading an archive, which may be damaged or hostile.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use lz4_flex::frame::FrameDecoder;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tar::{Archive, Entry, EntryType};

use super::{END, FILES, FOLDERS, create};

/// Unpacks an archive into the empty folder `into`. After an error, the unpacked files must not be used.
///
/// # Errors
/// The archive is damaged or has entries that perfcheck does not store, or a file cannot be written.
pub(in crate::build::kept) fn unpack(archive: &Path, into: &Path) -> io::Result<()> {
    let decoder = FrameDecoder::new(BufReader::new(fs::File::open(archive)?));
    let mut archive = Archive::new(decoder);
    let mut unpacker = Unpacker {
        into,
        files: HashSet::new(),
        folders: BTreeMap::new(),
        links: Vec::new(),
        entries: 0,
    };
    let mut count = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()? == Path::new(END) {
            let mut text = String::new();
            entry.take(20).read_to_string(&mut text)?;
            count = text.parse::<u64>().ok();
            break;
        }
        unpacker.entry(&mut entry)?;
    }
    if count != Some(unpacker.entries) {
        return Err(damaged("it was cut short"));
    }
    // Read on to the end, where the checksum is.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    unpacker.finish()
}

fn damaged(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}

struct Unpacker<'a> {
    into: &'a Path,
    files: HashSet<PathBuf>,
    folders: BTreeMap<PathBuf, Facts>,
    /// Links are made last, so that nothing is written through one.
    links: Vec<(PathBuf, PathBuf, Facts)>,
    entries: u64,
}

/// The properties of a file beside its content.
#[derive(Debug, Clone, Copy)]
struct Facts {
    mode: u32,
    time: Timespec,
}

impl Unpacker<'_> {
    fn entry<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> io::Result<()> {
        self.entries += 1;
        let facts = facts(entry)?;
        let name = checked(&entry.path()?)?;
        let path = self.into.join(&name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        match entry.header().entry_type() {
            EntryType::Directory => {
                fs::create_dir_all(&path)?;
                self.folders.insert(path, facts);
            }
            EntryType::Regular => {
                io::copy(entry, &mut create(&path)?)?;
                finish_file(&path, facts)?;
                self.files.insert(name);
            }
            EntryType::Link => {
                let stored = checked(&link_name(entry)?)?;
                if !self.files.contains(&stored) {
                    return Err(damaged(format!("{} is a link to nothing", name.display())));
                }
                if part(&stored) == part(&name) {
                    // As cargo had it.
                    fs::hard_link(self.into.join(stored), &path)?;
                } else {
                    // A copy of the other side's file, not a link to it: a build script may write into what it
                    // made.
                    let mut from = fs::File::open(self.into.join(stored))?;
                    io::copy(&mut from, &mut create(&path)?)?;
                    finish_file(&path, facts)?;
                }
                self.files.insert(name);
            }
            EntryType::Symlink => {
                if FOLDERS
                    .iter()
                    .any(|folder| Path::new(folder).starts_with(&name))
                {
                    return Err(damaged(format!("{} is a link", name.display())));
                }
                self.links.push((path, link_name(entry)?, facts));
            }
            _ => return Err(damaged(format!("{} is not a file", name.display()))),
        }
        Ok(())
    }

    /// Makes the links, whose paths must not exist yet, and finally sets the times of folders.
    fn finish(self) -> io::Result<()> {
        for (path, target, facts) in &self.links {
            fs::os::unix::fs::symlink(target, path)?;
            set_time(path, facts.time)?;
        }
        for (path, facts) in self.folders.iter().rev() {
            set_time(path, facts.time)?;
            fs::set_permissions(path, std::fs::Permissions::from_mode(facts.mode))?;
        }
        Ok(())
    }
}

/// Checks that a name is one that perfcheck stores and cannot lead elsewhere.
fn checked(name: &Path) -> io::Result<PathBuf> {
    let plain = name
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let ours = FOLDERS.iter().any(|folder| name.starts_with(folder))
        || FILES.iter().any(|file| name == Path::new(file));
    if plain && ours {
        Ok(name.components().collect())
    } else {
        Err(damaged(format!("{} does not belong there", name.display())))
    }
}

/// Which of the folders a name is in.
fn part(name: &Path) -> Option<usize> {
    FOLDERS.iter().position(|folder| name.starts_with(folder))
}

fn link_name<R: Read>(entry: &Entry<'_, R>) -> io::Result<PathBuf> {
    let target = entry.link_name()?;
    Ok(target
        .ok_or_else(|| damaged("a link without a target"))?
        .into_owned())
}

fn facts<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<Facts> {
    let mode = entry.header().mode()? & 0o777;
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        if record.key_bytes() == b"mtime" {
            let time = record.value().ok().and_then(nanoseconds);
            let time = time.ok_or_else(|| damaged("a time that is not a time"))?;
            return Ok(Facts { mode, time });
        }
    }
    Err(damaged("an entry without a time"))
}

/// `1700000000.000000001`, as we write it: nine digits behind the point.
fn nanoseconds(text: &str) -> Option<Timespec> {
    let (seconds, nanos) = text.split_once('.')?;
    let nanos = (nanos.len() == 9).then(|| nanos.parse::<u32>().ok())??;
    Some(Timespec {
        tv_sec: seconds.parse().ok()?,
        tv_nsec: nanos.into(),
    })
}

fn finish_file(path: &Path, facts: Facts) -> io::Result<()> {
    fs::set_permissions(path, std::fs::Permissions::from_mode(facts.mode))?;
    set_time(path, facts.time)
}

pub(super) fn set_time(path: &Path, time: Timespec) -> io::Result<()> {
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}
