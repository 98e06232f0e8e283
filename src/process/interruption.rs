//! Whether the run was told to stop.

use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::low_level::signal_name;

/// The first signal that came, [`TIME_UP`], or 0.
static CAUSE: AtomicI32 = AtomicI32::new(0);

/// No signal has this number.
const TIME_UP: i32 = -1;

/// The run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// By a signal: the user's Ctrl-C, or one from the process that started the run.
    #[error("interrupted by {}", signal_name(*.0).unwrap_or("a signal"))]
    Signal(i32),
    /// By its own limit of time.
    #[error("the time for the whole run ran out")]
    TimeUp,
}

impl Interrupted {
    /// What shells report for a program that the signal ended: 128 plus its number.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        let Interrupted::Signal(signal) = self else {
            return ExitCode::FAILURE;
        };
        ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
    }
}

/// Why this run is to stop, if it is.
#[must_use]
pub fn interrupted() -> Option<Interrupted> {
    match CAUSE.load(Ordering::SeqCst) {
        0 => None,
        TIME_UP => Some(Interrupted::TimeUp),
        signal => Some(Interrupted::Signal(signal)),
    }
}

/// Like [`interrupted`], for use with `?` between the steps of a long piece of work.
///
/// # Errors
/// [`Interrupted`] where this run was told to stop.
pub fn check() -> Result<(), Interrupted> {
    interrupted().map_or(Ok(()), Err)
}

/// Remembers a signal, and returns whether it is the first one. Time running out does not count as a
/// signal: the report may still be written.
pub(super) fn remember(signal: i32) -> bool {
    matches!(CAUSE.swap(signal, Ordering::SeqCst), 0 | TIME_UP)
}

/// Remembers that the time is up, unless a signal came first.
pub(super) fn remember_time_up() {
    let _ = CAUSE.compare_exchange(0, TIME_UP, Ordering::SeqCst, Ordering::SeqCst);
}
