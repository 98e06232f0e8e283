//! One side's files: what host and probe share, and the FIFO in which the side gets its turn.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use fs_err::{File, OpenOptions};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::symbols::Symbols;
use super::{SampleRecord, layout};
use crate::units::Side;

/// Samples of one benchmark that the log holds, warm-up included.
const CAPACITY: u64 = 1 << 15;

/// One side's files.
#[derive(Debug)]
pub(super) struct Channel {
    shared: File,
    turn: File,
}

impl Channel {
    /// Makes the files of `side` in `folder`.
    pub(super) fn create(
        folder: &Path,
        side: Side,
        executable: &Path,
        symbols: &Symbols,
    ) -> std::io::Result<Channel> {
        let fifo = folder.join(format!("{side}.turn"));
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // Open for both: that never blocks, and no probe ever meets an end of file.
        let turn = OpenOptions::new().read(true).write(true).open(&fifo)?;
        rustix::io::ioctl_fionbio(&turn, true)?;
        let shared = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.join(format!("{side}.shared")))?;
        let channel = Channel { shared, turn };
        channel.lay_out(executable, symbols)?;
        Ok(channel)
    }

    fn lay_out(&self, executable: &Path, symbols: &Symbols) -> std::io::Result<()> {
        let path = executable.as_os_str().as_bytes();
        if path.len() >= layout::PATH_BYTES {
            return Err(std::io::ErrorKind::InvalidFilename.into());
        }
        let ranges: Vec<u8> = symbols
            .ranges
            .iter()
            .flat_map(|range| [range.start, range.end])
            .flat_map(u64::to_ne_bytes)
            .collect();
        let log = layout::RANGES_OFFSET + ranges.len();
        let words = layout::TIMING_WORDS;
        let length = log as u64 + CAPACITY * words as u64 * 8;
        self.shared.set_len(length)?;
        self.write_at(path, layout::PATH_OFFSET)?;
        self.write_at(&ranges, layout::RANGES_OFFSET)?;
        self.set(layout::FILE_BYTES, length)?;
        self.set(layout::RANGE_COUNT, symbols.ranges.len() as u64)?;
        self.set(layout::LOG_OFFSET, log as u64)?;
        self.set(layout::LOG_CAPACITY, CAPACITY)?;
        self.set(layout::RECORD_WORDS, words as u64)?;
        self.set(layout::MAGIC_WORD, layout::MAGIC)
    }

    pub(super) fn get(&self, field: usize) -> std::io::Result<u64> {
        let mut word = [0; 8];
        self.shared
            .file()
            .read_exact_at(&mut word, field as u64 * 8)?;
        Ok(u64::from_ne_bytes(word))
    }

    pub(super) fn set(&self, field: usize, value: u64) -> std::io::Result<()> {
        self.write_at(&value.to_ne_bytes(), field * 8)
    }

    fn write_at(&self, bytes: &[u8], offset: usize) -> std::io::Result<()> {
        self.shared.file().write_all_at(bytes, offset as u64)
    }

    /// Takes out of the FIFO what an earlier benchmark has left.
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

    /// The log, oldest first; `None` if it could not hold all samples.
    pub(super) fn log(&self) -> std::io::Result<Option<Vec<SampleRecord>>> {
        let count = self.get(layout::LOG_COUNT)?;
        if count > CAPACITY {
            return Ok(None);
        }
        let mut bytes = vec![0; count as usize * layout::TIMING_WORDS * 8];
        let offset = self.get(layout::LOG_OFFSET)?;
        self.shared.file().read_exact_at(&mut bytes, offset)?;
        let records = bytes.chunks_exact(layout::TIMING_WORDS * 8).map(|record| {
            let word = |index: usize| {
                record[index * 8..]
                    .first_chunk()
                    .map_or(0, |bytes| u64::from_ne_bytes(*bytes))
            };
            SampleRecord {
                start_ns: word(layout::RECORD_START),
                end_ns: word(layout::RECORD_END),
                timed_ns: word(layout::RECORD_TIMED),
                regions: word(layout::RECORD_REGIONS),
            }
        });
        Ok(Some(records.collect()))
    }
}

/// Whether the loader can be given this path: its lists end at spaces and colons, and it expands
/// dollars.
pub(super) fn fits_preload_list(path: &OsStr) -> bool {
    !path.as_bytes().iter().any(|b| b" :$\t\n".contains(b))
}
