//! Whether the run was told to stop.

use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::low_level::signal_name;

/// The first signal that came, or 0.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted by {}", signal_name(*signal).unwrap_or("a signal"))]
pub struct Interrupted {
    signal: i32,
}

impl Interrupted {
    /// What shells report for a program that the signal ended: 128 plus its number.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(u8::try_from(128 + self.signal).unwrap_or(u8::MAX))
    }
}

/// The signal that told this run to stop, if one did.
#[must_use]
pub fn interrupted() -> Option<Interrupted> {
    match SIGNAL.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(Interrupted { signal }),
    }
}

/// Like [`interrupted`], for use with `?` between the steps of a long piece of work.
///
/// # Errors
/// [`Interrupted`] where a signal told this run to stop.
pub fn check() -> Result<(), Interrupted> {
    interrupted().map_or(Ok(()), Err)
}

/// Remembers a signal; gives whether it is the first.
pub(super) fn remember(signal: i32) -> bool {
    SIGNAL.swap(signal, Ordering::SeqCst) == 0
}
