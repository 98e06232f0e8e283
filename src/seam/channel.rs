//! One side's files: the file that host and probe share, and the FIFO through which the side gets its turn.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use fs_err::{File, OpenOptions};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::hooks::{Entry, Hooks};
use super::layout;
use super::symbols::ProbeSymbols;
use crate::harness::ReadOrder;
use crate::units::Side;

/// Words of the log: 32,768 samples of one benchmark for the timing probe, warm-up included.
const LOG_WORDS: usize = layout::TIMING_WORDS << 15;

/// One side's files.
#[derive(Debug)]
pub(super) struct Channel {
    shared: File,
    turn: File,
    room: Room,
}

/// What the shared file has room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Words of a record of the log.
    pub(super) record_words: usize,
    /// Call stacks.
    pub(super) stacks: usize,
    /// Statements of a database.
    pub(super) statements: usize,
}

impl Channel {
    /// Makes the files of `side` in `folder`.
    pub(super) fn create(
        folder: &Path,
        side: Side,
        executable: &Path,
        symbols: &ProbeSymbols,
        room: Room,
    ) -> std::io::Result<Channel> {
        let fifo = folder.join(format!("{side}.turn"));
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // Opened for reading and writing: this never blocks, and no probe ever reads an end of file.
        let turn = OpenOptions::new().read(true).write(true).open(&fifo)?;
        rustix::io::ioctl_fionbio(&turn, true)?;
        let shared = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.join(format!("{side}.shared")))?;
        let channel = Channel { shared, turn, room };
        channel.lay_out(executable, symbols)?;
        Ok(channel)
    }

    fn lay_out(&self, executable: &Path, symbols: &ProbeSymbols) -> std::io::Result<()> {
        let path = executable.as_os_str().as_bytes();
        if path.len() >= layout::PATH_BYTES {
            return Err(std::io::ErrorKind::InvalidFilename.into());
        }
        let reads = &symbols.clock_reads;
        let order = match reads.order {
            ReadOrder::Criterion => layout::CLOCK_READS_OF_CRITERION,
            ReadOrder::Libtest => layout::CLOCK_READS_OF_LIBTEST,
        };
        let ranges: Vec<u8> = reads
            .ranges
            .iter()
            .flat_map(|range| [range.start, range.end])
            .flat_map(u64::to_ne_bytes)
            .collect();
        let log = layout::RANGES_OFFSET + ranges.len();
        let capacity = self.capacity();
        let table = log + capacity * self.room.record_words * 8;
        let statements = table + self.room.stacks * layout::TRACE_WORDS * 8;
        let length = (statements + self.room.statements * layout::STATEMENT_WORDS * 8) as u64;
        self.shared.set_len(length)?;
        self.write_at(path, layout::PATH_OFFSET)?;
        self.write_at(&ranges, layout::RANGES_OFFSET)?;
        self.set(layout::FILE_BYTES, length)?;
        self.set(layout::CLOCK_READS, order)?;
        self.set(layout::RANGE_COUNT, reads.ranges.len() as u64)?;
        self.set(layout::LOG_OFFSET, log as u64)?;
        self.set(layout::LOG_CAPACITY, capacity as u64)?;
        self.set(layout::RECORD_WORDS, self.room.record_words as u64)?;
        self.set(layout::TRACE_OFFSET, table as u64)?;
        self.set(layout::TRACE_CAPACITY, self.room.stacks as u64)?;
        self.set(layout::STATEMENTS_OFFSET, statements as u64)?;
        self.set(layout::STATEMENTS_CAPACITY, self.room.statements as u64)?;
        self.describe_hooks(&symbols.hooks)?;
        for (index, entry) in symbols.sqlite.entries().iter().enumerate() {
            if let Some(entry) = entry {
                self.describe(entry, layout::SQLITE + index * layout::SHIM_WORDS)?;
            }
        }
        self.set(layout::MAGIC_WORD, layout::MAGIC)
    }

    fn describe_hooks(&self, hooks: &Hooks) -> std::io::Result<()> {
        let (kind, entries) = match hooks {
            Hooks::None | Hooks::Unknown => (layout::HOOKS_NONE, None),
            Hooks::Native(natives) => {
                self.set(layout::NATIVE_COUNT, natives.len() as u64)?;
                for (index, native) in natives.iter().enumerate() {
                    let first = layout::NATIVE + index * layout::NATIVE_WORDS;
                    self.set(first + layout::NATIVE_KIND, native.kind)?;
                    self.describe(&native.entry, first + layout::NATIVE_SHIM)?;
                }
                (layout::HOOKS_NATIVE, None)
            }
            Hooks::Rust(entries) => (layout::HOOKS_RUST, Some(entries)),
            Hooks::Wrapper(entries) => (layout::HOOKS_WRAPPER, Some(entries)),
        };
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            self.describe(entry, layout::SHIMS + index * layout::SHIM_WORDS)?;
        }
        self.set(layout::HOOKS, kind)
    }

    fn describe(&self, entry: &Entry, first: usize) -> std::io::Result<()> {
        self.set(first + layout::SHIM_ADDRESS, entry.address)?;
        let Some(prologue) = &entry.prologue else {
            return Ok(());
        };
        self.set(first + layout::SHIM_LENGTH, prologue.length as u64)?;
        let mut distances = [0; 8];
        for (place, &distance) in distances.iter_mut().zip(&prologue.distances) {
            *place = distance as u8 + 1;
        }
        if let (Some(branch), Some(place)) =
            (prologue.branch, distances.iter_mut().find(|at| **at == 0))
        {
            *place = layout::SHIM_BRANCH | (branch as u8 + 1);
        }
        self.write_at(&distances, (first + layout::SHIM_DISTANCES) * 8)?;
        self.write_at(&prologue.code, (first + layout::SHIM_CODE) * 8)
    }

    pub(super) fn get(&self, field: usize) -> std::io::Result<u64> {
        word_of(&self.shared, field)
    }

    /// The shared file, once more.
    pub(super) fn share(&self) -> std::io::Result<File> {
        self.shared.try_clone()
    }

    pub(super) fn set(&self, field: usize, value: u64) -> std::io::Result<()> {
        self.write_at(&value.to_ne_bytes(), field * 8)
    }

    fn write_at(&self, bytes: &[u8], offset: usize) -> std::io::Result<()> {
        self.shared.file().write_all_at(bytes, offset as u64)
    }

    /// Removes from the FIFO what an earlier benchmark has left.
    pub(super) fn drain(&self) -> std::io::Result<()> {
        let mut left = [0; 64];
        loop {
            match (&self.turn).read(&mut left) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts one byte into the FIFO.
    pub(super) fn tell(&self, byte: u8) -> std::io::Result<()> {
        (&self.turn).write_all(&[byte])
    }

    fn capacity(&self) -> usize {
        LOG_WORDS / self.room.record_words
    }

    /// The records of the log, oldest first; none if it could not hold them all.
    pub(super) fn log(&self) -> std::io::Result<Vec<Vec<u64>>> {
        let count = self.get(layout::LOG_COUNT)?;
        let Some(count) = usize::try_from(count)
            .ok()
            .filter(|&c| c <= self.capacity())
        else {
            return Ok(Vec::new());
        };
        self.rows(layout::LOG_OFFSET, count, self.room.record_words)
    }

    /// The used rows of the table of stacks.
    pub(super) fn stacks(&self) -> std::io::Result<Vec<Vec<u64>>> {
        let mut stacks = self.rows(layout::TRACE_OFFSET, self.room.stacks, layout::TRACE_WORDS)?;
        stacks.retain(|stack| stack[layout::TRACE_REQUESTS] > 0);
        Ok(stacks)
    }

    /// All rows of the table of statements, used or not.
    pub(super) fn statements(&self) -> std::io::Result<Vec<Vec<u64>>> {
        let count = self.room.statements;
        self.rows(layout::STATEMENTS_OFFSET, count, layout::STATEMENT_WORDS)
    }

    /// `count` rows of `words` words each, from the offset in a field.
    fn rows(&self, field: usize, count: usize, words: usize) -> std::io::Result<Vec<Vec<u64>>> {
        let mut bytes = vec![0; count * words * 8];
        let offset = self.get(field)?;
        self.shared.file().read_exact_at(&mut bytes, offset)?;
        let (all, _) = bytes.as_chunks();
        let all: Vec<u64> = all.iter().map(|word| u64::from_ne_bytes(*word)).collect();
        Ok(all.chunks_exact(words).map(<[u64]>::to_vec).collect())
    }
}

/// A field of a shared file.
pub(super) fn word_of(shared: &File, field: usize) -> std::io::Result<u64> {
    let mut word = [0; 8];
    shared.file().read_exact_at(&mut word, field as u64 * 8)?;
    Ok(u64::from_ne_bytes(word))
}

/// Whether the loader can be given this path: its lists end at spaces and colons, and it expands
/// dollars.
pub(super) fn fits_preload_list(path: &OsStr) -> bool {
    !path.as_bytes().iter().any(|b| b" :$\t\n".contains(b))
}
