//! The file in which the host finds a benchmark's profile.
//!
//! Lines of text, fields separated by one space, the last one up to the end of the line:
//!
//! ```text
//! perfcheck-profile 1
//! ticks <inside timed regions> <outside>
//! own <address of a byte of this library>
//! main <thread>
//! module <load bias> <start> <end> <path>        hexadecimal; an empty path is the executable
//! named <address> <function>                     where the loader's choice among several begins
//! stack <count> <thread> <address> <address> …   hexadecimal; innermost first
//! error <text>                                   instead of all the others but the first
//! ```
//!
//! The first address of a stack is an instruction that was about to run, the others are those to which
//! calls return. Names are not looked up here: that takes the executable's debug information, which
//! the host reads once for all processes.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use libc::{c_int, c_void};
use pprof::ProfilerGuard;

/// Where the ticks of the timer fell.
pub(crate) struct Tally {
    pub(crate) inside: u64,
    pub(crate) outside: u64,
}

/// Writes `<name>.<generation>.profile`, in one step. If that fails, the host finds no file, and
/// reports that.
pub(crate) fn write(
    name: &Path,
    generation: u64,
    tally: Tally,
    profiler: Result<&ProfilerGuard<'static>, String>,
) {
    let text = match profiler.and_then(stacks) {
        Ok(stacks) => {
            let own = &raw const OWN as usize;
            let modules = modules() + &chosen();
            let Tally { inside, outside } = tally;
            let main = MAIN_THREAD.load(Ordering::Relaxed);
            format!("ticks {inside} {outside}\nown {own:x}\nmain {main:x}\n{modules}{stacks}")
        }
        Err(error) => format!("error {}\n", error.replace('\n', " ")),
    };
    let unfinished = name.with_extension(format!("{generation}.unfinished"));
    let finished = name.with_extension(format!("{generation}.profile"));
    let written = std::fs::write(&unfinished, format!("perfcheck-profile 1\n{text}"));
    if written.is_ok() {
        let _ = std::fs::rename(unfinished, finished);
    }
}

/// Lies in this library.
static OWN: u8 = 0;

/// The main thread, as pprof calls it.
static MAIN_THREAD: AtomicU64 = AtomicU64::new(0);

/// The calling thread is the main one.
pub(crate) fn remember_main_thread() {
    // SAFETY: it has no conditions.
    let own = unsafe { libc::pthread_self() };
    MAIN_THREAD.store(own as u64, Ordering::Relaxed);
}

fn stacks(profiler: &ProfilerGuard<'static>) -> Result<String, String> {
    let report = profiler.report().build_unresolved();
    let report = report.map_err(|error| error.to_string())?;
    let mut counts: BTreeMap<(u64, Vec<usize>), isize> = BTreeMap::new();
    for (stack, count) in report.data {
        let addresses = stack.frames.iter().map(|frame| frame.ip).collect();
        *counts.entry((stack.thread_id, addresses)).or_default() += count;
    }
    let mut text = String::new();
    for ((thread, addresses), count) in counts {
        let _ = write!(text, "stack {count} {thread:x}");
        for address in addresses {
            let _ = write!(text, " {address:x}");
        }
        text.push('\n');
    }
    Ok(text)
}

fn modules() -> String {
    let mut text = String::new();
    // SAFETY: the callback gets the pointer that it expects.
    unsafe { libc::dl_iterate_phdr(Some(module), (&raw mut text).cast::<c_void>()) };
    text
}

/// The C library has each of these in several versions, without a symbol of its own, and the loader
/// chooses one that suits the processor: which one can be found out only here.
fn chosen() -> String {
    let names = [
        c"memcpy", c"memmove", c"memset", c"memcmp", c"bcmp", c"memchr", c"strlen",
    ];
    let mut text = String::new();
    for name in names {
        // SAFETY: a name that ends in NUL.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        if !address.is_null() {
            let name = name.to_string_lossy();
            let _ = writeln!(text, "named {:x} {name}", address as usize);
        }
    }
    text
}

unsafe extern "C" fn module(info: *mut libc::dl_phdr_info, _: usize, text: *mut c_void) -> c_int {
    // SAFETY: both pointers are valid during the call, as the loader and `modules` promise; the
    // headers are as many as said, and the name ends in NUL.
    let (text, info, headers, name) = unsafe {
        let info = &*info;
        (
            &mut *text.cast::<String>(),
            info,
            std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)),
            CStr::from_ptr(info.dlpi_name).to_string_lossy(),
        )
    };
    let loaded = headers.iter().filter(|h| h.p_type == libc::PT_LOAD);
    let ends = loaded
        .clone()
        .map(|h| info.dlpi_addr + h.p_vaddr + h.p_memsz);
    let starts = loaded.map(|h| info.dlpi_addr + h.p_vaddr);
    if let (Some(start), Some(end)) = (starts.min(), ends.max()) {
        let bias = info.dlpi_addr;
        let _ = writeln!(text, "module {bias:x} {start:x} {end:x} {name}");
    }
    0
}
