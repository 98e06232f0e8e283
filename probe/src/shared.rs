//! The file shared with the host, mapped.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::layout;

/// The mapping. It lives as long as the process.
#[derive(Clone, Copy)]
pub(crate) struct Shared {
    at: *const AtomicU64,
}

impl Shared {
    /// # Safety
    /// `at` is a mapping, readable and writable, never unmapped, of a file that has the length
    /// given in its header and the layout of [`layout`].
    pub(crate) unsafe fn new(at: *const AtomicU64) -> Self {
        Shared { at }
    }

    /// Where it is.
    #[cfg(feature = "alloc")]
    pub(crate) fn address(&self) -> *const AtomicU64 {
        self.at
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: callers pass indices of the header, or indices that `record` and `range` have checked.
        unsafe { &*self.at.add(index) }
    }

    pub(crate) fn get(&self, field: usize) -> u64 {
        self.word(field).load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, field: usize, value: u64) {
        self.word(field).store(value, Ordering::Release);
    }

    #[cfg(not(feature = "marks"))]
    pub(crate) fn add(&self, field: usize, more: u64) {
        self.set(field, self.get(field).wrapping_add(more));
    }

    /// Writes a word of record `index`; the caller has checked `index` against the capacity.
    #[cfg(not(feature = "marks"))]
    pub(crate) fn set_in_record(&self, index: u64, word: usize, value: u64) {
        let first = self.get(layout::LOG_OFFSET) / 8 + index * self.get(layout::RECORD_WORDS);
        self.word(first as usize + word)
            .store(value, Ordering::Relaxed);
    }

    /// A word of the table of stacks; the caller has checked `word` against the capacity.
    #[cfg(feature = "alloc")]
    pub(crate) fn get_in_table(&self, word: usize) -> u64 {
        let first = self.get(layout::TRACE_OFFSET) as usize / 8;
        self.word(first + word).load(Ordering::Relaxed)
    }

    /// Writes such a word.
    #[cfg(feature = "alloc")]
    pub(crate) fn set_in_table(&self, word: usize, value: u64) {
        let first = self.get(layout::TRACE_OFFSET) as usize / 8;
        self.word(first + word).store(value, Ordering::Relaxed);
    }

    /// A word of the table of statements; the caller has checked `word` against the capacity.
    #[cfg(feature = "alloc")]
    pub(crate) fn get_in_statements(&self, word: usize) -> u64 {
        let first = self.get(layout::STATEMENTS_OFFSET) as usize / 8;
        self.word(first + word).load(Ordering::Relaxed)
    }

    /// Writes such a word.
    #[cfg(feature = "alloc")]
    pub(crate) fn set_in_statements(&self, word: usize, value: u64) {
        let first = self.get(layout::STATEMENTS_OFFSET) as usize / 8;
        self.word(first + word).store(value, Ordering::Relaxed);
    }

    /// The path of the executable, padded with NUL.
    pub(crate) fn path(&self) -> &[u8; layout::PATH_BYTES] {
        // SAFETY: within the mapping; only the host writes there, before the process starts.
        unsafe { &*self.at.byte_add(layout::PATH_OFFSET).cast() }
    }

    /// The number of the range that holds `address` (as in the symbol table), if one does.
    #[cfg(not(feature = "marks"))]
    pub(crate) fn range_of(&self, address: u64) -> Option<u32> {
        let first = layout::RANGES_OFFSET / 8;
        let (mut low, mut high) = (0, self.get(layout::RANGE_COUNT) as usize);
        while low < high {
            let middle = low.midpoint(high);
            let start = self.word(first + 2 * middle).load(Ordering::Relaxed);
            let end = self.word(first + 2 * middle + 1).load(Ordering::Relaxed);
            if address < start {
                high = middle;
            } else if address >= end {
                low = middle + 1;
            } else {
                return Some(middle as u32);
            }
        }
        None
    }

    /// Where a range that [`Self::range_of`] has found begins and ends, as in the symbol table.
    #[cfg(not(feature = "marks"))]
    pub(crate) fn range(&self, number: u32) -> (u64, u64) {
        let first = layout::RANGES_OFFSET / 8 + 2 * number as usize;
        let word = |at: usize| self.word(at).load(Ordering::Relaxed);
        (word(first), word(first + 1))
    }

    /// The address of the mapping.
    #[cfg(feature = "marks")]
    pub(crate) fn address(&self) -> usize {
        self.at as usize
    }

    /// Address (as in the symbol table) and first byte of function `index`, less than the count.
    #[cfg(feature = "marks")]
    pub(crate) fn breakpoint(&self, index: u64) -> (u64, u8) {
        let first = layout::RANGES_OFFSET / 8 + 2 * index as usize;
        let word = |at: usize| self.word(at).load(Ordering::Relaxed);
        (word(first), word(first + 1) as u8)
    }

    /// The number of the function that begins at `address`, if one does.
    #[cfg(feature = "marks")]
    pub(crate) fn breakpoint_at(&self, address: u64) -> Option<u64> {
        let (mut low, mut high) = (0, self.get(layout::RANGE_COUNT));
        while low < high {
            let middle = low.midpoint(high);
            match self.breakpoint(middle).0.cmp(&address) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Marks function `index`, less than the count.
    #[cfg(feature = "marks")]
    pub(crate) fn mark(&self, index: u64) {
        let first = self.get(layout::LOG_OFFSET) / 8;
        self.word((first + index) as usize)
            .store(1, Ordering::Release);
    }
}
