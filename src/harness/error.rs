//! What can be wrong about the bytes that a benchmark process sends.

use std::io;

/// Bytes that are not Criterion's protocol.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The answer to our greeting does not begin with `Criterion`.
    #[error("answered the greeting with {answer:?} instead of Criterion's")]
    NotCriterion {
        /// What came, as text.
        answer: String,
    },
    /// A version of the protocol that was made after this program.
    #[error(
        "speaks version {version}, format {format} of Criterion's protocol; this cargo-perfcheck knows version 1, format 1"
    )]
    UnknownVersion {
        /// The protocol's version.
        version: u16,
        /// The format of its messages.
        format: u16,
    },
    /// A frame longer than any true message.
    #[error("announced a message of {bytes} bytes; the longest that is accepted is {limit}")]
    FrameTooLong {
        /// The announced length.
        bytes: usize,
        /// The longest accepted.
        limit: usize,
    },
    /// A frame that is no message.
    #[error("sent a message that cannot be read: {reason}")]
    Malformed {
        /// What the decoder says.
        reason: String,
    },
    /// The connection broke.
    #[error("lost the connection")]
    Io {
        /// Why.
        source: io::Error,
    },
}

impl ProtocolError {
    /// What the user can try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ProtocolError::UnknownVersion { .. } => Some(
                "a newer cargo-perfcheck may support it: `cargo install cargo-perfcheck`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
