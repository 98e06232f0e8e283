//! Call stacks of allocations, their addresses translated from those of a process to those of files.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::binary::Binary;

use super::layout;

/// Which requests have their call stack recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracing {
    /// One in this many requests, on average; at least 1.
    pub stride: u64,
    /// To how many requests at the beginning of each sample that applies.
    pub limit: u64,
}

impl Tracing {
    /// None at all.
    pub const NONE: Tracing = Tracing {
        stride: 1,
        limit: 0,
    };
}

/// What was seen of one benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressStacks {
    /// Each stack that was seen.
    pub stacks: Vec<AddressStack>,
    /// Requests that were selected but not recorded, because the table was full.
    pub lost: u64,
}

/// A call stack from which memory was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressStack {
    /// The calls, the innermost first, up to the function that times the benchmark; in another thread, up
    /// to where that began.
    pub calls: Vec<CodeAddress>,
    /// How many of the selected requests came from it.
    pub requests: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Bytes that they asked for and that were never freed; only of a process that was counted as a whole.
    pub left_behind: u64,
}

/// A call, by the last byte of its instruction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeAddress {
    /// The executable or library.
    pub object: PathBuf,
    /// The address as in that file's symbol table.
    pub address: u64,
}

impl AddressStacks {
    /// Reads rows of the table; `maps` is what the process had mapped, `probe` the library whose frames
    /// are left out.
    pub(super) fn of(rows: &[Vec<u64>], lost: u64, maps: &str, probe: &Path) -> AddressStacks {
        let mut mappings = Mappings::read(maps);
        let stack = |row: &Vec<u64>| {
            let length = usize::try_from(row[layout::TRACE_LENGTH]).unwrap_or(usize::MAX);
            let addresses = row[layout::TRACE_ADDRESSES..].iter().take(length);
            let calls = addresses.filter_map(|&address| mappings.locate(address.wrapping_sub(1)));
            AddressStack {
                calls: calls.filter(|call| call.object != probe).collect(),
                requests: row[layout::TRACE_REQUESTS],
                bytes: row[layout::TRACE_BYTES],
                left_behind: row[layout::TRACE_LEFT],
            }
        };
        AddressStacks {
            stacks: rows.iter().map(stack).collect(),
            lost,
        }
    }
}

/// The files that a process has mapped.
struct Mappings {
    all: Vec<Mapping>,
    /// For each file, what the loader maps and to which address.
    segments: HashMap<PathBuf, Vec<(Range<u64>, u64)>>,
}

struct Mapping {
    start: u64,
    end: u64,
    offset: u64,
    file: PathBuf,
}

impl Mappings {
    /// Reads `/proc/<pid>/maps`: `start-end permissions offset device inode path`.
    fn read(maps: &str) -> Mappings {
        let mapping = |line: &str| {
            let mut words = line.splitn(6, ' ');
            let (start, end) = words.next()?.split_once('-')?;
            let offset = words.nth(1)?;
            let file = words.nth(2)?.trim_start();
            let number = |text| u64::from_str_radix(text, 16).ok();
            file.starts_with('/').then_some(Mapping {
                start: number(start)?,
                end: number(end)?,
                offset: number(offset)?,
                file: PathBuf::from(file),
            })
        };
        Mappings {
            all: maps.lines().filter_map(mapping).collect(),
            segments: HashMap::new(),
        }
    }

    /// The file whose code is at an address of the process; `None` for code that is in no file.
    fn locate(&mut self, address: u64) -> Option<CodeAddress> {
        let mut all = self.all.iter();
        let mapping = all.find(|mapping| (mapping.start..mapping.end).contains(&address))?;
        let offset = mapping.offset + (address - mapping.start);
        let segments = self
            .segments
            .entry(mapping.file.clone())
            .or_insert_with(|| {
                let found = Binary::look(&mapping.file, |file| file.segments().collect());
                found.unwrap_or_default()
            });
        let mut segments = segments.iter();
        let (range, start) = segments.find(|(range, _)| range.contains(&offset))?;
        Some(CodeAddress {
            object: mapping.file.clone(),
            address: start + (offset - range.start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_process_is_found_in_its_own_file() {
        let maps = fs_err::read_to_string("/proc/self/maps").unwrap();
        let here = an_address_of_this_process_is_found_in_its_own_file as fn() as usize as u64;
        let found = Mappings::read(&maps).locate(here).unwrap();
        let own = std::env::current_exe().unwrap();
        assert_eq!(found.object, own);
        let name = crate::binary::Symbols::open(&own)
            .unwrap()
            .symbol(found.address);
        assert!(name.unwrap().contains("an_address_of_this_process"));
    }

    #[test]
    fn memory_of_no_file_is_no_code_address() {
        let maps = "1000-2000 r-xp 00000000 00:00 0 \n7000-8000 rw-p 00000000 00:00 0    [stack]\n";
        let mut mappings = Mappings::read(maps);
        assert_eq!(mappings.locate(0x1800), None);
        assert_eq!(mappings.locate(0x7800), None);
    }
}
