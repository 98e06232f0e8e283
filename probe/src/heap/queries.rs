//! The statements that a whole program has SQLite run: how often each, and from where.
//!
//! A statement runs once for each first step after it was prepared or reset. What SQLite does on its own account while it
//! prepares or steps (reading the schema, virtual tables) is part of that statement.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::depth::{self, Key};
use super::prepared::{Prepared, RUNS};
use super::{sqlite, trace};
use crate::layout;
use crate::shared::Shared;
use crate::statement::StatementText;

/// Whether statements are counted.
static IS_ON: AtomicBool = AtomicBool::new(false);
/// Not null while a thread is inside SQLite.
static INSIDE: Key = Key::new();
/// What a thread's call of `sqlite3_exec` has run so far: an `AtomicUsize` of that call.
static EXECUTING: Key = Key::new();

/// Prepares what is thread-local; without it nothing is counted.
pub(super) fn start() -> bool {
    INSIDE.start() && EXECUTING.start()
}

/// From now on statements count.
pub(super) fn begin(shared: &Shared) {
    let words = shared.get(layout::STATEMENTS_CAPACITY) as usize * layout::STATEMENT_WORDS;
    for word in 0..words {
        shared.set_in_statements(word, 0);
    }
    shared.set(layout::STATEMENTS_RUN, 0);
    shared.set(layout::STATEMENTS_LOST, 0);
    IS_ON.store(
        shared.get(layout::STATEMENTS_STATE) <= layout::SHIM_HOOKED,
        Ordering::Release,
    );
}

/// Says, of a program without an SQLite of its own, what is known of one that is a library.
pub(super) fn finish(shared: &Shared) {
    if shared.get(layout::STATEMENTS_STATE) == layout::SHIM_NONE {
        shared.set(layout::STATEMENTS_STATE, sqlite::library());
    }
}

/// While this lives, what the thread has SQLite do is part of one call.
pub(super) struct Inside(());

/// Whether what the thread does is counted. Not in a forked child: the table may have been locked when it was made, by a
/// thread that it does not have.
fn counts_here() -> bool {
    IS_ON.load(Ordering::Acquire) && trace::shared().is_some() && INSIDE.get().is_null()
}

/// `None` where nothing is counted, or the thread is inside SQLite already.
pub(super) fn enter() -> Option<Inside> {
    counts_here().then(|| {
        // Any value but null marks it.
        INSIDE.set((&raw const INSIDE).cast());
        Inside(())
    })
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(core::ptr::null());
    }
}

/// A statement begins to run; `number` is 0, or one more than that in the shared table.
fn count(shared: &Shared, number: u64) {
    let _locked = Prepared::lock();
    shared.add(layout::STATEMENTS_RUN, 1);
    if number == 0 {
        shared.add(layout::STATEMENTS_LOST, 1);
        return;
    }
    let runs = (number - 1) as usize * layout::STATEMENT_WORDS + layout::STATEMENT_RUNS;
    shared.set_in_statements(runs, shared.get_in_statements(runs) + 1);
}

/// A statement with this text was prepared.
pub(super) fn prepared(statement: usize, sql: &[u8]) {
    if let Some(shared) = trace::shared() {
        let table = Prepared::lock();
        let number = table.number(&shared, sql).map_or(0, |number| number + 1);
        table.put(&shared, statement, 2 * number);
    }
}

/// A statement is about to be stepped: it runs once more unless it does so already.
pub(super) fn stepped(statement: usize) {
    let Some(shared) = trace::shared() else {
        return;
    };
    let begun = {
        let table = Prepared::lock();
        match table.state(statement) {
            // Prepared by another function (that for UTF-16).
            None => {
                table.put(&shared, statement, RUNS);
                Some(0)
            }
            Some(state) => {
                let before = state.fetch_or(RUNS, Ordering::Relaxed);
                (before & RUNS == 0).then_some(before / 2)
            }
        }
    };
    if let Some(number) = begun {
        ran(&shared, number);
    }
}

fn ran(shared: &Shared, number: u64) {
    count(shared, number);
    let executing = EXECUTING.get().cast::<AtomicUsize>();
    if !executing.is_null() {
        // SAFETY: it lies in a frame below, of this thread, that resets the pointer before it ends.
        unsafe { (*executing).fetch_add(1, Ordering::Relaxed) };
    }
    if number > 0 {
        let _uncounted = depth::enter();
        trace::statement(number - 1);
    }
}

/// A statement is at its end, or back at its beginning.
pub(super) fn rests(statement: usize) {
    if let Some(state) = Prepared::lock().state(statement) {
        state.fetch_and(!RUNS, Ordering::Relaxed);
    }
}

/// A statement is no more.
pub(super) fn forget(statement: usize) {
    Prepared::lock().forget(statement);
}

/// What runs while `call` has SQLite execute a text. A library whose own calls cannot be interposed (`-Bsymbolic`) shows no
/// step of it: then the whole text counts as one statement, if `call` says that all went well.
pub(super) fn executing(sql: &[u8], call: impl FnOnce() -> bool) {
    if !counts_here() {
        call();
        return;
    }
    let seen = AtomicUsize::new(0);
    let outer = EXECUTING.get();
    EXECUTING.set((&raw const seen).cast());
    let is_fine = call();
    EXECUTING.set(outer);
    if is_fine && seen.load(Ordering::Relaxed) == 0 {
        unseen(sql);
    }
}

fn unseen(sql: &[u8]) {
    if let Some(shared) = trace::shared()
        && !StatementText::of(sql).as_bytes().is_empty()
    {
        let number = Prepared::lock().number(&shared, sql);
        ran(&shared, number.map_or(0, |number| number + 1));
    }
}
