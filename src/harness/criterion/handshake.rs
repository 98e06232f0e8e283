//! The handshake: we greet as `cargo-criterion`, the benchmark answers with the version of its
//! Criterion and of the protocol.

use super::{CriterionVersion, ProtocolError};

/// What perfcheck sends first: the name that Criterion expects, and the version of
/// `cargo-criterion` whose side of the protocol we speak.
pub(super) const GREETING: &[u8; 18] = b"cargo-criterion\x01\x01\x00";

const ANSWER_MAGIC: &[u8; 9] = b"Criterion";

/// Length of the answer: the magic, three version bytes, protocol version and format.
pub(super) const ANSWER_BYTES: usize = ANSWER_MAGIC.len() + 3 + 2 + 2;

/// Reads the benchmark's answer.
pub(super) fn parse_answer(answer: &[u8]) -> Result<CriterionVersion, ProtocolError> {
    let rest = answer
        .strip_prefix(ANSWER_MAGIC)
        .and_then(|rest| rest.first_chunk::<7>());
    let Some(
        &[
            major,
            minor,
            patch,
            version_high,
            version_low,
            format_high,
            format_low,
        ],
    ) = rest
    else {
        return Err(ProtocolError::NotCriterion {
            answer: String::from_utf8_lossy(answer).into_owned(),
        });
    };
    let version = u16::from_be_bytes([version_high, version_low]);
    let format = u16::from_be_bytes([format_high, format_low]);
    if (version, format) != (1, 1) {
        return Err(ProtocolError::UnknownVersion { version, format });
    }
    Ok(CriterionVersion {
        major,
        minor,
        patch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_criterions_version() {
        let version = parse_answer(b"Criterion\x00\x08\x02\x00\x01\x00\x01").unwrap();
        assert_eq!(version.to_string(), "0.8.2");
        assert!(!version.wants_whole_seconds());
        let version = parse_answer(b"Criterion\x00\x03\x06\x00\x01\x00\x01").unwrap();
        assert!(version.wants_whole_seconds());
    }

    #[test]
    fn a_protocol_of_the_future_is_refused() {
        let error = parse_answer(b"Criterion\x02\x00\x00\x00\x02\x00\x01").unwrap_err();
        assert!(matches!(
            error,
            ProtocolError::UnknownVersion {
                version: 2,
                format: 1
            }
        ));
    }

    #[test]
    fn something_else_that_connects_is_not_taken_for_a_benchmark() {
        let error = parse_answer(b"HTTP/1.1 400 Bad").unwrap_err();
        assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
    }
}
