//! The statements that are prepared at the moment, and their texts in the shared file.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::layout;
use crate::shared::Shared;
use crate::statement::StatementText;

/// Held while statements are looked up.
static LOCK: AtomicBool = AtomicBool::new(false);

/// Prepared statements at the same time; with more of them nothing is known.
const SLOTS: usize = 4096;
/// A statement's address; 0 for none, 1 for one that is no more.
static STATEMENTS: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];
/// Twice one more than its number in the table, and 1 more while it runs.
static STATES: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
const GONE: usize = 1;
pub(super) const RUNS: u64 = 1;

/// The table of prepared statements, locked.
pub(super) struct Prepared(());

impl Prepared {
    pub(super) fn lock() -> Prepared {
        while LOCK.swap(true, Ordering::Acquire) {
            core::hint::spin_loop();
        }
        Prepared(())
    }

    /// Where a statement is, or else where it can be.
    fn place(&self, statement: usize) -> Option<usize> {
        let mut free = None;
        for probe in 0..SLOTS {
            let slot = (statement / 16).wrapping_add(probe) % SLOTS;
            match STATEMENTS[slot].load(Ordering::Relaxed) {
                0 => return free.or(Some(slot)),
                GONE => free = free.or(Some(slot)),
                found if found == statement => return Some(slot),
                _ => {}
            }
        }
        free
    }

    pub(super) fn state(&self, statement: usize) -> Option<&'static AtomicU64> {
        let slot = self.place(statement)?;
        let is_here = STATEMENTS[slot].load(Ordering::Relaxed) == statement;
        is_here.then(|| &STATES[slot])
    }

    pub(super) fn put(&self, shared: &Shared, statement: usize, state: u64) {
        let Some(slot) = self.place(statement) else {
            return shared.set(layout::STATEMENTS_STATE, layout::SHIM_CROWDED);
        };
        STATEMENTS[slot].store(statement, Ordering::Relaxed);
        STATES[slot].store(state, Ordering::Relaxed);
    }

    pub(super) fn forget(&self, statement: usize) {
        if let Some(slot) = self.place(statement)
            && STATEMENTS[slot].load(Ordering::Relaxed) == statement
        {
            STATEMENTS[slot].store(GONE, Ordering::Relaxed);
        }
    }

    /// The number of a text in the shared table; `None` if that is full.
    pub(super) fn number(&self, shared: &Shared, sql: &[u8]) -> Option<u64> {
        let text = StatementText::of(sql);
        let hash = text.hash();
        let capacity = shared.get(layout::STATEMENTS_CAPACITY) as usize;
        for probe in 0..capacity {
            let number = (hash as usize).wrapping_add(probe) % capacity;
            let first = number * layout::STATEMENT_WORDS;
            let found = shared.get_in_statements(first + layout::STATEMENT_HASH);
            if found == 0 {
                write_down(shared, first, &text);
            }
            if found == 0 || found == hash {
                return Some(number as u64);
            }
        }
        None
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        LOCK.store(false, Ordering::Release);
    }
}

/// Writes a new statement into the shared table.
fn write_down(shared: &Shared, first: usize, text: &StatementText) {
    let bytes = text.as_bytes();
    let mut length = bytes.len().min(layout::STATEMENT_BYTES);
    // Not within a character.
    while bytes.get(length).is_some_and(|next| next & 0xc0 == 0x80) && length > 0 {
        length -= 1;
    }
    let bytes = &bytes[..length];
    for (word, part) in bytes.chunks(8).enumerate() {
        let mut whole = [0; 8];
        whole[..part.len()].copy_from_slice(part);
        let at = first + layout::STATEMENT_TEXT + word;
        shared.set_in_statements(at, u64::from_ne_bytes(whole));
    }
    shared.set_in_statements(first + layout::STATEMENT_LENGTH, bytes.len() as u64);
    shared.set_in_statements(first + layout::STATEMENT_HASH, text.hash());
}
