//! How the process of a service ended by itself.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

/// How a process ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProcessEnd {
    /// It exited.
    Exited {
        /// With this status.
        status: i32,
    },
    /// A signal ended it.
    Signal {
        /// Which.
        signal: i32,
    },
    /// The system says neither.
    Unknown,
}

impl ProcessEnd {
    pub(super) fn of(status: ExitStatus) -> ProcessEnd {
        match (status.code(), status.signal()) {
            (Some(status), _) => ProcessEnd::Exited { status },
            (None, Some(signal)) => ProcessEnd::Signal { signal },
            (None, None) => ProcessEnd::Unknown,
        }
    }
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessEnd::Exited { status } => write!(f, "exited with status {status}"),
            ProcessEnd::Signal { signal } => write!(f, "was ended by signal {signal}"),
            ProcessEnd::Unknown => f.write_str("ended"),
        }
    }
}
