//! Writing an archive.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use fs_err as fs;
use lz4_flex::frame::{FrameEncoder, FrameInfo};
use tar::{Builder, EntryType, Header};

use super::super::entries;
use super::{END, FILES, FOLDERS, create};
use crate::units::Bytes;

/// Whether an archive was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::build::kept) enum Packed {
    /// The archive was stored and replaced the previous one.
    Stored,
    /// It would be larger than the bound, so there is no archive now.
    TooLarge,
}

/// Packs the kept trees in `from` into the file `to`, whole or not at all.
///
/// # Errors
/// Where a file cannot be read or written.
pub(in crate::build::kept) fn pack(from: &Path, to: &Path, bound: Bytes) -> io::Result<Packed> {
    let unfinished = to.with_extension("new");
    let written = write(from, &unfinished, bound);
    match written {
        Ok(Packed::Stored) => fs::rename(&unfinished, to)?,
        Ok(Packed::TooLarge) => {
            entries::remove_if_there(&unfinished)?;
            entries::remove_if_there(to)?;
        }
        Err(_) => entries::remove_if_there(&unfinished)?,
    }
    written
}

fn write(from: &Path, to: &Path, bound: Bytes) -> io::Result<Packed> {
    let exceeded = Rc::new(Cell::new(false));
    // A killed run may have left one.
    entries::remove_if_there(to)?;
    let file = Bounded {
        file: BufWriter::new(create(to)?),
        left: bound.as_bytes(),
        exceeded: Rc::clone(&exceeded),
    };
    let info = FrameInfo::new()
        .block_checksums(true)
        .content_checksum(true);
    let mut packer = Packer {
        from,
        builder: Builder::new(FrameEncoder::with_frame_info(info, file)),
        entries: 0,
        seen: HashMap::new(),
    };
    let written = packer.everything().and_then(|()| {
        let encoder = packer.builder.into_inner()?;
        let mut file = encoder.finish().map_err(io::Error::other)?;
        file.flush()
    });
    match written {
        Ok(()) => Ok(Packed::Stored),
        Err(_) if exceeded.get() => Ok(Packed::TooLarge),
        Err(error) => Err(error),
    }
}

/// A file that takes no more than so many bytes.
struct Bounded {
    file: BufWriter<fs::File>,
    left: u64,
    exceeded: Rc<Cell<bool>>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            self.exceeded.set(true);
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.left = left;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Packer<'a, W: Write> {
    from: &'a Path,
    builder: Builder<W>,
    entries: u64,
    /// Files with several names, by device and number, with the name that was stored.
    seen: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Packer<'_, W> {
    fn everything(&mut self) -> io::Result<()> {
        for part in FOLDERS.iter().chain(&FILES) {
            if fs::symlink_metadata(self.from.join(part)).is_ok() {
                self.tree(Path::new(part))?;
            }
        }
        let count = self.entries.to_string();
        let mut header = Header::new_gnu();
        header.set_size(count.len() as u64);
        header.set_mode(0o600);
        self.builder.append_data(&mut header, END, count.as_bytes())
    }

    fn tree(&mut self, name: &Path) -> io::Result<()> {
        let path = self.from.join(name);
        let meta = fs::symlink_metadata(&path)?;
        if meta.is_dir() {
            self.entry(&meta, EntryType::Directory)?
                .append(name, io::empty())?;
            let mut names = fs::read_dir(&path)?
                .map(|entry| Ok(entry?.file_name()))
                .collect::<io::Result<Vec<_>>>()?;
            names.sort();
            return names
                .iter()
                .try_for_each(|below| self.tree(&name.join(below)));
        }
        if meta.is_symlink() {
            let target = fs::read_link(&path)?;
            return self.entry(&meta, EntryType::Symlink)?.link(name, &target);
        }
        if !meta.is_file() {
            // A socket or a pipe that a build left: no later build reads it.
            return Ok(());
        }
        match self.stored_as(name, &meta)? {
            Some(stored) => self.entry(&meta, EntryType::Link)?.link(name, &stored),
            None => {
                let file = fs::File::open(&path)?;
                let mut entry = self.entry(&meta, EntryType::Regular)?;
                entry.header.set_size(meta.len());
                entry.append(name, file.take(meta.len()))
            }
        }
    }

    /// The name under which this file's content is already stored, if it is.
    fn stored_as(&mut self, name: &Path, meta: &std::fs::Metadata) -> io::Result<Option<PathBuf>> {
        if meta.nlink() > 1 {
            let id = (meta.dev(), meta.ino());
            if let Some(stored) = self.seen.get(&id) {
                return Ok(Some(stored.clone()));
            }
            self.seen.insert(id, name.to_owned());
        }
        let Ok(inside) = name.strip_prefix("target/head") else {
            return Ok(None);
        };
        let base = Path::new("target/base").join(inside);
        let other = fs::symlink_metadata(self.from.join(&base)).ok();
        let alike = other.is_some_and(|other| other.is_file() && other.len() == meta.len());
        let same = alike && fs::read(self.from.join(&base))? == fs::read(self.from.join(name))?;
        Ok(same.then_some(base))
    }

    /// Begins an entry: its time, which a header has in seconds only, stands before it.
    fn entry(
        &mut self,
        meta: &std::fs::Metadata,
        kind: EntryType,
    ) -> io::Result<PackedEntry<'_, W>> {
        self.entries += 1;
        let time = format!("{}.{:09}", meta.mtime(), meta.mtime_nsec());
        self.builder
            .append_pax_extensions([("mtime", time.as_bytes())])?;
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(meta.mode() & 0o777);
        header.set_mtime(meta.mtime().try_into().unwrap_or(0));
        header.set_size(0);
        Ok(PackedEntry {
            builder: &mut self.builder,
            header,
        })
    }
}

struct PackedEntry<'a, W: Write> {
    builder: &'a mut Builder<W>,
    header: Header,
}

impl<W: Write> PackedEntry<'_, W> {
    fn append(mut self, name: &Path, content: impl Read) -> io::Result<()> {
        self.builder.append_data(&mut self.header, name, content)
    }

    fn link(mut self, name: &Path, to: &Path) -> io::Result<()> {
        self.builder.append_link(&mut self.header, name, to)
    }
}
