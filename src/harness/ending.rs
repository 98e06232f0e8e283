//! Why a process will send nothing more.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use super::ProtocolError;

/// Why a process will send nothing more.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// It exited by itself.
    #[error("{}", describe(*.status))]
    Exited {
        /// How.
        status: ExitStatus,
    },
    /// It was silent for so long that perfcheck ended it.
    #[error("no sign of life for {}", humantime::format_duration(*.waited))]
    Silent {
        /// How long.
        waited: Duration,
    },
    /// It announced that it would take too long, so perfcheck ended it.
    #[error("would take {} for one round; at most {} are allowed", humantime::format_duration(Duration::from_secs(.announced.as_secs())), humantime::format_duration(*.limit))]
    TooLong {
        /// What it announced.
        announced: Duration,
        /// What is allowed.
        limit: Duration,
    },
    /// What it sent is not Criterion's protocol.
    #[error("{}", with_hint(.0))]
    Protocol(#[from] ProtocolError),
    /// It could not be started.
    #[error("could not be started: {0}")]
    NotStarted(io::Error),
}

fn with_hint(error: &ProtocolError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => {
            let name = Signal::from_named_raw(signal).map(|name| format!(" ({name:?})"));
            format!("was killed by signal {signal}{}", name.unwrap_or_default())
        }
        (None, None) => format!("ended: {status}"),
    }
}

impl From<io::Error> for Ending {
    fn from(source: io::Error) -> Self {
        Ending::Protocol(ProtocolError::Io { source })
    }
}
