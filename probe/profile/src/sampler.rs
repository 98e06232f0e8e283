//! The timer, and which of its ticks become samples.
//!
//! pprof's own timer (`ITIMER_PROF`) counts processor time of all threads, but the kernel checks it at
//! its own tick only: 250 times per second on most systems. A benchmark that works in its main thread
//! only is sampled by a high-resolution timer of that thread instead. Either way the signal arrives
//! here first, and is passed to pprof only if it fell into a timed region.

use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use libc::{c_int, c_void, siginfo_t};
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

use crate::dump::{self, Tally};
use crate::layout;
use crate::shared::Shared;

/// After this many ticks outside of timed regions, the timer stops until the next region: a process
/// that the host holds must not be woken.
const RESTS_AFTER: u32 = 100;

/// No timer has this id; the first one a process makes has the id 0.
const NO_TIMER: usize = usize::MAX;

/// `<folder>/<side>`, the front part of the names of our files.
static NAME: OnceLock<PathBuf> = OnceLock::new();
static SHARED: OnceLock<SharedOfProcess> = OnceLock::new();
static SESSION: Mutex<Option<Session>> = Mutex::new(None);

/// Whether a timed region is open.
static OPEN: AtomicBool = AtomicBool::new(false);
/// Whether the timer runs; it is started again by the next region.
static TICKING: AtomicBool = AtomicBool::new(false);
static IDLE_TICKS: AtomicU32 = AtomicU32::new(0);
static TICKS_INSIDE: AtomicU64 = AtomicU64::new(0);
static TICKS_OUTSIDE: AtomicU64 = AtomicU64::new(0);
/// pprof's handler.
static HANDLER: AtomicUsize = AtomicUsize::new(0);
/// The timer of the main thread, or [`NO_TIMER`] where the process's own is used.
static TIMER: AtomicUsize = AtomicUsize::new(NO_TIMER);
static PERIOD_NS: AtomicU64 = AtomicU64::new(0);

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The mapping, and the process for which it was made: a forked child is not ours.
struct SharedOfProcess {
    shared: Shared,
    pid: u32,
}

// SAFETY: all access to the mapping is atomic, and it lives as long as the process.
unsafe impl Send for SharedOfProcess {}
// SAFETY: as above.
unsafe impl Sync for SharedOfProcess {}

/// One benchmark's profile in the making.
struct Session {
    generation: u64,
    profiler: Result<ProfilerGuard<'static>, String>,
}

/// Remembers the name that the host has given us, which is removed from the environment before `main`.
pub(crate) fn remember_name() {
    if let Some(value) = std::env::var_os(layout::VARIABLE)
        && let Some((_, name)) = value.to_str().and_then(|value| value.split_once(':'))
    {
        let _ = NAME.set(PathBuf::from(name));
    }
}

/// This process is a benchmark of a run.
pub(crate) fn attach(shared: Shared) {
    let pid = std::process::id();
    let _ = SHARED.set(SharedOfProcess { shared, pid });
    dump::remember_main_thread();
    // SAFETY: a function of the right type, in a library that is never unloaded.
    unsafe { libc::atexit(at_exit) };
    if shared.get(layout::PROFILE_FROM_START) == 1 {
        follow();
        open();
    }
}

pub(crate) extern "C" fn at_exit() {
    let ours = SHARED
        .get()
        .is_some_and(|own| own.pid == std::process::id());
    if ours && let Ok(mut session) = SESSION.try_lock() {
        finish(session.take());
    }
}

/// Called before each sample of a benchmark, on the main thread, from ordinary code: the place to
/// begin another profile when the host has announced another benchmark.
pub(crate) fn follow() {
    let Some(own) = SHARED.get() else { return };
    let generation = own.shared.get(layout::GENERATION);
    let Ok(mut session) = SESSION.try_lock() else {
        return;
    };
    if session.as_ref().is_some_and(|s| s.generation == generation) {
        return;
    }
    finish(session.take());
    *session = Some(Session {
        generation,
        profiler: begin(&own.shared),
    });
}

/// A timed region begins.
pub(crate) fn open() {
    OPEN.store(true, Ordering::SeqCst);
    if !TICKING.load(Ordering::Relaxed) && PERIOD_NS.load(Ordering::Relaxed) > 0 {
        set_timer(PERIOD_NS.load(Ordering::Relaxed));
    }
}

/// A timed region ends.
pub(crate) fn close() {
    OPEN.store(false, Ordering::SeqCst);
}

fn begin(shared: &Shared) -> Result<ProfilerGuard<'static>, String> {
    if let Some(folder) = NAME.get().and_then(|name| name.parent()) {
        // Refused if it was set before: then it is the same.
        let _ = tempfile::env::override_temp_dir(folder);
    }
    prime()?;
    for counter in [&TICKS_INSIDE, &TICKS_OUTSIDE] {
        counter.store(0, Ordering::Relaxed);
    }
    let guard = profiler()?;
    if shared.get(layout::PROFILE_CLOCK) == layout::CLOCK_OF_MAIN_THREAD {
        TIMER.store(new_timer()? as usize, Ordering::Relaxed);
    }
    let period = shared.get(layout::PROFILE_PERIOD_NS);
    PERIOD_NS.store(period, Ordering::Relaxed);
    Ok(guard)
}

/// pprof reads the unwinding tables of all libraries when it takes its first sample. That allocates,
/// which must not happen in a signal handler that may have interrupted an allocation: so the first
/// sample is taken here, and discarded.
fn prime() -> Result<(), String> {
    static PRIMED: AtomicBool = AtomicBool::new(false);
    if !PRIMED.swap(true, Ordering::Relaxed) {
        let guard = profiler()?;
        OPEN.store(true, Ordering::SeqCst);
        // SAFETY: the handler is in place.
        unsafe { libc::raise(libc::SIGPROF) };
        OPEN.store(false, Ordering::SeqCst);
        drop(guard);
    }
    Ok(())
}

/// A profiler whose handler is called by ours, and whose own timer is stopped.
fn profiler() -> Result<ProfilerGuard<'static>, String> {
    let builder = ProfilerGuardBuilder::default().frequency(1);
    let guard = builder.build().map_err(|error| error.to_string())?;
    set_process_timer(0);
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a place for the answer; then an action that is complete, since pprof has set it.
    unsafe {
        if libc::sigaction(libc::SIGPROF, std::ptr::null(), action.as_mut_ptr()) != 0 {
            return Err("the handler of the profiler was not found".to_owned());
        }
        let mut action = action.assume_init();
        HANDLER.store(action.sa_sigaction, Ordering::SeqCst);
        let own: Handler = on_tick;
        action.sa_sigaction = own as usize;
        if libc::sigaction(libc::SIGPROF, &raw const action, null_mut()) != 0 {
            return Err("the handler of the profiler could not be replaced".to_owned());
        }
    }
    Ok(guard)
}

extern "C" fn on_tick(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if !OPEN.load(Ordering::SeqCst) {
        TICKS_OUTSIDE.fetch_add(1, Ordering::Relaxed);
        if IDLE_TICKS.fetch_add(1, Ordering::Relaxed) >= RESTS_AFTER {
            set_timer(0);
        }
        return;
    }
    IDLE_TICKS.store(0, Ordering::Relaxed);
    TICKS_INSIDE.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the address of pprof's handler, which has this type; the arguments are the kernel's.
    unsafe {
        let handler = std::mem::transmute::<usize, Handler>(HANDLER.load(Ordering::SeqCst));
        handler(signal, info, context);
    }
}

/// Ends a benchmark's profile and writes it to a file.
fn finish(session: Option<Session>) {
    let Some(session) = session else { return };
    PERIOD_NS.store(0, Ordering::Relaxed);
    set_timer(0);
    let timer = TIMER.swap(NO_TIMER, Ordering::Relaxed);
    if timer != NO_TIMER {
        // SAFETY: made by `new_timer`, and just taken out of use.
        unsafe { libc::timer_delete(timer as libc::timer_t) };
    }
    let tally = Tally {
        inside: TICKS_INSIDE.load(Ordering::Relaxed),
        outside: TICKS_OUTSIDE.load(Ordering::Relaxed),
    };
    if let Some(name) = NAME.get() {
        let profile = session.profiler.as_ref().map_err(Clone::clone);
        dump::write(name, session.generation, tally, profile);
    }
}

/// Sets the timer in use; 0 stops it. Safe in a signal handler.
fn set_timer(period_ns: u64) {
    IDLE_TICKS.store(0, Ordering::Relaxed);
    TICKING.store(period_ns > 0, Ordering::Relaxed);
    let timer = TIMER.load(Ordering::Relaxed);
    if timer == NO_TIMER {
        set_process_timer(period_ns);
        return;
    }
    let period = libc::timespec {
        tv_sec: (period_ns / 1_000_000_000) as i64,
        tv_nsec: (period_ns % 1_000_000_000) as i64,
    };
    let value = libc::itimerspec {
        it_interval: period,
        it_value: period,
    };
    // SAFETY: a timer of ours, and a complete value.
    unsafe { libc::timer_settime(timer as libc::timer_t, 0, &raw const value, null_mut()) };
}

fn set_process_timer(period_ns: u64) {
    let period = libc::timeval {
        tv_sec: (period_ns / 1_000_000_000) as i64,
        tv_usec: (period_ns % 1_000_000_000 / 1_000) as i64,
    };
    let value = libc::itimerval {
        it_interval: period,
        it_value: period,
    };
    // SAFETY: a complete value.
    unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const value, null_mut()) };
}

/// A timer whose signals go to this thread.
fn new_timer() -> Result<libc::timer_t, String> {
    let mut timer: libc::timer_t = null_mut();
    // SAFETY: an event is plain data, for which zeros are valid; then a complete event and a place for
    // the answer.
    let status = unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGPROF;
        event.sigev_notify_thread_id = libc::gettid();
        libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer)
    };
    if status == 0 {
        return Ok(timer);
    }
    Err(format!(
        "the timer was refused: {}",
        std::io::Error::last_os_error()
    ))
}
