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

/// Where each function leads to: its moved beginning, or that of the library; 0 until it is looked up.
static LED_TO: [AtomicUsize; FUNCTIONS] = [const { AtomicUsize::new(0) }; FUNCTIONS];

/// Redirects the functions that are in the executable. The outcome is a `SHIM_` constant.
///
/// # Safety
/// There is one thread.
pub(super) unsafe fn redirect(shared: &Shared, bias: usize) -> u64 {
    if shared.get(layout::STATEMENTS_CAPACITY) == 0 || !queries::start() {
        return layout::SHIM_DEAF;
    }
    let all: [*const (); FUNCTIONS] = [
        step as *const (),
        reset as *const (),
        finalize as *const (),
        prepare as *const (),
        prepare_v2 as *const (),
        prepare_v3 as *const (),
        exec as *const (),
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
            LED_TO[places[index]].store(moved, Ordering::Release);
        })
    }
}

/// Whether the functions lead anywhere.
pub(super) fn is_there() -> bool {
    led_to(STEP) != 0
}

/// 0 if there is no such function.
fn led_to(function: usize) -> usize {
    match LED_TO[function].load(Ordering::Acquire) {
        0 => look_up(function),
        address => address,
    }
}

#[cold]
fn look_up(function: usize) -> usize {
    let name: &CStr = layout::SQLITE_FUNCTIONS[function];
    let _uncounted = depth::enter();
    // SAFETY: NUL-terminated names, and a handle of the loader's.
    let address = unsafe {
        let mut found = sys::dlsym(sys::RTLD_NEXT, name.as_ptr());
        if found.is_null() {
            // A library that was opened for a plugin alone is not among the next ones.
            let library = sys::dlopen(c"libsqlite3.so.0".as_ptr(), sys::RTLD_IF_LOADED);
            if !library.is_null() {
                found = sys::dlsym(library, name.as_ptr());
            }
        }
        found as usize
    };
    LED_TO[function].store(address, Ordering::Release);
    address
}

// SAFETY of all functions below: their contract is that of SQLite's function of the same name, whose arguments they pass
// on unchanged; the addresses have the types of those functions.

type OfStatement = unsafe extern "C" fn(*mut c_void) -> c_int;

/// Calls the function that takes a statement alone.
///
/// # Safety
/// See above.
unsafe fn pass_on(function: usize, statement: *mut c_void) -> c_int {
    match led_to(function) {
        0 => MISUSE,
        // SAFETY: see above.
        next => unsafe { transmute::<usize, OfStatement>(next)(statement) },
    }
}

unsafe extern "C" fn step(statement: *mut c_void) -> c_int {
    let inside = enter();
    if inside.is_some() {
        queries::stepped(statement as usize);
    }
    // SAFETY: see above.
    let result = unsafe { pass_on(STEP, statement) };
    // One that was refused is tried again.
    if inside.is_some() && ![ROW, BUSY].contains(&(result & 0xff)) {
        queries::rests(statement as usize);
    }
    result
}

unsafe extern "C" fn reset(statement: *mut c_void) -> c_int {
    if let Some(_inside) = enter() {
        queries::rests(statement as usize);
    }
    // SAFETY: see above.
    unsafe { pass_on(RESET, statement) }
}

unsafe extern "C" fn finalize(statement: *mut c_void) -> c_int {
    if let Some(_inside) = enter() {
        queries::forget(statement as usize);
    }
    // SAFETY: see above.
    unsafe { pass_on(FINALIZE, statement) }
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
    let mut end = core::ptr::null();
    let result = next(&raw mut end);
    // SAFETY: as our caller vouches; SQLite has set the end to a place in the text, or left it alone.
    unsafe {
        if !tail.is_null() {
            tail.write(end);
        }
        if result == OK && !statement.is_null() && !(*statement).is_null() && !end.is_null() {
            let bytes = (end as usize).saturating_sub(sql as usize);
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

unsafe extern "C" fn prepare(
    database: *mut c_void,
    sql: *const c_char,
    length: c_int,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        preparing(sql, length, statement, tail, |tail| match led_to(PREPARE) {
            0 => MISUSE,
            next => transmute::<usize, Prepare>(next)(database, sql, length, statement, tail),
        })
    }
}

unsafe extern "C" fn prepare_v2(
    database: *mut c_void,
    sql: *const c_char,
    length: c_int,
    statement: *mut *mut c_void,
    tail: *mut *const c_char,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        preparing(sql, length, statement, tail, |tail| {
            match led_to(PREPARE_V2) {
                0 => MISUSE,
                next => transmute::<usize, Prepare>(next)(database, sql, length, statement, tail),
            }
        })
    }
}

unsafe extern "C" fn prepare_v3(
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
            match led_to(PREPARE_V3) {
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

unsafe extern "C" fn exec(
    database: *mut c_void,
    sql: *const c_char,
    callback: *mut c_void,
    context: *mut c_void,
    message: *mut *mut c_char,
) -> c_int {
    let next = match led_to(EXEC) {
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
    use super::{c_char, c_int, c_uint, c_void};

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_step(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::step(statement) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_reset(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::reset(statement) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn sqlite3_finalize(statement: *mut c_void) -> c_int {
        // SAFETY: see above.
        unsafe { super::finalize(statement) }
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
        unsafe { super::prepare(database, sql, length, statement, tail) }
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
        unsafe { super::prepare_v2(database, sql, length, statement, tail) }
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
        unsafe { super::prepare_v3(database, sql, length, flags, statement, tail) }
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
        unsafe { super::exec(database, sql, callback, context, message) }
    }
}
