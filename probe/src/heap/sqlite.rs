//! The functions of SQLite that tell when a statement begins: interposed where the program loads SQLite as a library, and
//! redirected where it is linked into the executable.

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::mem::transmute;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::depth;
use super::patch::{self, Entry};
use super::queries::{self, enter};
use crate::layout;
use crate::shared::Shared;
use crate::sys;

// Places in [`layout::SQLITE_FUNCTIONS`].
const STEP: usize = 0;
const RESET: usize = 1;
const FINALIZE: usize = 2;
const PREPARE: usize = 3;
const PREPARE_V2: usize = 4;
const PREPARE_V3: usize = 5;
const EXEC: usize = 6;
const FUNCTIONS: usize = layout::SQLITE_FUNCTIONS.len();

// Results of SQLite.
const OK: c_int = 0;
const BUSY: c_int = 5;
const MISUSE: c_int = 21;
const ROW: c_int = 100;

/// The moved beginnings of the functions that are in the executable; 0 for others.
static MOVED: [AtomicUsize; FUNCTIONS] = [const { AtomicUsize::new(0) }; FUNCTIONS];
/// The functions of the library; 0 until they are looked up. A process may have both: a plugin brings a library, say.
static NEXT: [AtomicUsize; FUNCTIONS] = [const { AtomicUsize::new(0) }; FUNCTIONS];

/// What one of our functions stands for.
trait Original {
    /// Where the function of this number leads to; 0 if there is none.
    fn of(function: usize) -> usize;
}

/// A function of the executable, redirected.
struct Redirected;
/// A function of a library, interposed.
struct Interposed;

impl Original for Redirected {
    fn of(function: usize) -> usize {
        MOVED[function].load(Ordering::Acquire)
    }
}

impl Original for Interposed {
    fn of(function: usize) -> usize {
        match NEXT[function].load(Ordering::Acquire) {
            0 => look_up(function),
            address => address,
        }
    }
}

/// Redirects the functions that are in the executable. The outcome is a `SHIM_` constant.
///
/// # Safety
/// There is one thread.
pub(super) unsafe fn redirect(shared: &Shared, bias: usize) -> u64 {
    if shared.get(layout::STATEMENTS_CAPACITY) == 0 || !queries::start() {
        return layout::SHIM_DEAF;
    }
    let all: [*const (); FUNCTIONS] = [
        step::<Redirected> as *const (),
        reset::<Redirected> as *const (),
        finalize::<Redirected> as *const (),
        prepare::<Redirected> as *const (),
        prepare_v2::<Redirected> as *const (),
        prepare_v3::<Redirected> as *const (),
        exec::<Redirected> as *const (),
    ];
    let mut entries = [Entry::default(); FUNCTIONS];
    let mut functions = all;
    let mut places = [0; FUNCTIONS];
    let mut count = 0;
    for (place, function) in all.iter().enumerate() {
        let first = layout::SQLITE + place * layout::SHIM_WORDS;
        if let Some(entry) = Entry::read(shared, first, bias) {
            (entries[count], functions[count], places[count]) = (entry, *function, place);
            count += 1;
        }
    }
    if count == 0 {
        return layout::SHIM_NONE;
    }
    // SAFETY: as our caller vouches; the functions take what those that they stand for take.
    unsafe {
        patch::redirect(&entries[..count], &functions[..count], |index, moved| {
            MOVED[places[index]].store(moved, Ordering::Release);
        })
    }
}

/// What is known of an SQLite that is a library, at the end of the program: a `SHIM_` constant.
pub(super) fn library() -> u64 {
    let was_called = NEXT.iter().any(|next| next.load(Ordering::Acquire) != 0);
    // SAFETY: NUL-terminated names.
    unsafe {
        let step = layout::SQLITE_FUNCTIONS[STEP].as_ptr();
        if was_called || !sys::dlsym(sys::RTLD_NEXT, step).is_null() {
            layout::SHIM_HOOKED
        } else if !sys::dlopen(LIBRARY.as_ptr(), sys::RTLD_IF_LOADED).is_null() {
            // The program may have asked the library itself where its functions are.
            layout::SHIM_APART
        } else {
            layout::SHIM_NONE
        }
    }
}

/// What systems call it.
const LIBRARY: &CStr = c"libsqlite3.so.0";

#[cold]
fn look_up(function: usize) -> usize {
    let name: &CStr = layout::SQLITE_FUNCTIONS[function];
    let _uncounted = depth::enter();
    // SAFETY: NUL-terminated names, and a handle of the loader's.
    let address = unsafe {
        let mut found = sys::dlsym(sys::RTLD_NEXT, name.as_ptr());
        if found.is_null() {
            // A library that was opened for a plugin alone is not among the next ones.
            let library = sys::dlopen(LIBRARY.as_ptr(), sys::RTLD_IF_LOADED);
            if !library.is_null() {
                found = sys::dlsym(library, name.as_ptr());
            }
        }
        found as usize
    };
    NEXT[function].store(address, Ordering::Release);
    address
}

// SAFETY of all functions below: their contract is that of SQLite's function of the same name, whose arguments they pass
// on unchanged; the addresses have the types of those functions.

type OfStatement = unsafe extern "C" fn(*mut c_void) -> c_int;

/// Calls the function that takes a statement alone.
///
/// # Safety
/// See above.
unsafe fn pass_on<O: Original>(function: usize, statement: *mut c_void) -> c_int {
    match O::of(function) {
        0 => MISUSE,
        // SAFETY: see above.
        next => unsafe { transmute::<usize, OfStatement>(next)(statement) },
    }
}

unsafe extern "C" fn step<O: Original>(statement: *mut c_void) -> c_int {
    let inside = enter();
    if inside.is_some() {
        queries::stepped(statement as usize);
    }
    // SAFETY: see above.
    let result = unsafe { pass_on::<O>(STEP, statement) };
    // One that was refused is tried again.
    if inside.is_some() && ![ROW, BUSY].contains(&(result & 0xff)) {
        queries::rests(statement as usize);
    }
    result
}

unsafe extern "C" fn reset<O: Original>(statement: *mut c_void) -> c_int {
    if let Some(_inside) = enter() {
        queries::rests(statement as usize);
    }
    // SAFETY: see above.
    unsafe { pass_on::<O>(RESET, statement) }
}

unsafe extern "C" fn finalize<O: Original>(statement: *mut c_void) -> c_int {
    if let Some(_inside) = enter() {
        queries::forget(statement as usize);
    }
    // SAFETY: see above.
    unsafe { pass_on::<O>(FINALIZE, statement) }
}

/// Prepares a statement by `next`, which gets a place for where the text ends.
///
/// # Safety
/// `sql` has `length` bytes if that is not negative, and else ends in NUL; the places can be written to.
unsafe fn preparing(
    sql: *const c_char,
    length: c_int,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
    next: impl FnOnce(*mut *const c_char) -> c_int,
) -> c_int {
    let Some(_inside) = enter() else {
        return next(tail);
    };
    let mut own = core::ptr::null();
    let end = match tail.is_null() {
        true => &raw mut own,
        false => tail,
    };
    let result = next(end);
    // SAFETY: as our caller vouches; where SQLite has made a statement, it has set the end to a place in the text.
    unsafe {
        if result == OK && !statement.is_null() && !(*statement).is_null() && !(*end).is_null() {
            let bytes = (*end as usize).saturating_sub(sql as usize);
            let bytes = usize::try_from(length).map_or(bytes, |most| bytes.min(most));
            queries::prepared(
                *statement as usize,
                core::slice::from_raw_parts(sql.cast(), bytes),
            );
        }
    }
    result
}

type Prepare = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    c_int,
    *mut *mut c_void,
    *mut *const c_char,
) -> c_int;

unsafe extern "C" fn prepare<O: Original>(
    database: *mut c_void,
    sql: *const c_char,
    length: c_int,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        preparing(sql, length, statement, tail, |tail| match O::of(PREPARE) {
            0 => MISUSE,
            next => transmute::<usize, Prepare>(next)(database, sql, length, statement, tail),
        })
    }
}

unsafe extern "C" fn prepare_v2<O: Original>(
    database: *mut c_void,
    sql: *const c_char,
    length: c_int,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        preparing(sql, length, statement, tail, |tail| {
            match O::of(PREPARE_V2) {
                0 => MISUSE,
                next => transmute::<usize, Prepare>(next)(database, sql, length, statement, tail),
            }
        })
    }
}

unsafe extern "C" fn prepare_v3<O: Original>(
    database: *mut c_void,
    sql: *const c_char,
    length: c_int,
    flags: c_uint,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
) -> c_int {
    type PrepareV3 = unsafe extern "C" fn(
        *mut c_void,
        *const c_char,
        c_int,
        c_uint,
        *mut *mut c_void,
        *mut *const c_char,
    ) -> c_int;
    // SAFETY: see above.
    unsafe {
        preparing(sql, length, statement, tail, |tail| {
            match O::of(PREPARE_V3) {
                0 => MISUSE,
                next => transmute::<usize, PrepareV3>(next)(
                    database, sql, length, flags, statement, tail,
                ),
            }
        })
    }
}

type Exec = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *mut c_void,
    *mut c_void,
    *mut *mut c_char,
) -> c_int;

unsafe extern "C" fn exec<O: Original>(
    database: *mut c_void,
    sql: *const c_char,
    callback: *mut c_void,
    context: *mut c_void,
    message: *mut *mut c_char,
) -> c_int {
    let next = match O::of(EXEC) {
        0 => return MISUSE,
        // SAFETY: see above.
        next => unsafe { transmute::<usize, Exec>(next) },
    };
    let text = match sql.is_null() {
        true => &[],
        // SAFETY: a NUL-terminated text.
        false => unsafe { CStr::from_ptr(sql) }.to_bytes(),
    };
    let mut result = MISUSE;
    queries::executing(text, || {
        // SAFETY: see above.
        result = unsafe { next(database, sql, callback, context, message) };
        result == OK
    });
    result
}

/// What the program calls where SQLite is a library. Not the functions above themselves: their address could be that of
/// a function of this name in the executable.
mod interposed {
    use super::{Interposed, c_char, c_int, c_uint, c_void};

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_step(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::step::<Interposed>(statement) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_reset(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::reset::<Interposed>(statement) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_finalize(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::finalize::<Interposed>(statement) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_prepare(
        database: *mut c_void,
        sql: *const c_char,
        length: c_int,
        statement: *mut *mut c_void,
        tail: *mut *const c_char,
    ) -> c_int {
        // SAFETY: see above.
        unsafe { super::prepare::<Interposed>(database, sql, length, statement, tail) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_prepare_v2(
        database: *mut c_void,
        sql: *const c_char,
        length: c_int,
        statement: *mut *mut c_void,
        tail: *mut *const c_char,
    ) -> c_int {
        // SAFETY: see above.
        unsafe { super::prepare_v2::<Interposed>(database, sql, length, statement, tail) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_prepare_v3(
        database: *mut c_void,
        sql: *const c_char,
        length: c_int,
        flags: c_uint,
        statement: *mut *mut c_void,
        tail: *mut *const c_char,
    ) -> c_int {
        // SAFETY: see above.
        unsafe { super::prepare_v3::<Interposed>(database, sql, length, flags, statement, tail) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_exec(
        database: *mut c_void,
        sql: *const c_char,
        callback: *mut c_void,
        context: *mut c_void,
        message: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: see above.
        unsafe { super::exec::<Interposed>(database, sql, callback, context, message) }
    }
}
