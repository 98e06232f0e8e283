//! Interruption: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::groups::Groups;
use super::interruption::{remember, remember_time_up};

/// The groups of every live run of this process: what a signal has to end.
static RUNS: Mutex<Vec<Weak<Groups>>> = Mutex::new(Vec::new());

/// Signals that come this soon after the first one are no second wish: timeout(1) sends SIGTERM to the program and,
/// at the same moment, to its group.
const ONE_WISH: Duration = Duration::from_millis(250);

/// From now on the first SIGINT, SIGTERM or SIGHUP ends all children and makes [`interrupted`](super::interrupted)
/// return it; the second ends this process at once (the guardian then cleans up). Signals that were ignored when
/// the program started, by `nohup` or by a shell for its background jobs, stay ignored. Calling this again does
/// nothing.
///
/// # Errors
/// What the system says where signals cannot be watched.
pub fn listen() -> io::Result<()> {
    static WATCH: OnceLock<()> = OnceLock::new();
    if WATCH.get().is_some() {
        return Ok(());
    }
    let ignored = ignored_signals();
    let watched = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(watched)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || signals.forever().for_each(on_signal))?;
    let _ = WATCH.set(());
    Ok(())
}

/// Registers the groups of a run.
pub(super) fn watch(groups: &Arc<Groups>) {
    let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    runs.retain(|run| run.strong_count() > 0);
    runs.push(Arc::downgrade(groups));
}

/// Counts deadlines: only the last one holds.
static DEADLINES: AtomicU64 = AtomicU64::new(0);

/// At `end`, all children are ended and no more are started, and [`interrupted`](super::interrupted)
/// says that the time is up. The report can still be written. This replaces an earlier end.
///
/// # Errors
/// Where the system starts no thread.
pub fn end_at(end: Instant) -> io::Result<()> {
    let own = DEADLINES.fetch_add(1, Ordering::SeqCst) + 1;
    std::thread::Builder::new()
        .name("deadline".to_owned())
        .spawn(move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            if DEADLINES.load(Ordering::SeqCst) == own {
                remember_time_up();
                end_children();
            }
        })
        .map(drop)
}

/// What was said to [`end_at`] no longer holds.
pub fn forget_end() {
    DEADLINES.fetch_add(1, Ordering::SeqCst);
}

fn on_signal(signal: i32) {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(Instant::now);
    if !remember(signal) && first.elapsed() > ONE_WISH {
        let _ = emulate_default_handler(signal);
    }
    end_children();
}

fn end_children() {
    let runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    runs.iter()
        .filter_map(Weak::upgrade)
        .for_each(|groups| groups.kill_all());
}

/// The mask of ignored signals (proc(5): `SigIgn`); empty where there is no `/proc`.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0)
}
